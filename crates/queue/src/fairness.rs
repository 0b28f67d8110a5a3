//! Whose turn it is: 8 of 15 claims for urgent, 4 for high, 2 for normal, 1 for low.

use crate::bands::Band;
use crate::bands::Band::{High as H, Low as L, Normal as N, Urgent as U};

/// One round. Every band comes as often as its share and as evenly as that allows, so at most
/// 14 claims of other bands lie between two turns of `low`, and at most one before an `urgent`.
pub(crate) const ROUND: [Band; 15] = [U, H, U, N, U, H, U, L, U, H, U, N, U, H, U];

/// Claims of `band` in one round.
pub(crate) fn share(band: Band) -> usize {
    ROUND.iter().filter(|turn| **turn == band).count()
}

#[derive(Debug, Default)]
pub(crate) struct Turns {
    at: usize,
}

impl Turns {
    /// The next band in the round that has something; a turn of an empty band is passed on
    /// and not saved up. `None` when all are empty.
    pub(crate) fn next(&mut self, has_something: impl Fn(Band) -> bool) -> Option<Band> {
        for _ in 0..ROUND.len() {
            let band = ROUND[self.at];
            self.at = (self.at + 1) % ROUND.len();
            if has_something(band) {
                return Some(band);
            }
        }
        None
    }
}
