//! Reviews the difference a plan makes; alone makes an `ApprovedPlan`.

use serde::{Deserialize, Serialize};

/// One objection: which rule, what is wrong, what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: String,
    pub message: String,
    pub remedy: String,
    #[serde(default)]
    pub effect: Effect,
}

/// What a finding does to the plan. Ordered: the strongest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Said to whoever approves; stops nothing.
    Note,
    /// A person must say yes.
    Approval,
    /// Waits until it is lifted.
    Hold,
    /// Refused, whoever approves.
    #[default]
    Refuse,
}
