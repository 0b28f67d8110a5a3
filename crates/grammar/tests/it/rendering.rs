//! What a person confirms is what would be done: a rendered sentence is read back to the same proposal.

use nephoran_grammar::{render, translate};
use nephoran_model::proposal::{Actions, Proposal};
use serde_json::Value;

fn proposals() -> Vec<Actions> {
    let root = crate::corpus::root();
    let mut files: Vec<_> = std::fs::read_dir(root.join("crates/grammar/testdata"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.push(root.join("../shared/corpora/nl-sample.jsonl"));
    files.sort();
    let mut out = Vec::new();
    for file in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")) {
        let Ok(text) = std::fs::read_to_string(file) else {
            println!("SKIPPED: {} is not there", file.display());
            continue;
        };
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            if let Proposal::Actions(actions) = translate(value["text"].as_str().unwrap()) {
                out.push(actions);
            }
        }
    }
    out
}

#[test]
fn a_rendered_proposal_is_read_back_as_itself() {
    let mut wrong = Vec::new();
    let all = proposals();
    for proposal in &all {
        let words = render(proposal);
        let read = translate(&words);
        if read != Proposal::Actions(proposal.clone()) {
            wrong.push(format!(
                "{words}\n   {}\n   {}",
                serde_json::to_string(proposal).unwrap(),
                serde_json::to_string(&read).unwrap()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        all.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
}
