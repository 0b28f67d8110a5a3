//! What is done: `POST` of every form. Each proves where it came from, acts, and then
//! sends the browser on with 303, so that loading the page again does nothing twice.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::{Markup, html};
use nephoran_api::problem::Fault;
use nephoran_api::shape::{self, Shape};
use nephoran_api::submission;
use nephoran_model::intent::{Constraints, Intent, Request, Source};
use nephoran_model::plan::PlanHash;
use ring::digest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::csrf::Expected;
use super::fault::{self, Fault as FaultPage};
use super::pages::{find, home_with, list, story};
use super::render::{self, Draft, Filter, Visit};
use super::{Shared, Site, text};
use crate::admit::{Admitted, Depth, Key, Refusal, Submission};
use crate::intake::http::{ANSWER_SHAPE, API_BODY, APPROVE_SHAPE, REJECT_SHAPE};
use crate::reconcile::acts::Error;

/// Whoever can reach a loopback-only server is one and the same.
const ACTOR: &str = "local";

/// Every field of every form; each form has some of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    nonce: String,
    text: String,
    priority: String,
    ticket: String,
    reason: String,
    choice: String,
    plan_hash: String,
    comment: String,
}

type Sent = Result<Form<Fields>, FormRejection>;

type Answer = Result<Response, FaultPage>;

fn read(sent: Sent, expected: &Expected) -> Result<Fields, FaultPage> {
    let Form(fields) =
        sent.map_err(|rejection| fault::unreadable_form(rejection.status(), &rejection.body_text()))?;
    expected.check(&fields.csrf)?;
    Ok(fields)
}

/// Browsers send each line's end as two characters.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn draft(fields: &Fields) -> Draft {
    Draft {
        text: lines(&fields.text),
        priority: fields.priority.parse().ok(),
        ticket: fields.ticket.clone(),
        reason: fields.reason.clone(),
        nonce: fields.nonce.clone(),
    }
}

/// The same rules hold for a form as for JSON.
fn submission(draft: &Draft) -> Result<Submission, Vec<Fault>> {
    if draft.text.len() > API_BODY {
        let detail =
            format!("is {} KiB; at most {} KiB are accepted", draft.text.len() / 1024, API_BODY / 1024);
        return Err(vec![Fault::new("/text", detail)]);
    }
    let said = json!({
        "text": draft.text,
        "priority": draft.priority.map(|priority| priority.as_str()),
        "change": { "ticket": filled(&draft.ticket), "reason": filled(&draft.reason) },
    });
    let said = submission::read(&said, &[])?;
    Ok(Submission {
        source: Source::Http,
        requester: ACTOR.to_owned(),
        key: key(draft),
        request: Request::Text(draft.text.clone()),
        priority: said.priority,
        deadline: None,
        not_before: None,
        change: said.change,
        constraints: Constraints::default(),
        parent: None,
        file: None,
        folder_key: None,
        correlation_id: None,
        traceparent: None,
    })
}

/// What is wrong with a form, field by field.
fn wrong(faults: &[Fault]) -> Markup {
    html! {
        p { strong { "Not sent: something in the form is not right." } }
        ul {
            @for fault in faults {
                @let field = fault.pointer.rsplit('/').next().filter(|field| !field.is_empty()).unwrap_or("text");
                li { strong { (field) } ": " (text::visible(&fault.detail)) }
            }
        }
    }
}

/// Whether a form of an act is right, by the rules of the route beside it.
fn judge(said: &Value, shape: &Shape) -> Result<(), Markup> {
    let faults = shape::judge(said, shape);
    if faults.is_empty() { Ok(()) } else { Err(wrong(&faults)) }
}

/// One form sent twice is one intent; a form that was changed meanwhile is another.
fn key(draft: &Draft) -> Option<Key> {
    let sane = draft.nonce.len() == 32 && draft.nonce.bytes().all(|b| b.is_ascii_hexdigit());
    sane.then(|| {
        let priority = draft.priority.map_or("", |priority| priority.as_str());
        let content = [draft.text.as_str(), priority, &draft.ticket, &draft.reason].join("\0");
        let hash = digest::digest(&digest::SHA256, content.as_bytes());
        let mut digest = [0; 32];
        digest.copy_from_slice(hash.as_ref());
        let short: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Key { key: format!("page:{}:{short}", draft.nonce), digest }
    })
}

/// The plan for the words as they stand. Nothing is stored.
pub async fn preview(
    State(site): Shared,
    visit: Visit,
    expected: Expected,
    headers: HeaderMap,
    sent: Sent,
) -> Answer {
    let fields = read(sent, &expected)?;
    let (code, shown) = if fields.text.trim().is_empty() {
        (StatusCode::OK, render::nothing())
    } else if let Ok(_permit) = site.previews.try_acquire() {
        match submission(&draft(&fields)) {
            Ok(submission) => match site.pages.desk.dry_run(submission, Depth::Grammar).await {
                Ok(run) => (StatusCode::OK, render::preview(&run)),
                Err(refusal) => (status(&refusal), render::turned_away(&refusal.to_string())),
            },
            Err(faults) => (StatusCode::UNPROCESSABLE_ENTITY, html! { div.verdict.bad { (wrong(&faults)) } }),
        }
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            render::turned_away("Many plans are being drawn. Try again in a second."),
        )
    };
    if headers.contains_key("x-fragment") {
        // Words that cannot be planned are no fault of the request: only what is worth asking again is.
        let code = if code == StatusCode::SERVICE_UNAVAILABLE { code } else { StatusCode::OK };
        return Ok((code, shown).into_response());
    }
    home_again(&site, &visit, &draft(&fields), &shown, None, StatusCode::OK).await
}

