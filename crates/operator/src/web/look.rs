//! How each state looks: a word, a shape and a tone. Never a colour alone.

use maud::{Markup, PreEscaped, html};
use nephoran_model::intent::{HoldReason, Intent, State};
use nephoran_model::proposal::Priority;

/// The family of a state: its colour, and the filter that finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The operator works on it.
    Busy,
    /// A person must act.
    Waiting,
    /// The change is in.
    Good,
    /// In, but no longer as asked; or it went wrong.
    Bad,
    /// Over, for reasons that need nobody.
    Quiet,
}

impl Tone {
    pub fn class(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Waiting => "waiting",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }
}

pub fn tone(state: State) -> Tone {
    match state {
        State::Received | State::Translating | State::Planned | State::Applying => Tone::Busy,
        State::NeedsAnswer | State::AwaitingApproval | State::AwaitingMerge => Tone::Waiting,
        State::Applied | State::Fulfilled | State::Answered => Tone::Good,
        State::Degraded | State::Refused | State::Failed => Tone::Bad,
        State::Cancelled | State::Superseded | State::RolledBack | State::Expired => Tone::Quiet,
    }
}

pub fn word(state: State) -> &'static str {
    match state {
        State::Received => "received",
        State::Translating => "translating",
        State::NeedsAnswer => "needs an answer",
        State::Planned => "planned",
        State::AwaitingApproval => "awaiting approval",
        State::Applying => "applying",
        State::AwaitingMerge => "awaiting merge",
        State::Applied => "applied",
        State::Fulfilled => "fulfilled",
        State::Degraded => "degraded",
        State::Answered => "answered",
        State::Refused => "refused",
        State::Failed => "failed",
        State::Cancelled => "cancelled",
        State::Superseded => "superseded",
        State::RolledBack => "rolled back",
        State::Expired => "expired",
    }
}

/// What the state means for whoever reads it.
pub fn meaning(intent: &Intent) -> &'static str {
    match (intent.state, intent.hold) {
        (State::Received, _) => "It is on disk and waits for a worker.",
        (State::Translating, _) => "Its words are being read.",
        (State::NeedsAnswer, _) => "Something is not clear. It goes on when you answer.",
        (State::Planned, Some(HoldReason::Frozen)) => {
            "Changes are frozen. It goes on when the freeze is lifted, or ends at its deadline."
        }
        (State::Planned, Some(HoldReason::Window)) => "It waits for its time.",
        (State::Planned, None) => "The plan is made and is being reviewed.",
        (State::AwaitingApproval, _) => "Nothing is changed until somebody approves this very plan.",
        (State::Applying, _) => "The change is being written.",
        (State::AwaitingMerge, _) => "The change lies on a branch and waits for people to merge it.",
        (State::Applied, _) => "The repository, read again, holds the change.",
        (State::Fulfilled, _) => "The network was seen to do what was asked.",
        (State::Degraded, _) => "The change was made, and something else has changed it since.",
        (State::Answered, _) => "It was a question; here is the answer. Nothing was changed.",
        (State::Refused, _) => "Nothing was changed. The findings say why, and what to do.",
        (State::Failed, _) => "It could not be carried out. The history says why.",
        (State::Cancelled, _) => "It was cancelled. Nothing more happens.",
        (State::Superseded, _) => "Another intent took its place.",
        (State::RolledBack, _) => "Its change was undone by another intent.",
        (State::Expired, _) => "Its time ran out before it was carried out.",
    }
}

