//! The one admission desk behind every door.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nephoran_model::intent::{Intent, IntentId, Move, Request, State};
use nephoran_model::proposal::{Priority, Proposal};
use nephoran_queue::{Band, Lane, Place, Queue};
use tracing::debug;

use super::id::Ids;
use super::to_the_end::ToTheEnd;
use super::{Admitted, DryRun, Refusal, Submission};
use crate::plan::Planner;
use crate::store::{self, AcceptKey, Accepted, Store};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace::Trace;
use crate::translate;
use crate::translate::model::Translator;

/// When to come back after a refusal that has no better estimate.
const SOON: Duration = Duration::from_secs(2);

/// Reserves a place in the queue, has the record made durable, then publishes it.
#[derive(Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    queue: Queue<IntentId>,
    ids: Ids,
    planner: Planner,
    /// Most intents that may be accepted and not ended.
    most_live: AtomicUsize,
    draining: AtomicBool,
    metrics: Metrics,
    /// Asked by dry runs what the grammar cannot account for.
    model: Option<Arc<dyn Translator>>,
}

/// How far a dry run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// As far as the grammar reads: for whoever is still writing.
    Grammar,
    /// As far as the intent itself would: a language model is asked where one would be.
    Whole,
}

/// How long a dry run waits for a model; who asked is still there then.
const MODEL_WAIT: Duration = Duration::from_secs(20);

/// On its way to the disk, with a place in the queue.
struct Begun {
    since: Instant,
    id: IntentId,
    trace: Trace,
    place: Place<IntentId>,
    position: usize,
    not_before: Option<Timestamp>,
    deadline: Option<Timestamp>,
}

impl Desk {
    pub fn new(
        store: Store,
        queue: Queue<IntentId>,
        ids: Ids,
        planner: Planner,
        most_live: usize,
        metrics: Metrics,
        model: Option<Arc<dyn Translator>>,
    ) -> Self {
        let draining = AtomicBool::new(false);
        let most_live = AtomicUsize::new(most_live);
        Self { inner: Arc::new(Inner { store, queue, ids, planner, most_live, draining, metrics, model }) }
    }

    /// From now on at most so many intents may be accepted and not ended.
    pub fn limit_live(&self, most: usize) {
        self.inner.most_live.store(most, Ordering::Relaxed);
    }

    /// Lets nothing more in.
    pub fn drain(&self) {
        self.inner.draining.store(true, Ordering::Relaxed);
    }

    /// Returns only after the record is on disk.
    pub async fn admit(&self, submission: Submission) -> Result<Admitted, Refusal> {
        // A client that hangs up in the middle must not leave a record that is durable but was
        // never queued.
        let inner = self.inner.clone();
        let admitted = ToTheEnd::new(async move { inner.admit(submission).await }).await;
        if let Err(refusal) = &admitted {
            self.inner.metrics.refused(refusal);
        }
        admitted
    }

    /// Lets several in that came together: they share the syncs of the store, and their order of
    /// acceptance is the order here.
    pub async fn admit_in_order(&self, submissions: Vec<Submission>) -> Vec<Result<Admitted, Refusal>> {
        let inner = self.inner.clone();
        let admitted = ToTheEnd::new(async move { inner.admit_in_order(submissions).await }).await;
        admitted
            .iter()
            .filter_map(|one| one.as_ref().err())
            .for_each(|refusal| self.inner.metrics.refused(refusal));
        admitted
    }

    /// Translates, plans and reviews without storing anything.
    pub async fn dry_run(&self, submission: Submission, depth: Depth) -> Result<DryRun, Refusal> {
        let now = Timestamp::now();
        let said = said(&read(&submission.request));
        let mut intent = self.inner.record(submission, said, now);
        let mut proposal = translate::proposal(&intent, &self.inner.planner.inventory());
        let mut question = None;
        if let Some(model) = &self.inner.model
            && depth == Depth::Whole
            && translate::is_beyond_the_grammar(&intent, &proposal)
        {
            intent.deadline = Timestamp::now().checked_add(MODEL_WAIT).ok();
            match translate::model::understood(&**model, &intent, &self.inner.planner.inventory()).await {
                Ok(understood) => {
                    question = translate::model::question(&understood);
                    proposal = understood;
                }
                Err(cause) => {
                    return Err(Refusal::Model { reason: cause.to_string(), retry_after: SOON });
                }
            }
        }
        intent.proposal = Some(proposal.clone());
        let rests = |state| DryRun {
            state,
            proposal: proposal.clone(),
            plan: None,
            findings: Vec::new(),
            question: None,
            answer: None,
        };
        if let Some(question) = question {
            return Ok(DryRun { question: Some(question), ..rests(State::NeedsAnswer) });
        }
        match &proposal {
            Proposal::Clarify(clarify) => {
                Ok(DryRun { question: Some(translate::question(clarify)), ..rests(State::NeedsAnswer) })
            }
            Proposal::Refuse(refuse) => {
                Ok(DryRun { findings: vec![translate::refusal(refuse)], ..rests(State::Refused) })
            }
            Proposal::Actions(actions) => {
                let planned = self.inner.planner.plan(&intent, actions, now).await.map_err(|cause| {
                    Refusal::Store { reason: crate::reconcile::chain(&cause), retry_after: SOON }
                })?;
                Ok(DryRun {
                    plan: planned.plan().cloned(),
                    findings: planned.findings().to_vec(),
                    question: planned.question().cloned(),
                    answer: planned.answer().map(str::to_owned),
                    ..rests(planned.rest())
                })
            }
        }
    }
}

