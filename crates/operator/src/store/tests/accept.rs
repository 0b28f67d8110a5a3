//! What was accepted is there, once.

use super::*;

#[tokio::test]
async fn what_was_accepted_is_there_after_a_restart() {
    let folder = Folder::new();
    let store = folder.open();
    let Accepted::New { version: 1, audit } = store.accept(intent(1), None, None).await.unwrap() else {
        panic!("it is new");
    };
    assert_eq!(audit.sequence, 1);
    store.close().await;

    let store = folder.open();
    let mut expected = intent(1);
    expected.version = 1;
    assert_eq!(stored(&store, &id(1)).await, expected);
    assert_eq!(store.audit_head(), audit);
    assert_eq!(store.count_live(), 1);
    assert_eq!(store.live().await.unwrap()[0].id, id(1));
}

#[tokio::test]
async fn a_record_moves_on_only_from_the_version_it_has() {
    let folder = Folder::new();
    let store = folder.open();
    store.accept(intent(1), None, None).await.unwrap();
    let read = stored(&store, &id(1)).await;
    let translating = moved(read.clone(), State::Translating, "claimed");
    let advanced = store.advance(translating, vec![]).await.unwrap();
    assert_eq!(advanced.version, 2);
    assert_eq!(advanced.audit.sequence, 2);

    let late = store.advance(moved(read, State::Cancelled, "late"), vec![]).await;
    assert!(matches!(late, Err(Error::Stale { expected: 1, stored: 2, .. })), "{late:?}");
    let now = stored(&store, &id(1)).await;
    assert_eq!((now.state, now.version, now.history.len()), (State::Translating, 2, 2));
    assert_eq!(store.audit(Some(&id(1)), 0, 10).await.unwrap().len(), 2);
}
