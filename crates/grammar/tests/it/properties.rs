//! What holds for every sentence, not only the ones we thought of.

use nephoran_model::proposal::{Action, Proposal};
use proptest::prelude::*;
use serde_json::Value;

/// Sentences that give actions, from our own labelled ones.
fn sentences() -> Vec<String> {
    let folder = crate::corpus::root().join("crates/grammar/testdata");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .flat_map(|path| {
            std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .filter_map(|value| value["text"].as_str().map(str::to_owned))
        .filter(|text| matches!(nephoran_grammar::translate(text), Proposal::Actions(_)))
        .collect()
}

fn actions(words: &str) -> Option<Vec<Action>> {
    match nephoran_grammar::translate(words) {
        Proposal::Actions(proposal) if proposal.motive.is_none() => Some(proposal.actions),
        _ => None,
    }
}

/// No word of any table, no name by its shape.
const STRANGE: [&str; 6] = ["glorbish", "wumpus", "frobnicate", "zzyzx", "quokka", "blimey"];

/// Words that change what is meant; none may be passed over.
const MEANING: [&str; 14] = [
    "not",
    "never",
    "no",
    "only",
    "except",
    "unless",
    "until",
    "temporarily",
    "instead",
    "rather",
    "again",
    "all",
    "each",
    "both",
];

#[test]
fn a_word_that_no_table_has_is_never_passed_over() {
    let mut dropped = Vec::new();
    for (index, sentence) in sentences().iter().enumerate() {
        let plain = actions(sentence);
        let words: Vec<&str> = sentence.split(' ').collect();
        for position in 0..=words.len() {
            let strange = STRANGE[(index + position) % STRANGE.len()];
            let mut with = words.clone();
            with.insert(position, strange);
            let with = with.join(" ");
            if plain.is_some() && actions(&with) == plain {
                dropped.push(with);
            }
        }
    }
    assert!(
        dropped.is_empty(),
        "{} dropped, such as\n{}",
        dropped.len(),
        dropped[..dropped.len().min(40)].join("\n")
    );
}

#[test]
fn a_word_that_limits_or_denies_is_never_passed_over() {
    let mut dropped = Vec::new();
    for (index, sentence) in sentences().iter().enumerate() {
        let plain = actions(sentence);
        let words: Vec<&str> = sentence.split(' ').collect();
        for position in 0..=words.len() {
            let word = MEANING[(index + position) % MEANING.len()];
            // "3 each" is said of several things. A report may speak of all (contract, "When to ask"), and "only" says what "must" says of cells.
            let may = |action: &Action| match action {
                Action::Report(_) => matches!(word, "all" | "each"),
                Action::Steer(_) => word == "only",
                _ if word == "each" => plain.as_ref().is_some_and(|actions| actions.len() > 1),
                _ => false,
            };
            if plain.as_ref().is_some_and(|actions| actions.iter().any(may)) {
                continue;
            }
            let mut with = words.clone();
            with.insert(position, word);
            let with = with.join(" ");
            if plain.is_some() && actions(&with) == plain {
                dropped.push(with);
            }
        }
    }
    assert!(
        dropped.is_empty(),
        "{} dropped, such as\n{}",
        dropped.len(),
        dropped[..dropped.len().min(40)].join("\n")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}") {
        let _ = nephoran_grammar::translate(&text);
    }

    #[test]
    fn any_order_of_known_words_is_answered(words in proptest::collection::vec(0_usize..WORDS.len(), 1..24), glue in 0_usize..3) {
        let text: Vec<&str> = words.iter().map(|index| WORDS[*index]).collect();
        let _ = nephoran_grammar::translate(&text.join([" ", ", ", ""][glue]));
    }
}

const WORDS: &[&str] = &[
    "scale",
    "upf",
    "to",
    "5",
    "in",
    "ran-a",
    "ns",
    "namespace",
    "by",
    "from",
    "and",
    "or",
    "between",
    "cells",
    "17",
    ",",
    "slice",
    "sst",
    "sd",
    "000001",
    "5qi",
    "10",
    "Gbps",
    "down",
    "up",
    "at most",
    "half",
    "a",
    "dozen",
    "minus",
    "one",
    "hundred",
    "plmn",
    "001-01",
    "if",
    "when",
    "cpu",
    "70 %",
    "for",
    "x",
    "times",
    "more",
    "another",
    "out of",
    "tracking area",
    "with",
    "as",
    "version",
    "v1.2",
    "keep",
    "not",
    "because",
    "imsi-001",
    "\"",
    "'",
    "?",
    ".",
    "=",
    "->",
    "+",
    "ue",
    "group",
    "intent",
    "blueprint",
    "called",
    "roll",
    "back",
    "each",
    "priority level",
    "on",
    "off",
    "turn",
    "x_y",
    "million",
    "and a half",
    "k",
    "m",
    "10,000",
    "1,2",
    "610,611",
    "18:00",
    "é",
    "'s",
];
