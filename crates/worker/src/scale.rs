//! How many workers there are: one more while all have their hands full and it goes well, a third
//! fewer when it does not.

use std::time::Duration;

/// Work that takes this many times as long as is usual is slowed down by its own crowd.
const SLOW: f64 = 3.0;

/// More failed tries than this part of a round speak for fewer at a time.
const FAILED: f64 = 0.25;

const FEWER: f64 = 0.7;

/// What a round adds to what is usual: about twenty rounds at a new pace and it is the usual one.
/// A few rounds of what was done in no time must not make the rest look slow.
const FORGET: f64 = 0.05;

/// How many work at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As many as there is work for, up to this.
    Upto(usize),
    /// `min` at rest and at first, more and fewer by how the work goes, never over `max`.
    Between { min: usize, max: usize },
}

impl Scale {
    pub(crate) fn rest(self) -> usize {
        match self {
            Self::Upto(_) => 1,
            Self::Between { min, .. } => min.max(1),
        }
    }

    pub(crate) fn most(self) -> usize {
        match self {
            Self::Upto(most) => most.max(1),
            Self::Between { min, max } => max.max(min).max(1),
        }
    }

    fn is_measured(self) -> bool {
        self.rest() < self.most() && matches!(self, Self::Between { .. })
    }
}

/// Who is there, and how it went lately.
#[derive(Debug)]
pub(crate) struct Crew {
    scale: Scale,
    limit: usize,
    alive: usize,
    /// Without an item in their hands.
    idle: usize,
    /// Nothing is there to claim, or nothing may be.
    is_quiet: bool,
    round: Round,
    /// Seconds that such work takes, over many rounds.
    usual: Option<f64>,
}

/// As many ends as there are workers.
#[derive(Debug, Default)]
struct Round {
    ends: usize,
    strained: usize,
    seconds: f64,
    /// Somebody had to wait for a worker.
    was_short: bool,
}

