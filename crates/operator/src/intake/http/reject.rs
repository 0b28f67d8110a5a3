//! Errors of routes. The frame fills in the request's name and writes the body.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use nephoran_api::json;
use nephoran_api::problem::{Fault, Problem};

use crate::admit::Refusal;
use crate::reconcile::acts;

/// A request that is turned away.
#[derive(Debug)]
pub struct Reject {
    pub problem: Box<Problem>,
    pub retry_after: Option<Duration>,
}

impl Reject {
    pub fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self { problem: Box::new(Problem::new(status.as_u16(), kind, title, detail)), retry_after: None }
    }

    pub fn with(mut self, errors: Vec<Fault>) -> Self {
        self.problem.errors = errors;
        self
    }

    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", "The request cannot be read", detail)
    }

    /// What is wrong, by pointer.
    pub fn unprocessable(faults: Vec<Fault>) -> Self {
        let detail = nephoran_api::problem::sentence(&faults);
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The content is not valid", detail)
            .with(faults)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    }

    pub fn unknown_intent(id: &str) -> Self {
        let shown: String = id.chars().take(48).collect();
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_intent",
            "No such intent",
            format!("no intent has the id {shown:?}"),
        )
    }

    pub fn store(detail: impl std::fmt::Display) -> Self {
        tracing::error!(cause = %detail, "The store did not answer a request.");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "store",
            "The store is not available",
            "the store cannot be read now; try again",
        )
        .retry_after(Duration::from_secs(2))
    }
}

/// Malformed JSON is no content (400); a key that occurs twice is wrong content (422).
impl From<json::Error> for Reject {
    fn from(error: json::Error) -> Self {
        match error {
            json::Error::Duplicate(faults) => Self::unprocessable(faults),
            other => Self::bad_request(format!("the body is {}", article(&other.to_string()))),
        }
    }
}

/// `not valid JSON ...` and `nested deeper ...` both follow "the body is".
fn article(text: &str) -> &str {
    text
}

impl From<Refusal> for Reject {
    fn from(refusal: Refusal) -> Self {
        let said = refusal.to_string();
        let unavailable = |kind: &str, title: &str, after: Duration| {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, title, said.clone()).retry_after(after)
        };
        match refusal {
            Refusal::Full { retry_after, .. } => unavailable("queue_full", "The queue is full", retry_after),
            Refusal::Late { retry_after, .. } => {
                unavailable("late", "It would not be done before its deadline", retry_after)
            }
            Refusal::TooManyLive { retry_after } => {
                unavailable("too_many_live", "Too many intents are live", retry_after)
            }
            Refusal::Draining { retry_after } => {
                unavailable("draining", "The operator is shutting down", retry_after)
            }
            Refusal::Store { retry_after, .. } => {
                // The reason may name files of this machine: the log has it, the client does not.
                tracing::error!(cause = %said, "An intent was turned away because the store cannot write.");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "store",
                    "The store cannot write",
                    "nothing can be accepted until the store can write again; /readyz says when",
                )
                .retry_after(retry_after)
            }
            Refusal::Model { retry_after, .. } => {
                unavailable("model", "The language model cannot be asked now", retry_after)
            }
            Refusal::KeyReused => {
                Self::new(StatusCode::CONFLICT, "key_reused", "The idempotency key is taken", said)
            }
            Refusal::Invalid { pointer, detail } => Self::unprocessable(vec![Fault::new(pointer, detail)]),
        }
    }
}

impl From<acts::Error> for Reject {
    fn from(error: acts::Error) -> Self {
        match error {
            acts::Error::Unknown(id) => Self::unknown_intent(&id),
            acts::Error::State { detail } => {
                Self::new(StatusCode::CONFLICT, "state", "The intent's state does not allow it", detail)
            }
            acts::Error::OtherPlan { detail } => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "other_plan",
                "That is not the plan that would run",
                detail,
            ),
            acts::Error::Forbidden { detail } => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
            }
            acts::Error::Refused(refusal) => refusal.into(),
        }
    }
}

impl IntoResponse for Reject {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() =
            StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(after) = self.retry_after {
            // Rounded up: coming back a moment early would be refused again.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response.extensions_mut().insert(Unwritten(self.problem));
        response
    }
}

/// A problem whose body the frame writes.
#[derive(Clone)]
pub struct Unwritten(pub Box<Problem>);
