//! The audit trail shows what was done to it.
