//! The numbers of `/metrics`.
//!
//! Every label value is from a closed set, and every series is there from the start: a dashboard
//! shows 0 instead of nothing, and no client can make a series.

mod documents;
mod folder;
mod intents;
mod kept;
mod model;
mod out;
mod process;
mod queue;
mod rates;
mod runtime;
mod spans;
mod ways_out;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use nephoran_http::{Breaker, Clients};
use nephoran_llm::ModelTranslator;
use nephoran_model::fulfilment::Status;
use nephoran_model::intent::{Intent, Source, State};
use nephoran_queue::Numbers;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use documents::Documents;
pub use intents::{Actuation, Stage};
pub use process::count_allocated;
pub use spans::{Details, Fate, Span};

use super::Readiness;
use super::trace::Trace;
use crate::admit::Refusal;
use crate::store::Store;

/// The type of the answer of `/metrics`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A handle; clones count into the same numbers.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

type Refresh = Box<dyn Fn(&Metrics) + Send + Sync>;

struct Inner {
    registry: Mutex<Registry>,
    intents: Arc<intents::Intents>,
    queue: Arc<queue::Queue>,
    folder: Arc<folder::Folder>,
    runtime: Arc<runtime::Runtime>,
    kept: Arc<kept::Kept>,
    ways_out: Arc<ways_out::WaysOut>,
    model: Arc<model::Model>,
    spans: Arc<spans::Spans>,
    /// Reads what is only worth reading when somebody looks.
    refresh: Mutex<Vec<Refresh>>,
}

impl Metrics {
    /// Counts the tasks of the runtime it is made in, when there is one.
    pub fn new() -> Self {
        let metrics = Self {
            inner: Arc::new(Inner {
                registry: Mutex::default(),
                intents: Arc::default(),
                queue: Arc::default(),
                folder: Arc::default(),
                runtime: Arc::new(runtime::Runtime::new()),
                kept: Arc::default(),
                ways_out: Arc::default(),
                model: Arc::default(),
                spans: Arc::default(),
                refresh: Mutex::default(),
            }),
        };
        metrics.add(metrics.inner.intents.clone());
        metrics.add(metrics.inner.queue.clone());
        metrics.add(metrics.inner.kept.clone());
        metrics.add(metrics.inner.runtime.clone());
        metrics.add(metrics.inner.folder.clone());
        metrics.add(metrics.inner.ways_out.clone());
        metrics.add(metrics.inner.model.clone());
        metrics.add(metrics.inner.spans.clone());
        metrics.add(process::Process);
        metrics
    }

    /// Shows the families of `collector` too: those of a part that keeps its own numbers.
    pub fn add(&self, collector: impl Collector) {
        lock(&self.inner.registry).register_collector(Box::new(collector));
    }

    /// `refresh` is called before each answer, e.g. to read the depth of the queue.
    pub fn before_each_answer(&self, refresh: impl Fn(&Metrics) + Send + Sync + 'static) {
        lock(&self.inner.refresh).push(Box::new(refresh));
    }

    /// The text of `/metrics`.
    pub fn encode(&self) -> String {
        for refresh in lock(&self.inner.refresh).iter() {
            refresh(self);
        }
        let mut text = String::with_capacity(32 * 1024);
        encode(&mut text, &lock(&self.inner.registry)).expect("writing to a String cannot fail");
        text
    }

    /// Shows how the commits of `store` went.
    pub fn show_store(&self, store: &Store) {
        // A second store in one process is a test's; the first one stays.
        let _ = self.inner.kept.store.set(store.clone());
    }

    /// Shows which conditions hold.
    pub fn show_readiness(&self, readiness: &Readiness) {
        let _ = self.inner.kept.readiness.set(readiness.clone());
    }

    /// Shows the connections of `clients`.
    pub fn show_clients(&self, clients: Arc<Clients>) {
        lock(&self.inner.ways_out.clients).push(clients);
    }

    /// Shows the state of `breaker`.
    pub fn show_breaker(&self, breaker: Breaker) {
        lock(&self.inner.ways_out.breakers).push(breaker);
    }

    /// Shows what the language model is asked and answers, and whether it is asked at all.
    pub fn show_model(&self, model: &Arc<ModelTranslator>) {
        self.show_breaker(model.breaker().clone());
        let _ = self.inner.model.translator.set(model.clone());
    }

