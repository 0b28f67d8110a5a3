//! The numbers of `/metrics`.
//!
//! Every label value is from a closed set, and every series is there from the start: a dashboard
//! shows 0 instead of nothing, and no client can make a series.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use nephoran_model::fulfilment::Status;
use nephoran_model::guard::RULES;
use nephoran_model::intent::{Intent, Source, State};
use nephoran_model::plan::rule;
use nephoran_queue::{Band, Numbers};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::process::Process;
use crate::admit::Refusal;
use crate::store::{Snapshot, Stats, Store};

/// The type of the answer of `/metrics`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A part of the way of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// From the first byte to the record on disk.
    Accept,
    /// Waiting for a worker.
    Queue,
    Translate,
    /// Inventory, plan, diff and the guard's review.
    Plan,
    /// Until the commit is durable and was read back.
    Apply,
    /// From accepted to where it first rests.
    Whole,
}

impl Stage {
    pub const ALL: [Self; 6] =
        [Self::Accept, Self::Queue, Self::Translate, Self::Plan, Self::Apply, Self::Whole];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Queue => "queue",
            Self::Translate => "translate",
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Whole => "whole",
        }
    }
}

/// How carrying out a plan went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actuation {
    Committed,
    AlreadySo,
    /// The repository had moved: planned again.
    Stale,
    Failed,
}

impl Actuation {
    pub const ALL: [Self; 4] = [Self::Committed, Self::AlreadySo, Self::Stale, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::AlreadySo => "already_so",
            Self::Stale => "stale",
            Self::Failed => "failed",
        }
    }
}

const REFUSALS: [&str; 7] = ["full", "live", "draining", "store", "key", "invalid", "model"];

/// Why a translator refuses; anything that is in no closed set is counted as the last.
const OTHER_RULES: [&str; 5] = ["out_of_scope", "unsafe", "unsupported", "contradiction", "other"];

/// The rules of the guard, of planning and of translation, each once.
fn rules() -> Vec<&'static str> {
    let all = RULES.iter().map(|rule| rule.name).chain(rule::ALL.iter().copied()).chain(OTHER_RULES);
    let mut rules = Vec::new();
    for name in all {
        if !rules.contains(&name) {
            rules.push(name);
        }
    }
    rules
}

/// A handle; clones count into the same numbers.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

type Refresh = Box<dyn Fn(&Metrics) + Send + Sync>;

struct Inner {
    registry: Registry,
    numbers: Arc<Counted>,
    /// Reads what is only worth reading when somebody looks.
    refresh: Mutex<Vec<Refresh>>,
    runtime: Option<tokio::runtime::Handle>,
}

/// The numbers themselves, each list in the order of its closed set.
#[derive(Debug)]
struct Counted {
    intents: Vec<Counter>,
    stages: Vec<Histogram>,
    queue_depth: Vec<Gauge>,
    queue_capacity: Gauge,
    refusals: Vec<Counter>,
    actuations: Vec<Counter>,
    rules: Vec<(&'static str, Counter)>,
    fulfilment: Vec<Gauge>,
    /// Counts its own commits; read when somebody looks.
    store: OnceLock<Store>,
    tasks: Gauge,
    stall: Histogram,
    files_processed: Counter,
    files_failed: Counter,
    validation_failures: Counter,
    retry_attempts: Counter,
    folder_queue: Gauge,
    backpressure: Counter,
}

const STATUSES: [(Status, &str); 3] =
    [(Status::Fulfilled, "fulfilled"), (Status::NotFulfilled, "not_fulfilled"), (Status::Unknown, "unknown")];

impl Metrics {
    /// Counts the tasks of the runtime it is made in, when there is one.
    pub fn new() -> Self {
        let numbers = Arc::new(Counted::new());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(numbers.clone()));
        registry.register_collector(Box::new(Process));
        let runtime = tokio::runtime::Handle::try_current().ok();
        Self { inner: Arc::new(Inner { registry, numbers, refresh: Mutex::default(), runtime }) }
    }

