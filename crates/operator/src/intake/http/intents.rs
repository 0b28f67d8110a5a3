//! `/api/v1/intents`: send an intent, read its record.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use nephoran_api::intent_v1::is_mark;
use nephoran_api::problem::Fault;
use nephoran_api::record::{self, PlanView, Record};
use nephoran_api::submission;
use nephoran_model::intent::{Constraints, Intent, IntentId, Request, Source, State as Standing};
use nephoran_model::proposal::is_dns_label;
use serde::Serialize;
use serde_json::{Value, json};

use super::reject::Reject;
use super::{API_BODY, Doors, Shared, body};
use crate::admit::{Admitted, Depth, DryRun, Key, Submission};
use crate::store;
use crate::telemetry::trace::{self, Trace};

/// Longest page of a list.
const MAX_PAGE: usize = 500;
const PAGE: usize = 50;

/// Audit entries of one intent in one answer; an intent's whole life has dozens.
const AUDIT_PAGE: usize = 1000;

/// A header with the idempotency key, as other APIs call it.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

pub async fn submit(State(doors): State<Shared>, headers: HeaderMap, sent: Body) -> Result<Response, Reject> {
    let kind = match content_kind(&headers) {
        Some(kind) => kind,
        None => {
            body::throw_away(sent);
            return Err(Reject::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content_type",
                "The content type is not supported",
                "send text/plain (words, UTF-8) or application/json",
            ));
        }
    };
    let bytes = body::read(sent, API_BODY).await?;
    let said = match kind {
        ContentKind::Text => words(&bytes)?,
        ContentKind::Json => {
            let value = nephoran_api::json::read(&bytes)?;
            submission::read(&value, &doors.sources).map_err(Reject::unprocessable)?
        }
    };
    let key = idempotency_key(&headers, said.idempotency_key.as_deref())?;
    times_make_sense(&said, Timestamp::now())?;
    let dry_run = said.dry_run;
    let mut submission = submission_of(said, key, &bytes, &doors);
    submission.traceparent = trace::sent(&headers);
    if dry_run {
        let outcome = doors.desk.dry_run(submission, Depth::Whole).await?;
        return Ok(json_answer(StatusCode::OK, &dry_run_view(&outcome)));
    }
    let admitted = doors.desk.admit(submission).await?;
    Ok(admitted_answer(&admitted, doors.metrics.is_traced()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentKind {
    Text,
    Json,
}

/// What the body is, or `None` when it is nothing that we read.
fn content_kind(headers: &HeaderMap) -> Option<ContentKind> {
    let said = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match media_type(said)? {
        "text/plain" => Some(ContentKind::Text),
        "application/json" | "text/json" => Some(ContentKind::Json),
        _ => None,
    }
}

/// The media type, when it is one that we read and its text is UTF-8 or a part of it.
pub fn media_type(said: &str) -> Option<&'static str> {
    let mut parts = said.split(';');
    let kind = parts.next().unwrap_or_default().trim();
    let known = ["text/plain", "application/json", "text/json"]
        .into_iter()
        .find(|known| kind.eq_ignore_ascii_case(known))?;
    // JSON is UTF-8 whatever the parameter says (RFC 8259 clause 11).
    let readable = known != "text/plain"
        || parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"');
            !name.trim().eq_ignore_ascii_case("charset")
                || ["utf-8", "utf8", "us-ascii"].iter().any(|charset| value.eq_ignore_ascii_case(charset))
        });
    readable.then_some(known)
}

/// A body of words says nothing beside them.
fn words(bytes: &Bytes) -> Result<submission::Body, Reject> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| Reject::bad_request("the text is not UTF-8"))?;
    // A line's end is how tools send one line; it is no word.
    let text = text.trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        return Err(Reject::unprocessable(vec![Fault::new("", "the text says nothing")]));
    }
    Ok(submission::Body {
        request: submission::Request::Text(text.to_owned()),
        priority: None,
        deadline: None,
        not_before: None,
        dry_run: false,
        change: Default::default(),
        idempotency_key: None,
    })
}

