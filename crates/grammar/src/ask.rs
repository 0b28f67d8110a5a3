//! What people are shown: questions and refusals, rendered by us from `missing`
//! and `reason`, with the remedy. Never a model's text.

use nephoran_model::proposal::{MAX_ACTIONS, MAX_WORDS, Missing, RefuseReason};

/// The question for `missing`; `words` is the request, when it is there to look at.
pub fn question(missing: &[Missing], words: Option<&str>) -> String {
    if let Some(character) = words.and_then(crate::foreign) {
        return format!(
            "The request holds the character U+{:04X}, which is not read here: say it in plain ASCII, or put it between quotation marks.",
            u32::from(character)
        );
    }
    let parts: Vec<&str> = missing.iter().map(|one| sentence(*one)).collect();
    if parts.is_empty() {
        return sentence(Missing::Action).to_owned();
    }
    parts.join(" ")
}

fn sentence(missing: Missing) -> &'static str {
    match missing {
        Missing::Action => {
            "Part of the request is not understood, so nothing was done: say one plain order, for example \"scale upf to 5 in ns ran-a\"."
        }
        Missing::Target => {
            "Which workload is meant? Name exactly one, for example \"upf\" or \"upf in ns ran-a\"."
        }
        Missing::Place => "Where? Name exactly one namespace or cluster, for example \"namespace ran-a\".",
        Missing::Replicas => "How many replicas? Give one whole number, for example \"5\".",
        Missing::Value => {
            "What should the value be? Give it with its unit, for example \"10 Gbps\" or \"70 %\"."
        }
        Missing::Unit => "Which unit? Bit rates are in kbps, Mbps or Gbps.",
        Missing::Bound => "Is that guaranteed, or a maximum? Answer \"guaranteed\" or \"maximum\".",
        Missing::Direction => {
            "In which direction? Answer \"downlink\" or \"uplink\" for traffic, \"out\" or \"in\" for replicas."
        }
        Missing::Function => "Which network function? For example \"upf\" or \"smf\".",
        Missing::Cells => "Which cells? Name them, for example \"cells 17 and 18\".",
        Missing::Slice => "Which slice? Give its name, its sst, or its kind (embb, urllc, miot, v2x).",
        Missing::FiveQi => "Which 5QI? Give its number, for example \"5qi 3\".",
        Missing::Schedule => "When? Times are not part of the words: use the intent's not_before.",
        Missing::Confirmation => "Is this what you mean? Answer \"yes\" to go on.",
    }
}

/// Why a request was refused, and what to do instead.
pub fn refusal(reason: RefuseReason) -> String {
    match reason {
        RefuseReason::OutOfScope => {
            "This is not a request about operating a network: ask for a change to, or a report on, network functions, slices, cells or traffic.".to_owned()
        }
        RefuseReason::Unsafe => {
            "This asks to pass by checks or approvals, to destroy at large, to run commands, to read secrets, or gives orders to the translator. \
             That is never done: name one workload and one change, and let it be reviewed."
                .to_owned()
        }
        RefuseReason::Unsupported => format!(
            "This is about the network, but nothing here expresses a part of it (a time, a condition, a node, a restart and the like; more than {MAX_ACTIONS} actions, \
             {MAX_WORDS} characters or 10,000 replicas). Leave that part out, or do it by other means."
        ),
        RefuseReason::Contradiction => {
            "Parts of this cannot all be true (two values for one thing, a direction against the numbers, a count below zero or with a fraction): say it with one value."
                .to_owned()
        }
    }
}
