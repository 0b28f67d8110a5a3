//! Where the processor's time goes, on request: samples of all threads for a few seconds.
//!
//! Costs nothing until somebody asks, and one at a time may ask.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Samples a second; a prime, so that it does not beat with timers.
const FREQUENCY: i32 = 99;

static RUNNING: AtomicBool = AtomicBool::new(false);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a profile is being taken already")]
    Busy,
    #[error("take a profile: {0}")]
    Failed(#[from] pprof::Error),
}

/// Gives the place back, also when whoever asked has gone.
struct Turn;

impl Drop for Turn {
    fn drop(&mut self) {
        RUNNING.store(false, Ordering::Release);
    }
}

/// One line per stack, outermost first, and how often it was seen: what flame graphs are made of.
pub async fn take(time: Duration) -> Result<String, Error> {
    if RUNNING.swap(true, Ordering::Acquire) {
        return Err(Error::Busy);
    }
    let _turn = Turn;
    let sampling = pprof::ProfilerGuardBuilder::default()
        .frequency(FREQUENCY)
        // Unwinding through these from a signal can take a lock that the thread holds.
        .blocklist(&["libc", "libgcc", "pthread", "vdso"])
        .build()?;
    tokio::time::sleep(time).await;
    let report = sampling.report().build()?;
    let mut stacks: BTreeMap<String, isize> = BTreeMap::new();
    for (frames, count) in &report.data {
        let mut stack = frames.thread_name.clone();
        for symbol in frames.frames.iter().rev().flat_map(|frame| frame.iter().rev()) {
            stack.push(';');
            stack.push_str(&symbol.name().replace([';', '\n'], ":"));
        }
        *stacks.entry(stack).or_default() += count;
    }
    Ok(stacks.iter().map(|(stack, count)| format!("{stack} {count}\n")).collect())
}
