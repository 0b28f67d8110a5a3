//! Stand-ins for what is around nephoran, for tests, measurements and try-outs. Never in a release.

/// A language model's server that does as a script says.
pub mod model;
/// A git repository with as many small kpt packages as wanted.
pub mod packages;
