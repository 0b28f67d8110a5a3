//! What the model decides, seen from outside.
#![allow(clippy::unwrap_used)]

mod approvals;
mod golden;
mod guarding;
mod planning;
mod stand_in;
mod states;
