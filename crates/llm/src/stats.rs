//! What was asked and what came of it, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// A proposal that holds.
    Actions,
    /// The model asks, or its answer did not hold.
    Asked,
    Refused,
    /// From the cache.
    Cached,
    /// With the answer to the same request of somebody else.
    Shared,
    Away,
    Budget,
    Late,
    Unreachable,
    Rejected,
}

impl Ended {
    pub const ALL: [Self; 10] = [
        Self::Actions,
        Self::Asked,
        Self::Refused,
        Self::Cached,
        Self::Shared,
        Self::Away,
        Self::Budget,
        Self::Late,
        Self::Unreachable,
        Self::Rejected,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Actions => "actions",
            Self::Asked => "asked",
            Self::Refused => "refused",
            Self::Cached => "cached",
            Self::Shared => "shared",
            Self::Away => "away",
            Self::Budget => "budget",
            Self::Late => "late",
            Self::Unreachable => "unreachable",
            Self::Rejected => "rejected",
        }
    }
}

/// Upper ends of the histogram's buckets, in seconds; one more is unbounded.
pub const BUCKETS: [f64; 12] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0];

#[derive(Debug, Default)]
pub(crate) struct Counters {
    ended: [AtomicU64; Ended::ALL.len()],
    pub(crate) calls: AtomicU64,
    pub(crate) repairs: AtomicU64,
    pub(crate) repeats: AtomicU64,
    pub(crate) invalid: AtomicU64,
    pub(crate) unfaithful: AtomicU64,
    pub(crate) prompt_tokens: AtomicU64,
    pub(crate) completion_tokens: AtomicU64,
    buckets: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
}

/// Counts since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Requests by how they ended, in the order of [`Ended::ALL`].
    pub ended: [u64; Ended::ALL.len()],
    /// Requests to the endpoint.
    pub calls: u64,
    /// Calls that showed the model its errors.
    pub repairs: u64,
    /// Calls made again because the endpoint failed.
    pub repeats: u64,
    /// Answers that had not the right form.
    pub invalid: u64,
    /// Proposals that did not rest on the words.
    pub unfaithful: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// Calls by their time, in the order of [`BUCKETS`] and one more; not cumulative.
    pub seconds: [u64; BUCKETS.len() + 1],
    pub seconds_sum: Duration,
}

impl Stats {
    pub fn ended(&self, how: Ended) -> u64 {
        self.ended[how as usize]
    }
}

pub(crate) fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn end(&self, how: Ended) {
        add(&self.ended[how as usize], 1);
    }

    pub(crate) fn call(&self, took: Duration) {
        add(&self.calls, 1);
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|end| seconds <= *end).unwrap_or(BUCKETS.len());
        add(&self.buckets[bucket], 1);
        add(&self.micros, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn read(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            ended: std::array::from_fn(|index| read(&self.ended[index])),
            calls: read(&self.calls),
            repairs: read(&self.repairs),
            repeats: read(&self.repeats),
            invalid: read(&self.invalid),
            unfaithful: read(&self.unfaithful),
            prompt_tokens: read(&self.prompt_tokens),
            completion_tokens: read(&self.completion_tokens),
            seconds: std::array::from_fn(|index| read(&self.buckets[index])),
            seconds_sum: Duration::from_micros(read(&self.micros)),
        }
    }
}
