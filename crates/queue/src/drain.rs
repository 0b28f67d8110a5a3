//! How fast places come free, so that a refusal can say when to come back.

use std::time::Duration;

use tokio::time::Instant;

/// Weight of the newest window in the moving average: about five windows are remembered.
const NEWEST: f64 = 0.3;

const WINDOW: Duration = Duration::from_secs(1);

pub(crate) const SHORTEST: Duration = Duration::from_secs(1);
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// Said while nothing was measured yet.
const UNKNOWN: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Drain {
    window: Option<Instant>,
    freed: u32,
    per_second: Option<f64>,
}

impl Drain {
    pub(crate) fn freed(&mut self, now: Instant) {
        self.roll(now);
        self.freed += 1;
    }

    fn roll(&mut self, now: Instant) {
        let window = *self.window.get_or_insert(now);
        let passed = now.saturating_duration_since(window);
        if passed < WINDOW {
            return;
        }
        let newest = f64::from(self.freed) / passed.as_secs_f64();
        self.per_second = Some(match self.per_second {
            Some(before) => before * (1.0 - NEWEST) + newest * NEWEST,
            None => newest,
        });
        self.window = Some(now);
        self.freed = 0;
    }

    /// Time until `places` have come free, at the pace seen lately.
    pub(crate) fn wait_for(&mut self, places: usize, now: Instant) -> Duration {
        self.roll(now);
        let Some(per_second) = self.per_second else { return UNKNOWN };
        if per_second <= 0.0 {
            return LONGEST;
        }
        let seconds = (places as f64 / per_second).min(LONGEST.as_secs_f64());
        Duration::from_secs_f64(seconds).clamp(SHORTEST, LONGEST)
    }
}
