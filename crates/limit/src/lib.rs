//! How often a client may ask: its own share first, then that of all. It reads no clock and waits
//! for nothing: every question brings the time with it.
//!
//! The order is the point. A client over its own share is refused before it touches what belongs
//! to everybody, and what the second tier refuses costs the client nothing of its own.

/// One rate, and the arithmetic of a bucket that fills at it.
mod rate;

/// Both tiers over a bounded number of clients.
mod limiter;

/// Who counts as one client.
mod client;

/// A range of addresses.
mod network;

pub use client::Client;
pub use limiter::{Decision, Limiter, Numbers, Refused, Settings, Tier};
pub use network::{BadNetwork, Network};
pub use rate::{BadRate, Left, Rate, Rates};