impl Inner {
    async fn admit(&self, submission: Submission) -> Result<Admitted, Refusal> {
        let key = key_of(&submission);
        let (intent, key, folder_key, begun) = match (self.begin(submission), key) {
            (Ok(begun), _) => begun,
            // What was accepted before needs no place now.
            (Err(refusal @ (Refusal::Full { .. } | Refusal::TooManyLive { .. })), Some(key)) => {
                return match self.store.repeated(&key).await {
                    Ok(Some(id)) => self.repeated(id).await,
                    Err(store::Error::KeyReused) => Err(Refusal::KeyReused),
                    Ok(None) | Err(_) => Err(refusal),
                };
            }
            (Err(refusal), _) => return Err(refusal),
        };
        let stored = self.store.accept(intent, key, folder_key).await;
        self.finish(begun, stored).await
    }

    async fn admit_in_order(&self, submissions: Vec<Submission>) -> Vec<Result<Admitted, Refusal>> {
        let mut under_way = Vec::with_capacity(submissions.len());
        // A place that comes free meanwhile is not for one that stands behind.
        let mut full: Vec<(Priority, Duration)> = Vec::new();
        for submission in submissions {
            let priority =
                submission.priority.or_else(|| said(&read(&submission.request))).unwrap_or(Priority::Normal);
            if let Some((_, retry_after)) = full.iter().find(|(band, _)| *band == priority) {
                let retry_after = *retry_after;
                under_way.push(Err(Refusal::Full { band: priority.as_str(), retry_after }));
                continue;
            }
            let begun = self.begin(submission);
            if let Err(Refusal::Full { retry_after, .. }) = &begun {
                full.push((priority, *retry_after));
            }
            under_way.push(match begun {
                Err(refusal) => Err(refusal),
                Ok((intent, key, folder_key, begun)) => {
                    let mut accept = Box::pin(self.store.accept(intent, key, folder_key));
                    // The first poll hands it to the store: one after another, in this order.
                    let first = poll_fn(|context| Poll::Ready(accept.as_mut().poll(context))).await;
                    Ok((begun, first, accept))
                }
            });
        }
        let mut admitted = Vec::with_capacity(under_way.len());
        for one in under_way {
            admitted.push(match one {
                Err(refusal) => Err(refusal),
                Ok((begun, Poll::Ready(stored), _)) => self.finish(begun, stored).await,
                Ok((begun, Poll::Pending, accept)) => {
                    let stored = accept.await;
                    self.finish(begun, stored).await
                }
            });
        }
        admitted
    }

