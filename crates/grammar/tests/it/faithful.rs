//! Right proposals pass the check of faithfulness; no mutation does.

use std::collections::BTreeMap;

use nephoran_grammar::faithful::{Source, check_alone, evidence_for, forced};
use nephoran_model::proposal::{Actions, Proposal};
use serde_json::Value;

use crate::corpus::{canonical, root};

struct Sentence {
    id: String,
    words: String,
    right: Actions,
}

fn files() -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(root().join("crates/grammar/testdata"))
        .unwrap()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    let sample = root().join("../shared/corpora/nl-sample.jsonl");
    if sample.exists() {
        files.push(sample);
    } else {
        println!("SKIPPED: {} is not there", sample.display());
    }
    files
}

fn sentences() -> Vec<Sentence> {
    let mut out = Vec::new();
    for file in files() {
        for line in std::fs::read_to_string(&file).unwrap().lines().filter(|line| !line.trim().is_empty()) {
            let sentence: Value = serde_json::from_str(line).unwrap();
            if sentence["gold"]["outcome"] != "actions" {
                continue;
            }
            let Ok(Proposal::Actions(right)) = serde_json::from_value(sentence["gold"].clone()) else {
                continue;
            };
            out.push(Sentence {
                id: sentence["id"].as_str().unwrap().to_owned(),
                words: sentence["text"].as_str().unwrap().to_owned(),
                right,
            });
        }
    }
    out
}

#[test]
fn right_proposals_pass() {
    let mut by_kind: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let (mut all, mut passed) = (0, 0);
    for sentence in sentences() {
        let source = Source { words: &sentence.words, answers: &[] };
        let evidence = evidence_for(&source, &sentence.right);
        let result = match &evidence {
            Some(evidence) => check_alone(&source, &sentence.right, evidence),
            None => check_alone(&source, &sentence.right, &[]),
        };
        let kind = sentence.right.actions[0].name();
        let entry = by_kind.entry(kind).or_default();
        entry.0 += 1;
        all += 1;
        match result {
            Ok(()) => {
                entry.1 += 1;
                passed += 1;
            }
            Err(misses) => {
                let why: Vec<String> = misses.iter().take(4).map(ToString::to_string).collect();
                println!("MISS {kind} {} | {} | {}", sentence.id, sentence.words, why.join("; "));
            }
        }
    }
    for (kind, (all, passed)) in &by_kind {
        println!("{kind:14} {passed} of {all}");
    }
    println!("{passed} of {all} ({:.1} %)", 100.0 * passed as f64 / all as f64);
    assert!(passed > 900);
}

#[test]
fn nothing_is_forced_by_words_that_ask() {
    let mut wrong = 0;
    let mut all = 0;
    for file in files() {
        for line in std::fs::read_to_string(&file).unwrap().lines().filter(|line| !line.trim().is_empty()) {
            let sentence: Value = serde_json::from_str(line).unwrap();
            if sentence["gold"]["outcome"] == "actions" {
                continue;
            }
            all += 1;
            let words = sentence["text"].as_str().unwrap();
            if let Ok(actions) = forced(&Source { words, answers: &[] }) {
                let said = canonical(&serde_json::to_value(Proposal::Actions(actions)).unwrap());
                let also = sentence["also"].as_array().cloned().unwrap_or_default();
                if also.iter().any(|also| canonical(also) == said) {
                    continue;
                }
                wrong += 1;
                println!("FORCED {} | {words} | {said} | {}", sentence["id"], sentence["gold"]);
            }
        }
    }
    println!("{wrong} of {all} force something");
}
