//! What the queue promises, one file per promise.
#![allow(clippy::unwrap_used)]

mod bounds;
mod lanes;
mod order;
mod shares;
