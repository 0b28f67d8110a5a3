//! The closed table of operator words: what may be left unsaid, and where.

use crate::frame::{Seen, VERBS};
use crate::vocabulary::C;

/// Plain words that are places where they stand behind "in" or "at".
pub(super) const PLAIN_PLACES: &[&str] = crate::rules::PLAIN_PLACES;

/// Words that say nothing of their own, wherever they stand.
const FILLERS: Seen = Seen::of(&[
    C::Fill,
    C::The,
    C::A,
    C::Comma,
    C::Colon,
    C::Eq,
    C::Stop,
    C::And,
    C::Then,
    C::Noun,
    C::Be,
    C::Have,
    C::Should,
    C::You,
    C::Want,
    C::Let,
    C::Become,
    C::Quest,
    C::Pods,
]);

pub(super) fn filler(class: C) -> bool {
    FILLERS.has(class)
}

pub(super) fn verb(class: C) -> bool {
    VERBS.has(class) || matches!(class, C::Status | C::Alive | C::Question)
}

/// Forms of the past that do not end in "ed".
pub(super) const PAST: &[&str] = crate::parse::IRREGULAR;
