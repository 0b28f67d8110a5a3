//! What is read: `GET` of the list and of one intent.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::Markup;
use nephoran_model::intent::{Intent, IntentId};
use serde::Deserialize;

use super::fault::{self, Fault};
use super::render::{self, Draft, Filter, Listing, Live, Visit, Waiting, frame};
use super::{Glance, Shared, Site, csrf};

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    state: String,
    cursor: Option<String>,
    /// A sentence to begin with; it is only put into the box.
    #[serde(default)]
    text: String,
}

pub async fn home(
    State(site): Shared,
    visit: Visit,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(asked) = query.map_err(|_| fault::address("The address has a part that is not understood."))?;
    let filter = Filter::parse(&asked.state)
        .ok_or_else(|| fault::address(&format!("There is no state “{}”.", asked.state)))?;
    let draft = Draft { text: asked.text, nonce: csrf::random(), ..Draft::default() };
    let listing = list(&site, filter, asked.cursor).await?;
    Ok(home_with(&site, &visit, &draft, &render::nothing(), None, listing).into_response())
}

/// The first page with the box as it was left.
pub fn home_with(
    site: &Site,
    visit: &Visit,
    draft: &Draft,
    preview: &Markup,
    notice: Option<&Markup>,
    listing: Listing,
) -> Markup {
    let compose = render::compose(visit, draft, preview, notice);
    frame("Intents", Live::All, &render::home(visit, &compose, &listing, &glance(site)))
}

fn glance(site: &Site) -> Glance {
    Glance { paused: site.pages.acts.is_paused(), ..(site.pages.glance)() }
}

pub async fn list(site: &Site, filter: Filter, cursor: Option<String>) -> Result<Listing, Fault> {
    let later = cursor.is_some();
    let read = |filter: Filter, cursor| async move {
        (site.pages.list)(filter.states(), cursor).await.map_err(|reason| fault::unreadable(&reason))
    };
    let listed = read(filter, cursor).await?;
    let waiting = if filter == Filter::Waiting && !later {
        Waiting { count: listed.intents.len(), more: listed.next.is_some() }
    } else {
        let waiting = read(Filter::Waiting, None).await?;
        Waiting { count: waiting.intents.len(), more: waiting.next.is_some() }
    };
    Ok(Listing { filter, intents: listed.intents, next: listed.next, later, waiting })
}

pub async fn intent(State(site): Shared, visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    Ok(story(&visit, &find(&site, &id).await?, StatusCode::OK, None))
}

pub fn story(visit: &Visit, intent: &Intent, status: StatusCode, notice: Option<&Markup>) -> Response {
    let live = Live::One { id: intent.id.as_str(), moving: !intent.state.is_resting(intent.hold) };
    let page = frame(&render::title(intent), live, &render::story(visit, intent, notice));
    (status, page).into_response()
}

pub async fn find(site: &Site, id: &str) -> Result<Intent, Fault> {
    let parsed = IntentId::parse(id).ok_or_else(|| fault::unknown_intent(id))?;
    match (site.pages.get)(parsed).await {
        Ok(Some(intent)) => Ok(intent),
        Ok(None) => Err(fault::unknown_intent(id)),
        Err(reason) => Err(fault::unreadable(&reason)),
    }
}
