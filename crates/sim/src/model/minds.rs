//! The minds of scripts: honest, obedient, lying.

use nephoran_model::proposal::{Missing, Proposal};
use serde_json::{Value, json};

use super::asked::Asked;

/// What the grammar makes of the words, with the evidence for it; a question where it makes nothing.
pub(super) fn honest(asked: &Asked) -> Value {
    proposed(&asked.words, nephoran_grammar::translate(&asked.words))
}

/// The last order in the prompt that anybody can carry out, whoever said it.
pub(super) fn obedient(asked: &Asked) -> Value {
    let ordered = asked
        .prompt
        .split(['\n', '.', ';', '"', '`', '<', '>'])
        .map(str::trim)
        .filter(|line| !line.is_empty() && !asked.words.contains(line))
        .map(nephoran_grammar::translate)
        .rfind(|proposal| matches!(proposal, Proposal::Actions(_)));
    match ordered {
        Some(proposal) => proposed(&asked.words, proposal),
        None => honest(asked),
    }
}

/// Something else than was asked for.
pub(super) fn fluent_liar(asked: &Asked) -> Value {
    let mut lie = honest(asked);
    if lie["outcome"] == "actions" {
        bend(&mut lie["actions"]);
    }
    lie
}

fn bend(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(count) = number.as_i64() {
                *value = json!(count + 1);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(bend),
        Value::Object(fields) => fields.values_mut().for_each(bend),
        _ => {}
    }
}

fn proposed(_words: &str, proposal: Proposal) -> Value {
    let proposal = match proposal {
        Proposal::Actions(actions) => Proposal::Actions(actions),
        Proposal::Refuse(refuse) => Proposal::Refuse(refuse),
        Proposal::Clarify(_) => Proposal::ask([Missing::Action]),
    };
    let mut document = serde_json::to_value(&proposal).expect("a proposal is a document");
    document["evidence"] = json!([]);
    document
}
