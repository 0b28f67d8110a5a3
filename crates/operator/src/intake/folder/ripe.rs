//! Which files are complete though no event said so.
//!
//! A file is left alone when it looked the same for long enough: by our own watch, or by its time of
//! change where the clock can be trusted. JSON is tried at once, each time it looks different: its own
//! brackets tell whether it is whole.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::name;
use super::place::{Form, Look};

/// How long a file must be unchanged to be complete.
pub const LEFT_ALONE: Duration = Duration::from_secs(3);

/// A clock that ran so much faster or slower than time did was set.
const DRIFT: i128 = 1_000_000_000;

#[derive(Default)]
pub struct Ripeness {
    watched: HashMap<OsString, Watched>,
    clock: Option<(Timestamp, Instant)>,
    /// Times of change say nothing before this: the clock was set.
    mistrust: Option<Instant>,
}

#[derive(Default)]
struct Watched {
    look: Option<(Look, Instant)>,
    /// JSON was tried as it looks now.
    tried: bool,
    alone: bool,
}

impl Ripeness {
    /// Compares the clock with the time that passed.
    pub fn tick(&mut self, now: Timestamp, moment: Instant) {
        if let Some((then, that_moment)) = self.clock {
            let passed = moment.saturating_duration_since(that_moment).as_nanos() as i128;
            if (now.as_nanosecond() - then.as_nanosecond() - passed).abs() > DRIFT {
                self.mistrust = Some(moment + LEFT_ALONE);
            }
        }
        self.clock = Some((now, moment));
    }

    /// Whether the file should be read now.
    pub fn is_ripe(&mut self, name: &OsStr, look: Look, now: Timestamp, moment: Instant) -> bool {
        let trusted = self.mistrust.is_none_or(|until| moment >= until);
        let watched = self.watched.entry(name.to_owned()).or_default();
        let since = match watched.look {
            Some((before, since)) if before == look => since,
            _ => {
                *watched = Watched { look: Some((look, moment)), tried: false, alone: false };
                moment
            }
        };
        let age = now.as_nanosecond() - look.changed;
        watched.alone = moment.saturating_duration_since(since) >= LEFT_ALONE
            || (trusted && age >= LEFT_ALONE.as_nanos() as i128);
        let to_try = look.form == Form::File && name::kind(name) == Some(name::Kind::Json) && !watched.tried;
        watched.tried |= to_try;
        watched.alone || to_try
    }

    /// More of it may be on its way.
    pub fn is_doubtful(&self, name: &OsStr) -> bool {
        self.watched.get(name).is_some_and(|watched| !watched.alone)
    }

    pub fn watch(&mut self, name: &OsStr) {
        self.watched.entry(name.to_owned()).or_default().alone = false;
    }

    pub fn watches(&self, name: &OsStr) -> bool {
        self.watched.contains_key(name)
    }

    pub fn is_watching(&self) -> bool {
        !self.watched.is_empty()
    }

    /// It is complete, or gone.
    pub fn forget(&mut self, name: &OsStr) {
        self.watched.remove(name);
    }

    pub fn forget_all_but(&mut self, names: &[OsString]) {
        if !self.watched.is_empty() {
            let there: HashSet<&OsString> = names.iter().collect();
            self.watched.retain(|name, _| there.contains(name));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXT: &str = "intent-a.txt";
    const JSON: &str = "intent-a.json";

    struct Clock {
        wall: Timestamp,
        moment: Instant,
    }

    impl Clock {
        fn new() -> Self {
            Self { wall: "2026-01-31T18:00:00Z".parse().unwrap(), moment: Instant::now() }
        }

        fn pass(&mut self, seconds: i64) {
            self.wall = self.wall.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
            self.moment += Duration::from_secs(seconds.unsigned_abs());
        }

        fn look(&self, size: u64) -> Look {
            let now = self.wall.as_nanosecond();
            Look { device: 1, inode: 1, size, links: 1, modified: now, changed: now, form: Form::File }
        }

        fn ripe(&self, ripeness: &mut Ripeness, name: &str, look: Look) -> bool {
            ripeness.tick(self.wall, self.moment);
            ripeness.is_ripe(OsStr::new(name), look, self.wall, self.moment)
        }
    }

    #[test]
    fn words_are_taken_when_they_were_left_alone() {
        let (mut clock, mut ripeness) = (Clock::new(), Ripeness::default());
        let look = clock.look(5);
        assert!(!clock.ripe(&mut ripeness, TEXT, look));
        clock.pass(2);
        assert!(!clock.ripe(&mut ripeness, TEXT, look));
        // Written to again: the wait begins anew.
        let look = clock.look(9);
        clock.pass(2);
        assert!(!clock.ripe(&mut ripeness, TEXT, look));
        assert!(ripeness.is_doubtful(OsStr::new(TEXT)));
        clock.pass(1);
        assert!(clock.ripe(&mut ripeness, TEXT, look));
        assert!(!ripeness.is_doubtful(OsStr::new(TEXT)));
    }

    #[test]
    fn an_old_file_needs_no_wait() {
        let (mut clock, mut ripeness) = (Clock::new(), Ripeness::default());
        let look = clock.look(5);
        clock.pass(60);
        assert!(clock.ripe(&mut ripeness, TEXT, look));
    }

    #[test]
    fn a_clock_that_jumps_makes_no_file_old() {
        let (mut clock, mut ripeness) = (Clock::new(), Ripeness::default());
        assert!(!clock.ripe(&mut ripeness, TEXT, clock.look(1)));
        let look = clock.look(2);
        clock.wall = clock.wall.checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
        assert!(!clock.ripe(&mut ripeness, TEXT, look));
        clock.pass(2);
        assert!(!clock.ripe(&mut ripeness, TEXT, look));
        clock.pass(1);
        assert!(clock.ripe(&mut ripeness, TEXT, look));
    }

    #[test]
    fn a_clock_set_back_delays_a_file_by_our_own_watch_at_most() {
        let (mut clock, mut ripeness) = (Clock::new(), Ripeness::default());
        let look = clock.look(2);
        clock.wall = clock.wall.checked_sub(jiff::SignedDuration::from_hours(1)).unwrap();
        assert!(!clock.ripe(&mut ripeness, TEXT, look));
        clock.pass(3);
        assert!(clock.ripe(&mut ripeness, TEXT, look));
    }

    #[test]
    fn json_is_tried_once_for_each_look() {
        let (mut clock, mut ripeness) = (Clock::new(), Ripeness::default());
        let look = clock.look(5);
        assert!(clock.ripe(&mut ripeness, JSON, look));
        assert!(ripeness.is_doubtful(OsStr::new(JSON)));
        assert!(!clock.ripe(&mut ripeness, JSON, look));
        clock.pass(1);
        assert!(clock.ripe(&mut ripeness, JSON, clock.look(6)));
    }
}
