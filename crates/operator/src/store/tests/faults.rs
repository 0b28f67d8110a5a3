//! When the disk fails: nothing is accepted that may not be there, and it goes on by itself.

use std::sync::atomic::Ordering::SeqCst;

use super::*;

async fn until_ready(store: &Store) {
    store.health().wait_for(|health| *health == Health::Ready).await.unwrap();
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_accepted_until_the_store_was_reopened() {
    let folder = Folder::new();
    let store = folder.open();
    store.accept(intent(1), None, None).await.unwrap();
    store.inner.fault.reopens.store(2, SeqCst);
    store.inner.fault.commits.store(1, SeqCst);
    let failed = store.accept(intent(2), None, None).await.unwrap_err();
    assert!(matches!(failed, Error::Unavailable { .. }), "{failed}");
    assert!(failed.retry().is_some());
    assert_eq!(store.inner.fault.commits.load(SeqCst), 0, "the fault fired");
    assert!(matches!(&*store.health().borrow(), Health::Unavailable { reason } if reason.contains("commit")));
    // The disk is well again, but it was not looked at: refused without asking it.
    let commits = store.stats().commits();
    assert!(store.accept(intent(3), None, None).await.is_err());
    assert_eq!(store.stats().commits(), commits);

    until_ready(&store).await;
    assert_eq!(store.inner.fault.reopens.load(SeqCst), 0, "it was tried again until it worked");
    assert_eq!(store.get(&id(2)).await.unwrap(), None);
    assert_eq!(store.count_live(), 1);
    store.accept(intent(2), None, None).await.unwrap();
    let verification = store.verify_audit(vec![]).await.unwrap();
    assert!(verification.is_sound() && verification.entries == 2, "{verification:?}");
}

#[tokio::test]
async fn everyone_in_the_batch_that_failed_is_told() {
    let folder = Folder::new();
    let store = folder.open();
    store.inner.fault.commits.store(1, SeqCst);
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { (number, store.accept(intent(number), None, None).await) })
        })
        .collect();
    let mut accepted = Vec::new();
    for task in tasks {
        if let (number, Ok(_)) = task.await.unwrap() {
            accepted.push(id(number));
        }
    }
    until_ready(&store).await;
    let live: Vec<IntentId> = store.live().await.unwrap().into_iter().map(|live| live.id).collect();
    assert_eq!(live.len(), accepted.len());
    assert!(accepted.iter().all(|id| live.contains(id)));
}

#[tokio::test]
async fn what_was_refused_is_not_carried_out_even_if_the_disk_has_it() {
    let folder = Folder::new();
    let store = folder.open();
    store.accept(intent(1), None, None).await.unwrap();
    let mut events = store.subscribe();
    let key = || {
        let digest = [1; 32];
        Some(AcceptKey { identity: "ann".into(), door: Source::Http, key: "k".into(), digest })
    };
    let file = || Some("intent-1.json".to_owned());
    store.inner.fault.late.store(1, SeqCst);
    assert!(store.accept(intent(2), key(), file()).await.is_err());
    until_ready(&store).await;
    assert_eq!(store.get(&id(2)).await.unwrap(), None);
    assert_eq!(store.count_live(), 1);
    assert!(events.try_recv().is_err(), "nobody hears of it");
    let kinds: Vec<String> =
        store.audit(None, 1, 10).await.unwrap().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["state", "withdrawn"], "the trail tells it");

    // Asked again, by its key and by its file, it is new.
    let again = store.accept(intent(3), key(), file()).await.unwrap();
    assert!(matches!(again, Accepted::New { .. }));
    assert_eq!(store.live().await.unwrap().len(), 2);
    assert!(store.verify_audit(vec![]).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_move_that_was_told_as_failed_and_is_on_disk_is_heard_of_after_the_reopening() {
    let folder = Folder::new();
    let store = folder.open();
    store.accept(intent(1), None, None).await.unwrap();
    let mut events = store.subscribe();
    let next = moved(stored(&store, &id(1)).await, State::Translating, "claimed");
    store.inner.fault.late.store(1, SeqCst);
    assert!(store.advance(next.clone(), vec![]).await.is_err());
    until_ready(&store).await;
    let event = events.recv().await.unwrap();
    assert_eq!((event.seq, event.id, event.state), (2, id(1), State::Translating));
    // Who tries it again is told to read first.
    assert!(matches!(store.advance(next, vec![]).await, Err(Error::Stale { .. })));
    assert_eq!(store.audit_head().sequence, 2);
}

#[tokio::test]
async fn reads_go_on_while_the_store_cannot_write() {
    let folder = Folder::new();
    let store = folder.open();
    store.accept(intent(1), None, None).await.unwrap();
    store.inner.fault.reopens.store(1, SeqCst);
    store.inner.fault.commits.store(1, SeqCst);
    assert!(store.accept(intent(2), None, None).await.is_err());
    assert_eq!(stored(&store, &id(1)).await.id, id(1));
    until_ready(&store).await;
    assert_eq!(stored(&store, &id(1)).await.id, id(1));
}

#[tokio::test]
async fn a_full_disk_refuses_and_goes_on_when_there_is_space() {
    let folder = Folder::new();
    let store = folder.open();
    store.accept(intent(1), None, None).await.unwrap();
    // Not a page more than there is.
    store.inner.fault.pages.store(1, SeqCst);
    let mut large = intent(2);
    large.request = Request::Text("x".repeat(100_000));
    let full = store.accept(large.clone(), None, None).await.unwrap_err();
    assert!(full.to_string().contains("disk is full"), "{full}");
    assert!(matches!(&*store.health().borrow(), Health::Unavailable { reason } if reason.contains("full")));

    store.inner.fault.pages.store(0, SeqCst);
    until_ready(&store).await;
    store.accept(large, None, None).await.unwrap();
    assert_eq!(store.count_live(), 2);
    assert!(store.verify_audit(vec![]).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_store_that_cannot_write_can_still_be_closed() {
    let folder = Folder::new();
    let store = folder.open();
    store.inner.fault.reopens.store(u32::MAX, SeqCst);
    store.inner.fault.commits.store(1, SeqCst);
    assert!(store.accept(intent(1), None, None).await.is_err());
    store.close().await;
    assert_eq!(*store.health().borrow(), Health::Closed);
    assert_eq!(folder.open().count_live(), 0);
}

#[tokio::test]
async fn a_store_that_lost_what_it_had_promised_says_so_and_accepts_nothing() {
    let folder = Folder::new();
    let store = folder.open();
    for number in 0..3 {
        store.accept(intent(number), None, None).await.unwrap();
    }
    // As a disk that dropped the last writes.
    folder.tamper("DELETE FROM audit WHERE sequence = 3");
    store.inner.fault.commits.store(1, SeqCst);
    assert!(store.accept(intent(9), None, None).await.is_err());
    let mut health = store.health();
    health
        .wait_for(|health| matches!(health, Health::Unavailable { reason } if reason.contains("lost")))
        .await
        .unwrap();
    assert!(store.accept(intent(9), None, None).await.unwrap_err().to_string().contains("lost"));
}
