//! What nephoran decides, without touching anything.
//!
//! No I/O, no async, no clock: `now` is an argument. Data flows downwards:

/// What a translator may say. Untrusted.
pub mod proposal;

/// What exists now, as far as we could read it.
pub mod inventory;

/// Every choice made: the steps that would carry a proposal out.
pub mod plan;

/// Reviews the difference a plan makes; alone makes an `ApprovedPlan`.
pub mod guard;

/// Does the network do what was asked?
pub mod fulfilment;

/// The record of one intent, its states and their legal moves.
pub mod intent;
