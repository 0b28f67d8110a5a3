//! A store that cannot be used says which file and why, and is left as it is.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A closed store with a few intents.
async fn closed() -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    for number in 0..50 {
        store.accept(intent(number), None, None).await.unwrap();
    }
    store.close().await;
    folder
}

/// Opening fails, names the file and changes no byte of it.
fn refuses(folder: &Folder) -> Error {
    let before = std::fs::read(folder.database()).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("nephoran.db"), "{error}");
    assert_eq!(std::fs::read(folder.database()).unwrap(), before, "it was changed");
    error
}

#[tokio::test]
async fn a_folder_that_is_missing_is_made_for_its_owner_alone() {
    let parent = Folder::new();
    let folder = parent.path().join("a/b");
    let store = Store::open(&folder).unwrap();
    store.accept(intent(1), None, None).await.unwrap();
    let mode = |name: &str| std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("."), 0o700);
    for file in ["nephoran.db", "nephoran.db-wal", "nephoran.lock"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_folder_serves_one_operator_at_a_time() {
    let folder = Folder::new();
    let first = folder.open();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, Error::InUse { .. }));
    let told = error.to_string();
    assert!(told.contains(&format!("process {}", std::process::id())) && told.contains("--data"), "{told}");
    first.close().await;
    folder.open();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = closed().await;
    folder.tamper("PRAGMA user_version = 7");
    assert!(matches!(refuses(&folder), Error::Newer { found: 7, known: 1, .. }));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    for content in [&b"hello"[..], &[0; 8192], &b"SQLite format 2\0".repeat(1000)] {
        let folder = Folder::new();
        std::fs::write(folder.database(), content).unwrap();
        let error = refuses(&folder);
        assert!(matches!(error, Error::Broken { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let folder = Folder::new();
    folder.tamper("CREATE TABLE cookies (name TEXT)");
    assert!(refuses(&folder).to_string().contains("another program"));
}

#[tokio::test]
async fn a_database_that_was_cut_short_is_refused() {
    let folder = closed().await;
    let length = std::fs::metadata(folder.database()).unwrap().len();
    for cut in [length - 1, length / 2, 4096, 100, 50] {
        std::fs::File::options().write(true).open(folder.database()).unwrap().set_len(cut).unwrap();
        let error = refuses(&folder);
        assert!(matches!(error, Error::Broken { .. }), "{cut}: {error}");
    }
}

#[tokio::test]
async fn a_database_that_is_missing_beside_its_journal_is_not_made_anew() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("nephoran.db-wal"), [1; 4096]).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Broken { .. }), "{error}");
    assert!(!folder.database().exists());
}

#[tokio::test]
async fn a_path_that_is_no_folder_is_refused() {
    let folder = Folder::new();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Store::open(&file).unwrap_err();
    assert!(matches!(error, Error::Folder { .. }), "{error}");
    assert!(error.to_string().contains("file"), "{error}");
}

#[tokio::test]
async fn a_torn_end_of_the_journal_loses_only_what_was_never_promised() {
    let folder = Folder::new();
    let store = folder.open();
    for number in 0..20 {
        store.accept(intent(number), None, None).await.unwrap();
    }
    let head = store.audit_head();
    // A write that was under way: half a frame after the last commit.
    let torn = Folder::new();
    std::fs::copy(folder.database(), torn.database()).unwrap();
    let mut journal = std::fs::read(folder.path().join("nephoran.db-wal")).unwrap();
    journal.extend_from_slice(&[0x5a; 2000]);
    std::fs::write(torn.path().join("nephoran.db-wal"), journal).unwrap();
    let again = torn.open();
    assert_eq!(again.count_live(), 20);
    assert!(again.verify_audit(vec![head]).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_damaged_page_is_found_by_the_full_check() {
    let folder = closed().await;
    let store = folder.open();
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
    store.close().await;
    damage(&folder);
    let told = folder.open().integrity_check().await;
    assert!(told.is_err() || told.is_ok_and(|told| !told.is_empty()));
}

#[tokio::test]
async fn after_an_unclean_stop_a_damaged_page_makes_the_store_unavailable() {
    let folder = closed().await;
    damage(&folder);
    // The mark of an unclean stop.
    std::fs::write(folder.path().join("nephoran.db-wal"), [0; 32]).unwrap();
    let store = folder.open();
    let told =
        store.health().wait_for(|health| matches!(health, Health::Unavailable { .. })).await.unwrap().clone();
    assert!(matches!(told, Health::Unavailable { reason } if reason.contains("the database is broken")));
    assert!(matches!(store.accept(intent(99), None, None).await, Err(Error::Unavailable { .. })));
}

/// Overwrites the middle of the last page, which belongs to one of the tables.
fn damage(folder: &Folder) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(folder.database()).unwrap();
    let length = file.metadata().unwrap().len();
    file.write_all_at(&[0xff; 2000], length - 4096).unwrap();
}

#[test]
fn the_library_is_not_one_that_can_lose_commits() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    assert!(schema::check_library(3_040_001, "3.40.1").is_err());
}