    /// Reserves a place in the queue and makes the record.
    ///
    /// Order: a place in the queue, the record on disk, then the publication. Each step can still
    /// be taken back by the one before it; what was answered 202 cannot.
    fn begin(
        &self,
        submission: Submission,
    ) -> Result<(Intent, Option<AcceptKey>, Option<String>, Begun), Refusal> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Refusal::Draining { retry_after: SOON });
        }
        let since = Instant::now();
        let key = key_of(&submission);
        let folder_key = submission.folder_key.clone();
        let read = read(&submission.request);
        let (lane, said) = (self.lane(&submission.request, &read), said(&read));
        drop(read);
        let intent = self.record(submission, said, Timestamp::now());
        let band = band(intent.priority);
        self.in_time(&intent, lane, band)?;
        let place = self.queue.reserve(band).map_err(|full| Refusal::Full {
            band: intent.priority.as_str(),
            retry_after: full.retry_after,
        })?;
        if self.store.count_live() >= self.most_live.load(Ordering::Relaxed) {
            return Err(Refusal::TooManyLive { retry_after: Duration::from_secs(30) });
        }
        let begun = Begun {
            since,
            id: intent.id.clone(),
            trace: Trace::of(&intent),
            place: place.for_lane(lane),
            position: self.queue.position(band),
            not_before: intent.not_before,
            deadline: intent.deadline,
        };
        Ok((intent, key, folder_key, begun))
    }

    /// Publishes what is on disk.
    async fn finish(
        &self,
        begun: Begun,
        stored: Result<Accepted, store::Error>,
    ) -> Result<Admitted, Refusal> {
        match stored {
            Ok(Accepted::New { .. }) => {
                let Begun { since, id, trace, place, position, not_before, deadline } = begun;
                debug!(intent = %id, trace_id = %trace.id, "An intent was accepted.");
                self.metrics.accepted(trace, since.elapsed());
                place.publish(id.clone(), not_before.map(ready_at), deadline.map(ready_at));
                Ok(Admitted { id, state: State::Received, position, repeated: false, trace })
            }
            Ok(Accepted::Repeated { id }) => self.repeated(id).await,
            Err(store::Error::KeyReused) => Err(Refusal::KeyReused),
            Err(other) => Err(Refusal::Store { reason: crate::reconcile::chain(&other), retry_after: SOON }),
        }
    }

    /// The answer that was given before, as far as the intent has come since.
    async fn repeated(&self, id: IntentId) -> Result<Admitted, Refusal> {
        let (state, trace) = match self.store.get(&id).await {
            Ok(Some(first)) => (first.state, Trace::of(&first)),
            Ok(None) | Err(_) => (State::Received, Trace::new(&id, None)),
        };
        Ok(Admitted { id, state, position: 0, repeated: true, trace })
    }

    /// Refuses what would still wait for its turn when its deadline passes: to be told now is worth
    /// more than to be told then, and its place is for one that can be done in time.
    fn in_time(&self, intent: &Intent, lane: Lane, band: Band) -> Result<(), Refusal> {
        let Some(deadline) = intent.deadline else { return Ok(()) };
        let begins = intent.not_before.map_or(intent.created_at, |at| at.max(intent.created_at));
        let remains = Duration::try_from(deadline.duration_since(begins)).unwrap_or_default();
        let wait = self.queue.wait_for(lane, band);
        // The pace is a guess, and to be at its turn is not to be done: what comes close to its
        // deadline would take a place at the model and miss it.
        if wait.saturating_add(wait / 3) <= remains {
            return Ok(());
        }
        Err(Refusal::Late { wait, retry_after: wait.saturating_sub(remains).max(SOON) })
    }

    /// Whose turn it will wait for.
    fn lane(&self, request: &Request, read: &Proposal) -> Lane {
        let words = matches!(request, Request::Text(_));
        if words && self.model.is_some() && translate::leaves_words_over(read) {
            Lane::Model
        } else {
            Lane::Direct
        }
    }

    fn record(&self, submission: Submission, said: Option<Priority>, now: Timestamp) -> Intent {
        let priority = submission.priority.or(said).unwrap_or(Priority::Normal);
        let cause = match &submission.parent {
            Some(parent) => format!("follows {}", parent.id),
            None => format!("came in by {}", submission.source.as_str()),
        };
        Intent {
            id: self.ids.next(now),
            version: 0,
            generation: 1,
            state: State::Received,
            hold: None,
            priority,
            source: submission.source,
            requester: submission.requester.clone(),
            created_at: now,
            deadline: submission.deadline,
            not_before: submission.not_before,
            request: submission.request,
            change: submission.change,
            constraints: submission.constraints,
            parent: submission.parent,
            file: submission.file,
            correlation_id: submission.correlation_id,
            traceparent: submission.traceparent,
            answers: Vec::new(),
            history: vec![Move { at: now, state: State::Received, cause, actor: submission.requester }],
            proposal: None,
            translator: None,
            plan: None,
            findings: Vec::new(),
            question: None,
            approval: None,
            understanding: None,
            outcomes: Vec::new(),
            fulfilment: Default::default(),
            answer: None,
            superseded_by: None,
            supersedes: Vec::new(),
            attempts: 0,
            retry_at: None,
        }
    }
}

fn key_of(submission: &Submission) -> Option<AcceptKey> {
    submission.key.as_ref().map(|key| AcceptKey {
        identity: submission.requester.clone(),
        door: submission.source,
        key: key.key.clone(),
        digest: key.digest,
    })
}

/// What the grammar makes of words, or what came typed: for the priority and the queue only.
fn read(request: &Request) -> Cow<'_, Proposal> {
    match request {
        Request::Text(words) => Cow::Owned(nephoran_grammar::translate(words)),
        Request::Proposal(proposal) | Request::Intent { proposal, .. } => Cow::Borrowed(proposal),
    }
}

/// The priority that the request itself says.
fn said(read: &Proposal) -> Option<Priority> {
    match read {
        Proposal::Actions(actions) => actions.priority,
        Proposal::Clarify(_) | Proposal::Refuse(_) => None,
    }
}

pub fn band(priority: Priority) -> Band {
    match priority {
        Priority::Urgent => Band::Urgent,
        Priority::High => Band::High,
        Priority::Normal => Band::Normal,
        Priority::Low => Band::Low,
    }
}

/// A point on the wall clock as one of the monotonic clock, for timers.
pub fn ready_at(at: Timestamp) -> tokio::time::Instant {
    let wait = Duration::try_from(Timestamp::now().until(at).map_or(jiff::SignedDuration::ZERO, |span| {
        jiff::SignedDuration::try_from(span).unwrap_or(jiff::SignedDuration::ZERO)
    }));
    tokio::time::Instant::now() + wait.unwrap_or(Duration::ZERO)
}
