//! Promises of ARCHITECTURE.md that reading the source can keep.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{binary, root};

/// Files below a folder whose name ends so.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap_or_else(|fault| panic!("{}: {fault}", next.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "there are no {end} files in {}", folder.display());
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// The lines of code that hold one of `words`, comments aside.
fn lines_with(path: &Path, words: &[&str]) -> Vec<String> {
    read(path)
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
        .map(|(number, line)| format!("{}:{}: {}", path.display(), number + 1, line.trim()))
        .collect()
}

#[test]
fn sql_stands_in_the_store_alone() {
    let words = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "CREATE TABLE", "PRAGMA ", "rusqlite"];
    let mut stray = Vec::new();
    let mut in_store = 0;
    // Not `retrieve`: its file is an index that follows from documents and holds no intent. It may be
    // deleted at any time, so nothing that was promised to anybody can rest on it.
    for krate in ["model", "grammar", "queue", "api", "operator", "sim", "http", "limit", "llm", "worker"] {
        for path in files(&root().join("crates").join(krate).join("src"), ".rs") {
            let found = lines_with(&path, &words);
            if path.to_str().unwrap().contains("operator/src/store/") {
                in_store += found.len();
            } else {
                stray.extend(found);
            }
        }
    }
    assert!(in_store > 0, "the words that are looked for do not find the store's own");
    assert_eq!(stray, Vec::<String>::new());
}

#[test]
fn no_code_of_ours_is_unsafe() {
    let mut stray = Vec::new();
    for folder in ["crates", "xtask"] {
        for path in files(&root().join(folder), ".rs") {
            // This file names the word.
            if !path.ends_with("tests/it/lints.rs") {
                stray.extend(lines_with(&path, &["unsafe ", "allow(unsafe_code"]));
            }
        }
    }
    assert_eq!(stray, Vec::<String>::new());
    assert!(read(&root().join("Cargo.toml")).contains("unsafe_code = \"forbid\""));
    for manifest in manifests() {
        let text = read(&manifest);
        assert!(text.contains("[lints]\nworkspace = true"), "{} does not take the lints", manifest.display());
    }
}

fn manifests() -> Vec<PathBuf> {
    let mut found = files(&root().join("crates"), "/Cargo.toml");
    found.push(root().join("xtask/Cargo.toml"));
    found
}

