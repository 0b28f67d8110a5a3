//! The frame around every page: head, header, footer.

use maud::{DOCTYPE, Markup, html};

use crate::web::assets;
use crate::web::text::{plain, visible};

/// What the page's script listens for.
#[derive(Debug, Clone, Copy)]
pub enum Live<'a> {
    /// Every intent: the list.
    All,
    /// One intent; `moving` while it changes by itself.
    One { id: &'a str, moving: bool },
    /// Nothing changes here.
    Still,
}

/// A square with a rising line: drawn in place, so that no file is asked for.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
%3Crect width='16' height='16' rx='4' fill='%231b5fb4'/%3E%3Cpath d='M3.5 11.5 7 7l2.2 2.4L12.5 4.5' \
fill='none' stroke='white' stroke-width='1.8' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

pub fn frame(title: &str, live: Live<'_>, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (plain(title)) " · nephoran" }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href=(assets::STYLE.link());
                script defer src=(assets::SCRIPT.link()) {}
                @if let Live::One { moving: true, .. } = live {
                    // Without the script a page that still changes is read again by itself.
                    noscript { meta http-equiv="refresh" content="5"; }
                }
            }
            body data-live=[match live { Live::All => Some("*"), Live::One { id, .. } => Some(id), Live::Still => None }] {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href="/" {
                        svg viewBox="0 0 16 16" width="22" height="22" aria-hidden="true" focusable="false" {
                            rect width="16" height="16" rx="4" {}
                            path d="M3.5 11.5 7 7l2.2 2.4L12.5 4.5" {}
                        }
                        "nephoran"
                    }
                    nav aria-label="Site" {
                        a href="/" { "Intents" }
                        a href="/openapi.json" { "API" }
                        a href="/metrics" { "Metrics" }
                    }
                    p #link-state .link-state hidden { span.dot {} span.link-word { "connecting" } }
                }
                main #main tabindex="-1" { (main) }
                footer.foot {
                    span.keys {
                        kbd { "/" } " write  " kbd { "Ctrl" } "+" kbd { "Enter" } " send  "
                        kbd { "j" } " " kbd { "k" } " move in the list  " kbd { "Enter" } " open"
                    }
                    span.only-still { "Times are UTC" }
                }
                p #announce .sr role="status" aria-live="polite" {}
            }
        }
    }
}

/// A page for what went wrong: what it was, and what to do.
pub fn problem(title: &str, detail: &str, remedy: &Markup) -> Markup {
    html! {
        section.card.problem {
            h1 { (title) }
            p { (visible(detail)) }
            p { (remedy) }
            p { a.button href="/" { "To the list" } }
        }
    }
}
