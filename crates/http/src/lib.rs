//! The one way out by HTTP: profiles, pools, gates, limits, breakers. It knows no intents.
//!
//! [`Clients`] is made once from [`Settings`]; whoever calls out takes a [`Client`] of a [`Profile`] from it and
//! sends with a [`Call`] that says by when and how much. An answer's [`Body`] holds its place at the host until it
//! was read or dropped. [`Breaker`] stands before an endpoint and says whether asking it makes sense.

/// How many connections, how long, for which kind of call.
mod profile;

/// What the operator may set: names allowed, proxies, authorities, certificates.
mod settings;

/// What can go wrong, by name, and what to do about it.
mod error;

/// Which addresses are never dialled unless they were named.
mod address;

/// Names to addresses: remembered for a short time, filtered.
mod resolve;

/// Whom we trust, and who we are.
mod tls;

/// One connection: directly, through a proxy, with TLS or without.
mod dial;

/// Places and connections of one host, and what they do.
mod pool;

/// Sends a request within its limits.
mod client;

/// The answer's body: bounded in size and time, unpacked.
mod body;

/// Whether an endpoint is worth asking.
mod breaker;

pub use address::Range;
pub use body::Body;
pub use breaker::{Away, Breaker, BreakerSettings, BreakerState, Pass};
pub use client::{Call, Client, Clients};
pub use error::{Error, Kind};
pub use pool::HostGauge;
pub use profile::{Numbers, Profile};
pub use resolve::Resolve;
pub use settings::{Allow, Proxies, Settings, SettingsError};
