//! How the store's commits went, in numbers that telemetry reads when it is asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds, in seconds, of the buckets of [`Stats::commit_seconds`].
pub const SECONDS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.5, 1.0, 2.0];

/// Upper bounds, in requests, of the buckets of [`Stats::commit_batch`].
pub const REQUESTS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

#[derive(Debug)]
pub struct Stats {
    /// Time of each commit: its writes and its one sync.
    pub commit_seconds: Histogram,
    /// Requests that shared each commit.
    pub commit_batch: Histogram,
    /// Syncs of the journal; one a commit, and those of checkpoints.
    pub syncs: AtomicU64,
    /// Commits, checkpoints and openings that went wrong.
    pub failures: AtomicU64,
}

impl Stats {
    pub(super) fn new() -> Self {
        Self {
            commit_seconds: Histogram::new(&SECONDS),
            commit_batch: Histogram::new(&REQUESTS),
            syncs: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    pub(super) fn committed(&self, requests: usize, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.commit_batch.observe(requests as f64);
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }

    pub fn commits(&self) -> u64 {
        self.commit_batch.snapshot().count
    }
}

/// Counts per bucket; written by one thread, read by any.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    counts: Vec<AtomicU64>,
    /// In millionths, so that it can be added to without a lock.
    sum: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub sum: f64,
    pub count: u64,
    /// Upper bound and count of each bucket, not cumulated; the last bound is infinite.
    pub buckets: Vec<(f64, u64)>,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    fn observe(&self, value: f64) {
        let bucket = self.bounds.iter().take_while(|bound| value > **bound).count();
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add((value * 1e6) as u64, Ordering::Relaxed);
    }

    pub fn snapshot(&self) -> Snapshot {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        Snapshot {
            sum: self.sum.load(Ordering::Relaxed) as f64 / 1e6,
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets,
        }
    }
}
