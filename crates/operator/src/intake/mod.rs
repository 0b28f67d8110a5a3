//! The doors: bytes become a `Submission`, or an error that says what is wrong with them.

/// HTTP: the routes, their frame of checks, and the connections below.
pub mod http;

/// The hot folder: a file is a request.
pub mod folder;

/// The file that `POST /intent` hands on.
pub mod handoff;
