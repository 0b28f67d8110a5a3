//! Claims intents and has each taken to where it can rest, in order per target, many at a time.
//!
//! A claim brings a key; what is done follows from the record in the store alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use nephoran_model::intent::{Intent, IntentId, State};
use nephoran_model::proposal::Proposal;
use nephoran_queue::{Delivery, Lane, Queue};
use nephoran_worker::{Begun, Context, Ended, Next, Pool, Scale, Settings, Work};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::chain;
use super::lines::{Lines, Target, Ticket};
use super::records::Records;
use super::stages::{Halt, OPERATOR, Stages, Went};
use super::understand::Asked;
use crate::actuate::Actuator;
use crate::config::Workers;
use crate::plan::Planner;
use crate::store;
use crate::translate;
use crate::translate::model::Translator;

/// Intents that stand in line or are worked on at a time. Wide enough that one durable
/// batch of commits carries many of them, small enough to hold their records in memory, and
/// four results of each have a place on the way to the log.
pub const IN_FLIGHT: usize = 250;

/// Results that are told in one go.
pub const BATCH: usize = 16;

/// Tries of one stage that fail for a passing reason, before the intent is a dead letter.
/// With the back-off below they span about two minutes.
const MAX_ATTEMPTS: u32 = 10;

#[derive(Clone)]
pub struct Flow {
    inner: Arc<Inner>,
    workers: Workers,
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
        workers: Workers,
    ) -> Self {
        let stages = Stages::new(records, planner, actuator, model, workers.max);
        Self { inner: Arc::new(Inner { stages, queue, lines: Lines::default() }), workers }
    }

    /// Works until `stop`, then lets what runs come to an end for at most `grace`. What does not
    /// is taken up again at the next start: nothing of it was lost.
    pub async fn run(self, stop: CancellationToken, grace: Duration) {
        let Self { inner, workers } = self;
        let queue = || inner.queue.clone();
        let settings = |lane, scale| Settings { lane, scale, batch: BATCH };
        let direct = Pool::start(
            queue(),
            settings(Lane::Direct, Scale::Upto(IN_FLIGHT)),
            Arc::new(Direct(inner.clone())),
        );
        let model = inner.stages.model.clone().map(|translator| {
            let scale = Scale::Between { min: workers.min, max: workers.max };
            let work = Model { inner: inner.clone(), translator, usual: Usual::default() };
            Pool::start(queue(), settings(Lane::Model, scale), Arc::new(work))
        });
        stop.cancelled().await;
        let deadline = Instant::now() + grace;
        let ended = async {
            match &model {
                Some(model) => model.shutdown(deadline).await.requeued,
                None => 0,
            }
        };
        let (direct, waiting_for_a_model) = tokio::join!(direct.shutdown(deadline), ended);
        let left = direct.requeued + waiting_for_a_model;
        if left > 0 {
            warn!(left, "Some intents did not come to rest in time; the next start takes them up.");
        }
    }
}

/// A try that ended.
struct Tried {
    intent: IntentId,
    to: &'static str,
}

impl Tried {
    fn told(self, lane: Lane) {
        debug!(intent = %self.intent, %lane, to = self.to, "A try ended.");
    }
}

/// Takes intents to where they rest, many at a time; those on one package in the order of claims.
struct Direct(Arc<Inner>);

impl Work<IntentId> for Direct {
    type Begun = (Intent, Ticket);
    type Output = Tried;

    /// Joins the lines: nobody else does.
    async fn begin(&self, delivery: &Delivery<IntentId>) -> Begun<Self::Begun, Tried> {
        let inner = &*self.0;
        let id = delivery.key();
        match inner.stages.records.get(id).await {
            Ok(Some(intent)) => {
                let targets = inner.targets(&intent).await;
                Begun::Work((intent, inner.lines.join(targets)))
            }
            Ok(None) => {
                error!(intent = %id, "The queue holds an intent that the store does not.");
                Begun::Ended(Ended::new(Next::Done))
            }
            Err(cause) => {
                warn!(intent = %id, %cause, "The store cannot read; the intent waits.");
                Begun::Ended(Ended::new(again(1)))
            }
        }
    }

    async fn work(&self, (intent, ticket): Self::Begun, _: Context) -> Ended<Tried> {
        let stages = &self.0.stages;
        let waited = ticket.turn().await;
        let id = intent.id.clone();
        // What waited may have been cancelled or answered meanwhile: its record is read again.
        let read = if waited { None } else { Some(intent) };
        let (next, to) = match stages.work(&id, read).await {
            // It keeps its place in the queue, and holds up nobody here.
            Ok(Went::ToTheModel) => (Next::HandOver(Lane::Model), "the model"),
            Ok(Went::ToRest) => (Next::Done, "rest"),
            Err(halt) => self.0.halted(&id, &halt).await,
        };
        Ended::new(next).with(Tried { intent: id, to })
    }

    async fn failed(&self, id: &IntentId, cause: &str) -> Next {
        self.0.panicked(id, cause).await
    }

    fn finished(&self, tried: Tried) {
        tried.told(Lane::Direct);
    }
}

/// Asks a language model for those whose words the grammar cannot account for. While it may not be
/// asked they wait, and nothing fails.
struct Model {
    inner: Arc<Inner>,
    translator: Arc<dyn Translator>,
    usual: Usual,
}