pub fn idempotency_key(headers: &HeaderMap, in_body: Option<&str>) -> Result<Option<String>, Reject> {
    let mut sent = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = sent.next() else { return Ok(in_body.map(str::to_owned)) };
    let in_header =
        first.to_str().ok().filter(|key| is_mark(key) && sent.next().is_none()).ok_or_else(|| {
            Reject::bad_request("the Idempotency-Key must be one of 1 to 128 of A-Z, a-z, 0-9 and ._:-")
        })?;
    if in_body.is_some_and(|key| key != in_header) {
        return Err(Reject::bad_request("the Idempotency-Key header and idempotency_key differ"));
    }
    Ok(Some(in_header.to_owned()))
}

/// A deadline that has passed, or passes before the intent may begin, is a slip of the requester.
fn times_make_sense(said: &submission::Body, now: Timestamp) -> Result<(), Reject> {
    let Some(deadline) = said.deadline else { return Ok(()) };
    let wrong = |detail: &str| Err(Reject::unprocessable(vec![Fault::new("/deadline", detail)]));
    if deadline <= now {
        return wrong("lies in the past");
    }
    match said.not_before {
        Some(begin) if begin >= deadline => wrong("must be after not_before"),
        _ => Ok(()),
    }
}

fn submission_of(said: submission::Body, key: Option<String>, bytes: &[u8], doors: &Doors) -> Submission {
    let mut made = Submission {
        source: Source::Http,
        requester: doors.requester.clone(),
        request: Request::Text(String::new()),
        priority: said.priority,
        deadline: said.deadline,
        not_before: said.not_before,
        change: said.change,
        constraints: Constraints::default(),
        key: key.map(|key| Key { key, digest: digest(bytes) }),
        parent: None,
        file: None,
        folder_key: None,
        correlation_id: None,
        traceparent: None,
    };
    made.request = match said.request {
        submission::Request::Text(text) => Request::Text(text),
        submission::Request::Proposal(proposal) => Request::Proposal(proposal),
        submission::Request::Intent { body, intent } => {
            made.priority = made.priority.or(Some(intent.priority));
            made.change.reason = made.change.reason.or(intent.reason);
            made.constraints = intent.constraints;
            made.correlation_id = intent.correlation_id;
            Request::Intent { body, proposal: intent.proposal }
        }
    };
    made
}

/// SHA-256 of what was sent.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// What a client is told of its accepted intent. Its own type: this is the hot path.
#[derive(Serialize)]
struct Accepted<'a> {
    id: &'a str,
    state: Standing,
    position: usize,
    links: Links<'a>,
}

#[derive(Serialize)]
struct Links<'a> {
    #[serde(rename = "self")]
    here: &'a str,
    plan: String,
    report: String,
    audit: String,
    events: String,
}

