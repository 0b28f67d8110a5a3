//! What waits together shares one sync; who is alone does not wait.

use super::*;

/// `clients` at once, each with `requests` one after another.
async fn accept_all(store: &Store, clients: usize, requests: usize) {
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let store = store.clone();
            tokio::spawn(async move {
                for request in 0..requests {
                    store.accept(intent(client * requests + request), None, None).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_64_in_flight_at_least_16_share_a_sync() {
    let folder = Folder::new();
    let store = folder.open();
    accept_all(&store, 64, 50).await;
    let syncs = store.stats().syncs.load(Ordering::Relaxed);
    assert!(syncs <= 3200 / 16, "{syncs} syncs for 3200 intents");
    assert_eq!(store.count_live(), 3200);
    assert!(store.verify_audit(vec![]).await.unwrap().is_sound());
}

#[tokio::test]
async fn who_is_alone_has_a_commit_of_its_own() {
    let folder = Folder::new();
    let store = folder.open();
    accept_all(&store, 1, 20).await;
    assert_eq!(store.stats().commits(), 20);
    let batches = store.stats().commit_batch.snapshot();
    assert_eq!((batches.count, batches.sum, batches.buckets[0]), (20, 20.0, (1.0, 20)));
    assert_eq!(store.stats().commit_seconds.snapshot().count, 20);
}

#[tokio::test]
async fn the_journal_is_taken_in_when_it_is_long() {
    let folder = Folder::new();
    let store = folder.open();
    // Some 30 MiB in all.
    for round in 0..14 {
        let tasks: Vec<_> = (0..100)
            .map(|number| {
                let mut large = intent(round * 100 + number);
                large.request = Request::Text("x".repeat(20_000));
                let store = store.clone();
                tokio::spawn(async move { store.accept(large, None, None).await.unwrap() })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
    let journal = std::fs::metadata(folder.path().join("nephoran.db-wal")).unwrap().len();
    assert!(journal < 16 << 20, "the journal has {journal} bytes");
    store.close().await;
    assert!(!folder.path().join("nephoran.db-wal").exists(), "a clean stop leaves no journal");
}

#[tokio::test]
async fn closing_writes_what_waits_and_gives_the_folder_up() {
    let folder = Folder::new();
    let store = folder.open();
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.accept(intent(number), None, None).await })
        })
        .collect();
    tokio::task::yield_now().await;
    store.close().await;
    let mut accepted = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => accepted += 1,
            Err(error) => assert!(matches!(error, Error::Closed), "{error}"),
        }
    }
    assert!(matches!(store.accept(intent(99), None, None).await, Err(Error::Closed)));
    assert!(matches!(store.get(&id(1)).await, Err(Error::Closed)));
    store.close().await;
    assert_eq!(folder.open().count_live(), accepted);
}
