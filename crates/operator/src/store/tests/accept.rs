//! What was accepted is there, once; a record moves on only from what was read.

use super::*;

fn key(identity: &str, door: Source, key: &str, digest: u8) -> AcceptKey {
    AcceptKey { identity: identity.into(), door, key: key.into(), digest: [digest; 32] }
}

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
async fn what_was_accepted_is_there_after_a_stop_without_a_close() {
    let folder = Folder::new();
    let store = folder.open();
    for number in 0..10 {
        store.accept(intent(number), None, None).await.unwrap();
    }
    // The files as they are now, as after SIGKILL: the journal holds what the database lacks.
    let killed = Folder::new();
    for file in ["nephoran.db", "nephoran.db-wal"] {
        std::fs::copy(folder.path().join(file), killed.path().join(file)).unwrap();
    }
    let again = killed.open();
    assert_eq!(again.count_live(), 10);
    assert!(again.verify_audit(vec![store.audit_head()]).await.unwrap().is_sound());
}

#[tokio::test]
async fn the_same_id_twice_is_refused_and_its_neighbours_do_not_notice() {
    let folder = Folder::new();
    let store = folder.open();
    store.accept(intent(1), None, None).await.unwrap();
    let (before, twice, after) = tokio::join!(
        store.accept(intent(2), None, None),
        store.accept(intent(1), None, None),
        store.accept(intent(3), None, None),
    );
    assert!(matches!(twice, Err(Error::Exists { .. })), "{twice:?}");
    assert!(before.is_ok() && after.is_ok());
    assert_eq!(store.count_live(), 3);
    assert!(store.verify_audit(vec![]).await.unwrap().is_sound());
}

#[tokio::test]
async fn the_same_key_and_bytes_are_one_intent_and_other_bytes_a_conflict() {
    let folder = Folder::new();
    let store = folder.open();
    let mine = key("ann", Source::Http, "k1", 1);
    store.accept(intent(1), Some(mine.clone()), None).await.unwrap();
    let head = store.audit_head();

    let repeated = store.accept(intent(2), Some(mine.clone()), None).await.unwrap();
    assert_eq!(repeated, Accepted::Repeated { id: id(1) });
    let other = store.accept(intent(3), Some(key("ann", Source::Http, "k1", 2)), None).await;
    assert!(matches!(other, Err(Error::KeyReused)), "{other:?}");
    assert_eq!(store.repeated(&mine).await.unwrap(), Some(id(1)));
    assert!(matches!(store.repeated(&key("ann", Source::Http, "k1", 2)).await, Err(Error::KeyReused)));

    // Nothing was written for either.
    assert_eq!(store.audit_head(), head);
    assert_eq!(store.count_live(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_identity_and_door() {
    let folder = Folder::new();
    let store = folder.open();
    for (number, key) in [
        key("ann", Source::Http, "k", 1),
        key("bob", Source::Http, "k", 2),
        key("ann", Source::Intent, "k", 3),
        // Not the same as `ann` with `k`, however the parts are put together.
        key("an", Source::Http, "nk", 4),
    ]
    .into_iter()
    .enumerate()
    {
        let accepted = store.accept(intent(number), Some(key), None).await.unwrap();
        assert!(matches!(accepted, Accepted::New { .. }), "{number}: {accepted:?}");
    }
}

#[tokio::test]
async fn a_key_that_comes_many_times_at_once_makes_one_intent() {
    let folder = Folder::new();
    let store = folder.open();
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                store.accept(intent(number), Some(key("ann", Source::Http, "k", 1)), None).await.unwrap()
            })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        new += usize::from(matches!(task.await.unwrap(), Accepted::New { .. }));
    }
    assert_eq!(new, 1);
    assert_eq!(store.count_live(), 1);
}