impl Work<IntentId> for Model {
    type Begun = IntentId;
    type Output = Tried;

    async fn ready(&self) {
        self.translator.ready().await;
    }

    async fn begin(&self, delivery: &Delivery<IntentId>) -> Begun<IntentId, Tried> {
        let next = match delivery.deadline() {
            // To say so needs no model, and must hold up nobody who can still be in time.
            Some(deadline) if deadline <= Instant::now() => Next::HandOver(Lane::Direct),
            // A call would be cut off by it, and its place at the model is for another.
            Some(deadline) if self.usual.is_longer_than(deadline - Instant::now()) => Next::Again(deadline),
            _ => return Begun::Work(delivery.key().clone()),
        };
        Begun::Ended(Ended::new(next))
    }

    async fn work(&self, id: IntentId, context: Context) -> Ended<Tried> {
        let begun = Instant::now();
        let understood = tokio::select! {
            biased;
            // A call that is dropped is made again after the next start.
            () = context.stop.cancelled() => return Ended::new(Next::GiveBack),
            understood = self.inner.stages.understand(&id, &*self.translator) => understood,
        };
        let (mut strained, mut measured) = (false, true);
        let (next, to) = match understood {
            Ok(Asked::ToRest) => {
                self.usual.took(begun.elapsed());
                (Next::Done, "rest")
            }
            Ok(Asked::AtOnce) => {
                measured = false;
                (Next::Done, "rest")
            }
            Ok(Asked::GoesOn) => (Next::HandOver(Lane::Direct), "the grammar"),
            Ok(Asked::Later(wait)) => {
                strained = true;
                (Next::Again(Instant::now() + wait), "another try")
            }
            Err(halt) => self.inner.halted(&id, &halt).await,
        };
        Ended { output: Some(Tried { intent: id, to }), next, strained, measured }
    }

    async fn failed(&self, id: &IntentId, cause: &str) -> Next {
        self.inner.panicked(id, cause).await
    }

    fn finished(&self, tried: Tried) {
        tried.told(Lane::Model);
    }
}

/// How long it takes to ask a model, in microseconds: a moving mean.
#[derive(Default)]
struct Usual(AtomicU64);

impl Usual {
    fn took(&self, time: Duration) {
        let mean = self.0.load(Ordering::Relaxed);
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let next = if mean == 0 { time } else { mean - mean / 8 + time / 8 };
        self.0.store(next, Ordering::Relaxed);
    }

    /// Whether there is no hope to be done in that time. Each no makes the next one less likely, so
    /// that after slow times somebody tries again.
    fn is_longer_than(&self, time: Duration) -> bool {
        let mean = self.0.load(Ordering::Relaxed);
        let is_longer = u128::from(mean) > time.as_micros();
        if is_longer {
            self.0.store(mean - mean / 32, Ordering::Relaxed);
        }
        is_longer
    }
}

impl Inner {
    /// The targets an intent will touch, as far as they can be told before its turn.
    async fn targets(&self, intent: &Intent) -> Vec<Target> {
        if is_late(intent) {
            // It will only be told so: no need to wait in line for that.
            return Vec::new();
        }
        match translate::proposal(intent, &self.stages.planner.inventory()) {
            Proposal::Actions(actions) => self.stages.planner.targets(intent, &actions).await,
            Proposal::Clarify(_) | Proposal::Refuse(_) => Vec::new(),
        }
    }

    async fn halted(&self, id: &IntentId, halt: &Halt) -> (Next, &'static str) {
        match halt {
            // Somebody acted on it meanwhile: decide again from the new record.
            Halt::Store(store::Error::Stale { .. }) => (Next::Again(Instant::now()), "its new record"),
            halt => match self.failed(id, &chain(halt)).await {
                Next::Done => (Next::Done, "a dead letter"),
                next => (next, "another try"),
            },
        }
    }

    async fn panicked(&self, id: &IntentId, cause: &str) -> Next {
        error!(intent = %id, cause, "A fault in the operator (panic); the intent is tried again.");
        self.failed(id, "a fault in the operator (panic)").await
    }

    /// Counts a failed try; after the last one the intent is a dead letter.
    async fn failed(&self, id: &IntentId, cause: &str) -> Next {
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
                        return Next::Done;
                    }
                } else {
                    intent.retry_at = Timestamp::now().checked_add(backoff(attempts)).ok();
                    // A store that cannot write is the likeliest cause: then the count is lost, not the intent.
                    let _ = self.stages.records.save(&mut intent, Vec::new()).await;
                }
                attempts
            }
            Ok(_) => return Next::Done,
            Err(_) => 1,
        };
        again(attempts)
    }
}

fn again(attempts: u32) -> Next {
    Next::Again(Instant::now() + backoff(attempts))
}

/// Its deadline passed, and it may still be told so.
fn is_late(intent: &Intent) -> bool {
    intent.deadline.is_some_and(|deadline| deadline <= Timestamp::now())
        && intent.state.may_become(State::Expired)
}

/// Doubles from half a second to at most half a minute.
pub(super) fn backoff(attempts: u32) -> Duration {
    Duration::from_millis(500)
        .saturating_mul(1 << attempts.clamp(1, 7).saturating_sub(1))
        .min(Duration::from_secs(30))
}
