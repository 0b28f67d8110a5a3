//! Claims intents and has each taken to where it can rest, in order per target, many at a time.
//!
//! A claim brings a key; what is done follows from the record in the store alone.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use nephoran_model::intent::{Intent, IntentId, State};
use nephoran_model::proposal::Proposal;
use nephoran_queue::{Delivery, Lane, Queue};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

use super::chain;
use super::lines::{Lines, Ticket};
use super::records::Records;
use super::stages::{Halt, OPERATOR, Stages, Went};
use super::understand::Asked;
use crate::actuate::Actuator;
use crate::plan::Planner;
use crate::store;
use crate::translate;
use crate::translate::model::Translator;

/// Intents that stand in line or are worked on at a time. Wide enough that one durable
/// batch of commits carries many of them, small enough to hold their records in memory.
const IN_FLIGHT: usize = 256;

/// Calls to a language model at a time.
const MODEL_CALLS: usize = 16;

/// Tries of one stage that fail for a passing reason, before the intent is a dead letter.
/// With the back-off below they span about two minutes.
const MAX_ATTEMPTS: u32 = 10;

#[derive(Clone)]
pub struct Flow {
    inner: Arc<Inner>,
}

struct Inner {
    stages: Stages,
    queue: Queue<IntentId>,
    lines: Lines,
}

impl Flow {
    pub fn new(
        records: Records,
        queue: Queue<IntentId>,
        planner: Planner,
        actuator: Arc<dyn Actuator>,
        model: Option<Arc<dyn Translator>>,
        workers: usize,
    ) -> Self {
        let stages = Stages::new(records, planner, actuator, model, workers);
        Self { inner: Arc::new(Inner { stages, queue, lines: Lines::default() }) }
    }

    /// Works until `stop`, then lets what runs come to an end for at most `grace`. What does not
    /// is taken up again at the next start: nothing of it was lost.
    pub async fn run(self, stop: CancellationToken, grace: Duration) {
        let tasks = TaskTracker::new();
        if let Some(model) = self.inner.stages.model.clone() {
            tasks.spawn(self.inner.clone().ask_the_model(model, stop.clone()));
        }
        let places = Arc::new(Semaphore::new(IN_FLIGHT));
        let abort = CancellationToken::new();
        loop {
            let claimed = async {
                let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
                (place, self.inner.queue.claim().await)
            };
            let (place, delivery) = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                claimed = claimed => claimed,
            };
            let id = delivery.key().clone();
            let intent = match self.inner.stages.records.get(&id).await {
                Ok(Some(intent)) => intent,
                Ok(None) => {
                    error!(intent = %id, "The queue holds an intent that the store does not.");
                    delivery.ack();
                    continue;
                }
                Err(cause) => {
                    warn!(intent = %id, %cause, "The store cannot read; the intent waits.");
                    self.inner.later(delivery, 1);
                    continue;
                }
            };
            // Lines are joined in the order of claims: this loop is the only one that joins.
            let targets = self.inner.targets(&intent).await;
            let ticket = self.inner.lines.join(targets);
            let inner = self.inner.clone();
            let abort = abort.clone();
            tasks.spawn(async move {
                let _place = place;
                tokio::select! {
                    () = inner.handle(intent, ticket, delivery) => {}
                    () = abort.cancelled() => {}
                }
            });
        }
        tasks.close();
        if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
            warn!(
                running = tasks.len(),
                "Some intents did not come to rest in time; the next start takes them up."
            );
            abort.cancel();
            tasks.wait().await;
        }
    }
}

impl Inner {
    /// The targets an intent will touch, as far as they can be told before its turn.
    async fn targets(&self, intent: &Intent) -> Vec<super::lines::Target> {
        match translate::proposal(intent, &self.stages.planner.inventory()) {
            Proposal::Actions(actions) => self.stages.planner.targets(intent, &actions).await,
            Proposal::Clarify(_) | Proposal::Refuse(_) => Vec::new(),
        }
    }

