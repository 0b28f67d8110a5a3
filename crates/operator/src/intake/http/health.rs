//! Health, readiness, metrics and the numbers behind the queue.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use nephoran_queue::Band;
use serde_json::{Map, json};

use super::Shared;
use super::intents::json_answer;
use super::reject::Reject;

/// The process answers: nothing more is said.
pub async fn alive() -> Response {
    plain("ok\n")
}

pub async fn ready(State(doors): State<Shared>) -> Result<Response, Reject> {
    let report = doors.readiness.report();
    if report.ready {
        return Ok(plain("ready\n"));
    }
    let said: Vec<String> =
        report.reasons.iter().map(|reason| format!("{}: {}", reason.condition, reason.reason)).collect();
    Err(Reject::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "Not ready", said.join("; "))
        .retry_after(Duration::from_secs(2)))
}

pub async fn metrics(State(doors): State<Shared>) -> Response {
    let text = doors.metrics.encode();
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

pub async fn queue(State(doors): State<Shared>) -> Response {
    let numbers = (doors.queue)();
    let mut bands = Map::new();
    for band in Band::ALL {
        bands.insert(
            band.as_str().to_owned(),
            json!({
                "waiting": numbers.waiting[band.index()],
                "used": numbers.used[band.index()],
                "refused_from": numbers.limits.refused_from(band),
            }),
        );
    }
    json_answer(
        StatusCode::OK,
        &json!({
            "capacity": numbers.limits.total,
            "used": numbers.used.iter().sum::<usize>(),
            "waiting": numbers.waiting.iter().sum::<usize>(),
            "delayed": numbers.delayed,
            "claimed": numbers.claimed,
            "paused": numbers.paused,
            "bands": bands,
        }),
    )
}

pub async fn limits() -> Reject {
    Reject::new(
        StatusCode::NOT_IMPLEMENTED,
        "later",
        "Not in this version",
        "request rate limits (two tiers) come with a later version; /api/v1/queue has the queue's bounds",
    )
}

fn plain(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], text).into_response()
}
