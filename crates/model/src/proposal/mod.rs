//! What a translator may say: one request in words becomes one [`Proposal`].
//!
//! A proposal is untrusted data. It can name only the actions below and decides
//! nothing; planning and the guard stand between it and the network. The serde
//! form is the contract's JSON; absent fields are left out when written.

mod ensure;
mod function;
mod quantity;
mod traffic;

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use ensure::*;
pub use function::Function;
pub use quantity::*;
pub use traffic::*;

/// Most actions one proposal may hold.
pub const MAX_ACTIONS: usize = 8;

/// Largest replica count that is grammatical; the guard bounds counts further.
pub const MAX_COUNT: u32 = 10_000;

/// Longest request in words, in code points.
pub const MAX_WORDS: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Proposal {
    Actions(Actions),
    Clarify(Clarify),
    Refuse(Refuse),
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// 1..=8 actions in the order they were said.
    pub actions: Vec<Action>,
    /// A clause that only gives a reason, word for word. Changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motive: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clarify {
    /// What an answer must supply. A set: sorted, without repeats.
    pub missing: Vec<Missing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refuse {
    pub reason: RefuseReason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Feasibility: plan, never apply.
    Check,
}

/// One of the four bands. Ordered: `Low < Normal < High < Urgent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

impl Priority {
    pub const ALL: [Self; 4] = [Self::Urgent, Self::High, Self::Normal, Self::Low];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

impl FromStr for Priority {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|p| p.as_str() == word).ok_or(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    Action,
    Target,
    Place,
    Replicas,
    Value,
    Unit,
    /// Guaranteed or maximum.
    Bound,
    /// Downlink or uplink, or out or in.
    Direction,
    Function,
    Cells,
    Slice,
    FiveQi,
    Schedule,
    /// Only the operator itself asks for it.
    Confirmation,
}

impl Missing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Target => "target",
            Self::Place => "place",
            Self::Replicas => "replicas",
            Self::Value => "value",
            Self::Unit => "unit",
            Self::Bound => "bound",
            Self::Direction => "direction",
            Self::Function => "function",
            Self::Cells => "cells",
            Self::Slice => "slice",
            Self::FiveQi => "five_qi",
            Self::Schedule => "schedule",
            Self::Confirmation => "confirmation",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefuseReason {
    OutOfScope,
    Unsafe,
    Unsupported,
    Contradiction,
}

impl RefuseReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutOfScope => "out_of_scope",
            Self::Unsafe => "unsafe",
            Self::Unsupported => "unsupported",
            Self::Contradiction => "contradiction",
        }
    }
}

/// One thing to do. In JSON the key `action` names the variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    Scale(Scale),
    Deploy(Deploy),
    Retire(Retire),
    Upgrade(Upgrade),
    SetCapacity(SetCapacity),
    Configure(Configure),
    Slice(Slice),
    Steer(Steer),
    Qos(Qos),
    Ensure(Ensure),
    Rollback(Rollback),
    Report(Report),
}

impl Action {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scale(_) => "scale",
            Self::Deploy(_) => "deploy",
            Self::Retire(_) => "retire",
            Self::Upgrade(_) => "upgrade",
            Self::SetCapacity(_) => "set_capacity",
            Self::Configure(_) => "configure",
            Self::Slice(_) => "slice",
            Self::Steer(_) => "steer",
            Self::Qos(_) => "qos",
            Self::Ensure(_) => "ensure",
            Self::Rollback(_) => "rollback",
            Self::Report(_) => "report",
        }
    }
}

/// A workload as it was named. At least `name` or `function` is there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The word as said (lower-cased), when it is a DNS label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the vocabulary folds it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<Function>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// A bare "in X": a namespace or a cluster, resolved at planning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    pub target: Target,
    pub replicas: Replicas,
}

/// Exactly one of `to`, `by`, `factor` is there in a valid proposal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replicas {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Decimal>,
    /// A precondition: planning refuses when the world differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Said beside `to`; planning refuses when the world contradicts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<ScaleDirection>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleDirection {
    Out,
    In,
    /// Only in an `ensure` that scales by itself.
    Both,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<Function>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blueprint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retire {
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    pub target: Target,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetCapacity {
    pub target: Target,
    pub capacity: Capacity,
}

/// Counts are single things: 64k sessions is 64000.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_downlink: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uplink: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_sessions: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_subscribers: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configure {
    pub target: Target,
    /// Values are strings as said.
    pub settings: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
}

impl Proposal {
    /// Asks for `missing`, as a sorted set.
    pub fn ask(missing: impl IntoIterator<Item = Missing>) -> Self {
        let mut missing: Vec<Missing> = missing.into_iter().collect();
        missing.sort_unstable();
        missing.dedup();
        Self::Clarify(Clarify { missing, question: None })
    }

    pub fn refuse(reason: RefuseReason) -> Self {
        Self::Refuse(Refuse { reason, explanation: None })
    }
}

/// Whether `word` is a DNS label (RFC 1123 clause 2.1): 1..=63 of `[a-z0-9-]`,
/// no hyphen at either end.
pub fn is_dns_label(word: &str) -> bool {
    let bytes = word.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= 63
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        && bytes[0] != b'-'
        && bytes[bytes.len() - 1] != b'-'
}