    async fn handle(&self, intent: Intent, ticket: Ticket, delivery: Delivery<IntentId>) {
        let waited = ticket.turn().await;
        let id = intent.id.clone();
        // What waited may have been cancelled or answered meanwhile: its record is read again.
        let read = if waited { None } else { Some(intent) };
        let worked = AssertUnwindSafe(self.stages.work(&id, read)).catch_unwind().await;
        let cause = match worked {
            Ok(Ok(Went::ToTheModel)) => {
                // It keeps its place in the queue, and holds up nobody here.
                delivery.hand_over(Lane::Model);
                return;
            }
            Ok(Ok(Went::ToRest)) => {
                delivery.ack();
                return;
            }
            Ok(Err(Halt::Store(store::Error::Stale { .. }))) => {
                // Somebody acted on it meanwhile: decide again from the new record.
                delivery.put_back(tokio::time::Instant::now());
                return;
            }
            Ok(Err(halt)) => chain(&halt),
            Err(_) => "a fault in the operator (panic)".to_owned(),
        };
        self.failed(&id, &cause, delivery).await;
    }

    /// Takes up what waits for a language model, many at a time, while it may be asked.
    async fn ask_the_model(self: Arc<Self>, model: Arc<dyn Translator>, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(MODEL_CALLS));
        let tasks = TaskTracker::new();
        loop {
            let claimed = async {
                let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
                model.ready().await;
                (place, self.queue.claim_from(Lane::Model).await)
            };
            let (place, delivery) = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                claimed = claimed => claimed,
            };
            let (inner, model, stop) = (self.clone(), model.clone(), stop.clone());
            tasks.spawn(async move {
                let _place = place;
                tokio::select! {
                    () = inner.understand(delivery, &*model) => {}
                    // A call that is dropped is taken up again at the next start.
                    () = stop.cancelled() => {}
                }
            });
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn understand(&self, delivery: Delivery<IntentId>, model: &dyn Translator) {
        let id = delivery.key().clone();
        let worked = AssertUnwindSafe(self.stages.understand(&id, model)).catch_unwind().await;
        let cause = match worked {
            Ok(Ok(Asked::ToRest)) => return delivery.ack(),
            Ok(Ok(Asked::GoesOn)) => return delivery.hand_over(Lane::Direct),
            Ok(Ok(Asked::Later(wait))) => return delivery.put_back(tokio::time::Instant::now() + wait),
            Ok(Err(Halt::Store(store::Error::Stale { .. }))) => {
                // Somebody acted on it meanwhile: decide again from the new record.
                return delivery.put_back(tokio::time::Instant::now());
            }
            Ok(Err(halt)) => chain(&halt),
            Err(_) => "a fault in the operator (panic)".to_owned(),
        };
        self.failed(&id, &cause, delivery).await;
    }

    /// Counts a failed try; after the last one the intent is a dead letter.
    async fn failed(&self, id: &IntentId, cause: &str, delivery: Delivery<IntentId>) {
        warn!(intent = %id, cause, "An intent could not go on.");
        let attempts = match self.stages.records.get(id).await {
            Ok(Some(mut intent)) if !intent.state.is_end() => {
                intent.attempts += 1;
                let attempts = intent.attempts;
                // What is being applied may be committed already: it is looked for until it can be told.
                let may_give_up = intent.state != State::Applying;
                if attempts >= MAX_ATTEMPTS && may_give_up && intent.state.may_become(State::Failed) {
                    let said = format!("gave up after {attempts} tries: {cause}");
                    let moved = intent.enter(State::Failed, said, OPERATOR, Timestamp::now());
                    if moved.is_ok() && self.stages.save(&mut intent).await.is_ok() {
                        self.stages.records.metrics.dead_letter();
                        delivery.ack();
                        return;
                    }
                } else {
                    intent.retry_at = Timestamp::now().checked_add(backoff(attempts)).ok();
                    // A store that cannot write is the likeliest cause: then the count is lost, not the intent.
                    let _ = self.stages.records.save(&mut intent, Vec::new()).await;
                }
                attempts
            }
            Ok(_) => {
                delivery.ack();
                return;
            }
            Err(_) => 1,
        };
        self.later(delivery, attempts);
    }

    fn later(&self, delivery: Delivery<IntentId>, attempts: u32) {
        delivery.put_back(tokio::time::Instant::now() + backoff(attempts));
    }
}

/// Doubles from half a second to at most half a minute.
pub(super) fn backoff(attempts: u32) -> Duration {
    Duration::from_millis(500)
        .saturating_mul(1 << attempts.clamp(1, 7).saturating_sub(1))
        .min(Duration::from_secs(30))
}