/// 202 with where to look; 200 when the same key and bytes came before.
pub fn admitted_answer(admitted: &Admitted, traced: bool) -> Response {
    let id = admitted.id.as_str();
    let here = format!("/api/v1/intents/{id}");
    let status = if admitted.repeated { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut response = json_answer(
        status,
        &Accepted {
            id,
            state: admitted.state,
            position: admitted.position,
            links: Links {
                here: &here,
                plan: format!("{here}/plan"),
                report: format!("{here}/report"),
                audit: format!("{here}/audit"),
                events: format!("/api/v1/events?intent={id}"),
            },
        },
    );
    if let Ok(location) = HeaderValue::from_str(&here) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    admitted.trace.mark(response.headers_mut(), traced);
    response
}

pub fn json_answer(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let kind = HeaderValue::from_static("application/json");
            (status, [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Err(error) => Reject::store(error).into_response(),
    }
}

fn dry_run_view(outcome: &DryRun) -> Value {
    let question = outcome.question.as_ref();
    json!({
        "state": outcome.state,
        "proposal": outcome.proposal,
        "plan": outcome.plan.as_ref().map(PlanView::of),
        "findings": outcome.findings,
        "question": question.map(|question| &question.text),
        "missing": question.map(|question| question.missing.as_slice()).unwrap_or_default(),
        "candidates": question.map(|question| question.candidates.as_slice()).unwrap_or_default(),
        "answer": outcome.answer,
    })
}

/// The intent of the path, or 404: what is no id names none.
pub async fn find(doors: &Doors, id: &str) -> Result<Intent, Reject> {
    let id = parse_id(id)?;
    match doors.store.get(&id).await {
        Ok(Some(intent)) => Ok(intent),
        Ok(None) => Err(Reject::unknown_intent(id.as_str())),
        Err(error) => Err(Reject::store(error)),
    }
}

pub fn parse_id(id: &str) -> Result<IntentId, Reject> {
    IntentId::parse(id).ok_or_else(|| Reject::unknown_intent(id))
}

pub async fn one(State(doors): State<Shared>, Path(id): Path<String>) -> Result<Response, Reject> {
    let intent = find(&doors, &id).await?;
    let mut response = json_answer(StatusCode::OK, &Record::of(&intent));
    Trace::of(&intent).mark(response.headers_mut(), doors.metrics.is_traced());
    Ok(response)
}

pub async fn plan(State(doors): State<Shared>, Path(id): Path<String>) -> Result<Response, Reject> {
    let intent = find(&doors, &id).await?;
    match &intent.plan {
        Some(plan) => Ok(json_answer(StatusCode::OK, &PlanView::of(plan))),
        None => Err(Reject::not_found(format!("intent {id} has no plan: it is {}", intent.state))),
    }
}

pub async fn report(State(doors): State<Shared>, Path(id): Path<String>) -> Result<Response, Reject> {
    let intent = find(&doors, &id).await?;
    Ok(json_answer(StatusCode::OK, &record::Report::of(&intent)))
}

pub async fn audit(State(doors): State<Shared>, Path(id): Path<String>) -> Result<Response, Reject> {
    let intent = find(&doors, &id).await?;
    let entries = doors.store.audit(Some(&intent.id), 0, AUDIT_PAGE).await.map_err(Reject::store)?;
    Ok(json_answer(StatusCode::OK, &json!({"items": entries})))
}

pub async fn list(
    State(doors): State<Shared>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Reject> {
    let Query(query) = query.map_err(|_| Reject::bad_request("the query cannot be read"))?;
    let asked = Asked::read(query)?;
    let page =
        doors.store.list(asked.filter, asked.cursor, asked.limit.unwrap_or(PAGE)).await.map_err(|error| {
            match error {
                store::Error::Cursor => Reject::bad_request("the cursor is none that a list returned"),
                other => Reject::store(other),
            }
        })?;
    let items: Vec<Record<'_>> = page.items.iter().map(Record::of).collect();
    Ok(json_answer(StatusCode::OK, &json!({"items": items, "next_cursor": page.next_cursor})))
}

/// The query of a list.
#[derive(Debug, Default)]
struct Asked {
    filter: store::Filter,
    cursor: Option<String>,
    limit: Option<usize>,
}

impl Asked {
    fn read(query: Vec<(String, String)>) -> Result<Self, Reject> {
        let mut asked = Self::default();
        for (name, value) in query {
            if value.is_empty() {
                continue;
            }
            let wrong = |wants: String| Reject::bad_request(format!("the query's {name} must be {wants}"));
            match name.as_str() {
                "state" => {
                    let state = Standing::parse(&value).ok_or_else(|| {
                        wrong(format!("one of {}", Standing::ALL.map(Standing::as_str).join(", ")))
                    })?;
                    asked.filter.states = vec![state];
                }
                "priority" => {
                    let priority =
                        value.parse().map_err(|()| wrong("one of urgent, high, normal, low".to_owned()))?;
                    asked.filter.priority = Some(priority);
                }
                "source" => {
                    let source = Source::ALL.into_iter().find(|source| source.as_str() == value);
                    asked.filter.source = Some(source.ok_or_else(|| {
                        wrong(format!("one of {}", Source::ALL.map(Source::as_str).join(", ")))
                    })?);
                }
                "namespace" => {
                    if !is_dns_label(&value) {
                        return Err(wrong("a DNS label".to_owned()));
                    }
                    asked.filter.namespace = Some(value);
                }
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
                    asked.limit = Some(limit.ok_or_else(|| wrong(format!("a number from 1 to {MAX_PAGE}")))?);
                }
                "cursor" => asked.cursor = Some(value),
                _ => {
                    return Err(Reject::bad_request(
                        "the query may have state, namespace, priority, source, limit and cursor",
                    ));
                }
            }
        }
        Ok(asked)
    }
}
