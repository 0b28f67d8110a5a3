//! Health, readiness, metrics and the numbers behind the queue.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use nephoran_limit::{Rate, Rates, Tier};
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

pub async fn limits(State(doors): State<Shared>) -> Response {
    let standing = doors.rates.standing();
    let rate = |tier: fn(&Rates) -> Rate| standing.rates.as_ref().map(tier);
    let (client, global) = (rate(|rates| rates.client), rate(|rates| rates.global));
    let per_second = |rate: Option<Rate>| rate.map(|rate| number(rate.per_second()));
    let counts =
        |tier| json!({"allowed": standing.numbers.passed(tier), "refused": standing.numbers.refused(tier)});
    json_answer(
        StatusCode::OK,
        &json!({
            "enabled": standing.rates.is_some(),
            "global_qps_limit": per_second(global),
            "global_burst": global.map(|rate| rate.burst()),
            "per_ip_stats": {
                "qps_limit": per_second(client),
                "burst_limit": client.map(|rate| rate.burst()),
                "active_ips": standing.numbers.clients,
                "most_ips": standing.most_clients,
                "in_shared_bucket": standing.numbers.shared,
            },
            "client": counts(Tier::Client),
            "global": counts(Tier::Global),
        }),
    )
}

/// 20, not 20.0.
fn number(value: f64) -> serde_json::Value {
    if value.fract() == 0.0 { json!(value as u64) } else { json!(value) }
}

fn plain(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], text).into_response()
}
