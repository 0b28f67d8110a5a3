//! The outside shapes of nephoran, where they differ from the model's, and the way between the two.
//!
//! Bytes from outside pass `json` first, then a `shape`; only what has a shape becomes a model type.

/// Strict JSON: no duplicate keys, bounded depth.
pub mod json;

/// What a JSON value must look like: one table is the gate and the JSON Schema.
pub mod shape;

/// A proposal sent in place of words.
pub mod proposal;

/// The proposal's schema for a model's structured output.
pub mod strict_schema;

/// The drop-in intent of `POST /intent` and the hot folder.
pub mod intent_v1;

/// The body of `POST /api/v1/intents`.
pub mod submission;

/// The record of an intent as people and programs read it.
pub mod record;

/// Errors as RFC 9457 problem details.
pub mod problem;

/// One way to write a value down, so that equal values have equal hashes.
pub mod canonical;
