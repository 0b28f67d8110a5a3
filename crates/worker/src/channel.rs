//! How many results may be on their way to the callback.

/// Fewer than this make workers wait for each other; more than that hide a callback that is too slow.
const LEAST: usize = 50;
const MOST: usize = 1000;

/// Places of a channel between workers and who takes their results in batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    pub places: usize,
    /// What the formula wanted, when that was over the cap.
    pub capped_from: Option<usize>,
}

/// Four batches or four results of each worker, whichever is more; at least 50, at most 1,000.
pub fn places(batch: usize, workers: usize) -> Places {
    let wanted = batch.max(workers).saturating_mul(4).max(LEAST);
    Places { places: wanted.min(MOST), capped_from: (wanted > MOST).then_some(wanted) }
}
