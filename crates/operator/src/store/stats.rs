//! How the store's commits went: counts, and a listener that telemetry puts in.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Told of each commit: how long its writes and its one sync took, and how many requests shared it.
pub type OnCommit = Box<dyn Fn(Duration, usize) + Send + Sync>;

#[derive(Default)]
pub struct Stats {
    commits: AtomicU64,
    /// Syncs of the journal; one a commit, and those of checkpoints.
    pub syncs: AtomicU64,
    /// Commits, checkpoints and openings that went wrong.
    pub failures: AtomicU64,
    on_commit: OnceLock<OnCommit>,
}

impl Stats {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn committed(&self, requests: usize, took: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.syncs.fetch_add(1, Ordering::Relaxed);
        if let Some(told) = self.on_commit.get() {
            told(took, requests);
        }
    }

    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// The first listener stays; it runs on the writer's thread and must be quick.
    pub fn on_commit(&self, told: OnCommit) {
        let _ = self.on_commit.set(told);
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stats").field("commits", &self.commits()).finish_non_exhaustive()
    }
}
