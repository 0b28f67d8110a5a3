//! Intents: where they came to rest, how long each stage took, what was found and done.

use std::fmt;
use std::time::Duration;

use nephoran_model::fulfilment::Status;
use nephoran_model::guard::RULES;
use nephoran_model::intent::{Source, State};
use nephoran_model::plan::rule;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::out::{Out, many, seconds, values};

/// A part of the way of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// From the desk to the record on disk.
    Accept,
    /// Waiting for a worker.
    Queue,
    Translate,
    /// Inventory, plan, diff and the guard's review.
    Plan,
    /// The review alone.
    Guard,
    /// Until the commit is durable and on its branch.
    Apply,
    /// Reading again what the commit was to bring about.
    Verify,
    /// From accepted to where it first rests.
    Whole,
}

impl Stage {
    pub const ALL: [Self; 8] = [
        Self::Accept,
        Self::Queue,
        Self::Translate,
        Self::Plan,
        Self::Guard,
        Self::Apply,
        Self::Verify,
        Self::Whole,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Queue => "queue",
            Self::Translate => "translate",
            Self::Plan => "plan",
            Self::Guard => "guard",
            Self::Apply => "apply",
            Self::Verify => "verify",
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

const STATUSES: [(Status, &str); 3] =
    [(Status::Fulfilled, "fulfilled"), (Status::NotFulfilled, "not_fulfilled"), (Status::Unknown, "unknown")];

/// Each list in the order of its closed set.
#[derive(Debug)]
pub(super) struct Intents {
    rested: Vec<Counter>,
    stages: Vec<Histogram>,
    actuations: Vec<Counter>,
    rules: Vec<(&'static str, Counter)>,
    fulfilment: Vec<Gauge>,
    dead_letters: Counter,
}

impl Default for Intents {
    fn default() -> Self {
        Self {
            rested: many(Source::ALL.len() * State::ALL.len()),
            stages: Stage::ALL.iter().map(|_| seconds()).collect(),
            actuations: many(Actuation::ALL.len()),
            rules: rules().into_iter().map(|name| (name, Counter::default())).collect(),
            fulfilment: many(STATUSES.len()),
            dead_letters: Counter::default(),
        }
    }
}

impl Intents {
    pub(super) fn rested(&self, source: Source, outcome: State) {
        self.rested[source as usize * State::ALL.len() + outcome as usize].inc();
    }

    pub(super) fn stage(&self, stage: Stage, took: Duration) {
        self.stages[stage as usize].observe(took.as_secs_f64());
    }

    pub(super) fn actuation(&self, result: Actuation) {
        self.actuations[result as usize].inc();
    }

    pub(super) fn finding(&self, rule: &str) {
        let found = self.rules.iter().find(|(name, _)| *name == rule).or(self.rules.last());
        if let Some((_, counter)) = found {
            counter.inc();
        }
    }

    pub(super) fn fulfilment(&self, status: Status, intents: usize) {
        for ((known, _), gauge) in STATUSES.iter().zip(&self.fulfilment) {
            if *known == status {
                gauge.set(intents as i64);
            }
        }
    }

    pub(super) fn dead_letter(&self) {
        self.dead_letters.inc();
    }
}

impl Collector for Intents {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out::new(encoder);
        let outcomes = Source::ALL.into_iter().flat_map(|source| {
            State::ALL
                .into_iter()
                .map(move |state| [("source", source.as_str()), ("outcome", state.as_str())])
        });
        out.counted(
            "nephoran_intents",
            "Intents by door and by where they came to rest",
            outcomes.zip(self.rested.iter().map(Counter::get)),
        )?;
        let stages = Stage::ALL.iter().map(|stage| stage.as_str()).zip(&self.stages);
        out.histograms("nephoran_intent_seconds", "Time of each stage", "stage", stages)?;
        let actuations = Actuation::ALL
            .iter()
            .zip(&self.actuations)
            .map(|(result, counter)| ([("actuator", "package"), ("result", result.as_str())], counter.get()));
        out.counted("nephoran_actuations", "Plans carried out", actuations)?;
        let rules = self.rules.iter().map(|(name, counter)| (*name, counter));
        out.counters("nephoran_guard_findings", "Findings by rule", "rule", rules)?;
        let statuses = STATUSES.iter().map(|(_, name)| *name).zip(values(&self.fulfilment));
        out.gauges("nephoran_fulfilment", "Intents by fulfilment", "state", statuses)?;
        let help = "Intents given up after their last try";
        out.counter("nephoran_dead_letters", help, self.dead_letters.get())
    }
}
