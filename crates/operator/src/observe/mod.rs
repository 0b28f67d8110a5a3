//! Reads what is so.

/// What the branches of the package repositories say.
pub mod package;
