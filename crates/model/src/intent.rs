//! The record of one intent: who asked for what, how far it came, and why.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fulfilment::Fulfilment;
use crate::guard::Finding;
use crate::plan::{Plan, PlanHash};
use crate::proposal::{Missing, Priority, Proposal};

/// A lower-case DNS label of at most 40 characters; ids sort by the time they were made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentId(String);

impl IntentId {
    /// `None` when `id` is no DNS label of at most 40 characters.
    pub fn parse(id: &str) -> Option<Self> {
        (id.len() <= 40 && crate::proposal::is_dns_label(id)).then(|| Self(id.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Received,
    Translating,
    NeedsAnswer,
    Planned,
    AwaitingApproval,
    Applying,
    AwaitingMerge,
    /// The repository, read again, holds the change.
    Applied,
    /// Evidence from where the change must show.
    Fulfilled,
    /// Changed behind our back, or no longer what was asked.
    Degraded,
    Answered,
    Refused,
    Failed,
    Cancelled,
    Superseded,
    RolledBack,
    Expired,
}

impl State {
    pub const ALL: [Self; 17] = [
        Self::Received,
        Self::Translating,
        Self::NeedsAnswer,
        Self::Planned,
        Self::AwaitingApproval,
        Self::Applying,
        Self::AwaitingMerge,
        Self::Applied,
        Self::Fulfilled,
        Self::Degraded,
        Self::Answered,
        Self::Refused,
        Self::Failed,
        Self::Cancelled,
        Self::Superseded,
        Self::RolledBack,
        Self::Expired,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Translating => "translating",
            Self::NeedsAnswer => "needs_answer",
            Self::Planned => "planned",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Applying => "applying",
            Self::AwaitingMerge => "awaiting_merge",
            Self::Applied => "applied",
            Self::Fulfilled => "fulfilled",
            Self::Degraded => "degraded",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::RolledBack => "rolled_back",
            Self::Expired => "expired",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Nothing more will happen to it.
    pub fn is_end(self) -> bool {
        matches!(
            self,
            Self::Answered
                | Self::Refused
                | Self::Failed
                | Self::Cancelled
                | Self::Superseded
                | Self::RolledBack
                | Self::Expired
        )
    }

    /// Waits for a person or for the world, not for us. `Planned` rests only with a [`HoldReason`].
    pub fn is_resting(self, hold: Option<HoldReason>) -> bool {
        self.is_end()
            || matches!(
                self,
                Self::NeedsAnswer
                    | Self::AwaitingApproval
                    | Self::AwaitingMerge
                    | Self::Applied
                    | Self::Fulfilled
                    | Self::Degraded
            )
            || (self == Self::Planned && hold.is_some())
    }

    /// A change of it is in the repository.
    pub fn is_committed(self) -> bool {
        matches!(self, Self::Applied | Self::Fulfilled | Self::Degraded)
    }

    /// The legal moves, as a table: from each state to these.
    pub fn next(self) -> &'static [State] {
        match self {
            Self::Received => &[Self::Translating, Self::Cancelled, Self::Expired, Self::Failed],
            Self::Translating => &[
                Self::NeedsAnswer,
                Self::Planned,
                Self::Refused,
                Self::Failed,
                Self::Cancelled,
                Self::Expired,
            ],
            Self::NeedsAnswer => &[Self::Translating, Self::Cancelled, Self::Superseded, Self::Expired],
            Self::Planned => &[
                // The repository moved, or a hold was lifted: planned anew.
                Self::Planned,
                Self::NeedsAnswer,
                Self::AwaitingApproval,
                Self::Applying,
                // Already so: nothing to commit.
                Self::Applied,
                Self::Answered,
                Self::Refused,
                Self::Failed,
                Self::Cancelled,
                Self::Superseded,
                Self::Expired,
            ],
            Self::AwaitingApproval => &[
                Self::Planned,
                Self::AwaitingApproval,
                Self::Refused,
                Self::Failed,
                Self::Cancelled,
                Self::Superseded,
                Self::Expired,
            ],
            Self::Applying => {
                &[Self::AwaitingMerge, Self::Applied, Self::Planned, Self::Refused, Self::Failed]
            }
            Self::AwaitingMerge => &[
                Self::Applied,
                Self::Degraded,
                Self::Cancelled,
                Self::Superseded,
                Self::Failed,
                Self::Expired,
            ],
            Self::Applied => &[Self::Fulfilled, Self::Degraded, Self::Superseded, Self::RolledBack],
            Self::Fulfilled => &[Self::Applied, Self::Degraded, Self::Superseded, Self::RolledBack],
            Self::Degraded => &[Self::Applied, Self::Fulfilled, Self::Superseded, Self::RolledBack],
            Self::Answered
            | Self::Refused
            | Self::Failed
            | Self::Cancelled
            | Self::Superseded
            | Self::RolledBack
            | Self::Expired => &[],
        }
    }

    pub fn may_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a planned intent waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    Frozen,
    Window,
}

/// The door an intent came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// `POST /api/v1/intents`, the page and the command line.
    Http,
    /// The drop-in `POST /intent`.
    Intent,
    Folder,
}

impl Source {
    pub const ALL: [Self; 3] = [Self::Http, Self::Intent, Self::Folder];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Intent => "intent",
            Self::Folder => "folder",
        }
    }
}

