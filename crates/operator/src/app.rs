//! The wiring.

use std::process::ExitCode;

use crate::config::Config;

/// What `up` was asked for beyond its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Until a signal.
    Serve,
    /// What is in the hot folder, then exit.
    Once,
}

/// Runs the operator to its end on a runtime of its own.
pub fn up(_config: Config, _mode: Mode) -> anyhow::Result<ExitCode> {
    anyhow::bail!("this build has no wiring")
}
