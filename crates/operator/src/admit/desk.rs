//! The one admission desk behind every door.

use std::time::Duration;

use super::{Admitted, DryRun, Refusal, Submission};

/// Reserves a place in the queue, has the record made durable, then publishes it.
#[derive(Clone)]
pub struct Desk {}

impl Desk {
    /// Returns only after the record is on disk.
    pub async fn admit(&self, _submission: Submission) -> Result<Admitted, Refusal> {
        Err(Refusal::Draining { retry_after: Duration::from_secs(1) })
    }

    /// Translates, plans and reviews without storing anything.
    pub async fn dry_run(&self, _submission: Submission) -> Result<DryRun, Refusal> {
        Err(Refusal::Draining { retry_after: Duration::from_secs(1) })
    }
}
