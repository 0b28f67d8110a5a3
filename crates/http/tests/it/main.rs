//! The way out by HTTP against servers of our own on loopback.
#![allow(clippy::unwrap_used)]

mod address;
mod body;
mod breaker;
mod limits;
mod proxy;
mod s10_reuse;
mod s2_pool;
mod support;
mod tls;