    /// `refresh` is called before each answer, e.g. to read the depth of the queue.
    pub fn before_each_answer(&self, refresh: impl Fn(&Metrics) + Send + Sync + 'static) {
        self.refreshes().push(Box::new(refresh));
    }

    fn refreshes(&self) -> std::sync::MutexGuard<'_, Vec<Refresh>> {
        self.inner.refresh.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The text of `/metrics`.
    pub fn encode(&self) -> String {
        for refresh in self.refreshes().iter() {
            refresh(self);
        }
        if let Some(runtime) = &self.inner.runtime {
            self.numbers().tasks.set(runtime.metrics().num_alive_tasks() as i64);
        }
        let mut text = String::with_capacity(32 * 1024);
        encode(&mut text, &self.inner.registry).expect("writing to a String cannot fail");
        text
    }

    /// Shows how the commits of `store` went.
    pub fn show_store(&self, store: &Store) {
        // A second store in one process is a test's; the first one stays.
        let _ = self.numbers().store.set(store.clone());
    }

    fn numbers(&self) -> &Counted {
        &self.inner.numbers
    }

    /// The last `new` moves of `intent` were made: where it came to rest, and how long that took.
    pub fn moved(&self, intent: &Intent, new: usize) {
        let from = intent.history.len().saturating_sub(new);
        for (index, step) in intent.history.iter().enumerate().skip(from) {
            let since_accepted = step.at.duration_since(intent.created_at).unsigned_abs();
            if step.state == State::Translating && index == 1 {
                self.stage(Stage::Queue, since_accepted);
            }
            // Only the last move can be a hold: the reason stands beside the state.
            let hold = intent.hold.filter(|_| index + 1 == intent.history.len());
            if step.state.is_resting(hold) {
                self.rested(intent.source, step.state);
                if !intent.history[..index].iter().any(|before| before.state.is_resting(None)) {
                    self.stage(Stage::Whole, since_accepted);
                }
            }
        }
    }

    /// An intent came to rest in `outcome`, or to its end there.
    fn rested(&self, source: Source, outcome: State) {
        self.numbers().intents[source as usize * State::ALL.len() + outcome as usize].inc();
    }

    pub fn stage(&self, stage: Stage, took: Duration) {
        self.numbers().stages[stage as usize].observe(took.as_secs_f64());
    }

    pub fn queue(&self, queue: &Numbers) {
        for band in Band::ALL {
            self.numbers().queue_depth[band.index()].set(queue.used[band.index()] as i64);
        }
        self.numbers().queue_capacity.set(queue.limits.total as i64);
    }

    /// The desk turned a submission away.
    pub fn refused(&self, refusal: &Refusal) {
        let reason = match refusal {
            Refusal::Full { .. } => 0,
            Refusal::TooManyLive { .. } => 1,
            Refusal::Draining { .. } => 2,
            Refusal::Store { .. } => 3,
            Refusal::KeyReused => 4,
            Refusal::Invalid { .. } => 5,
            Refusal::Model { .. } => 6,
        };
        self.numbers().refusals[reason].inc();
    }

    pub fn actuation(&self, result: Actuation) {
        self.numbers().actuations[result as usize].inc();
    }

    /// A finding of the guard or of planning, by its rule.
    pub fn finding(&self, rule: &str) {
        let rules = &self.numbers().rules;
        let found = rules.iter().find(|(name, _)| *name == rule).or(rules.last());
        if let Some((_, counter)) = found {
            counter.inc();
        }
    }

    /// How many intents stand in each status now.
    pub fn fulfilment(&self, status: Status, intents: usize) {
        for ((known, _), gauge) in STATUSES.iter().zip(&self.numbers().fulfilment) {
            if *known == status {
                gauge.set(intents as i64);
            }
        }
    }

    pub fn folder_processed(&self) {
        self.numbers().files_processed.inc();
    }

    pub fn folder_failed(&self) {
        self.numbers().files_failed.inc();
    }

    /// A file or a body that is no valid intent.
    pub fn validation_failed(&self) {
        self.numbers().validation_failures.inc();
    }

    pub fn retried(&self) {
        self.numbers().retry_attempts.inc();
    }

