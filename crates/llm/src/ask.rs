//! What is asked of a model, and what comes back once it was checked.

use std::time::Duration;

use nephoran_model::proposal::Proposal;
use tokio::time::Instant;

/// One request in words, with what a model may be shown beside it.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The request as said. Only this and `answers` count as a source of facts.
    pub words: &'a str,
    /// The author's answers so far, oldest first.
    pub answers: &'a [String],
    /// Who asks; budgets are per identity.
    pub identity: &'a str,
    /// Nothing is begun after it, and no call outlives it.
    pub deadline: Option<Instant>,
    /// What the inventory knows: offered as enums, never a source of facts.
    pub known: Known,
}

/// A bounded slice of the inventory, sorted, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Known {
    pub names: Vec<String>,
    pub namespaces: Vec<String>,
    pub clusters: Vec<String>,
}

/// What a model understood, after all checks of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Understood {
    /// `actions` only when every leaf rests on the author's words.
    pub proposal: Proposal,
    pub origin: Origin,
}

/// Where a proposal of a model comes from; kept with the intent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Host and port; never credentials.
    pub endpoint: String,
    pub model: String,
    pub prompt_version: String,
    /// Ids of the passages shown to it.
    pub passages: Vec<String>,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// Calls made for it: 2 when a repair was needed, 0 when the answer was at hand.
    pub calls: u32,
    /// Answered from the cache, or shared with an identical request in flight.
    pub shared: bool,
}

/// Why there is no answer now. None of these is the intent's fault but [`Error::Late`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The breaker is open, or the endpoint is full: nobody should ask before that time.
    #[error("the model's endpoint is not asked now")]
    Away { retry_after: Duration },
    #[error("the model's budget of this hour is spent")]
    Budget { retry_after: Duration },
    #[error("the deadline passed before the model answered")]
    Late,
    /// Unreachable, too slow, a bad status: counts against the endpoint.
    #[error("the model cannot be asked: {0}")]
    Unreachable(String),
    /// It will not get better by itself: a wrong key, a forbidden address, an unknown model.
    #[error("the model refuses to be asked: {0}")]
    Rejected(String),
}

/// A passage of a document, shown to a model as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Stable: document, heading and a hash of the text.
    pub id: String,
    pub title: String,
    pub text: String,
}
