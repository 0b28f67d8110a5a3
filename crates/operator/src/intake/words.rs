//! What a door says to words that are no order.

use nephoran_model::proposal::{Clarify, Missing, Refuse, RefuseReason};

/// The question, rendered by us from what is missing.
pub fn question(clarify: &Clarify) -> String {
    let asks: Vec<&str> = clarify.missing.iter().copied().map(ask).collect();
    match asks.as_slice() {
        [] => "It is not clear what is to be done.".to_owned(),
        asks => asks.join(" "),
    }
}

fn ask(missing: Missing) -> &'static str {
    match missing {
        Missing::Action => "What is to be done, exactly?",
        Missing::Target => "Which network function is meant?",
        Missing::Place => "In which namespace or cluster?",
        Missing::Replicas => "How many replicas should there be?",
        Missing::Value => "Which value should it have?",
        Missing::Unit => "In which unit?",
        Missing::Bound => "Is that guaranteed or the maximum?",
        Missing::Direction => "In which direction: downlink or uplink, out or in?",
        Missing::Function => "Which kind of network function is it?",
        Missing::Cells => "Which cells are meant?",
        Missing::Slice => "Which slice is meant?",
        Missing::FiveQi => "For which 5QI?",
        Missing::Schedule => "When should it happen?",
        Missing::Confirmation => "Is that what was meant?",
    }
}

pub fn refusal(refuse: &Refuse) -> &'static str {
    match refuse.reason {
        RefuseReason::OutOfScope => "This is not a request about operating a network.",
        RefuseReason::Unsafe => "This asks for what must not be done.",
        RefuseReason::Unsupported => "Nothing here can carry that out.",
        RefuseReason::Contradiction => "This cannot all be true.",
    }
}
