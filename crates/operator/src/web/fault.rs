//! A page in place of the one that was asked for: what went wrong, and what to do.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, html};

use super::render::{Live, frame, problem};

#[derive(Debug)]
pub struct Fault {
    status: StatusCode,
    page: Markup,
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        (self.status, self.page).into_response()
    }
}

fn fault(status: StatusCode, title: &str, detail: &str, remedy: &Markup) -> Fault {
    Fault { status, page: frame(title, Live::Still, &problem(title, detail, remedy)) }
}

pub fn unknown_intent(id: &str) -> Fault {
    let shown: String = id.chars().take(60).collect();
    fault(
        StatusCode::NOT_FOUND,
        "No such intent",
        &format!("No intent has the id “{shown}”."),
        &html! { "Ids are lower-case and at most 40 characters. An intent that ended long ago may have been removed." },
    )
}

pub fn unreadable(reason: &str) -> Fault {
    fault(
        StatusCode::SERVICE_UNAVAILABLE,
        "The intents cannot be read now",
        reason,
        &html! { "Try again in a moment. " code { "nephoran doctor" } " checks the store and names the remedy." },
    )
}

pub fn address(detail: &str) -> Fault {
    fault(
        StatusCode::BAD_REQUEST,
        "This address is not understood",
        detail,
        &html! { "The list has a filter for each state." },
    )
}

pub fn foreign_form() -> Fault {
    fault(
        StatusCode::FORBIDDEN,
        "This form was not sent from this page",
        "Its token is missing or is not the one that this browser was given. Nothing was done.",
        &html! { "Load the page again and send the form from there. Cookies of this site must be allowed." },
    )
}

pub fn unreadable_form(status: StatusCode, detail: &str) -> Fault {
    fault(
        status,
        "This form cannot be read",
        detail,
        &html! { "An intent may have up to 256 KiB. Nothing was done." },
    )
}

/// For addresses that nothing answers, when a person asks.
pub fn unknown_page() -> Fault {
    fault(
        StatusCode::NOT_FOUND,
        "There is nothing here",
        "No page has this address.",
        &html! { "The list of intents is the way to everything else." },
    )
}
