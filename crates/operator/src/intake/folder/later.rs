//! Files that must wait: which, and until when.
//!
//! A file that found its band full waits in line with the others of its band: none that comes
//! later passes it, and the line moves a batch at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use nephoran_model::proposal::Priority;
use tokio::time::Instant;

/// How soon the head of a line tries again. The queue's own estimate is for clients who cannot look;
/// one batch of files costs little.
const TRY_LINE: Duration = Duration::from_millis(100);

#[derive(Default)]
pub struct Later {
    files: BTreeMap<OsString, Why>,
    /// When the head of each band's line may try again.
    lines: BTreeMap<Priority, Instant>,
    /// Nothing at all is tried before this: the desk takes nothing.
    closed: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Why {
    /// Its band was full.
    Full(Priority),
    Until(Instant),
}

impl Later {
    /// The band had no room for it.
    pub fn band_full(&mut self, name: OsString, band: Priority, now: Instant) {
        self.files.insert(name, Why::Full(band));
        self.lines.insert(band, now + TRY_LINE);
    }

    /// Joins the line of its band.
    pub fn line_up(&mut self, name: OsString, band: Priority) {
        self.files.insert(name, Why::Full(band));
    }

    pub fn until(&mut self, name: OsString, at: Instant) {
        self.files.insert(name, Why::Until(at));
    }

    /// The desk takes nothing now.
    pub fn close(&mut self, name: OsString, until: Instant) {
        self.files.insert(name, Why::Until(until));
        self.closed = Some(until);
    }

    /// Bands that have a line: who is not in it yet stands behind it.
    pub fn bands_in_line(&self) -> BTreeSet<Priority> {
        let bands = self.files.values().filter_map(|why| match why {
            Why::Full(band) => Some(*band),
            Why::Until(_) => None,
        });
        bands.collect()
    }

    pub fn may_try(&self, name: &OsStr, now: Instant) -> bool {
        self.closed.is_none_or(|until| now >= until)
            && match self.files.get(name) {
                None => true,
                Some(Why::Until(at)) => now >= *at,
                Some(Why::Full(band)) => self.lines.get(band).is_none_or(|at| now >= *at),
            }
    }

    /// Files that may be tried, by name.
    pub fn due(&self, now: Instant) -> Vec<OsString> {
        self.files.keys().filter(|name| self.may_try(name, now)).cloned().collect()
    }

    /// When the next file may be tried.
    pub fn next(&self) -> Option<Instant> {
        let next = self.files.values().map(|why| match why {
            Why::Until(at) => *at,
            Why::Full(band) => self.lines.get(band).copied().unwrap_or_else(Instant::now),
        });
        next.min().map(|next| self.closed.map_or(next, |closed| next.max(closed)))
    }

    pub fn contains(&self, name: &OsStr) -> bool {
        self.files.contains_key(name)
    }

    pub fn remove(&mut self, name: &OsStr) {
        self.files.remove(name);
    }

    pub fn retain(&mut self, keep: impl Fn(&OsString) -> bool) {
        self.files.retain(|name, _| keep(name));
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> OsString {
        OsString::from(text)
    }

    #[test]
    fn a_full_band_makes_its_own_files_wait_and_no_others() {
        let (mut later, now) = (Later::default(), Instant::now());
        later.band_full(name("a"), Priority::Normal, now);
        later.line_up(name("b"), Priority::Normal);
        assert!(!later.may_try(&name("a"), now) && !later.may_try(&name("b"), now));
        assert!(later.may_try(&name("new"), now));
        assert_eq!(later.bands_in_line(), BTreeSet::from([Priority::Normal]));
        assert_eq!(later.due(now + TRY_LINE), [name("a"), name("b")]);
        assert_eq!(later.next(), Some(now + TRY_LINE));
    }

    #[test]
    fn a_closed_desk_makes_everything_wait() {
        let (mut later, now) = (Later::default(), Instant::now());
        let until = now + Duration::from_secs(1);
        later.close(name("a"), until);
        later.line_up(name("b"), Priority::Low);
        assert!(!later.may_try(&name("new"), now));
        assert!(later.due(now).is_empty());
        assert_eq!(later.next(), Some(until));
        assert_eq!(later.due(until).len(), 2);
    }
}
