//! How fast the workers of a lane get through it, so that what would be late can be refused.

use tokio::time::Instant;

/// With more than this in memory the older half is forgotten: about the last second or two of a
/// fast lane, the last sixteen to thirty-two items of a slow one.
const ENOUGH_SECONDS: f64 = 1.0;
const ENOUGH_ENDS: f64 = 16.0;

/// Counts ends of work only while something waits: a lane with nothing waiting is as fast as
/// what comes in, which says nothing about its workers.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    ends: f64,
    seconds: f64,
    /// Since when something waits, as far as it is not in `seconds` yet.
    since: Option<Instant>,
}

impl Pace {
    /// Something waits from now on, or nothing does.
    pub(crate) fn waits(&mut self, something: bool) {
        if something != self.since.is_some() {
            let now = Instant::now();
            self.roll(now);
            self.since = something.then_some(now);
        }
    }

    pub(crate) fn ended(&mut self, now: Instant) {
        if self.since.is_none() {
            return;
        }
        self.roll(now);
        self.ends += 1.0;
        if self.seconds > ENOUGH_SECONDS && self.ends > ENOUGH_ENDS {
            self.ends /= 2.0;
            self.seconds /= 2.0;
        }
    }

    fn roll(&mut self, now: Instant) {
        if let Some(since) = &mut self.since {
            self.seconds += now.saturating_duration_since(*since).as_secs_f64();
            *since = now;
        }
    }

    /// Seconds from one end to the next. As if one more were due at this moment: nothing is
    /// refused on the guess of a start, and a lane that stands still gets slower all the time.
    pub(crate) fn seconds_each(&mut self, now: Instant) -> f64 {
        self.roll(now);
        self.seconds / (self.ends + 1.0)
    }
}
