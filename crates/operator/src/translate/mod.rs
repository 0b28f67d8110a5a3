//! Words become a proposal that nobody trusts: the grammar reads them first, a language model what
//! the grammar cannot account for.

pub mod model;
pub mod passages;

use nephoran_model::guard::{Effect, Finding};
use nephoran_model::intent::{Intent, Question, Request};
use nephoran_model::inventory::Inventory;
use nephoran_model::proposal::{
    Action, Actions, Clarify, Deploy, Missing, Proposal, Refuse, RefuseReason, Scale, Target,
};

/// The proposal of an intent: what the grammar makes of its words, or what came typed.
pub fn proposal(intent: &Intent, inventory: &Inventory) -> Proposal {
    if let Some(completed @ Proposal::Actions(_)) = &intent.proposal {
        return completed.clone();
    }
    match &intent.request {
        Request::Text(words) => nephoran_grammar::translate(words),
        Request::Proposal(proposal) => proposal.clone(),
        Request::Intent { proposal, .. } => deployment(proposal, inventory),
    }
}

/// The drop-in `deployment` scales its target when that exists, else deploys it.
fn deployment(proposal: &Proposal, inventory: &Inventory) -> Proposal {
    let Proposal::Actions(actions) = proposal else { return proposal.clone() };
    let actions_in = actions.actions.iter().map(|action| match action {
        Action::Deploy(Deploy { name: Some(name), namespace, replicas: Some(replicas), .. })
            if inventory.named(name).any(|workload| workload.namespace == *namespace) =>
        {
            let target =
                Target { name: Some(name.clone()), namespace: namespace.clone(), ..Target::default() };
            let replicas = nephoran_model::proposal::Replicas { to: Some(*replicas), ..Default::default() };
            Action::Scale(Scale { target, replicas })
        }
        other => other.clone(),
    });
    Proposal::Actions(Actions { actions: actions_in.collect(), ..actions.clone() })
}

/// Whether words are left over that only a language model may account for. What lacks a value that
/// nobody said, and what is refused, no model can make better.
pub fn is_beyond_the_grammar(intent: &Intent, proposal: &Proposal) -> bool {
    matches!(intent.request, Request::Text(_)) && leaves_words_over(proposal)
}

pub fn leaves_words_over(proposal: &Proposal) -> bool {
    matches!(proposal, Proposal::Clarify(clarify) if clarify.missing.contains(&Missing::Action))
}

/// Asks the author whether a sentence of ours says what was meant: [`is_yes`] confirms it.
pub fn read_back(actions: &Actions) -> Question {
    Question {
        missing: vec![Missing::Confirmation],
        text: nephoran_grammar::render(actions),
        candidates: vec!["yes".into()],
    }
}

/// Whether an answer confirms what was read back. Anything but a plain yes does not.
pub fn is_yes(answer: &str) -> bool {
    answer.trim().trim_end_matches(['.', '!']).eq_ignore_ascii_case("yes")
}

/// What the requester is asked. Rendered by us, never a translator's own text.
pub fn question(clarify: &Clarify) -> Question {
    Question { missing: clarify.missing.clone(), text: said(clarify), candidates: Vec::new() }
}

/// The grammar words its question with the request before it; for a model's there is the general one.
pub fn said(clarify: &Clarify) -> String {
    clarify.question.clone().unwrap_or_else(|| nephoran_grammar::question(&clarify.missing, None))
}

/// What a translator refuses, as a finding with its remedy.
pub fn refusal(refuse: &Refuse) -> Finding {
    let (message, remedy) = match refuse.reason {
        RefuseReason::OutOfScope => (
            "This is not a request about operating a network.",
            "Say what the network should do, for example: scale upf in ran-a to 5.",
        ),
        RefuseReason::Unsafe => (
            "The request asks to pass by checks, to destroy at large, to run commands or to read secrets.",
            "Name the one change that is wanted; approvals and bounds cannot be asked away.",
        ),
        RefuseReason::Unsupported => (
            "The request is about the network, but there is no way to carry out all that it says.",
            "Leave out the part that cannot be carried out, such as a time window or a restart.",
        ),
        RefuseReason::Contradiction => ("The request cannot all be true.", "Say one value for each thing."),
    };
    Finding {
        rule: refuse.reason.as_str().to_owned(),
        message: refuse.explanation.clone().unwrap_or_else(|| message.to_owned()),
        remedy: remedy.to_owned(),
        effect: Effect::Refuse,
    }
}

/// What an answered intent proposes: its last answer fills the fields that were asked for, and
/// changes nothing else. Asks again where the answer does not say it. `complete` reads an answer
/// to what planning asked, against the inventory.
pub fn answered(intent: &Intent, complete: impl Fn(&Actions, &str) -> Option<Actions>) -> Proposal {
    let Some(answer) = intent.answers.last() else {
        return intent.proposal.clone().unwrap_or_else(|| Proposal::ask([Missing::Action]));
    };
    match (&intent.proposal, &intent.request) {
        // Planning asked: the proposal is whole but for what the world left open.
        (Some(Proposal::Actions(actions)), _) => complete(actions, &answer.text)
            .or_else(|| nephoran_grammar::fill(actions, &answer.missing, &answer.text))
            .map_or_else(|| Proposal::ask(answer.missing.iter().copied()), Proposal::Actions),
        (_, Request::Text(words)) => nephoran_grammar::answer(words, &answer.missing, &answer.text),
        (proposal, _) => proposal.clone().unwrap_or_else(|| Proposal::ask([Missing::Action])),
    }
}
