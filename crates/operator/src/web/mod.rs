//! The page: what a person sees of the operator, and the forms that act on it.
//!
//! Rendered on the server and complete without JavaScript; the one script makes it live:
//! it reads the event stream and then asks for the same page again, never for another shape of it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use nephoran_model::intent::{Intent, IntentId, State as IntentState};
use tokio::sync::Semaphore;

use crate::admit::Desk;
use crate::intake::http::body;
use crate::reconcile::acts::Acts;

/// The stylesheet and the script, with the hash that names their content.
mod assets;

/// Text of strangers as text: escaped, with what would not show made to show.
mod text;

/// A proposal in words: what was understood.
mod words;

/// How each state looks: a word, a shape and a tone.
mod look;

/// Markup, a function per part of a page.
pub mod render;

/// Pages in place of those that were asked for.
mod fault;

/// A form proves that it came from a page of ours.
mod csrf;

/// What is read: `GET` of the list and of one intent.
mod pages;

/// What is done: `POST` of every form.
mod forms;

pub use render::Glance;

/// Reads one intent; `None` when no intent has the id.
pub type Get = Arc<dyn Fn(IntentId) -> BoxFuture<'static, Result<Option<Intent>, String>> + Send + Sync>;

/// Reads a page of intents in any of these states (none: in all), newest first.
pub type List =
    Arc<dyn Fn(Vec<IntentState>, Option<String>) -> BoxFuture<'static, Result<Listed, String>> + Send + Sync>;

/// A page of the list, and where the next one begins.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    pub intents: Vec<Intent>,
    pub next: Option<String>,
}

/// What the page needs of the rest.
#[derive(Clone)]
pub struct Pages {
    pub desk: Desk,
    pub acts: Acts,
    pub get: Get,
    pub list: List,
    /// The queue as it is now.
    pub glance: Arc<dyn Fn() -> Glance + Send + Sync>,
}

/// Plans drawn for people who type, at once. Each is a few milliseconds; who comes when
/// all are taken is told so, and the script asks again with the next key.
const PREVIEWS: usize = 4;

/// The 256 KiB of the longest intent, three bytes for each in the form's encoding.
const FORM_LIMIT: usize = 800 * 1024;

struct Site {
    pages: Pages,
    previews: Semaphore,
}

type Shared = State<Arc<Site>>;

/// Every route of the page. Host, origin and request ids are checked outside.
pub fn router(pages: Pages) -> Router {
    let site = Arc::new(Site { pages, previews: Semaphore::new(PREVIEWS) });
    Router::new()
        .route("/", get(pages::home))
        .route("/intents/{id}", get(pages::intent))
        .route("/ui/preview", post(forms::preview))
        .route("/ui/intents", post(forms::submit))
        .route("/ui/intents/{id}/answer", post(forms::answer))
        .route("/ui/intents/{id}/approve", post(forms::approve))
        .route("/ui/intents/{id}/reject", post(forms::reject))
        .route("/ui/intents/{id}/cancel", post(forms::cancel))
        .route("/ui/intents/{id}/rollback", post(forms::rollback))
        .route("/ui/intents/{id}/retry", post(forms::retry))
        .route("/ui/pause", post(forms::pause))
        .route("/ui/resume", post(forms::resume))
        .layer(from_fn(csrf::cookie))
        .route("/assets/{name}", get(assets::serve))
        // The body is read whole, and within bounds, before a form looks at it.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(whole_body))
        .layer(from_fn(headers))
        .with_state(site)
}

async fn whole_body(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match body::read(body, FORM_LIMIT).await {
        Ok(bytes) => next.run(Request::from_parts(parts, bytes.into())).await,
        Err(reject) => {
            let status = StatusCode::from_u16(reject.problem.status).unwrap_or(StatusCode::BAD_REQUEST);
            let detail = match status {
                StatusCode::PAYLOAD_TOO_LARGE => "It is larger than any intent may be.",
                _ => &reject.problem.detail,
            };
            fault::unreadable_form(status, detail).into_response()
        }
    }
}

async fn headers(request: Request, next: Next) -> Response {
    bounded(next.run(request).await)
}

/// Nothing but our own files runs or shows, nobody frames us, and no address of ours leaks.
fn bounded(mut response: Response) -> Response {
    let out = response.headers_mut();
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        // Not `no-referrer`: it makes browsers send `Origin: null` with our own forms.
        ("referrer-policy", "same-origin"),
    ] {
        out.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    out.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache, private"));
    response
}

/// What people get where nothing answers; for `Router::fallback` where the client takes HTML.
pub fn not_found() -> Response {
    bounded(fault::unknown_page().into_response())
}
