//! The audit trail shows what was done to it: a changed byte, a lost entry, a cut end, a chain made anew.

use std::path::Path;
use std::process::{Command, Output};

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::harness::{Options, Server, binary, copy, git};

const COLUMNS: &[&str] = &["sequence", "at", "kind", "intent", "previous", "digest", "hash", "salt", "words"];

/// An operator's whole life in small: commits, a question and its answer, an approval, a refusal.
fn a_life() -> tempfile::TempDir {
    let server = Server::start();
    server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let waits = server.submit_until("scale amf to 20 in ns core5g", "awaiting_approval");
    let (id, hash) = (waits["id"].as_str().unwrap(), waits["plan"]["hash"].as_str().unwrap());
    let approved = server.post_json(&format!("/api/v1/intents/{id}/approve"), &json!({"plan_hash": hash}));
    assert!(approved.status < 300, "{}", approved.text());
    server.intent_in(id, "applied");
    server.submit_until("scale upf to 1000 in ns ran-a", "refused");
    let (status, folder) = server.stop();
    assert!(status.success());
    folder
}

fn verify(folder: &Path, with_git: bool) -> (Output, Value) {
    let mut command = Command::new(binary());
    command.args(["audit", "--verify", "-o", "json", "--data"]).arg(folder.join("data"));
    if with_git {
        command.arg("--packages").arg(folder.join("packages.git"));
    }
    let output = command.output().unwrap();
    let proof = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, proof)
}

