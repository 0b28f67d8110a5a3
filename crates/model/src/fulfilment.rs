//! Does the network do what was asked? Said only from evidence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Fulfilled,
    NotFulfilled,
    #[default]
    Unknown,
}

/// `unknown` with reason `NoProbe` where nothing measures the effect: a commit is never called fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default)]
    pub targets: Vec<TargetFulfilment>,
}

impl Default for Fulfilment {
    fn default() -> Self {
        Self { status: Status::Unknown, reason: Some("NoProbe".into()), targets: Vec::new() }
    }
}

/// One field of one target: what was asked and what was last read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFulfilment {
    pub step: String,
    pub field: String,
    pub wanted: String,
    pub seen: String,
    pub at: Timestamp,
    /// Where it was read, e.g. `repository default at 1f2e3d4`.
    pub source: String,
}
