//! `POST /api/v1/admin/profile`: where the processor's time goes. On a server without tokens everybody on
//! this machine is `local`, which counts as admin.

use std::collections::HashMap;

use axum::extract::Query;
use axum::response::Response;
use nephoran_api::problem::Fault;

use super::reject::Reject;

/// An answer must begin within 30 s (see the frame).
const MOST_SECONDS: u64 = 25;
const SECONDS: u64 = 10;

pub async fn profile(Query(asked): Query<HashMap<String, String>>) -> Result<Response, Reject> {
    let wrong = || {
        let detail = format!("must be a whole number from 1 to {MOST_SECONDS}");
        Reject::unprocessable(vec![Fault::new("/seconds", &detail)])
    };
    let seconds = match asked.get("seconds") {
        None => SECONDS,
        Some(text) => text.parse().ok().filter(|said| (1..=MOST_SECONDS).contains(said)).ok_or_else(wrong)?,
    };
    take(seconds).await
}

#[cfg(feature = "profile")]
async fn take(seconds: u64) -> Result<Response, Reject> {
    use std::time::Duration;

    use axum::response::IntoResponse;
    use http::{HeaderValue, StatusCode, header};

    use crate::telemetry::profile::{self, Error};

    match profile::take(Duration::from_secs(seconds)).await {
        Ok(stacks) => {
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            Ok(([(header::CONTENT_TYPE, kind)], stacks).into_response())
        }
        Err(busy @ Error::Busy) => {
            Err(Reject::new(StatusCode::CONFLICT, "busy", "Another profile is running", busy.to_string())
                .retry_after(Duration::from_secs(seconds)))
        }
        Err(Error::Failed(cause)) => {
            tracing::error!(%cause, "No profile could be taken.");
            let detail = "the log says why";
            Err(Reject::new(StatusCode::INTERNAL_SERVER_ERROR, "profile", "No profile", detail))
        }
    }
}

#[cfg(not(feature = "profile"))]
async fn take(_seconds: u64) -> Result<Response, Reject> {
    Err(Reject::new(
        http::StatusCode::NOT_IMPLEMENTED,
        "profile",
        "Not in this build",
        "profiles need the feature `profile`: cargo build --release --features profile",
    ))
}
