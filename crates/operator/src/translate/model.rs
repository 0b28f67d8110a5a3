//! What a language model is asked, and what is made of its answer.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use nephoran_llm::{Ask, Error, Known, ModelTranslator, Origin, Understood};
use nephoran_model::intent::{Intent, Question, Request, Understanding};
use nephoran_model::inventory::Inventory;
use nephoran_model::proposal::{Actions, Missing, Proposal};

use crate::admit::desk::ready_at;

/// Names, namespaces and clusters offered to a model, at most so many of each.
const MOST_KNOWN: usize = 200;

/// Understands words that the grammar cannot account for.
pub trait Translator: Send + Sync {
    fn translate<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Understood, Error>>;

    /// Returns when it may be asked: while its endpoint is away, nobody takes up work for it.
    fn ready(&self) -> BoxFuture<'_, ()>;
}

impl Translator for ModelTranslator {
    fn translate<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Understood, Error>> {
        Box::pin(self.translate(ask))
    }

    fn ready(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.ready())
    }
}

/// What to ask for an intent; `None` when it did not come in words.
pub fn ask<'a>(intent: &'a Intent, answers: &'a [String], inventory: &Inventory) -> Option<Ask<'a>> {
    let Request::Text(words) = &intent.request else { return None };
    Some(Ask {
        words,
        answers,
        identity: &intent.requester,
        deadline: intent.deadline.map(ready_at),
        known: known(inventory),
    })
}

/// A bounded slice of the inventory.
pub fn known(inventory: &Inventory) -> Known {
    let listed = |texts: &mut dyn Iterator<Item = &str>| {
        let mut texts: Vec<String> = texts.map(str::to_owned).collect();
        texts.sort_unstable();
        texts.dedup();
        texts.truncate(MOST_KNOWN);
        texts
    };
    let workloads = inventory.workloads();
    Known {
        names: listed(&mut workloads.iter().map(|workload| workload.name.as_str())),
        namespaces: listed(&mut workloads.iter().filter_map(|workload| workload.namespace.as_deref())),
        clusters: listed(&mut workloads.iter().filter_map(|workload| workload.cluster.as_deref())),
    }
}

/// What is kept of the way a model came to its proposal.
pub fn understanding(origin: Origin) -> Understanding {
    Understanding {
        endpoint: origin.endpoint,
        model: origin.model,
        prompt_version: origin.prompt_version,
        passages: origin.passages,
        prompt_tokens: origin.prompt_tokens,
        completion_tokens: origin.completion_tokens,
        calls: origin.calls,
        shared: origin.shared,
        confirmed: None,
    }
}

/// What a model makes of the words of an intent that is not stored.
pub async fn understood(
    model: &dyn Translator,
    intent: &Intent,
    inventory: &Inventory,
) -> Result<Proposal, Error> {
    let answers = answers(intent);
    match ask(intent, &answers, inventory) {
        Some(ask) => Ok(confirmable(model.translate(&ask).await?.proposal)),
        None => Ok(Proposal::ask([Missing::Action])),
    }
}

/// What the author is asked before anything of a model's proposal may go on.
pub fn question(proposal: &Proposal) -> Option<Question> {
    match proposal {
        Proposal::Actions(actions) => Some(super::read_back(actions)),
        Proposal::Clarify(_) | Proposal::Refuse(_) => None,
    }
}

pub fn answers(intent: &Intent) -> Vec<String> {
    intent.answers.iter().map(|answer| answer.text.clone()).collect()
}

/// A model's proposal as far as its author can confirm it: the sentence that says it back must be
/// read to the same by the grammar, since what people say yes to is what is done.
pub fn confirmable(proposal: Proposal) -> Proposal {
    match proposal {
        Proposal::Actions(actions) if !reads_back(&actions) => Proposal::ask([Missing::Action]),
        other => other,
    }
}

fn reads_back(actions: &Actions) -> bool {
    match nephoran_grammar::translate(&nephoran_grammar::render(actions)) {
        Proposal::Actions(read) => read == *actions,
        Proposal::Clarify(_) | Proposal::Refuse(_) => false,
    }
}

/// How long until `at`, for a record.
pub fn retry_at(wait: std::time::Duration) -> Option<Timestamp> {
    Timestamp::now().checked_add(wait).ok()
}
