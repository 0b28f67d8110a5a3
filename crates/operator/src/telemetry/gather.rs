//! Brings the numbers that others keep to `/metrics`.

use std::time::Duration;

use nephoran_model::fulfilment::Status;
use nephoran_model::intent::{IntentId, State};
use nephoran_queue::Queue;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Metrics;
use crate::store::Store;

/// Scrapes come every 15 s or so; the count reads an index of what is live.
const EVERY: Duration = Duration::from_secs(5);

/// Reads queue and store whenever somebody looks; counts fulfilment and stalls until `stop`.
pub async fn run(metrics: Metrics, queue: Queue<IntentId>, store: Store, stop: CancellationToken) {
    metrics.show_store(&store);
    metrics.before_each_answer(move |metrics| metrics.queue(&queue.numbers()));
    let counting = async {
        loop {
            count_fulfilment(&metrics, &store).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = counting => {}
        () = metrics.clone().watch_runtime(stop) => {}
    }
}

/// Said from the states: what is applied without evidence is unknown, what changed behind our back is not so.
async fn count_fulfilment(metrics: &Metrics, store: &Store) {
    let counts = match store.count_states().await {
        Ok(counts) => counts,
        // Readiness and the log of the store say why.
        Err(cause) => return debug!(%cause, "The states could not be counted."),
    };
    let of = |state| counts.iter().filter(|(known, _)| *known == state).map(|(_, count)| count).sum();
    metrics.fulfilment(Status::Fulfilled, of(State::Fulfilled));
    metrics.fulfilment(Status::NotFulfilled, of(State::Degraded));
    metrics.fulfilment(Status::Unknown, of(State::Applied));
}
