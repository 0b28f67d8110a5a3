//! The list of intents, its filters, and the queue at a glance.

use jiff::Timestamp;
use maud::{Markup, html};
use nephoran_model::intent::{Intent, Request, State};
use nephoran_model::proposal::Priority;

use super::Visit;
use crate::web::look;
use crate::web::text::{moment, start, visible};
use crate::web::words;

/// Which intents are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filter {
    #[default]
    All,
    /// They need a person.
    Waiting,
    UnderWay,
    InEffect,
    Trouble,
    Ended,
    One(State),
}

impl Filter {
    pub const GROUPS: [Self; 6] =
        [Self::All, Self::Waiting, Self::UnderWay, Self::InEffect, Self::Trouble, Self::Ended];

    /// As the address names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Waiting => "waiting",
            Self::UnderWay => "under-way",
            Self::InEffect => "in-effect",
            Self::Trouble => "trouble",
            Self::Ended => "ended",
            Self::One(state) => state.as_str(),
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::GROUPS
            .into_iter()
            .find(|filter| filter.as_str() == word)
            .or_else(|| State::parse(word).map(Self::One))
    }

    fn words(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Waiting => "Waiting for you",
            Self::UnderWay => "Under way",
            Self::InEffect => "In effect",
            Self::Trouble => "Trouble",
            Self::Ended => "Ended",
            Self::One(state) => look::word(state),
        }
    }

    /// The states it finds; none for all of them.
    pub fn states(self) -> Vec<State> {
        match self {
            Self::All => Vec::new(),
            Self::Waiting => vec![State::NeedsAnswer, State::AwaitingApproval, State::AwaitingMerge],
            Self::UnderWay => vec![State::Received, State::Translating, State::Planned, State::Applying],
            Self::InEffect => vec![State::Applied, State::Fulfilled],
            Self::Trouble => vec![State::Degraded, State::Failed, State::Refused],
            Self::Ended => State::ALL.into_iter().filter(|state| state.is_end()).collect(),
            Self::One(state) => vec![state],
        }
    }

    fn link(self) -> String {
        match self {
            Self::All => "/".into(),
            filter => format!("/?state={}", filter.as_str()),
        }
    }
}

/// One page of the list.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    pub filter: Filter,
    pub intents: Vec<Intent>,
    /// Where the next page begins, when there is one.
    pub next: Option<String>,
    /// This page is not the first.
    pub later: bool,
    pub waiting: Waiting,
}

/// How many intents need a person: counted as far as one page of the list goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    pub count: usize,
    pub more: bool,
}

/// The queue in four numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Glance {
    /// Queued in each band, in the order of [`Priority::ALL`].
    pub queued: [usize; 4],
    /// Most that the queue holds over all bands.
    pub total: usize,
    /// Handed out to workers and not finished.
    pub claimed: usize,
    pub paused: bool,
}

pub fn home(visit: &Visit, compose: &Markup, listing: &Listing, glance: &Glance) -> Markup {
    html! {
        (compose)
        div.board {
            section.listing aria-labelledby="intents" {
                div.listing-head {
                    h2 #intents { "Intents" }
                    (filters(listing))
                }
                (rows(visit, listing))
                (pages(listing))
            }
            aside.side aria-label="Queue" { (self::glance(visit, glance)) }
        }
    }
}

fn filters(listing: &Listing) -> Markup {
    let now = listing.filter;
    html! {
        nav.filters aria-label="Filter by state" {
            @for filter in Filter::GROUPS {
                a href=(filter.link()) aria-current=[(filter == now).then_some("true")] {
                    (filter.words())
                    @if filter == Filter::Waiting { (waiting(listing.waiting)) }
                }
            }
            form method="get" action="/" {
                label.sr for="one-state" { "One state" }
                select #one-state name="state" data-submit {
                    option value="" { "one state…" }
                    @for state in State::ALL {
                        option value=(state.as_str()) selected[now == Filter::One(state)] { (look::word(state)) }
                    }
                }
                button.only-still type="submit" { "Show" }
            }
        }
    }
}

fn waiting(waiting: Waiting) -> Markup {
    html! {
        span #waiting data-live-part data-count=(waiting.count) hidden[waiting.count == 0] {
            " " span.count { (waiting.count) @if waiting.more { "+" } }
        }
    }
}