    /// Files seen and not yet taken.
    pub fn folder_waiting(&self, files: usize) {
        self.numbers().folder_queue.set(files as i64);
    }

    /// The queue was full: a file stays where it is.
    pub fn backpressure(&self) {
        self.numbers().backpressure.inc();
    }

    /// How late a tick fired.
    pub fn stalled(&self, late: Duration) {
        self.numbers().stall.observe(late.as_secs_f64());
    }

    /// Ticks every 10 ms until it is dropped or cancelled, and notes how late each tick was: that
    /// is how long every other task of the runtime had to wait too.
    pub async fn watch_runtime(self, stop: tokio_util::sync::CancellationToken) {
        const TICK: Duration = Duration::from_millis(10);
        while !stop.is_cancelled() {
            let due = Instant::now() + TICK;
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => self.stalled(due.elapsed()),
                () = stop.cancelled() => return,
            }
        }
    }
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

impl Counted {
    fn new() -> Self {
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        // From a sync of a fast disk to what a caller is ready to wait.
        let seconds = || {
            Histogram::new([
                0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
                2.5, 5.0, 10.0, 30.0, 60.0,
            ])
        };
        Self {
            intents: many(Source::ALL.len() * State::ALL.len()),
            stages: Stage::ALL.iter().map(|_| seconds()).collect(),
            queue_depth: many(Band::ALL.len()),
            queue_capacity: Gauge::default(),
            refusals: many(REFUSALS.len()),
            actuations: many(Actuation::ALL.len()),
            rules: rules().into_iter().map(|name| (name, Counter::default())).collect(),
            fulfilment: many(STATUSES.len()),
            store: OnceLock::new(),
            tasks: Gauge::default(),
            // A tick rounds up to the next millisecond; the alert stands at 100 ms.
            stall: Histogram::new([0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0]),
            files_processed: Counter::default(),
            files_failed: Counter::default(),
            validation_failures: Counter::default(),
            retry_attempts: Counter::default(),
            folder_queue: Gauge::default(),
            backpressure: Counter::default(),
        }
    }
}

impl Collector for Counted {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        let mut outcomes = out.0.encode_descriptor(
            "nephoran_intents",
            "Intents by door and by where they came to rest",
            None,
            MetricType::Counter,
        )?;
        for source in Source::ALL {
            for state in State::ALL {
                let counter = &self.intents[source as usize * State::ALL.len() + state as usize];
                let labels = [("source", source.as_str()), ("outcome", state.as_str())];
                ConstCounter::new(counter.get()).encode(outcomes.encode_family(&labels)?)?;
            }
        }
        let stages: Vec<_> = Stage::ALL.iter().map(|stage| stage.as_str()).zip(&self.stages).collect();
        out.histograms("nephoran_intent_seconds", "Time of each stage", "stage", &stages)?;
        let bands: Vec<_> =
            Band::ALL.iter().map(|band| (band.as_str(), &self.queue_depth[band.index()])).collect();
        out.gauges("nephoran_queue_depth", "Places in use", "priority", &bands)?;
        let refusals: Vec<_> = REFUSALS.into_iter().zip(&self.refusals).collect();
        out.counters("nephoran_queue_refusals", "Submissions turned away", &["reason"], &refusals)?;
        out.actuations(&self.actuations)?;
        let rules: Vec<_> = self.rules.iter().map(|(name, counter)| (*name, counter)).collect();
        out.counters("nephoran_guard_findings", "Findings by rule", &["rule"], &rules)?;
        let statuses: Vec<_> = STATUSES.iter().map(|(_, name)| *name).zip(&self.fulfilment).collect();
        out.gauges("nephoran_fulfilment", "Intents by fulfilment", "state", &statuses)?;
        if let Some(store) = self.store.get() {
            out.store(store.stats())?;
        }
        out.gauge("nephoran_runtime_tasks", "Tasks alive", self.tasks.get())?;
        out.histogram("nephoran_runtime_stall_seconds", "How late a 10 ms tick fired", &self.stall)?;
        let depth = self.queue_depth.iter().map(Gauge::get).sum();
        out.gauge("worker_pool_queue_depth", "Places in use, all bands", depth)?;
        out.gauge("worker_pool_queue_capacity", "Places in the queue", self.queue_capacity.get())?;
        let folder = [
            ("conductor_loop_files_processed", "Files accepted", &self.files_processed),
            ("conductor_loop_files_failed", "Files that failed", &self.files_failed),
            (
                "conductor_loop_validation_failures",
                "Inputs that are no valid intent",
                &self.validation_failures,
            ),
            ("conductor_loop_retry_attempts", "Tries after the first", &self.retry_attempts),
            ("conductor_loop_backpressure_events", "Times the queue was full", &self.backpressure),
        ];
        for (name, help, counter) in folder {
            let encoder = out.0.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(counter.get()).encode(encoder)?;
        }
        out.gauge("conductor_loop_queue_depth", "Files seen and not yet taken", self.folder_queue.get())
    }
}

