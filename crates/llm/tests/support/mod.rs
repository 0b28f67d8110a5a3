//! What the tests of this crate share.

#![allow(dead_code, clippy::unwrap_used)]

use nephoran_grammar::faithful::{Source, evidence_for};
use nephoran_http::{Client, Clients, Profile};
use nephoran_llm::{Ask, Known, ModelTranslator, Settings};
use nephoran_model::proposal::Proposal;
use serde_json::{Value, json};

/// May call this machine, which clients may not unless it is named.
pub fn client() -> Client {
    let allow = vec!["127.0.0.1".parse().unwrap()];
    let clients =
        Clients::new(nephoran_http::Settings { allow, ..nephoran_http::Settings::default() }).unwrap();
    clients.get(Profile::Model)
}

pub fn translator(settings: Settings) -> ModelTranslator {
    ModelTranslator::new(settings, client(), None)
}

pub fn ask(words: &str) -> Ask<'_> {
    Ask { words, answers: &[], identity: "ana", deadline: None, known: Known::default() }
}

/// A proposal with the best evidence that there is for it in the words.
pub fn with_evidence(words: &str, proposal: &Proposal) -> Value {
    let mut answer = serde_json::to_value(proposal).unwrap();
    if let Proposal::Actions(actions) = proposal {
        let source = Source { words, answers: &[] };
        let quotes: Vec<Value> = evidence_for(&source, actions)
            .unwrap_or_default()
            .into_iter()
            .map(|one| json!({"path": one.path, "quote": one.quote, "occurrence": one.occurrence}))
            .collect();
        answer["evidence"] = json!(quotes);
    }
    answer
}

/// The right answer, as the grammar has it.
pub fn answer_for(words: &str) -> Value {
    with_evidence(words, &nephoran_grammar::translate(words))
}
