//! What people do to an intent: answer, approve, reject, cancel, roll back, retry.

use nephoran_model::intent::{Intent, IntentId};
use nephoran_model::plan::PlanHash;

use crate::admit::{Admitted, Refusal};

/// Acts of people, with the identity of who acts.
#[derive(Clone)]
pub struct Acts {}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no intent has the id {0}")]
    Unknown(String),
    /// The state does not allow it (409).
    #[error("{detail}")]
    State { detail: String },
    /// The hash is not that of the plan that would run (412).
    #[error("{detail}")]
    OtherPlan { detail: String },
    /// The actor may not do it (403).
    #[error("{detail}")]
    Forbidden { detail: String },
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Acts {
    pub async fn answer(&self, id: &IntentId, _actor: &str, _text: &str) -> Result<Intent, Error> {
        Err(Error::Unknown(id.to_string()))
    }

    pub async fn approve(
        &self,
        id: &IntentId,
        _actor: &str,
        _plan: &PlanHash,
        _comment: Option<String>,
    ) -> Result<Intent, Error> {
        Err(Error::Unknown(id.to_string()))
    }

    pub async fn reject(&self, id: &IntentId, _actor: &str, _reason: &str) -> Result<Intent, Error> {
        Err(Error::Unknown(id.to_string()))
    }

    pub async fn cancel(&self, id: &IntentId, _actor: &str) -> Result<Intent, Error> {
        Err(Error::Unknown(id.to_string()))
    }

    /// A new intent that undoes `id`.
    pub async fn rollback(&self, id: &IntentId, _actor: &str) -> Result<Admitted, Error> {
        Err(Error::Unknown(id.to_string()))
    }

    /// A new intent that asks again for what `id` failed to do. Only for `failed`.
    pub async fn retry(&self, id: &IntentId, _actor: &str) -> Result<Admitted, Error> {
        Err(Error::Unknown(id.to_string()))
    }

    /// Workers claim nothing more; what is accepted stays.
    pub fn pause(&self, _actor: &str) {}

    pub fn resume(&self, _actor: &str) {}

    pub fn is_paused(&self) -> bool {
        false
    }
}