    /// From now on each stage makes a span, which comes out here. `None`: they go elsewhere already.
    pub fn open_spans(&self) -> Option<mpsc::Receiver<Span>> {
        self.inner.spans.open()
    }

    /// Whether anybody wants spans.
    pub fn is_traced(&self) -> bool {
        self.inner.spans.are_wanted()
    }

    pub fn spans(&self, fate: Fate, spans: u64) {
        self.inner.spans.count(fate, spans);
    }

    /// The last `new` moves of `intent` were made: where it came to rest, and how long that took.
    pub fn moved(&self, intent: &Intent, new: usize) {
        let from = intent.history.len().saturating_sub(new);
        for (index, step) in intent.history.iter().enumerate().skip(from) {
            let since_accepted = step.at.duration_since(intent.created_at).unsigned_abs();
            if step.state == State::Translating && index == 1 {
                self.stage(Stage::Queue, since_accepted);
                self.span_of_move(intent, Stage::Queue, index);
            }
            // Only the last move can be a hold: the reason stands beside the state.
            let hold = intent.hold.filter(|_| index + 1 == intent.history.len());
            if step.state.is_resting(hold) {
                self.rested(intent.source, step.state);
                if !intent.history[..index].iter().any(|before| before.state.is_resting(None)) {
                    self.stage(Stage::Whole, since_accepted);
                    self.span_of_move(intent, Stage::Whole, index);
                }
            }
        }
    }

    /// An intent came to rest in `outcome`, or to its end there.
    fn rested(&self, source: Source, outcome: State) {
        self.inner.intents.rested(source, outcome);
    }

    fn stage(&self, stage: Stage, took: Duration) {
        self.inner.intents.stage(stage, took);
    }

    /// A stage of `intent` ended now.
    pub fn staged(&self, intent: &Intent, stage: Stage, took: Duration, details: Details<'_>) {
        self.stage(stage, took);
        if self.is_traced() {
            self.inner.spans.ended(Trace::of(intent), stage.as_str(), took, details);
        }
    }

    /// The intent of `trace` was let in.
    pub fn accepted(&self, trace: Trace, took: Duration) {
        self.stage(Stage::Accept, took);
        if self.is_traced() {
            self.inner.spans.ended(trace, Stage::Accept.as_str(), took, Details::default());
        }
    }

    /// What began when `intent` was accepted ended with the move at `index`.
    fn span_of_move(&self, intent: &Intent, stage: Stage, index: usize) {
        if !self.is_traced() {
            return;
        }
        let step = &intent.history[index];
        let trace = Trace::of(intent);
        let mut attributes = vec![("nephoran.intent", intent.id.to_string())];
        let (id, parent, name) = if stage == Stage::Whole {
            attributes.push(("nephoran.source", intent.source.as_str().to_owned()));
            attributes.push(("nephoran.outcome", step.state.as_str().to_owned()));
            attributes.push(("nephoran.priority", intent.priority.as_str().to_owned()));
            (trace.root, trace.above.unwrap_or(0), "intent")
        } else {
            (self.inner.spans.next_id(), trace.root, stage.as_str())
        };
        self.inner.spans.hand_over(Span {
            trace,
            id,
            parent,
            parent_is_remote: stage == Stage::Whole && trace.above.is_some(),
            name,
            start: intent.created_at.into(),
            end: step.at.into(),
            attributes,
            failed: (step.state == State::Failed).then(|| step.cause.clone()),
        });
    }

    pub fn queue(&self, queue: &Numbers) {
        self.inner.queue.numbers(queue);
    }

    /// The desk turned a submission away.
    pub fn refused(&self, refusal: &Refusal) {
        self.inner.queue.refused(refusal);
    }

    pub fn actuation(&self, result: Actuation) {
        self.inner.intents.actuation(result);
    }

    /// A finding of the guard or of planning, by its rule.
    pub fn finding(&self, rule: &str) {
        self.inner.intents.finding(rule);
    }

    /// How many intents stand in each status now.
    pub fn fulfilment(&self, status: Status, intents: usize) {
        self.inner.intents.fulfilment(status, intents);
    }

    /// An intent was given up after its last try.
    pub fn dead_letter(&self) {
        self.inner.intents.dead_letter();
    }

    pub fn folder_processed(&self) {
        self.inner.folder.processed.inc();
    }

    pub fn folder_failed(&self) {
        self.inner.folder.failed.inc();
    }

    /// A file or a body that is no valid intent.
    pub fn validation_failed(&self) {
        self.inner.folder.validation_failures.inc();
    }

