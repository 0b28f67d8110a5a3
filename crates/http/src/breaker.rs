//! Whether an endpoint is worth asking.
//!
//! The share of failures counts, within a sliding window and from a minimum of calls on: five failures spread over
//! a year of good answers say nothing. Open, nobody asks; after a while one probe at a time may, and its success
//! closes the breaker again. Whoever claims work waits with [`Breaker::may_pass`] before claiming: work is not
//! failed because its endpoint is away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::{info, warn};

#[derive(Debug, Clone, PartialEq)]
pub struct BreakerSettings {
    /// How far back calls count.
    pub window: Duration,
    /// Fewer calls than this in the window say nothing.
    pub minimum: u32,
    /// Opens when this share of them failed.
    pub ratio: f64,
    /// How long it stays open at first; doubles with each probe that fails.
    pub open: Duration,
    pub open_at_most: Duration,
}

impl Default for BreakerSettings {
    fn default() -> BreakerSettings {
        BreakerSettings {
            window: Duration::from_secs(30),
            minimum: 10,
            ratio: 0.5,
            open: Duration::from_secs(2),
            open_at_most: Duration::from_secs(30),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    Closed,
    HalfOpen,
    Open,
}

impl BreakerState {
    pub fn as_str(self) -> &'static str {
        match self {
            BreakerState::Closed => "closed",
            BreakerState::HalfOpen => "half_open",
            BreakerState::Open => "open",
        }
    }

    /// The metric's value: 0 closed, 1 half-open, 2 open.
    pub fn as_number(self) -> i64 {
        match self {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open => 2,
        }
    }
}

/// Nobody should ask before that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Away {
    pub retry_after: Duration,
}

#[derive(Clone)]
pub struct Breaker(Arc<Inner>);

struct Inner {
    endpoint: String,
    settings: BreakerSettings,
    state: Mutex<State>,
    /// Something changed for those who wait.
    changed: Notify,
}

struct State {
    phase: Phase,
    /// Counts the phases: what was asked in an earlier one says nothing about this one.
    era: u64,
    window: Window,
    /// How long it stays open the next time.
    next_open: Duration,
}

#[derive(Clone, Copy)]
enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen { probing: bool },
}

impl Breaker {
    /// `endpoint` is host and port, for logs.
    pub fn new(endpoint: impl Into<String>, settings: BreakerSettings) -> Breaker {
        let state = State {
            phase: Phase::Closed,
            era: 0,
            window: Window::new(settings.window),
            next_open: settings.open,
        };
        let (endpoint, state, changed) = (endpoint.into(), Mutex::new(state), Notify::new());
        Breaker(Arc::new(Inner { endpoint, settings, state, changed }))
    }

    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    pub fn state(&self) -> BreakerState {
        match self.0.lock().phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { until } if until > Instant::now() => BreakerState::Open,
            Phase::Open { .. } | Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Leave to ask once, or when to come back.
    pub fn try_pass(&self) -> Result<Pass, Away> {
        let mut state = self.0.lock();
        match state.phase {
            Phase::Closed => {}
            Phase::Open { until } => match until.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => return Err(Away { retry_after: left }),
                _ => {
                    state.era += 1;
                    state.phase = Phase::HalfOpen { probing: true };
                }
            },
            // The probe tells soon; nobody knows when.
            Phase::HalfOpen { probing: true } => return Err(Away { retry_after: self.0.settings.open }),
            Phase::HalfOpen { probing: false } => state.phase = Phase::HalfOpen { probing: true },
        }
        Ok(Pass { inner: Arc::clone(&self.0), era: state.era, counted: false })
    }

    /// Waits until [`Breaker::try_pass`] would give one. Takes none: whoever comes first has it.
    pub async fn may_pass(&self) {
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            // Listens before it looks: a change in between is not missed.
            changed.as_mut().enable();
            let phase = self.0.lock().phase;
            match phase {
                Phase::Closed | Phase::HalfOpen { probing: false } => return,
                Phase::Open { until } if until <= Instant::now() => return,
                Phase::Open { until } => {
                    let _ = tokio::time::timeout_at(until, changed).await;
                }
                Phase::HalfOpen { probing: true } => changed.await,
            }
        }
    }

    /// Waits for a pass and takes it.
    pub async fn pass(&self) -> Pass {
        loop {
            match self.try_pass() {
                Ok(pass) => return pass,
                Err(_) => self.may_pass().await,
            }
        }
    }
}

