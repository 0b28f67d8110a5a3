//! What the queue promises, one file per promise.
#![allow(clippy::unwrap_used)]

mod bounds;
mod order;
mod shares;
