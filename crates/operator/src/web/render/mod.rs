//! Markup, a function per part of a page. Reads, decides nothing, touches nothing.

/// The frame around every page: head, header, footer.
mod frame;

/// The box an intent is written in, and the plan shown beside it.
mod compose;

/// The list of intents, its filters, and the queue at a glance.
mod list;

/// One intent's story.
mod story;

/// A plan: steps, notes, diff, findings.
mod plan;

use jiff::Timestamp;

pub use compose::{Draft, compose, nothing, preview, turned_away};
pub use frame::{Live, frame, problem};
pub use list::{Filter, Glance, Listing, home};
pub use story::{story, title};

/// What every part needs to know about the visit.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The token that each form carries back.
    pub csrf: String,
    pub now: Timestamp,
}

impl Visit {
    /// The hidden field of every form.
    fn field(&self) -> maud::Markup {
        maud::html! { input type="hidden" name="csrf" value=(self.csrf); }
    }
}