/// Leave to ask once. Dropped without a word it counts for nothing.
#[must_use = "say whether the call succeeded or failed"]
pub struct Pass {
    inner: Arc<Inner>,
    era: u64,
    counted: bool,
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pass").field("endpoint", &self.inner.endpoint).finish()
    }
}

impl Pass {
    pub fn succeeded(mut self) {
        self.counted = true;
        self.inner.count(self.era, true);
    }

    /// The endpoint failed: unreachable, too slow, a bad status. Not: it refused this one request.
    pub fn failed(mut self) {
        self.counted = true;
        self.inner.count(self.era, false);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.counted {
            return;
        }
        let mut state = self.inner.lock();
        if state.era == self.era
            && let Phase::HalfOpen { probing } = &mut state.phase
        {
            *probing = false;
            drop(state);
            self.inner.changed.notify_waiters();
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, era: u64, success: bool) {
        let now = Instant::now();
        let mut state = self.lock();
        if state.era != era {
            return;
        }
        match (state.phase, success) {
            (Phase::Closed, _) => {
                state.window.add(now, success);
                let (calls, failures) = state.window.sums(now);
                let enough = calls >= self.settings.minimum.max(1);
                if success || !enough || f64::from(failures) < self.settings.ratio * f64::from(calls) {
                    return;
                }
                warn!(
                    endpoint = self.endpoint,
                    calls, failures, "The endpoint fails; nobody asks it for a while."
                );
                self.open(&mut state, now);
            }
            (Phase::HalfOpen { .. }, true) => {
                info!(endpoint = self.endpoint, "The endpoint answers again.");
                state.era += 1;
                state.phase = Phase::Closed;
                state.window = Window::new(self.settings.window);
                state.next_open = self.settings.open;
            }
            (Phase::HalfOpen { .. }, false) => self.open(&mut state, now),
            // A pass of this era is never out while it is open.
            (Phase::Open { .. }, _) => return,
        }
        drop(state);
        self.changed.notify_waiters();
    }

    fn open(&self, state: &mut State, now: Instant) {
        state.era += 1;
        state.phase = Phase::Open { until: now + state.next_open };
        state.next_open = (state.next_open * 2).min(self.settings.open_at_most).max(self.settings.open);
    }
}

/// Calls and failures in slices of time; the oldest slice leaves as a whole.
struct Window {
    slice: Duration,
    start: Instant,
    slices: [Slice; SLICES],
}

const SLICES: usize = 10;

#[derive(Clone, Copy, Default)]
struct Slice {
    /// Which slice since `start` this is.
    number: u64,
    calls: u32,
    failures: u32,
}

impl Window {
    fn new(window: Duration) -> Window {
        let slice = (window / SLICES as u32).max(Duration::from_millis(1));
        Window { slice, start: Instant::now(), slices: [Slice::default(); SLICES] }
    }

    fn number(&self, now: Instant) -> u64 {
        let past = now.saturating_duration_since(self.start).as_nanos();
        u64::try_from(past / self.slice.as_nanos()).unwrap_or(u64::MAX)
    }

    fn add(&mut self, now: Instant, success: bool) {
        let number = self.number(now);
        let slice = &mut self.slices[(number % SLICES as u64) as usize];
        if slice.number != number {
            *slice = Slice { number, ..Slice::default() };
        }
        slice.calls = slice.calls.saturating_add(1);
        slice.failures = slice.failures.saturating_add(u32::from(!success));
    }

    fn sums(&self, now: Instant) -> (u32, u32) {
        let number = self.number(now);
        let counted = self.slices.iter().filter(|slice| slice.number + SLICES as u64 > number);
        counted.fold((0, 0), |(calls, failures), slice| {
            (calls.saturating_add(slice.calls), failures.saturating_add(slice.failures))
        })
    }
}
