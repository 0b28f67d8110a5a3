//! Texts that nobody here wrote: no panic, and nothing is changed by them.

use nephoran_model::proposal::{Action, Proposal};
use serde_json::Value;

#[test]
fn hostile_texts_change_nothing_and_crash_nothing() {
    let path = crate::corpus::root().join("../shared/corpora/hostile.jsonl");
    if !path.exists() {
        println!("SKIPPED: {} is not there", path.display());
        return;
    }
    let mut outcomes = [0_usize; 3];
    let mut changing = Vec::new();
    for line in std::fs::read_to_string(&path).unwrap().lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = value["text"].as_str().unwrap();
        match nephoran_grammar::translate(text) {
            Proposal::Actions(proposal) => {
                outcomes[0] += 1;
                if proposal.purpose.is_none()
                    && proposal.actions.iter().any(|a| !matches!(a, Action::Report(_)))
                {
                    changing.push(format!("{text}\n   {:?}", proposal.actions));
                }
            }
            Proposal::Clarify(_) => outcomes[1] += 1,
            Proposal::Refuse(_) => outcomes[2] += 1,
        }
    }
    println!("actions {}, questions {}, refusals {}", outcomes[0], outcomes[1], outcomes[2]);
    assert!(changing.is_empty(), "{}", changing.join("\n"));
}