#[tokio::test]
async fn a_file_is_one_intent_until_its_move_is_recorded() {
    let folder = Folder::new();
    let store = folder.open();
    let file = || Some("intent-1.json 66305 4711 1700000000000000000 abc".to_owned());
    store.accept(intent(1), None, file()).await.unwrap();
    store.close().await;

    // Killed between the record and the move: the file is still there.
    let store = folder.open();
    let again = store.accept(intent(2), None, file()).await.unwrap();
    assert_eq!(again, Accepted::Repeated { id: id(1) });
    store.retire_folder_key(&file().unwrap()).await.unwrap();
    let later = store.accept(intent(3), None, file()).await.unwrap();
    assert!(matches!(later, Accepted::New { .. }));
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

#[tokio::test]
async fn of_many_who_move_one_record_at_once_one_succeeds() {
    let folder = Folder::new();
    let store = folder.open();
    store.accept(intent(1), None, None).await.unwrap();
    let read = stored(&store, &id(1)).await;
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let store = store.clone();
            let next = moved(read.clone(), State::Translating, &format!("by {number}"));
            tokio::spawn(async move { store.advance(next, vec![]).await })
        })
        .collect();
    let mut succeeded = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => succeeded += 1,
            Err(error) => assert!(matches!(error, Error::Stale { .. }), "{error}"),
        }
    }
    assert_eq!(succeeded, 1);
    assert_eq!(stored(&store, &id(1)).await.version, 2);
}

#[tokio::test]
async fn what_is_not_there_and_what_lost_its_history_is_refused() {
    let folder = Folder::new();
    let store = folder.open();
    assert!(matches!(store.advance(intent(1), vec![]).await, Err(Error::Unknown { .. })));
    assert_eq!(store.get(&id(1)).await.unwrap(), None);

    store.accept(intent(1), None, None).await.unwrap();
    let mut forgetful = stored(&store, &id(1)).await;
    forgetful.history.clear();
    let refused = store.advance(forgetful, vec![]).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_number_of_live_intents_follows_what_begins_and_ends() {
    let folder = Folder::new();
    let store = folder.open();
    for number in 0..3 {
        store.accept(intent(number), None, None).await.unwrap();
    }
    let cancelled = moved(stored(&store, &id(1)).await, State::Cancelled, "not wanted");
    store.advance(cancelled, vec![]).await.unwrap();
    assert_eq!(store.count_live(), 2);
    store.close().await;
    let store = folder.open();
    assert_eq!(store.count_live(), 2);
    let live: Vec<IntentId> = store.live().await.unwrap().into_iter().map(|live| live.id).collect();
    assert_eq!(live, [id(0), id(2)]);
}

#[tokio::test]
async fn what_ended_long_ago_is_forgotten_with_its_key_and_its_words() {
    let folder = Folder::new();
    let store = folder.open();
    let mine = key("ann", Source::Http, "k", 1);
    store.accept(intent(1), Some(mine.clone()), None).await.unwrap();
    store.accept(intent(2), None, None).await.unwrap();
    let mut ended = stored(&store, &id(1)).await;
    ended
        .enter(State::Cancelled, "a secret reason", "ann", Timestamp::from_second(1_800_000_000).unwrap())
        .unwrap();
    store.advance(ended, vec![]).await.unwrap();

    let when = |second| Timestamp::from_second(second).unwrap();
    assert_eq!(store.forget(when(1_799_999_999), 100).await.unwrap(), 0);
    assert_eq!(store.forget(when(1_800_000_001), 100).await.unwrap(), 1);
    assert_eq!(store.get(&id(1)).await.unwrap(), None);
    assert!(store.get(&id(2)).await.unwrap().is_some(), "it is live");
    assert_eq!(store.repeated(&mine).await.unwrap(), None);

    let verification = store.verify_audit(vec![]).await.unwrap();
    assert!(verification.is_sound(), "{:?}", verification.faults);
    assert_eq!((verification.entries, verification.erased), (3, 2));
    store.close().await;
    let bytes = std::fs::read(folder.database()).unwrap();
    assert!(!bytes.windows(15).any(|part| part == b"a secret reason"), "its words are still in the file");
}
