//! One rate, and the arithmetic of a bucket that fills at it (GCRA).
//!
//! A bucket is a single number: the time at which it will be full again. It needs no filling.

/// Nanoseconds of a second.
const SECOND: f64 = 1e9;

/// So many a second, and so many at once after a rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    per_second: f64,
    burst: u64,
    /// Nanoseconds in which one more comes. Rounded up: never more than the rate.
    interval: u64,
    /// How far ahead of now a bucket may be and still give one.
    tolerance: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRate {
    #[error("a rate must be between 0.001 and 1000000000 a second")]
    PerSecond,
    #[error("a burst must be at least 1, or nothing would ever pass")]
    Burst,
}

impl Rate {
    pub fn new(per_second: f64, burst: u64) -> Result<Self, BadRate> {
        if !(0.001..=SECOND).contains(&per_second) {
            return Err(BadRate::PerSecond);
        }
        if burst == 0 {
            return Err(BadRate::Burst);
        }
        let interval = (SECOND / per_second).ceil() as u64;
        Ok(Self { per_second, burst, interval, tolerance: interval.saturating_mul(burst - 1) })
    }

    pub fn per_second(&self) -> f64 {
        self.per_second
    }

    pub fn burst(&self) -> u64 {
        self.burst
    }

    /// Takes one from a bucket that is full at `full_at`. `Err`: nanoseconds until there is one.
    pub(crate) fn take(&self, full_at: u64, now: u64) -> Result<u64, u64> {
        let ahead = full_at.saturating_sub(now);
        if ahead > self.tolerance {
            return Err(ahead - self.tolerance);
        }
        Ok(full_at.max(now).saturating_add(self.interval))
    }

    /// The same bucket under this rate: what was taken under `old` stays taken, as far as this
    /// bucket is deep.
    pub(crate) fn converted(&self, old: &Self, full_at: u64, now: u64) -> u64 {
        let missing = full_at.saturating_sub(now).div_ceil(old.interval).min(self.burst);
        if missing == 0 { full_at } else { now.saturating_add(missing.saturating_mul(self.interval)) }
    }

    pub(crate) fn left(&self, full_at: u64, now: u64) -> Left {
        Left { ahead: full_at.saturating_sub(now), rate: *self }
    }
}

/// What a bucket still holds; worked out only when somebody asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Left {
    ahead: u64,
    rate: Rate,
}

impl Left {
    /// So many more would pass now.
    pub fn remaining(&self) -> u64 {
        self.rate.burst.saturating_sub(self.ahead.div_ceil(self.rate.interval))
    }

    pub fn rate(&self) -> &Rate {
        &self.rate
    }
}

/// The rates of both tiers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Of each client.
    pub client: Rate,
    /// Of all clients together.
    pub global: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        let rate = |per_second, burst| Rate::new(per_second, burst).expect("the defaults are in range");
        Self { client: rate(20.0, 40), global: rate(500.0, 1000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: f64, burst: u64) -> Rate {
        Rate::new(per_second, burst).expect("the test gives a valid rate")
    }

    #[test]
    fn a_rate_that_lets_nothing_pass_is_refused() {
        for per_second in [0.0, -1.0, f64::NAN, f64::INFINITY, 0.000_9] {
            assert_eq!(Rate::new(per_second, 1), Err(BadRate::PerSecond), "{per_second}");
        }
        assert_eq!(Rate::new(1.0, 0), Err(BadRate::Burst));
    }

    #[test]
    fn a_rate_whose_interval_is_no_whole_number_is_never_exceeded() {
        let third = rate(3.0, 1);
        let (mut full_at, mut now, mut passed) = (0, 0, 0);
        while now < 10_000_000_000 {
            match third.take(full_at, now) {
                Ok(next) => (full_at, passed) = (next, passed + 1),
                Err(wait) => now += wait,
            }
        }
        assert!((30..=31).contains(&passed), "{passed}");
    }

    #[test]
    fn the_largest_values_do_not_wrap() {
        let slow = rate(0.001, u64::MAX);
        assert_eq!(slow.take(u64::MAX, 0), Ok(u64::MAX));
        let full_at = slow.take(u64::MAX - 1, u64::MAX).expect("the bucket is full");
        assert_eq!(full_at, u64::MAX);
        assert_eq!(rate(1.0, u64::MAX).converted(&rate(1000.0, 7), u64::MAX, 0), u64::MAX);
    }

    #[test]
    fn what_was_taken_stays_taken_under_another_rate() {
        let (old, now) = (rate(20.0, 40), 5_000_000_000);
        let mut full_at = 0;
        for _ in 0..40 {
            full_at = old.take(full_at, now).expect("within the burst");
        }
        for (new, left) in [(rate(1.0, 5), 0), (rate(1.0, 40), 0), (rate(20.0, 45), 5), (rate(200.0, 41), 1)]
        {
            let converted = new.converted(&old, full_at, now);
            assert_eq!(new.left(converted, now).remaining(), left, "{new:?}");
        }
        let rested = rate(1.0, 5).converted(&old, 3, now);
        assert_eq!(rested, 3, "a full bucket stays full, and its client as idle as it was");
    }
}