/// A histogram that the store keeps.
struct Kept(Snapshot);

impl EncodeMetric for Kept {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_histogram::<NoLabelSet>(self.0.sum, self.0.count, &self.0.buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Writes one family after another.
struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &[&str; 1],
        all: &[(&str, &Counter)],
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, counter) in all {
            ConstCounter::new(counter.get()).encode(encoder.encode_family(&[(label[0], *value)])?)?;
        }
        Ok(())
    }

    fn actuations(&mut self, all: &[Counter]) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(
            "nephoran_actuations",
            "Plans carried out",
            None,
            MetricType::Counter,
        )?;
        for (result, counter) in Actuation::ALL.iter().zip(all) {
            let labels = [("actuator", "package"), ("result", result.as_str())];
            ConstCounter::new(counter.get()).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn gauges(&mut self, name: &str, help: &str, label: &str, all: &[(&str, &Gauge)]) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (value, gauge) in all {
            ConstGauge::new(gauge.get()).encode(encoder.encode_family(&[(label, *value)])?)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, value: i64) -> fmt::Result {
        ConstGauge::new(value).encode(self.0.encode_descriptor(name, help, None, MetricType::Gauge)?)
    }

    fn histograms(&mut self, name: &str, help: &str, label: &str, all: &[(&str, &Histogram)]) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (value, histogram) in all {
            histogram.encode(encoder.encode_family(&[(label, *value)])?)?;
        }
        Ok(())
    }

    fn store(&mut self, stats: &Stats) -> fmt::Result {
        let kept = [
            ("nephoran_store_commit_seconds", "Time of one durable write", &stats.commit_seconds),
            ("nephoran_store_commit_batch", "Changes in one durable write", &stats.commit_batch),
        ];
        for (name, help, histogram) in kept {
            let encoder = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
            Kept(histogram.snapshot()).encode(encoder)?;
        }
        let counted = [
            ("nephoran_store_syncs", "Syncs of the journal", &stats.syncs),
            ("nephoran_store_failures", "Writes and openings of the store that went wrong", &stats.failures),
        ];
        for (name, help, count) in counted {
            let encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(count.load(Ordering::Relaxed)).encode(encoder)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) -> fmt::Result {
        histogram.encode(self.0.encode_descriptor(name, help, None, MetricType::Histogram)?)
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
            ("nephoran_fulfilment{state=\"unknown\"}", 4.0),
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

    #[tokio::test]
    async fn a_runtime_that_is_held_up_shows_as_a_stall() {
        let metrics = Metrics::new();
        let stop = tokio_util::sync::CancellationToken::new();
        let ticking = tokio::spawn(metrics.clone().watch_runtime(stop.clone()));
        tokio::task::yield_now().await;
        // The one thread of this runtime is busy for longer than the tick.
        let until = Instant::now() + Duration::from_millis(60);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        while value(&metrics.encode(), "nephoran_runtime_stall_seconds_count") < 1.0 {
            tokio::task::yield_now().await;
        }
        let text = metrics.encode();
        assert!(value(&text, "nephoran_runtime_stall_seconds_sum") >= 0.045, "{text}");
        assert!(value(&text, "nephoran_runtime_tasks") >= 1.0);
        stop.cancel();
        ticking.await.unwrap();
    }
}
