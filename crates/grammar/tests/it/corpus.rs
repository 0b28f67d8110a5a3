//! Labelled sentences: exactness, and never a silent mistake.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nephoran_model::proposal::Proposal;
use serde_json::Value;

/// How one sentence was judged (contract, "How answers are judged").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Exact,
    Inexact,
    /// `actions` where something else was right: the unforgivable error.
    Silent,
}

#[derive(Default)]
struct Tally {
    sentences: usize,
    exact: usize,
    silent: usize,
    asked: usize,
}

pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(key, value)| {
                    !value.is_null() && !matches!(key.as_str(), "motive" | "question" | "explanation")
                })
                .map(|(key, value)| {
                    let mut value = canonical(value);
                    if matches!(key.as_str(), "cells" | "tacs" | "missing")
                        && let Value::Array(items) = &mut value
                    {
                        items.sort_by_key(ToString::to_string);
                    }
                    (key.clone(), value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        Value::Number(number) => number.as_f64().map_or(Value::Null, |n| serde_json::json!(n)),
        other => other.clone(),
    }
}

fn judge(answer: &Proposal, sentence: &Value) -> Verdict {
    let answer = canonical(&serde_json::to_value(answer).unwrap());
    let also = sentence["also"].as_array().cloned().unwrap_or_default();
    let right = std::iter::once(sentence["gold"].clone()).chain(also).any(|gold| {
        let gold = canonical(&gold);
        gold == answer
            || (gold == serde_json::json!({"outcome": "clarify"}) && answer["outcome"] == "clarify")
    });
    match (right, answer["outcome"] == "actions") {
        (true, _) => Verdict::Exact,
        (false, true) => Verdict::Silent,
        (false, false) => Verdict::Inexact,
    }
}

fn check(path: &Path, least: f64) -> Result<(), String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut tags: BTreeMap<String, Tally> = BTreeMap::new();
    let mut all = Tally::default();
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let sentence: Value = serde_json::from_str(line).unwrap();
        let words = sentence["text"].as_str().unwrap();
        let answer = nephoran_grammar::translate(words);
        let verdict = judge(&answer, &sentence);
        if verdict != Verdict::Exact {
            let kind = if verdict == Verdict::Silent { "SILENT" } else { "inexact" };
            lines.push(format!(
                "{kind}: {} {words}\n   said {}\n   gold {}",
                sentence["id"],
                canonical(&serde_json::to_value(&answer).unwrap()),
                sentence["gold"]
            ));
        }
        let named = sentence["tags"].as_array().cloned().unwrap_or_default();
        let named = named.iter().filter_map(Value::as_str);
        let count = |tally: &mut Tally| {
            tally.sentences += 1;
            tally.exact += usize::from(verdict == Verdict::Exact);
            tally.silent += usize::from(verdict == Verdict::Silent);
            tally.asked += usize::from(matches!(answer, Proposal::Clarify(_)));
        };
        for tag in named {
            count(tags.entry(tag.to_owned()).or_default());
        }
        count(&mut all);
    }
    println!("{}", lines.join("\n"));
    for (tag, tally) in &tags {
        println!(
            "{tag:18} {:4} of {:4} exact, {} silent, {} asked",
            tally.exact, tally.sentences, tally.silent, tally.asked
        );
    }
    println!(
        "{}: {} of {} exact ({:.1} %), {} silent, {:.1} % asked",
        path.display(),
        all.exact,
        all.sentences,
        100.0 * all.exact as f64 / all.sentences as f64,
        all.silent,
        100.0 * all.asked as f64 / all.sentences as f64
    );
    if all.silent > 0 {
        return Err(format!("{}: {} wrong answers were given in silence", path.display(), all.silent));
    }
    if (all.exact as f64) < least * all.sentences as f64 {
        return Err(format!("{}: fewer than {least} of the sentences are exact", path.display()));
    }
    Ok(())
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_sample_corpus_is_translated_exactly_and_never_wrong_in_silence() {
    let path = root().join("../shared/corpora/nl-sample.jsonl");
    if !path.exists() {
        println!("SKIPPED: {} is not there", path.display());
        return;
    }
    check(&path, 0.95).unwrap();
}

#[test]
fn our_own_sentences_are_translated_exactly_and_never_wrong_in_silence() {
    let folder = root().join("crates/grammar/testdata");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    let wrong: Vec<String> = files.iter().filter_map(|file| check(file, 0.95).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