impl Crew {
    pub(crate) fn new(scale: Scale) -> Self {
        let limit = match scale {
            Scale::Upto(_) => scale.most(),
            Scale::Between { .. } => scale.rest(),
        };
        Self { scale, limit, alive: 0, idle: 0, is_quiet: false, round: Round::default(), usual: None }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn alive(&self) -> usize {
        self.alive
    }

    pub(crate) fn idle(&self) -> usize {
        self.idle
    }

    pub(crate) fn is_measured(&self) -> bool {
        self.scale.is_measured()
    }

    /// A worker is hired; it has nothing in its hands.
    pub(crate) fn hire(&mut self) {
        self.alive += 1;
        self.idle += 1;
    }

    /// A worker without an item goes.
    pub(crate) fn leave(&mut self) {
        self.alive -= 1;
        self.idle -= 1;
    }

    /// True when others than the one who says so should look whether they are needed.
    pub(crate) fn quiet(&mut self) -> bool {
        self.is_quiet = true;
        self.idle > 1 && self.alive > self.scale.rest()
    }

    /// A worker took an item; `waited` when it was there before anybody was free. True when
    /// another one is to be hired.
    pub(crate) fn take(&mut self, waited: bool) -> bool {
        self.is_quiet = false;
        self.idle -= 1;
        self.round.was_short |= waited && self.alive >= self.limit;
        self.idle == 0 && self.alive < self.limit
    }

    /// A worker has its hands free again.
    pub(crate) fn free(&mut self) {
        self.idle += 1;
    }

    /// Whether a worker without an item is one too many.
    pub(crate) fn is_too_many(&self) -> bool {
        self.alive > self.limit || (self.is_quiet && self.idle > 1 && self.alive > self.scale.rest())
    }

    /// One try ended. Only for a measured scale.
    pub(crate) fn ended(&mut self, took: Duration, strained: bool) {
        self.round.ends += 1;
        self.round.strained += usize::from(strained);
        self.round.seconds += took.as_secs_f64();
        if self.round.ends < self.limit {
            return;
        }
        let round = std::mem::take(&mut self.round);
        let ends = round.ends as f64;
        let mean = round.seconds / ends;
        let usual = self.usual.map_or(mean, |usual| usual + (mean - usual) * FORGET);
        let failed = round.strained as f64 > ends * FAILED;
        // A failure tells nothing of how long the work takes.
        if !failed {
            self.usual = Some(usual);
        }
        if failed || mean > usual * SLOW {
            self.limit = ((self.limit as f64 * FEWER) as usize).max(self.scale.rest());
        } else if round.was_short {
            self.limit = (self.limit + 1).min(self.scale.most());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BETWEEN: Scale = Scale::Between { min: 1, max: 16 };

    /// One round: as many ends as the limit, each with work waiting.
    fn round(crew: &mut Crew, took: Duration, strained: bool) {
        for _ in 0..crew.limit() {
            while crew.alive() < crew.limit() {
                crew.hire();
            }
            crew.take(true);
            crew.free();
            crew.ended(took, strained);
        }
    }

    #[test]
    fn each_good_round_adds_one_up_to_the_most() {
        let mut crew = Crew::new(BETWEEN);
        let limits: Vec<_> = (0..20)
            .map(|_| {
                round(&mut crew, Duration::from_millis(40), false);
                crew.limit()
            })
            .collect();
        let expected: Vec<_> = (2..=16).chain([16; 5]).collect();
        assert_eq!(limits, expected);
    }

    #[test]
    fn failures_and_slowness_take_a_third_each_round_down_to_the_least() {
        for (took, strained) in [(Duration::from_millis(40), true), (Duration::from_secs(1), false)] {
            let mut crew = Crew::new(BETWEEN);
            for _ in 0..15 {
                round(&mut crew, Duration::from_millis(40), false);
            }
            let mut limits = Vec::new();
            for _ in 0..5 {
                round(&mut crew, took, strained);
                limits.push(crew.limit());
            }
            assert_eq!(limits, [11, 7, 4, 2, 1], "{took:?} {strained}");
            // And back when it goes well.
            for _ in 0..15 {
                round(&mut crew, Duration::from_millis(40), false);
            }
            assert_eq!(crew.limit(), 16);
        }
    }

    #[test]
    fn one_failure_among_many_changes_nothing() {
        let mut crew = Crew::new(BETWEEN);
        for _ in 0..15 {
            round(&mut crew, Duration::from_millis(40), false);
        }
        for end in 0..160 {
            crew.ended(Duration::from_millis(40), end % 16 == 0);
        }
        assert_eq!(crew.limit(), 16);
    }

    #[test]
    fn a_new_pace_becomes_the_usual_one() {
        let mut crew = Crew::new(BETWEEN);
        for _ in 0..15 {
            round(&mut crew, Duration::from_millis(40), false);
        }
        for _ in 0..60 {
            round(&mut crew, Duration::from_millis(400), false);
        }
        assert_eq!(crew.limit(), 16, "what is always slow is not slowed by its crowd");
    }

    #[test]
    fn what_is_done_in_no_time_does_not_make_the_rest_look_slow() {
        let mut crew = Crew::new(BETWEEN);
        for _ in 0..15 {
            round(&mut crew, Duration::from_millis(40), false);
        }
        // Answers that were at hand, in between and then alone.
        for number in 0..30 {
            let took = if number < 20 && number % 2 == 0 { 40 } else { 1 };
            round(&mut crew, Duration::from_millis(took), false);
        }
        round(&mut crew, Duration::from_millis(40), false);
        assert_eq!(crew.limit(), 16);
    }

    #[test]
    fn without_anybody_waiting_for_a_worker_none_is_added() {
        let mut crew = Crew::new(BETWEEN);
        crew.hire();
        for _ in 0..100 {
            crew.take(false);
            crew.free();
            crew.ended(Duration::from_millis(40), false);
        }
        assert_eq!(crew.limit(), 1);
    }
}
