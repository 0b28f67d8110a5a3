//! Ends resting intents whose deadline passes before they were begun. What waits in the queue
//! says so itself when it is claimed.

use std::time::Duration;

use jiff::Timestamp;
use nephoran_model::intent::{IntentId, State};
use nephoran_queue::Queue;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::records::Records;
use crate::store;

/// How late a passed deadline may be noticed.
const EVERY: Duration = Duration::from_secs(1);

pub async fn run(records: Records, queue: Queue<IntentId>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let passed = match records.store.passed(Timestamp::now()).await {
            Ok(passed) => passed,
            Err(cause) => {
                warn!(%cause, "Deadlines cannot be looked at now.");
                continue;
            }
        };
        for id in passed {
            if let Err(cause) = expire(&records, &id).await {
                warn!(intent = %id, %cause, "A passed deadline could not be recorded; tried again.");
            } else {
                queue.remove(&id);
            }
        }
    }
}

async fn expire(records: &Records, id: &IntentId) -> Result<(), store::Error> {
    let Some(mut intent) = records.get(id).await? else { return Ok(()) };
    let now = Timestamp::now();
    let late = intent.deadline.is_some_and(|deadline| deadline <= now);
    let moved = late
        && intent.state.may_become(State::Expired)
        && intent.enter(State::Expired, "its deadline passed before it was begun", "operator", now).is_ok();
    if moved {
        records.save(&mut intent, Vec::new()).await?;
    }
    Ok(())
}