    pub fn retried(&self) {
        self.inner.folder.retry_attempts.inc();
    }

    /// Files seen and not yet taken.
    pub fn folder_waiting(&self, files: usize) {
        self.inner.folder.waiting.set(files as i64);
    }

    /// The queue was full: a file stays where it is.
    pub fn backpressure(&self) {
        self.inner.folder.backpressure.inc();
    }

    /// Watches how late a tick of 10 ms fires, until `stop`.
    pub async fn watch_runtime(self, stop: CancellationToken) {
        self.inner.runtime.watch(stop).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn value(text: &str, series: &str) -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{series} is not in\n{text}")).parse().unwrap()
    }

    #[test]
    fn what_is_counted_is_shown_under_the_names_of_the_contract() {
        let metrics = Metrics::new();
        metrics.rested(Source::Folder, State::Applied);
        metrics.rested(Source::Folder, State::Applied);
        metrics.stage(Stage::Plan, Duration::from_millis(3));
        metrics.refused(&Refusal::Full { band: "low", retry_after: Duration::from_secs(1) });
        metrics.actuation(Actuation::Committed);
        metrics.finding("to_zero");
        metrics.finding("a rule that a client made up");
        metrics.fulfilment(Status::Unknown, 4);
        metrics.dead_letter();
        metrics.folder_processed();
        metrics.folder_failed();
        metrics.folder_waiting(9);
        metrics.before_each_answer(|metrics| {
            metrics.queue(&Numbers {
                limits: nephoran_queue::Limits { total: 2000, bands: [None; 4] },
                used: [1, 2, 3, 4],
                waiting: [0; 4],
                lanes: [[0; 4]; 2],
                delayed: 0,
                claimed: 0,
                paused: false,
            });
        });
        let text = metrics.encode();
        for (series, expected) in [
            ("nephoran_intents_total{source=\"folder\",outcome=\"applied\"}", 2.0),
            ("nephoran_intents_total{source=\"http\",outcome=\"failed\"}", 0.0),
            ("nephoran_intent_seconds_count{stage=\"plan\"}", 1.0),
            ("nephoran_queue_depth{priority=\"low\"}", 4.0),
            ("nephoran_queue_refusals_total{reason=\"full\"}", 1.0),
            ("nephoran_actuations_total{actuator=\"package\",result=\"committed\"}", 1.0),
            ("nephoran_guard_findings_total{rule=\"to_zero\"}", 1.0),
            ("nephoran_guard_findings_total{rule=\"other\"}", 1.0),
            ("nephoran_dead_letters_total", 1.0),
            ("nephoran_fulfilment{state=\"unknown\"}", 4.0),
            ("nephoran_spans_total{result=\"dropped_full\"}", 0.0),
            ("nephoran_runtime_stall_seconds_count", 0.0),
            ("worker_pool_queue_depth", 10.0),
            ("worker_pool_queue_capacity", 2000.0),
            ("conductor_loop_files_processed_total", 1.0),
            ("conductor_loop_files_failed_total", 1.0),
            ("conductor_loop_validation_failures_total", 0.0),
            ("conductor_loop_retry_attempts_total", 0.0),
            ("conductor_loop_queue_depth", 9.0),
            ("conductor_loop_backpressure_events_total", 0.0),
        ] {
            assert_eq!(value(&text, series), expected, "{series}");
        }
        assert!(value(&text, "nephoran_process_resident_bytes") > 0.0);
        assert!(!text.contains("made up"));
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn every_label_value_stands_where_its_index_says() {
        for (index, source) in Source::ALL.into_iter().enumerate() {
            assert_eq!(source as usize, index);
        }
        for (index, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, index);
        }
        for (index, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, index);
        }
        for (index, result) in Actuation::ALL.into_iter().enumerate() {
            assert_eq!(result as usize, index);
        }
    }

    #[test]
    fn each_name_and_label_set_is_there_once_and_the_set_does_not_grow() {
        let metrics = Metrics::new();
        let series = |text: &str| {
            let mut all: Vec<_> = text
                .lines()
                .filter(|line| !line.starts_with('#'))
                .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
                .collect();
            all.sort();
            all
        };
        let before = series(&metrics.encode());
        let mut once = before.clone();
        once.dedup();
        assert_eq!(before, once);
        metrics.finding("x");
        metrics.rested(Source::Http, State::Refused);
        assert_eq!(series(&metrics.encode()), before);
    }
}
