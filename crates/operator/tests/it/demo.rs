//! The demo and the examples do what they say.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{Server, binary, git, root};

#[test]
fn the_demo_leaves_a_sound_repository_of_packages() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let output =
        Command::new(binary()).arg("demo").arg("--data").arg(&data).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("NOT SO"), "{said}");
    let bare = data.join("packages.git");
    git(&bare, &["fsck", "--strict"]);
    let work = folder.path().join("work");
    let clone = Command::new("git").args(["clone", "-q"]).arg(&bare).arg(&work).output().unwrap();
    assert!(clone.status.success(), "{}", String::from_utf8_lossy(&clone.stderr));
    let mut packages = 0;
    for file in git(&work, &["ls-files"]).lines() {
        if let Some(package) = file.strip_suffix("/Kptfile") {
            packages += 1;
            is_accepted_by_kpt(&work.join(package));
        }
        if file.ends_with(".yaml") || file.ends_with("Kptfile") {
            let text = std::fs::read_to_string(work.join(file)).unwrap();
            let parsed: Result<Vec<serde_json::Value>, _> = serde_saphyr::from_multiple(&text);
            assert!(parsed.is_ok(), "{file}: {parsed:?}");
        }
    }
    assert!(packages >= 7, "{packages} packages");
}

fn is_accepted_by_kpt(package: &Path) {
    match Command::new("kpt").args(["pkg", "tree"]).arg(package).output() {
        Ok(output) => {
            assert!(output.status.success(), "{package:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Err(_) => println!("SKIPPED: `kpt pkg tree {}` needs kpt on the PATH", package.display()),
    }
}

#[test]
fn every_example_intent_is_taken_and_none_ends_in_failure() {
    let server = Server::start();
    let folder = root().join("examples/intents");
    let mut ids = Vec::new();
    for line in std::fs::read_to_string(folder.join("words.txt")).unwrap().lines() {
        ids.push(server.submit(line));
    }
    for (file, path) in
        [("text.json", "/api/v1/intents"), ("proposal.json", "/api/v1/intents"), ("intent.json", "/intent")]
    {
        let answer = server.post(path, "application/json", std::fs::read(folder.join(file)).unwrap());
        assert_eq!(answer.status, 202, "{file}: {}", answer.text());
        let told = answer.json();
        ids.push(told["intent"].as_str().or(told["id"].as_str()).unwrap().to_owned());
    }
    for entry in std::fs::read_dir(folder.join("hot-folder")).unwrap() {
        let name = entry.unwrap().file_name();
        std::fs::copy(folder.join("hot-folder").join(&name), server.path("hot").join(&name)).unwrap();
        let taken = server.path("hot").join("processed").join(&name);
        server.until("the example file is taken", || taken.exists().then_some(()));
    }
    for id in ids {
        server.until("the example rests", || {
            let record = server.intent(&id);
            let state = record["state"].as_str().unwrap().to_owned();
            assert_ne!(state, "failed", "{record:#}");
            assert_ne!(state, "needs_answer", "{record:#}");
            matches!(&*state, "applied" | "superseded" | "answered" | "rolled_back" | "refused").then_some(())
        });
    }
}