/// The names under `[dependencies]`.
fn dependencies(krate: &str) -> Vec<String> {
    let manifest = read(&root().join("crates").join(krate).join("Cargo.toml"));
    let (_, rest) = manifest.split_once("[dependencies]\n").unwrap_or(("", ""));
    rest.lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_decides_touches_nothing() {
    let effects =
        ["tokio", "serde_json", "rusqlite", "rustix", "hyper", "axum", "ureq", "tempfile", "tracing"];
    for krate in ["model", "grammar", "limit"] {
        let all = dependencies(krate);
        assert!(!all.is_empty() || krate != "model", "the dependencies of {krate} are not found");
        // What a model says is compared leaf by leaf, each named by its JSON pointer: a value is no effect.
        let may = |name: &str| krate == "grammar" && name == "serde_json";
        let stray: Vec<&String> =
            all.iter().filter(|name| effects.contains(&name.as_str()) && !may(name)).collect();
        assert!(stray.is_empty(), "{krate} depends on {stray:?}");
        for path in files(&root().join("crates").join(krate).join("src"), ".rs") {
            let clock = [
                "Timestamp::now",
                "SystemTime::now",
                "Instant::now",
                "std::fs",
                "TcpStream",
                "UdpSocket",
                "std::process",
            ];
            assert_eq!(lines_with(&path, &clock), Vec::<String>::new(), "{krate} has a clock or an effect");
        }
    }
    let all = dependencies("queue");
    let stray: Vec<&String> = all
        .iter()
        .filter(|name| name.starts_with("nephoran") || *name == "serde_json" || *name == "rusqlite")
        .collect();
    assert!(stray.is_empty(), "queue depends on {stray:?}");
}

/// Whatever a model says, the compiler keeps it from being more than a proposal.
#[test]
fn what_asks_a_model_cannot_act() {
    let effects =
        ["nephoran", "nephoran-queue", "nephoran-retrieve", "rusqlite", "rustix", "axum", "tempfile"];
    let stray: Vec<String> =
        dependencies("llm").into_iter().filter(|name| effects.contains(&name.as_str())).collect();
    assert_eq!(stray, Vec::<String>::new());
    for path in files(&root().join("crates/llm/src"), ".rs") {
        assert_eq!(lines_with(&path, &["std::fs", "std::process", "tokio::fs"]), Vec::<String>::new());
    }
}

#[test]
fn stand_ins_are_in_no_release() {
    assert!(!dependencies("operator").iter().any(|name| name == "sim" || name == "nephoran-sim"));
}

#[test]
fn tests_neither_sleep_nor_are_ignored() {
    let mut stray = Vec::new();
    for krate in ["model", "grammar", "queue", "limit", "worker", "http", "llm", "retrieve", "operator"] {
        for path in files(&root().join("crates").join(krate).join("tests"), ".rs") {
            // This file names the words.
            if !path.ends_with("tests/it/lints.rs") {
                stray.extend(lines_with(&path, &["thread::sleep", "#[ignore"]));
            }
        }
    }
    assert_eq!(stray, Vec::<String>::new());
}

#[test]
fn every_source_file_begins_with_what_it_is_for() {
    let mut stray = Vec::new();
    for folder in ["crates", "xtask"] {
        for path in files(&root().join(folder), ".rs") {
            // Tests of one module are for that module.
            let of_module =
                path.ends_with("tests.rs") || path.parent().is_some_and(|folder| folder.ends_with("tests"));
            if !of_module && !read(&path).starts_with("//! ") {
                stray.push(path);
            }
        }
    }
    assert_eq!(stray, Vec::<PathBuf>::new());
}

#[test]
fn generated_documents_are_what_the_program_prints() {
    // The table of `cargo xtask gen` is the one list of them.
    let table = read(&root().join("xtask/src/documents.rs"));
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.trim_start().starts_with("(\"docs/"))
        .map(|line| line.split('"').skip(1).step_by(2).collect())
        .collect();
    assert!(rows.len() >= 4, "the table is not found");
    for row in rows {
        let (path, words) = row.split_first().unwrap();
        let output = Command::new(binary()).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        let kept = std::fs::read(root().join(path)).unwrap_or_default();
        assert!(
            kept == output.stdout,
            "{path} is not what the program prints; write it anew with: cargo xtask gen"
        );
    }
}

#[test]
fn every_decision_has_its_own_number() {
    let mut numbers = Vec::new();
    for path in files(&root().join("docs/adr"), ".md") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (number, title) = name.split_once('-').unwrap_or_else(|| panic!("{name} has no number"));
        assert!(number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_digit()), "{name}");
        assert!(title.len() > 3, "{name}");
        let text = read(&path);
        let digits = number.trim_start_matches('0');
        assert!(
            text.lines().next().is_some_and(|heading| heading.starts_with('#') && heading.contains(digits)),
            "{name} does not begin with its number"
        );
        numbers.push(number.to_owned());
    }
    let mut distinct = numbers.clone();
    distinct.dedup();
    assert_eq!(numbers, distinct);
}

#[test]
fn the_changelog_has_a_place_for_what_comes_next() {
    let changelog = read(&root().join("CHANGELOG.md"));
    assert!(changelog.lines().any(|line| line.starts_with("## ") && line.contains("Unreleased")));
}

/// Links between our own documents.
#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    let mut documents: Vec<PathBuf> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    documents.extend(files(&root().join("docs"), ".md"));
    for document in documents {
        let text = read(&document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty()
                || target.contains("://")
                || target.starts_with("mailto:")
                || target.contains(' ')
            {
                continue;
            }
            if !document.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}
