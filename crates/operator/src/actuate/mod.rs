//! Carries approved steps out. Only `guard::review` makes what an actuator takes.

pub mod package;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use nephoran_model::guard::ApprovedPlan;
use nephoran_model::intent::IntentId;
use nephoran_model::plan::Plan;

use crate::store::AuditHead;

/// What goes with a change so that it can be traced: who, for whom, under which entry of the
/// audit trail. The generation is checked by the system that is acted on.
#[derive(Debug, Clone)]
pub struct Fence {
    pub intent: IntentId,
    pub generation: u32,
    pub requester: String,
    pub approved_by: Option<String>,
    pub ticket: Option<String>,
    pub audit: AuditHead,
}

/// The change is where we write it, read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub repository: String,
    pub commit: String,
    pub at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the plan was made from changed: it must be made anew.
    #[error("{0}")]
    Stale(String),
    /// May pass: the repository is locked, away, or its disk is full.
    #[error("{0}")]
    Passing(String),
    /// Will not pass by itself.
    #[error("{0}")]
    Lasting(String),
}

/// Applies a plan, all or nothing, at most once: asked again for the same plan it finds what it did.
pub trait Actuator: Send + Sync {
    fn apply<'a>(&'a self, plan: &'a ApprovedPlan, fence: Fence) -> BoxFuture<'a, Result<Applied, Error>>;

    /// Whether `plan` was applied before, by an earlier run of the operator perhaps.
    fn find<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<Option<Applied>, Error>>;
}
