//! The flow and all effects. A stage is a module, a type stands between two stages.
//!
//! ```text
//! intake ---> admit ---> store+queue ---> translate ---> plan ---> guard ---> actuate ---> observe
//! bytes -> Submission -> Admitted, then   Proposal       Plan      Approved   Outcome      Readings
//! ```

/// The doors: bytes become a `Submission`.
pub mod intake;

/// Lets submissions in, or says why not.
pub mod admit;

/// The only place that is durable.
pub mod store;

/// Words become a proposal that nobody trusts.
pub mod translate;

/// A proposal and the inventory become a plan; decisions live in `nephoran_model::plan`.
pub mod plan;

/// Carries approved steps out.
pub mod actuate;

/// Reads what is so.
pub mod observe;

/// One intent after another to where it can rest.
pub mod reconcile;

/// kpt packages in git: read, edited, written.
pub mod package;

/// The page and the event stream.
pub mod web;

/// Logs and metrics.
pub mod telemetry;

/// One YAML file, the environment and flags become a valid configuration.
pub mod config;

/// The command line.
pub mod cli;

/// The way out by HTTP, and who is called over it.
pub mod outgoing;

/// The wiring; alone names concrete adapters.
pub mod app;

/// `nephoran demo`.
pub mod demo;
