//! Intents on one target run one after another, in the order they joined the line.
//!
//! A ticket stands in the lines of all its targets at once; because all joins happen
//! one after another, two tickets never wait for each other.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

/// What is serialised: a package of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    pub repository: String,
    pub package: String,
}

type Waiting = VecDeque<Arc<Notify>>;

#[derive(Clone, Default)]
pub struct Lines {
    lines: Arc<Mutex<HashMap<Target, Waiting>>>,
}

/// A place in the lines of some targets. Dropping it lets the next one go.
pub struct Ticket {
    lines: Lines,
    targets: Vec<Target>,
    call: Arc<Notify>,
}

impl Lines {
    pub fn join(&self, mut targets: Vec<Target>) -> Ticket {
        targets.sort_unstable();
        targets.dedup();
        let call = Arc::new(Notify::new());
        let mut lines = self.lock();
        for target in &targets {
            lines.entry(target.clone()).or_default().push_back(call.clone());
        }
        drop(lines);
        Ticket { lines: self.clone(), targets, call }
    }

    /// Nobody stands in any line.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Target, Waiting>> {
        self.lines.lock().expect("no code panics while it holds this lock")
    }
}

impl Ticket {
    /// Returns when all who joined a line of this ticket before it are through; true when it waited.
    pub async fn turn(&self) -> bool {
        let mut waited = false;
        while !self.is_first() {
            waited = true;
            self.call.notified().await;
        }
        waited
    }

    fn is_first(&self) -> bool {
        let lines = self.lines.lock();
        self.targets.iter().all(|target| {
            lines.get(target).and_then(VecDeque::front).is_some_and(|first| Arc::ptr_eq(first, &self.call))
        })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut lines = self.lines.lock();
        for target in &self.targets {
            let Some(waiting) = lines.get_mut(target) else { continue };
            waiting.retain(|call| !Arc::ptr_eq(call, &self.call));
            match waiting.front() {
                Some(next) => next.notify_one(),
                None => {
                    lines.remove(target);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn upf() -> Target {
        Target { repository: "default".into(), package: "ran-a/upf".into() }
    }

    fn smf() -> Target {
        Target { repository: "default".into(), package: "core5g/smf".into() }
    }

    #[test]
    fn the_second_on_a_target_waits_for_the_first_and_others_do_not() {
        let lines = Lines::default();
        let first = lines.join(vec![upf()]);
        let second = lines.join(vec![upf(), smf()]);
        let other = lines.join(vec![]);
        assert!(first.turn().now_or_never().is_some());
        assert!(second.turn().now_or_never().is_none());
        assert!(other.turn().now_or_never().is_some());
        drop(first);
        assert!(second.turn().now_or_never().is_some());
        drop(second);
        drop(other);
        assert!(lines.is_empty());
    }

    #[test]
    fn one_that_gives_up_its_place_in_the_middle_does_not_let_the_next_pass_the_first() {
        let lines = Lines::default();
        let first = lines.join(vec![upf()]);
        let second = lines.join(vec![upf()]);
        let third = lines.join(vec![upf()]);
        drop(second);
        assert!(third.turn().now_or_never().is_none());
        drop(first);
        assert!(third.turn().now_or_never().is_some());
    }
}