fn rows(visit: &Visit, listing: &Listing) -> Markup {
    html! {
        ul.rows #rows data-live-part data-keyed aria-label="Intents, newest first" {
            @for intent in &listing.intents { (row(intent, visit.now)) }
            @if listing.intents.is_empty() { li.empty #no-rows { (none(listing)) } }
        }
    }
}

fn none(listing: &Listing) -> Markup {
    html! {
        @match (listing.filter, listing.later) {
            (_, true) => p { "There is nothing older." },
            (Filter::All, _) => {
                p { strong { "No intents yet." } }
                p { "Write one above in plain words, or pick an example: its plan shows before anything is sent." }
                p.minor { "They also come in over " code { "POST /api/v1/intents" } ", from the hot folder, and from "
                    code { "nephoran submit" } "." }
            }
            (Filter::Waiting, _) => p { "Nothing waits for you." },
            (Filter::Trouble, _) => p { "No trouble." },
            (filter, _) => p { "None of the intents is " strong { (filter.words().to_lowercase()) } "." },
        }
    }
}

fn row(intent: &Intent, now: Timestamp) -> Markup {
    let words = said(intent);
    let summary = summary(intent);
    html! {
        li.row #{ "row-" (intent.id) } data-state=(intent.state.as_str()) {
            (look::badge(intent.state, intent.hold))
            a.row-link href={ "/intents/" (intent.id) } {
                span.row-title { (visible(&start(summary.as_deref().unwrap_or(&words), 120))) }
            }
            @if summary.is_some() { span.row-words { (visible(&start(&words, 160))) } }
            span.row-facts {
                (look::priority(intent.priority))
                span.row-source { (intent.source.as_str()) " · " (visible(&start(&intent.requester, 40))) }
                (moment(intent.created_at, now))
            }
        }
    }
}

/// What was asked for, as words.
pub fn said(intent: &Intent) -> String {
    match &intent.request {
        Request::Text(text) => text.clone(),
        Request::Proposal(proposal) | Request::Intent { proposal, .. } => {
            words::understood(proposal).join("; ")
        }
    }
}

/// The plan in one line, or what it asks.
fn summary(intent: &Intent) -> Option<String> {
    match (&intent.plan, &intent.question) {
        (_, Some(question)) if intent.state == State::NeedsAnswer => Some(question.text.clone()),
        (Some(plan), _) if !plan.summary.is_empty() => Some(plan.summary.clone()),
        _ => None,
    }
}

fn pages(listing: &Listing) -> Markup {
    let base = listing.filter.link();
    html! {
        nav.pages #pages data-live-part aria-label="Pages" {
            @if listing.later { a.button href=(base) { "Newest" } }
            @if let Some(next) = &listing.next {
                a.button href={ (base) @if base.contains('?') { "&" } @else { "?" } "cursor=" (next) } { "Older" }
            }
        }
    }
}

pub fn glance(visit: &Visit, glance: &Glance) -> Markup {
    let queued: usize = glance.queued.iter().sum();
    html! {
        section.card.glance #glance data-live-part aria-label="Queue at a glance" {
            h2 { "Queue" }
            p.glance-total {
                strong { (queued) } " of " (glance.total) " waiting"
                @if glance.claimed > 0 { ", " strong { (glance.claimed) } " in work" }
            }
            dl.bands {
                @for (priority, queued) in Priority::ALL.into_iter().zip(glance.queued) {
                    dt { (look::priority(priority)) }
                    dd {
                        svg.bar viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                            rect.bar-all width="100" height="6" {}
                            rect.bar-now width=(width(queued, glance.total)) height="6" {}
                        }
                        span.bar-count { (queued) }
                    }
                }
            }
            @if glance.paused {
                p.paused { (look::icon(r#"<path d="M5.5 3v10M10.5 3v10"/>"#))
                    " Paused: workers take nothing more, and what is accepted stays." }
            }
            form data-in-place method="post" action=(if glance.paused { "/ui/resume" } else { "/ui/pause" }) {
                (visit.field())
                button type="submit" .primary[glance.paused] {
                    @if glance.paused { "Resume" } @else { "Pause" }
                }
            }
        }
    }
}

/// Per cent of the queue; what is there at all is seen.
fn width(queued: usize, total: usize) -> usize {
    if queued == 0 || total == 0 { 0 } else { (queued * 100 / total).clamp(2, 100) }
}
