//! Lets submissions in, or says why not. Never waits for the queue: full is a refusal.

pub mod desk;
pub mod id;
pub mod rate;
pub mod to_the_end;

use std::time::Duration;

use jiff::Timestamp;
use nephoran_model::guard::Finding;
use nephoran_model::intent::{Change, Constraints, IntentId, Parent, Question, Request, Source, State};
use nephoran_model::plan::Plan;
use nephoran_model::proposal::{Priority, Proposal};

use crate::telemetry::trace::Trace;

pub use desk::{Depth, Desk};
pub use rate::RequestRates;

/// Raw intake, parsed and valid in form: what every door hands to the desk.
#[derive(Debug, Clone)]
pub struct Submission {
    pub source: Source,
    /// Who asks: an authenticated identity, or `local` on a loopback-only server.
    pub requester: String,
    pub request: Request,
    /// What the requester claims; absent when not said outside the words.
    pub priority: Option<Priority>,
    pub deadline: Option<Timestamp>,
    pub not_before: Option<Timestamp>,
    pub change: Change,
    pub constraints: Constraints,
    pub key: Option<Key>,
    pub parent: Option<Parent>,
    /// Name of the hot-folder file, when it came from there.
    pub file: Option<String>,
    /// What makes that file the same request over a crash; admitted once until it is retired.
    pub folder_key: Option<String>,
    pub correlation_id: Option<String>,
    /// The trace that the request is a part of.
    pub traceparent: Option<String>,
}

/// An idempotency key. It belongs to (identity, door).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub key: String,
    /// SHA-256 of the bytes that were sent: the same key with other bytes is a conflict.
    pub digest: [u8; 32],
}

/// Let in. The record is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    pub id: IntentId,
    pub state: State,
    /// How many are ahead of it, at most.
    pub position: usize,
    /// The same key and bytes came before: this is that intent.
    pub repeated: bool,
    pub trace: Trace,
}

/// Turned away, with the reason and, where waiting helps, when to come back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the queue is full for {band} intents")]
    Full { band: &'static str, retry_after: Duration },
    #[error("it would wait {} s for its turn, longer than until its deadline", .wait.as_secs_f64().ceil())]
    Late { wait: Duration, retry_after: Duration },
    #[error("too many intents are live")]
    TooManyLive { retry_after: Duration },
    #[error("the operator is shutting down")]
    Draining { retry_after: Duration },
    #[error("the store cannot write: {reason}")]
    Store { reason: String, retry_after: Duration },
    #[error("the language model cannot be asked now: {reason}")]
    Model { reason: String, retry_after: Duration },
    #[error("the idempotency key was used with other content")]
    KeyReused,
    #[error("{detail}")]
    Invalid { pointer: String, detail: String },
}

/// What would happen: nothing of it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct DryRun {
    /// The state in which the intent would come to rest before its commit:
    /// `needs_answer`, `refused`, `awaiting_approval`, `planned` (held), `applying` (would be
    /// committed), `applied` (already so), `answered`.
    pub state: State,
    pub proposal: Proposal,
    pub plan: Option<Plan>,
    pub findings: Vec<Finding>,
    pub question: Option<Question>,
    /// The answer to a report or a check, in words.
    pub answer: Option<String>,
}