fn is_sound(folder: &Path) -> Value {
    let (output, proof) = verify(folder, true);
    assert!(output.status.success(), "{proof:#} {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(proof["faults_in_all"], 0, "{proof:#}");
    proof
}

/// The verification fails and names the entry.
fn shows(folder: &Path, with_git: bool, what: &str, entry: Option<i64>) {
    let (output, proof) = verify(folder, with_git);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{what} passed as sound: {proof:#} {said}");
    for word in ["error:", "cause:", "try:"] {
        assert!(said.contains(word), "{what}: {said}");
    }
    if let Some(entry) = entry {
        let faults = proof["faults"].as_array().unwrap_or_else(|| panic!("{what}: {said}"));
        // A link that was changed shows where it is, or where the next one should hold on to it.
        let near = faults.iter().any(|fault| (fault["sequence"].as_i64().unwrap() - entry).abs() <= 1);
        assert!(near, "{what} at entry {entry} is told as {faults:?}");
    }
}

fn open(folder: &Path) -> Connection {
    Connection::open(folder.join("data/nephoran.db")).unwrap()
}

/// The trail of a copy, altered as somebody with access to the file could.
fn altered(original: &Path, change: impl Fn(&Connection)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    copy(&original.join("data"), &folder.path().join("data"));
    std::os::unix::fs::symlink(original.join("packages.git"), folder.path().join("packages.git")).unwrap();
    change(&open(folder.path()));
    folder
}

fn entries(folder: &Path) -> i64 {
    open(folder).query_row("SELECT max(sequence) FROM audit", [], |row| row.get(0)).unwrap()
}

#[test]
fn an_untouched_trail_is_sound_and_holds_the_heads_of_all_commits() {
    let folder = a_life();
    let proof = is_sound(folder.path());
    assert_eq!(proof["entries"], entries(folder.path()));
    let heads = git(
        &folder.path().join("packages.git"),
        &["log", "main", "--format=%(trailers:key=Nephoran-Audit,valueonly)"],
    );
    assert_eq!(heads.lines().filter(|line| !line.is_empty()).count(), 2);
}

#[test]
fn a_trail_can_be_proven_while_the_operator_writes_it() {
    let server = Server::start();
    for number in 4..8 {
        server.submit(&format!("scale upf to {number} in ns ran-a"));
        is_sound(server.folder.path());
    }
}

#[test]
fn a_changed_value_of_any_column_of_any_entry_shows() {
    let original = a_life();
    let last = entries(original.path());
    assert!(last > 10);
    for sequence in 1..=last {
        for column in COLUMNS {
            // Not every column of every entry: each column of every third, and all of the ends.
            let ends = sequence <= 2 || sequence >= last - 1;
            if !ends && !(sequence as usize + column.len()).is_multiple_of(3) {
                continue;
            }
            let what = format!("a changed {column}");
            let folder = altered(original.path(), |database| {
                let read = format!("SELECT {column} FROM audit WHERE sequence = ?1");
                let before: Cell = database.query_row(&read, [sequence], |row| row.get(0)).unwrap();
                let after = match before {
                    Cell::Integer(number) if *column == "sequence" => Cell::Integer(number + 1000),
                    Cell::Integer(number) => Cell::Integer(number ^ 1),
                    Cell::Text(text) => Cell::Text(changed(text.as_bytes()).try_into_text()),
                    Cell::Blob(bytes) => Cell::Blob(changed(&bytes)),
                    // An entry that belongs to no intent is given to one.
                    Cell::Null => Cell::Text("x".into()),
                    Cell::Real(_) => panic!("{column} is no fraction"),
                };
                let write = format!("UPDATE audit SET {column} = ?2 WHERE sequence = ?1");
                assert_eq!(database.execute(&write, params![sequence, after]).unwrap(), 1);
            });
            shows(folder.path(), false, &what, Some(sequence));
        }
    }
}

fn changed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

trait IntoText {
    fn try_into_text(self) -> String;
}

impl IntoText for Vec<u8> {
    fn try_into_text(self) -> String {
        String::from_utf8(self).unwrap()
    }
}

#[test]
fn every_single_byte_of_an_entrys_words_counts() {
    let original = a_life();
    let words: Vec<u8> = open(original.path())
        .query_row("SELECT words FROM audit WHERE kind = 'approve'", [], |row| row.get(0))
        .unwrap();
    let sequence: i64 = open(original.path())
        .query_row("SELECT sequence FROM audit WHERE kind = 'approve'", [], |row| row.get(0))
        .unwrap();
    for at in 0..words.len() {
        let folder = altered(original.path(), |database| {
            let mut other = words.clone();
            other[at] ^= 0x20;
            database
                .execute("UPDATE audit SET words = ?2 WHERE sequence = ?1", params![sequence, other])
                .unwrap();
        });
        shows(folder.path(), false, &format!("byte {at} of an approval"), Some(sequence));
    }
}

#[test]
fn a_lost_an_added_and_a_swapped_entry_show() {
    let original = a_life();
    let last = entries(original.path());
    for sequence in [1, 2, last / 2, last - 1] {
        let folder = altered(original.path(), |database| {
            database.execute("DELETE FROM audit WHERE sequence = ?1", [sequence]).unwrap();
        });
        shows(folder.path(), false, "a lost entry", Some(sequence));
    }
    for sequence in [1, last / 2, last - 1] {
        let folder = altered(original.path(), |database| {
            let swap = |from: i64, to: i64| {
                database.execute("UPDATE audit SET sequence = ?2 WHERE sequence = ?1", [from, to]).unwrap();
            };
            swap(sequence, -1);
            swap(sequence + 1, sequence);
            swap(-1, sequence + 1);
        });
        shows(folder.path(), false, "two swapped entries", Some(sequence));
    }
    let folder = altered(original.path(), |database| {
        database
            .execute(
                "INSERT INTO audit SELECT sequence + 1, at, kind, intent, previous, digest, hash, salt, words
                 FROM audit WHERE sequence = ?1",
                [last],
            )
            .unwrap();
    });
    shows(folder.path(), false, "an added entry", Some(last + 1));
    // Words without their salt, and a salt without its words: no erasure looks so.
    for column in ["salt", "words"] {
        let folder = altered(original.path(), |database| {
            database
                .execute(&format!("UPDATE audit SET {column} = NULL WHERE sequence = ?1"), [last / 2])
                .unwrap();
        });
        shows(folder.path(), false, "half an erasure", Some(last / 2));
    }
}

#[test]
fn a_cut_end_shows_against_the_records_and_against_git() {
    let original = a_life();
    let last = entries(original.path());
    for left in [last - 1, last / 2, 1, 0] {
        let cut = |database: &Connection| {
            database.execute("DELETE FROM audit WHERE sequence > ?1", [left]).unwrap();
        };
        let folder = altered(original.path(), cut);
        shows(folder.path(), false, &format!("a trail cut after {left}"), None);
    }
    // Whoever cuts the records as well leaves nothing in the folder: git remembers.
    let head: i64 = newest_head(&original.path().join("packages.git"));
    let folder = altered(original.path(), |database| {
        database.execute("DELETE FROM audit WHERE sequence >= ?1", [head]).unwrap();
        database.execute("UPDATE intents SET last_audit = 1", []).unwrap();
    });
    let (output, proof) = verify(folder.path(), false);
    assert!(output.status.success(), "the folder alone cannot show it: {proof:#}");
    shows(folder.path(), true, "a cut that only git remembers", Some(head));
}

fn newest_head(bare: &Path) -> i64 {
    let heads = git(bare, &["log", "main", "--format=%(trailers:key=Nephoran-Audit,valueonly)"]);
    let newest = heads.lines().find(|line| !line.is_empty()).unwrap();
    newest.split_once(':').unwrap().0.parse().unwrap()
}

#[test]
fn a_folder_put_back_from_a_backup_shows_against_git() {
    let server = Server::start();
    server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let (_, folder) = server.stop();
    let backup = tempfile::tempdir().unwrap();
    copy(&folder.path().join("data"), backup.path());

    let server = Server::on(folder, Options::default());
    server.submit_until("scale upf to 6 in ns ran-a", "applied");
    let (_, folder) = server.stop();
    is_sound(folder.path());
    let data = folder.path().join("data");
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::create_dir(&data).unwrap();
    copy(backup.path(), &data);
    shows(folder.path(), true, "an old folder", None);

    // It goes on, and makes a chain that is whole but another one.
    let server = Server::on(folder, Options::default());
    for number in [4, 7, 8] {
        server.submit_until(&format!("scale upf to {number} in ns ran-a"), "applied");
    }
    let (_, folder) = server.stop();
    let (output, proof) = verify(folder.path(), false);
    assert!(output.status.success(), "{proof:#}");
    shows(folder.path(), true, "another chain", None);
}

#[test]
fn a_folder_without_a_store_is_no_sound_trail() {
    let folder = tempfile::tempdir().unwrap();
    shows(folder.path(), false, "no folder", None);
    std::fs::create_dir(folder.path().join("data")).unwrap();
    shows(folder.path(), false, "an empty folder", None);
    assert_eq!(std::fs::read_dir(folder.path().join("data")).unwrap().count(), 0, "looking made something");
}
