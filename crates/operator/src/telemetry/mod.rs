//! What people and dashboards see of a running operator: logs, numbers, readiness.

/// Lines for people on a terminal, JSON objects elsewhere.
pub mod logs;

/// The numbers of `/metrics`.
pub mod metrics;

/// Brings there what others count.
pub mod gather;

/// The trace of an intent.
pub mod trace;

/// Takes its spans to a collector.
#[cfg_attr(not(feature = "otel"), path = "no_otlp.rs")]
pub mod otlp;

/// Where the processor's time goes.
#[cfg(feature = "profile")]
pub mod profile;

/// Is it ready, and if not, why.
pub mod readiness;

pub use metrics::Metrics;
pub use readiness::Readiness;
