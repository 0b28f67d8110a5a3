//! Exactly what a plan's hash covers.
//!
//! Notes, diff, base commit and parent are left out: a commit elsewhere in the
//! repository must not void a plan, and the edits with their blob ids already say
//! all that the diff shows.

use serde::Serialize;

use super::{ActuatorKind, Edit, Resolved, Step};

/// Version of the shape below. A new one makes every old hash, and so every old approval, void.
pub const SCHEMA_VERSION: u32 = 1;

/// Borrows what is hashed: as canonical JSON (RFC 8785) through SHA-256.
#[derive(Debug, Clone, Serialize)]
pub struct Hashed<'a> {
    pub schema_version: u32,
    pub intent: &'a str,
    pub generation: u32,
    pub requester: &'a str,
    pub steps: Vec<HashedStep<'a>>,
    /// Hash of the guard's configuration: other bounds, another approval.
    pub guard: &'a str,
}

/// A step without its state, which changes while it is carried out.
#[derive(Debug, Clone, Serialize)]
pub struct HashedStep<'a> {
    pub id: &'a str,
    pub action: &'a str,
    pub actuator: ActuatorKind,
    pub repository: &'a str,
    pub target: &'a Resolved,
    pub edits: &'a [Edit],
}

impl<'a> Hashed<'a> {
    pub fn new(
        intent: &'a str,
        generation: u32,
        requester: &'a str,
        steps: &'a [Step],
        guard: &'a str,
    ) -> Self {
        let steps = steps
            .iter()
            .map(|step| HashedStep {
                id: &step.id,
                action: &step.action,
                actuator: step.actuator,
                repository: &step.repository,
                target: &step.target,
                edits: &step.edits,
            })
            .collect();
        Self { schema_version: SCHEMA_VERSION, intent, generation, requester, steps, guard }
    }
}
