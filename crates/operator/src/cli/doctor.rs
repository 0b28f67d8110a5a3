//! doctor.

use super::args::{Common, Settings};
use super::exit::{Exit, Failure};

pub fn run(_common: &Common, _settings: &Settings) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
