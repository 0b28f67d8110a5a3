//! The HTTP door.
//!
//! A request passes the frame (host, origin, request id), then its route; every answer passes the
//! frame again on its way out, so that no route can forget a header or an error's form.

/// Reads bodies within bounds.
pub(crate) mod body;

/// Errors of routes, before the frame gives them their final form.
mod reject;

/// What every request and every answer passes.
mod frame;

/// Request rates, at the door.
mod rate;

/// `/api/v1/intents`: send and read.
mod intents;

/// `/api/v1/intents/{id}/...` and `/api/v1/admin/...`: what people do.
mod acts;

/// `POST /intent`, as clients of the reference operator know it.
mod dropin;

/// `/api/v1/events`: every move, as it happens.
mod events;

/// Where the processor's time goes.
mod profile;

/// Health, readiness, metrics, queue.
mod health;

/// The document of all routes.
pub mod openapi;

/// Answers to what is no HTTP, in our form.
mod dressed;

/// A peer that does not read is given up.
mod stall;

/// Connections: accepted, bounded, drained.
mod serve;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use nephoran_model::proposal::Proposal;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use acts::{ANSWER_SHAPE, APPROVE_SHAPE, REJECT_SHAPE};
pub use frame::Hosts;
pub use serve::{Limits, serve};

use crate::admit::{Desk, RequestRates};
use crate::reconcile::acts::Acts;
use crate::store::Store;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::readiness::Readiness;

/// Largest body of a route under `/api`.
pub const API_BODY: usize = 256 * 1024;

/// Largest body of `POST /intent`.
pub const INTENT_BODY: usize = 1024 * 1024;

/// What the routes need.
pub struct Doors {
    pub desk: Desk,
    pub acts: Acts,
    pub store: Store,
    pub readiness: Readiness,
    /// The numbers behind the four bands.
    pub queue: Arc<dyn Fn() -> nephoran_queue::Numbers + Send + Sync>,
    pub metrics: Metrics,
    /// How often a client may ask.
    pub rates: RequestRates,
    /// Words into a proposal: the grammar. Nothing else may read them at this door.
    pub translate: fn(&str) -> Proposal,
    pub hosts: Hosts,
    /// Words that the intent schema's `source` may be besides its own.
    pub sources: Vec<String>,
    /// Where `POST /intent` writes its hand-off files.
    pub handoff: Option<PathBuf>,
    /// Who everybody is while nobody can be told apart.
    pub requester: String,
    /// Places for event streams, see [`streams`].
    pub streams: Arc<Semaphore>,
    /// Ends the event streams: they would outlast any drain.
    pub stop: CancellationToken,
}

/// Places for event streams.
pub fn streams() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(events::STREAMS))
}

type Shared = Arc<Doors>;

/// All routes inside the frame. `page` brings the routes of the web page.
pub fn router(doors: Doors, page: Router) -> Router {
    let (hosts, rates) = (doors.hosts.clone(), doors.rates.clone());
    let routes = Router::new()
        .route("/api/v1/intents", post(intents::submit).get(intents::list))
        .route("/api/v1/intents/{id}", get(intents::one))
        .route("/api/v1/intents/{id}/plan", get(intents::plan))
        .route("/api/v1/intents/{id}/report", get(intents::report))
        .route("/api/v1/intents/{id}/audit", get(intents::audit))
        .route("/api/v1/intents/{id}/answer", post(acts::answer))
        .route("/api/v1/intents/{id}/approve", post(acts::approve))
        .route("/api/v1/intents/{id}/reject", post(acts::reject))
        .route("/api/v1/intents/{id}/cancel", post(acts::cancel))
        .route("/api/v1/intents/{id}/rollback", post(acts::rollback))
        .route("/api/v1/intents/{id}/retry", post(acts::retry))
        .route("/api/v1/admin/pause", post(acts::pause))
        .route("/api/v1/admin/resume", post(acts::resume))
        .route("/api/v1/admin/profile", post(profile::profile))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/queue", get(health::queue))
        .route("/api/v1/limits", get(health::limits))
        .route("/intent", post(dropin::submit))
        .route("/healthz", get(health::alive))
        .route("/livez", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::openapi))
        .with_state(Arc::new(doors))
        .merge(page);
    frame::framed(routes, hosts, rates)
}
