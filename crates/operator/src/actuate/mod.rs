//! Carries approved steps out.

/// Commits in repositories of kpt packages.
pub mod package;