/// What was asked for, as it came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Text(String),
    Proposal(Proposal),
    /// The drop-in intent. `body` is its JSON; `proposal` what it says.
    Intent {
        body: String,
        proposal: Proposal,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Change {
    pub ticket: Option<String>,
    pub reason: Option<String>,
}

/// Bounds that the requester put on the change; the guard enforces them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Constraints {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kpt_package_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub porch_repository: Option<String>,
}

/// One move, as the history and the audit trail keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    pub at: Timestamp,
    pub state: State,
    pub cause: String,
    /// Who caused it: an identity, or `operator`.
    pub actor: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub missing: Vec<Missing>,
    pub text: String,
    /// What an answer may name, when that is a closed set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub at: Timestamp,
    pub by: String,
    pub missing: Vec<Missing>,
    pub text: String,
}

/// How a language model came to the proposal, and whether its author said that it is right.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Understanding {
    /// Host and port that was asked.
    pub endpoint: String,
    pub model: String,
    pub prompt_version: String,
    /// Ids of the passages that the model was shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passages: Vec<String>,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// Calls that were made for it: 2 after a repair, 0 when the answer was at hand.
    pub calls: u32,
    /// Answered from the cache or together with an identical request.
    #[serde(default)]
    pub shared: bool,
    /// Without it nothing of the proposal may be applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Confirmation>,
}

/// The author's yes to the sentence that says the proposal back. No approval of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub by: String,
    pub at: Timestamp,
    pub sentence: String,
}

/// A person's yes to one plan hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub plan: PlanHash,
    pub by: String,
    pub at: Timestamp,
    /// Void after this.
    pub until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The author said yes to an own plan where nobody can be told apart.
    #[serde(default)]
    pub self_approved: bool,
}

/// What an actuator did for one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub step: String,
    /// Absent when it was already so.
    pub commit: Option<String>,
    pub at: Timestamp,
    /// In words, e.g. `already so: replicas is 5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    Rollback,
    Retry,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    pub id: IntentId,
    pub relation: Relation,
}

/// The whole record of one intent, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    pub id: IntentId,
    /// Counts writes; the store compares it before it writes.
    pub version: u64,
    pub generation: u32,
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldReason>,
    pub priority: Priority,
    pub source: Source,
    pub requester: String,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    pub request: Request,
    #[serde(default)]
    pub change: Change,
    #[serde(default)]
    pub constraints: Constraints,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The hot-folder file it came from, whose status file follows its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A client's own mark, echoed and never interpreted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The trace that the request was a part of, as the client named it (W3C Trace Context).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    #[serde(default)]
    pub answers: Vec<Answer>,
    pub history: Vec<Move>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translator: Option<String>,
    /// Present when a language model understood the words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub understanding: Option<Understanding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    #[serde(default)]
    pub findings: Vec<Finding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
    #[serde(default)]
    pub fulfilment: Fulfilment,
    /// The answer to a report or a check, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<IntentId>,
    /// Intents that this one supersedes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<IntentId>,
    /// Tries of the present stage that failed.
    #[serde(default)]
    pub attempts: u32,
    /// Not tried again before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

/// A move that the table of states does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IllegalMove {
    pub from: State,
    pub to: State,
}

impl fmt::Display for IllegalMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an intent that is {} cannot become {}", self.from, self.to)
    }
}

impl std::error::Error for IllegalMove {}

impl Intent {
    /// What a model understood and the author has not confirmed yet may not be applied.
    pub fn is_unconfirmed(&self) -> bool {
        self.understanding.as_ref().is_some_and(|understanding| understanding.confirmed.is_none())
    }

    /// Moves to `state` and remembers why. The record is unchanged when the move is illegal.
    pub fn enter(
        &mut self,
        state: State,
        cause: impl Into<String>,
        actor: impl Into<String>,
        now: Timestamp,
    ) -> Result<(), IllegalMove> {
        if !self.state.may_become(state) {
            return Err(IllegalMove { from: self.state, to: state });
        }
        self.state = state;
        self.hold = None;
        self.history.push(Move { at: now, state, cause: cause.into(), actor: actor.into() });
        Ok(())
    }
}