pub async fn submit(State(site): Shared, visit: Visit, expected: Expected, sent: Sent) -> Answer {
    let fields = read(sent, &expected)?;
    let draft = draft(&fields);
    let empty = render::nothing();
    if draft.text.trim().is_empty() {
        let notice = html! { p { "There is nothing to send yet: write what the network should do." } };
        return home_again(&site, &visit, &draft, &empty, Some(&notice), StatusCode::UNPROCESSABLE_ENTITY)
            .await;
    }
    let submission = match submission(&draft) {
        Ok(submission) => submission,
        Err(faults) => {
            let notice = wrong(&faults);
            return home_again(
                &site,
                &visit,
                &draft,
                &empty,
                Some(&notice),
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await;
        }
    };
    match site.pages.desk.admit(submission).await {
        Ok(admitted) => Ok(to(admitted.id.as_str())),
        Err(refusal) => {
            let notice = turned_away(&refusal);
            let mut response =
                home_again(&site, &visit, &draft, &empty, Some(&notice), status(&refusal)).await?;
            retry_after(&mut response, &refusal);
            Ok(response)
        }
    }
}

/// The first page with the box as it was left, so that nothing that was written is lost.
async fn home_again(
    site: &Site,
    visit: &Visit,
    draft: &Draft,
    preview: &Markup,
    notice: Option<&Markup>,
    code: StatusCode,
) -> Answer {
    let listing = list(site, Filter::All, None).await?;
    Ok((code, home_with(site, visit, draft, preview, notice, listing)).into_response())
}

fn to(id: &str) -> Response {
    Redirect::to(&format!("/intents/{id}")).into_response()
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Full { .. }
        | Refusal::TooManyLive { .. }
        | Refusal::Draining { .. }
        | Refusal::Model { .. }
        | Refusal::Late { .. }
        | Refusal::Store { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::KeyReused => StatusCode::CONFLICT,
        Refusal::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn wait(refusal: &Refusal) -> Option<u64> {
    match refusal {
        Refusal::Full { retry_after, .. }
        | Refusal::TooManyLive { retry_after }
        | Refusal::Draining { retry_after }
        | Refusal::Model { retry_after, .. }
        | Refusal::Late { retry_after, .. }
        | Refusal::Store { retry_after, .. } => Some(retry_after.as_secs().max(1)),
        Refusal::KeyReused | Refusal::Invalid { .. } => None,
    }
}

fn retry_after(response: &mut Response, refusal: &Refusal) {
    if let Some(seconds) = wait(refusal) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

fn turned_away(refusal: &Refusal) -> Markup {
    html! {
        p { strong { "Not accepted: " } (text::visible(&refusal.to_string())) "." }
        p {
            @match (wait(refusal), refusal) {
                (Some(seconds), _) => {
                    "Nothing was stored, and your words are still here. Send them again in "
                    (seconds) @if seconds == 1 { " second." } @else { " seconds." }
                }
                (None, Refusal::KeyReused) => "Load the page again and send it anew.",
                (None, _) => "Nothing was stored. Change it and send it again.",
            }
        }
    }
}

pub async fn answer(
    State(site): Shared,
    visit: Visit,
    Path(id): Path<String>,
    expected: Expected,
    sent: Sent,
) -> Answer {
    let (intent, fields) = about(&site, &id, sent, &expected).await?;
    let text = if fields.choice.is_empty() { lines(&fields.text) } else { fields.choice };
    let Some(text) = filled(&text) else {
        let notice = html! { p { "The answer is empty. Write one, or pick one." } };
        return Ok(story(&visit, &intent, StatusCode::UNPROCESSABLE_ENTITY, Some(&notice)));
    };
    if let Err(notice) = judge(&json!({ "text": text }), &ANSWER_SHAPE) {
        return Ok(story(&visit, &intent, StatusCode::UNPROCESSABLE_ENTITY, Some(&notice)));
    }
    shown(&site, &visit, &intent, site.pages.acts.answer(&intent.id, ACTOR, &text).await).await
}

pub async fn approve(
    State(site): Shared,
    visit: Visit,
    Path(id): Path<String>,
    expected: Expected,
    sent: Sent,
) -> Answer {
    let (intent, fields) = about(&site, &id, sent, &expected).await?;
    let Some(hash) = PlanHash::parse(&fields.plan_hash) else {
        let notice =
            html! { p { "A plan is approved by its whole hash: 64 hex digits. Nothing was approved." } };
        return Ok(story(&visit, &intent, StatusCode::BAD_REQUEST, Some(&notice)));
    };
    let comment = filled(&fields.comment);
    if let Err(notice) = judge(&json!({ "plan_hash": hash, "comment": comment }), &APPROVE_SHAPE) {
        return Ok(story(&visit, &intent, StatusCode::UNPROCESSABLE_ENTITY, Some(&notice)));
    }
    let done = site.pages.acts.approve(&intent.id, ACTOR, &hash, comment).await;
    shown(&site, &visit, &intent, done).await
}

pub async fn reject(
    State(site): Shared,
    visit: Visit,
    Path(id): Path<String>,
    expected: Expected,
    sent: Sent,
) -> Answer {
    let (intent, fields) = about(&site, &id, sent, &expected).await?;
    let Some(reason) = filled(&fields.reason) else {
        let notice = html! { p { "Say why it is rejected: whoever asked for it will read it." } };
        return Ok(story(&visit, &intent, StatusCode::UNPROCESSABLE_ENTITY, Some(&notice)));
    };
    if let Err(notice) = judge(&json!({ "reason": reason }), &REJECT_SHAPE) {
        return Ok(story(&visit, &intent, StatusCode::UNPROCESSABLE_ENTITY, Some(&notice)));
    }
    shown(&site, &visit, &intent, site.pages.acts.reject(&intent.id, ACTOR, &reason).await).await
}

pub async fn cancel(
    State(site): Shared,
    visit: Visit,
    Path(id): Path<String>,
    expected: Expected,
    sent: Sent,
) -> Answer {
    let (intent, _) = about(&site, &id, sent, &expected).await?;
    shown(&site, &visit, &intent, site.pages.acts.cancel(&intent.id, ACTOR).await).await
}

pub async fn rollback(
    State(site): Shared,
    visit: Visit,
    Path(id): Path<String>,
    expected: Expected,
    sent: Sent,
) -> Answer {
    let (intent, _) = about(&site, &id, sent, &expected).await?;
    let done = site.pages.acts.rollback(&intent.id, ACTOR).await;
    followed(&site, &visit, &intent, done).await
}

pub async fn retry(
    State(site): Shared,
    visit: Visit,
    Path(id): Path<String>,
    expected: Expected,
    sent: Sent,
) -> Answer {
    let (intent, _) = about(&site, &id, sent, &expected).await?;
    let done = site.pages.acts.retry(&intent.id, ACTOR).await;
    followed(&site, &visit, &intent, done).await
}

pub async fn pause(State(site): Shared, expected: Expected, sent: Sent) -> Answer {
    read(sent, &expected)?;
    site.pages.acts.pause(ACTOR).await.map_err(|error| fault::unreadable(&error.to_string()))?;
    Ok(Redirect::to("/").into_response())
}

pub async fn resume(State(site): Shared, expected: Expected, sent: Sent) -> Answer {
    read(sent, &expected)?;
    site.pages.acts.resume(ACTOR).await.map_err(|error| fault::unreadable(&error.to_string()))?;
    Ok(Redirect::to("/").into_response())
}

/// The intent that a form is about, and what the form says.
async fn about(
    site: &Site,
    id: &str,
    sent: Sent,
    expected: &Expected,
) -> Result<(Intent, Fields), FaultPage> {
    let fields = read(sent, expected)?;
    Ok((find(site, id).await?, fields))
}

/// Back to the story, which tells what the act did.
async fn shown(site: &Site, visit: &Visit, intent: &Intent, done: Result<Intent, Error>) -> Answer {
    match done {
        Ok(intent) => Ok(to(intent.id.as_str())),
        Err(error) => failed(site, visit, intent, &error).await,
    }
}

/// On to the new intent that the act made.
async fn followed(site: &Site, visit: &Visit, intent: &Intent, done: Result<Admitted, Error>) -> Answer {
    match done {
        Ok(admitted) => Ok(to(admitted.id.as_str())),
        Err(error) => failed(site, visit, intent, &error).await,
    }
}

/// The story as it is now, with why the act was not done above it.
async fn failed(site: &Site, visit: &Visit, intent: &Intent, error: &Error) -> Answer {
    let now = find(site, intent.id.as_str()).await?;
    let (code, remedy) = match error {
        Error::Unknown(_) => (StatusCode::NOT_FOUND, "It may have been removed meanwhile."),
        Error::State { .. } => (StatusCode::CONFLICT, "This is how it is now."),
        Error::OtherPlan { .. } => {
            (StatusCode::PRECONDITION_FAILED, "The plan was made anew. Read the one below and approve that.")
        }
        Error::Forbidden { .. } => (StatusCode::FORBIDDEN, "Somebody else must do it."),
        Error::Refused(refusal) => {
            let mut response = story(visit, &now, status(refusal), Some(&turned_away(refusal)));
            retry_after(&mut response, refusal);
            return Ok(response);
        }
    };
    let notice = html! {
        p { strong { "Not done: " } (text::visible(&error.to_string())) "." }
        p { (remedy) }
    };
    Ok(story(visit, &now, code, Some(&notice)))
}
