//! The index after a kill, and after damage.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use nephoran_retrieve::State;
use tokio_util::sync::CancellationToken;

use crate::{Place, find, found, open, update};

const FOLDER: &str = "NEPHORAN_TEST_FOLDER";

fn library(count: usize) -> Vec<(String, String)> {
    let text = |number: usize| {
        let sections = (0..8).map(|section| format!("## Part {section}\n\nmarker{number} part{section}\n\n"));
        format!("# Document {number}\n\n{}", sections.collect::<String>())
    };
    (0..count).map(|number| (format!("{number:03}.md"), text(number))).collect()
}

/// Runs in a process of its own, which is killed: see the test below. Without a folder it checks
/// that a library as used there is taken in whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn builds_until_it_is_killed() {
    let Some(root) = std::env::var_os(FOLDER) else {
        let documents = library(3);
        let place = Place::new(&[]);
        documents.iter().for_each(|(name, text)| place.write(name, text));
        let report = update(&place.open()).await;
        assert_eq!((report.documents, report.passages), (3, 24));
        return;
    };
    let root = std::path::PathBuf::from(root);
    let index = open(&root.join("retrieval.db"), &root.join("documents"), Default::default(), None);
    let building = index.clone();
    let built = tokio::spawn(async move { building.update(&CancellationToken::new()).await });
    while !built.is_finished() {
        println!("\ndone {}", index.progress().done);
        std::io::stdout().flush().unwrap();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_kill_in_the_middle_of_building_leaves_whole_documents() {
    const DOCUMENTS: usize = 300;
    let place = Place::new(&[]);
    library(DOCUMENTS).iter().for_each(|(name, text)| place.write(name, text));
    let mut partly = 0;
    for kill_at in [1, 20, 60, 110, 170, 230] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::builds_until_it_is_killed", "--nocapture"])
            .env(FOLDER, place.root.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            let done = line.strip_prefix("done ").and_then(|number| number.parse::<usize>().ok());
            if done.is_some_and(|done| done >= kill_at) {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();

        // Opened as it was left, nothing taken in: each document is there whole or not at all.
        let index = place.open();
        let mut there = 0;
        for number in 0..DOCUMENTS {
            let passages = find(&index, &format!("marker{number}")).await.len();
            assert!(passages == 0 || passages == 8, "{passages} of 8 passages of document {number}");
            there += usize::from(passages == 8);
        }
        assert!(there >= kill_at.saturating_sub(1), "{there} documents after {kill_at} were done");
        partly += usize::from(there < DOCUMENTS);
    }
    assert!(partly > 0, "no kill came in the middle");
    let report = update(&place.open()).await;
    assert_eq!((report.documents, report.passages), (DOCUMENTS, DOCUMENTS * 8));
    println!(
        "6 kills while 300 documents were taken in, {partly} of them in the middle: every document whole or absent"
    );
}

#[tokio::test]
async fn a_broken_index_is_made_anew() {
    let place = Place::new(&[("a.md", "porcupine"), ("b.md", "armadillo")]);
    let index = place.open();
    update(&index).await;
    drop(index);
    let whole = std::fs::read(place.database()).unwrap();
    let damages: [(&str, Vec<u8>); 5] = [
        ("no database", b"this is no database at all, and long enough to be looked at".repeat(40)),
        ("empty", Vec::new()),
        ("cut off", whole[..whole.len() / 2].to_vec()),
        ("zeros in the middle", {
            let mut bytes = whole.clone();
            bytes[4096..].fill(0);
            bytes
        }),
        ("another version", {
            let mut bytes = whole.clone();
            // The user version of the file's head.
            bytes[60..64].copy_from_slice(&99u32.to_be_bytes());
            bytes
        }),
    ];
    for (damage, bytes) in damages {
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", place.database().display()));
        }
        std::fs::write(place.database(), &bytes).unwrap();
        let index = place.open();
        let report = update(&index).await;
        assert_eq!((report.documents, report.passages), (2, 2), "{damage}");
        assert_eq!(found(&index, "porcupine").await, ["a.md"], "{damage}");
        assert_eq!(index.progress().state, State::Ready);
    }
}

#[tokio::test]
async fn damage_while_it_is_open_is_mended_by_the_next_update() {
    let place = Place::new(&[("a.md", "porcupine")]);
    let index = place.open();
    update(&index).await;
    assert_eq!(found(&index, "porcupine").await, ["a.md"]);
    drop(index);
    // Tables that are gone: what a reader meets when somebody works on the file by hand.
    let by_hand = rusqlite::Connection::open(place.database()).unwrap();
    by_hand.execute_batch("DROP TABLE passages; DROP TABLE words").unwrap();
    drop(by_hand);
    let index = place.open();
    assert!(index.find("porcupine", 5).await.is_err());
    assert_eq!(update(&index).await.documents, 1);
    assert_eq!(found(&index, "porcupine").await, ["a.md"]);
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let place = Place::new(&[]);
    let other = rusqlite::Connection::open(place.database()).unwrap();
    other.execute_batch("PRAGMA application_id = 7; CREATE TABLE theirs (a)").unwrap();
    drop(other);
    let before = std::fs::read(place.database()).unwrap();
    let settings = nephoran_retrieve::Settings { folder: Some(place.folder()), ..Default::default() };
    let refused = nephoran_retrieve::Index::open(&place.database(), settings);
    assert!(matches!(refused, Err(nephoran_retrieve::Error::Foreign { .. })), "{refused:?}");
    assert_eq!(std::fs::read(place.database()).unwrap(), before);
}