/// The shape: one per state, drawn on a 16 by 16 grid.
fn shape(state: State) -> &'static str {
    match state {
        // A dotted ring.
        State::Received => r#"<circle cx="8" cy="8" r="6" stroke-dasharray="2 2"/>"#,
        // Lines of text.
        State::Translating => r#"<path d="M2 4h12M2 8h8M2 12h10"/>"#,
        // A question mark in a bubble.
        State::NeedsAnswer => {
            r#"<path d="M2 2h12v9H8l-3 3v-3H2z"/><path d="M6.5 5.2c.2-1 2.9-1 2.9.4 0 1-1.4 1-1.4 2M8 9v.2"/>"#
        }
        // A sheet with lines.
        State::Planned => r#"<path d="M3 2h10v12H3z"/><path d="M5.5 6h5M5.5 9h5"/>"#,
        // A diamond with a bar: stop until somebody says yes.
        State::AwaitingApproval => r#"<path d="M8 1.5 14.5 8 8 14.5 1.5 8z"/><path d="M8 5v3.5M8 10.8v.2"/>"#,
        // A ring with a gap and an arrow.
        State::Applying => r#"<path d="M13.5 8A5.5 5.5 0 1 1 11 3.4M11 1v3H8"/>"#,
        // Two lines that join.
        State::AwaitingMerge => r#"<path d="M4 2v12M4 6c0 4 8 1 8 6M12 9v5"/>"#,
        // A ring with a tick.
        State::Applied => r#"<circle cx="8" cy="8" r="6.2"/><path d="m5 8.2 2.2 2.2L11 6.2"/>"#,
        // A full disc with a tick.
        State::Fulfilled => {
            r#"<circle cx="8" cy="8" r="6.2" fill="currentColor"/><path class="cut" d="m5 8.2 2.2 2.2L11 6.2"/>"#
        }
        // A triangle with a bar.
        State::Degraded => r#"<path d="M8 2 14.5 13.5h-13z"/><path d="M8 6v3.6M8 11.4v.2"/>"#,
        // A bubble with lines.
        State::Answered => r#"<path d="M2 2h12v9H8l-3 3v-3H2z"/><path d="M5 5h6M5 8h4"/>"#,
        // An octagon with a bar across.
        State::Refused => {
            r#"<path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3z"/><path d="M5 8h6"/>"#
        }
        // A ring with a cross.
        State::Failed => r#"<circle cx="8" cy="8" r="6.2"/><path d="m5.6 5.6 4.8 4.8M10.4 5.6l-4.8 4.8"/>"#,
        // A ring struck through.
        State::Cancelled => r#"<circle cx="8" cy="8" r="6.2"/><path d="m3.8 12.2 8.4-8.4"/>"#,
        // One sheet over another.
        State::Superseded => r#"<path d="M2 5h9v9H2z"/><path d="M5 5V2h9v9h-3"/>"#,
        // An arrow that turns back.
        State::RolledBack => r#"<path d="M5 2 2 5l3 3M2 5h7a4.5 4.5 0 0 1 0 9H5"/>"#,
        // A clock.
        State::Expired => r#"<circle cx="8" cy="8" r="6.2"/><path d="M8 4.2V8l2.6 1.8"/>"#,
    }
}

/// State as a badge: shape, word, tone.
pub fn badge(state: State, hold: Option<HoldReason>) -> Markup {
    html! {
        span.state.(tone(state).class()) data-state=(state.as_str()) {
            (icon(shape(state)))
            span.state-word {
                (word(state))
                @if let Some(hold) = hold {
                    ", " (match hold { HoldReason::Frozen => "frozen", HoldReason::Window => "not yet" })
                }
            }
        }
    }
}

pub fn icon(shape: &'static str) -> Markup {
    html! {
        svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false" {
            (PreEscaped(shape))
        }
    }
}

/// Priority as bars: more bars, more urgent; said in words too.
pub fn priority(priority: Priority) -> Markup {
    let bars = match priority {
        Priority::Low => 1,
        Priority::Normal => 2,
        Priority::High => 3,
        Priority::Urgent => 4,
    };
    html! {
        span.priority data-priority=(priority.as_str()) {
            svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false" {
                @for bar in 0..4u32 {
                    rect.off[bar >= bars] x=(bar * 4 + 1) y=(11 - bar * 3) width="2.4" height=(4 + bar * 3) {}
                }
            }
            (priority.as_str())
        }
    }
}
