//! The hot folder.
pub mod identity;
