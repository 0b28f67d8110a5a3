//! Behaviour of the program as others see it: each test starts the real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod browser;
mod harness;

mod approvals;
mod audit;
mod bad_input;
mod cli;
mod crash;
mod demo;
mod deploy;
mod faults;
mod folder;
mod hostile;
mod http;
mod injection;
mod intent_dropin;
mod late;
mod limits;
mod lints;
mod model_server;
mod page;
mod s1;
mod s6;
mod search;
mod spine;
mod telemetry;
mod traces;
mod understood;
