//! What people do to an intent, and to the workers.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use nephoran_api::problem::Fault;
use nephoran_api::record::Record;
use nephoran_api::shape::{self, Object, Shape, may, need};
use nephoran_model::plan::PlanHash;
use serde_json::{Value, json};

use super::intents::{admitted_answer, json_answer, parse_id};
use super::reject::Reject;
use super::{API_BODY, Shared, body};

static ANSWER: Object = object(&[need("text", Shape::Raw { min: 1, max: 1000 })]);
static APPROVE: Object = object(&[
    need(
        "plan_hash",
        Shape::Form {
            form: "the whole plan hash: 64 of 0-9 and a-f",
            pattern: "^[0-9a-f]{64}$",
            judge: |word| PlanHash::parse(word).is_some(),
        },
    ),
    may("comment", Shape::Text { min: 0, max: 512 }),
]);
static REJECT: Object = object(&[need("reason", Shape::Text { min: 1, max: 512 })]);
static NOTHING: Object = object(&[]);

pub const ANSWER_SHAPE: Shape = Shape::Object(&ANSWER);
pub const APPROVE_SHAPE: Shape = Shape::Object(&APPROVE);
pub const REJECT_SHAPE: Shape = Shape::Object(&REJECT);

const fn object(fields: &'static [shape::Field]) -> Object {
    Object { fields, rules: &[], open: false, null_is_absent: true }
}

/// The body as JSON of that shape. No body reads as an empty object.
async fn read(sent: Body, object: &'static Object) -> Result<Value, Reject> {
    let bytes = body::read(sent, API_BODY).await?;
    let value = if bytes.is_empty() { json!({}) } else { nephoran_api::json::read(&bytes)? };
    let faults = shape::judge(&value, &Shape::Object(object));
    if faults.is_empty() { Ok(value) } else { Err(Reject::unprocessable(faults)) }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}

pub async fn answer(
    State(doors): State<Shared>,
    Path(id): Path<String>,
    sent: Body,
) -> Result<Response, Reject> {
    let said = read(sent, &ANSWER).await?;
    let text = text(&said, "text").unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Reject::unprocessable(vec![Fault::new("/text", "says nothing")]));
    }
    let intent = doors.acts.answer(&parse_id(&id)?, &doors.requester, &text).await?;
    Ok(json_answer(StatusCode::OK, &Record::of(&intent)))
}

pub async fn approve(
    State(doors): State<Shared>,
    Path(id): Path<String>,
    sent: Body,
) -> Result<Response, Reject> {
    let said = read(sent, &APPROVE).await?;
    let plan = said["plan_hash"]
        .as_str()
        .and_then(PlanHash::parse)
        .ok_or_else(|| Reject::unprocessable(vec![Fault::new("/plan_hash", "must be 64 of 0-9 and a-f")]))?;
    let comment = text(&said, "comment").filter(|comment| !comment.is_empty());
    let intent = doors.acts.approve(&parse_id(&id)?, &doors.requester, &plan, comment).await?;
    Ok(json_answer(StatusCode::OK, &Record::of(&intent)))
}

pub async fn reject(
    State(doors): State<Shared>,
    Path(id): Path<String>,
    sent: Body,
) -> Result<Response, Reject> {
    let said = read(sent, &REJECT).await?;
    let reason = text(&said, "reason").unwrap_or_default();
    let intent = doors.acts.reject(&parse_id(&id)?, &doors.requester, &reason).await?;
    Ok(json_answer(StatusCode::OK, &Record::of(&intent)))
}

pub async fn cancel(
    State(doors): State<Shared>,
    Path(id): Path<String>,
    sent: Body,
) -> Result<Response, Reject> {
    read(sent, &NOTHING).await?;
    let intent = doors.acts.cancel(&parse_id(&id)?, &doors.requester).await?;
    Ok(json_answer(StatusCode::OK, &Record::of(&intent)))
}

/// A new intent that undoes this one.
pub async fn rollback(
    State(doors): State<Shared>,
    Path(id): Path<String>,
    sent: Body,
) -> Result<Response, Reject> {
    read(sent, &NOTHING).await?;
    let admitted = doors.acts.rollback(&parse_id(&id)?, &doors.requester).await?;
    Ok(admitted_answer(&admitted, doors.metrics.is_traced()))
}

/// A new intent that asks again for what this one failed to do.
pub async fn retry(
    State(doors): State<Shared>,
    Path(id): Path<String>,
    sent: Body,
) -> Result<Response, Reject> {
    read(sent, &NOTHING).await?;
    let admitted = doors.acts.retry(&parse_id(&id)?, &doors.requester).await?;
    Ok(admitted_answer(&admitted, doors.metrics.is_traced()))
}

pub async fn pause(State(doors): State<Shared>, sent: Body) -> Result<Response, Reject> {
    read(sent, &NOTHING).await?;
    doors.acts.pause(&doors.requester).await?;
    Ok(json_answer(StatusCode::OK, &json!({"paused": true})))
}

pub async fn resume(State(doors): State<Shared>, sent: Body) -> Result<Response, Reject> {
    read(sent, &NOTHING).await?;
    doors.acts.resume(&doors.requester).await?;
    Ok(json_answer(StatusCode::OK, &json!({"paused": false})))
}
