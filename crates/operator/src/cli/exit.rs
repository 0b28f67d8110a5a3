//! How a command ends: its code, and what it says when it did not do what was asked.

use std::fmt;
use std::io::{IsTerminal, Write};

use nephoran_model::intent::State;

use super::text::escape_lines;
use crate::config;

/// The exit codes, fixed for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// Configuration or environment.
    Environment = 1,
    /// Bad arguments.
    Usage = 2,
    /// Refused: guard, limit, full.
    Refused = 3,
    NeedsAnswer = 4,
    NeedsApproval = 5,
    NotReachable = 6,
    /// Unknown id or not allowed.
    NotAllowed = 7,
    /// One or more inputs failed.
    InputsFailed = 8,
}

/// For `--help`.
pub const CODES: &str = "\
Exit codes:
  0 done (submit without --wait: accepted)   1 configuration or environment
  2 bad arguments                            3 refused (guard, limit, full)
  4 needs an answer                          5 needs approval
  6 not reachable                            7 unknown id or not allowed
  8 one or more inputs failed";

impl Exit {
    /// Where an intent rests says how `submit --wait` and `--dry-run` end.
    pub fn of(state: State) -> Self {
        match state {
            State::Applied | State::Fulfilled | State::Answered | State::Applying => Self::Done,
            // Held by the guard: frozen, or outside its window.
            State::Refused | State::Planned => Self::Refused,
            State::NeedsAnswer => Self::NeedsAnswer,
            State::AwaitingApproval | State::AwaitingMerge => Self::NeedsApproval,
            State::Failed
            | State::Cancelled
            | State::Superseded
            | State::RolledBack
            | State::Expired
            | State::Degraded => Self::InputsFailed,
            State::Received | State::Translating => Self::NotReachable,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What was not done, why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    pub error: String,
    pub causes: Vec<String>,
    pub tries: Vec<String>,
}

impl Failure {
    pub fn new(exit: Exit, error: impl Into<String>) -> Self {
        Self { exit, error: error.into(), causes: Vec::new(), tries: Vec::new() }
    }

    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    pub fn try_(mut self, remedy: impl Into<String>) -> Self {
        self.tries.push(remedy.into());
        self
    }

    /// The lines on standard error.
    pub fn print(&self) {
        let colour = std::io::stderr().is_terminal() && colour_wanted();
        // Nobody is left to tell when standard error is gone.
        let _ = std::io::stderr().write_all(self.lines(colour).as_bytes());
    }

    fn lines(&self, colour: bool) -> String {
        let mut text = String::new();
        let mut line = |word: &str, code: &str, said: &str| {
            let said = escape_lines(said);
            match colour {
                true => text.push_str(&format!("\u{1b}[{code}m{word}:\u{1b}[0m {said}\n")),
                false => text.push_str(&format!("{word}: {said}\n")),
            }
        };
        line("error", "1;31", &self.error);
        for cause in &self.causes {
            line("cause", "1", cause);
        }
        for remedy in &self.tries {
            line("try", "1;32", remedy);
        }
        text
    }
}

/// `NO_COLOR` with any value that is not empty switches colours off.
pub fn colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl std::error::Error for Failure {}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        let mut failure = Self::new(Exit::Environment, "the configuration is not valid");
        for fault in error.faults {
            let cause = match fault.origin {
                Some(origin) => format!("{}\n{origin}", fault.message),
                None => fault.message,
            };
            failure.causes.push(cause);
            if let Some(remedy) = fault.remedy
                && !failure.tries.contains(&remedy)
            {
                failure.tries.push(remedy);
            }
        }
        failure
    }
}

impl From<anyhow::Error> for Failure {
    /// The chain of an error is its causes. A failure or a faulty configuration inside keeps its own words.
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(failure) => return failure,
            Err(error) => error,
        };
        let error = match error.downcast::<config::Error>() {
            Ok(error) => return error.into(),
            Err(error) => error,
        };
        let mut failure = Self::new(Exit::Environment, error.to_string());
        for cause in error.chain().skip(1) {
            failure.causes.push(cause.to_string());
        }
        if failure.causes.is_empty() {
            failure.causes.push("nothing more is known".to_owned());
        }
        failure.try_("nephoran doctor")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_three_kinds_of_lines_and_obeys_no_text() {
        let failure =
            Failure::new(Exit::Refused, "submit the intent").cause("the queue is \u{1b}[2Jfull").try_("wait");
        assert_eq!(
            failure.lines(false),
            "error: submit the intent\ncause: the queue is \\u{1b}[2Jfull\ntry: wait\n"
        );
        assert!(failure.lines(true).starts_with("\u{1b}[1;31merror:\u{1b}[0m submit"));
    }

    #[test]
    fn an_error_of_the_wiring_tells_its_whole_chain() {
        let error = anyhow::anyhow!("disk full").context("write the store").context("start the operator");
        let failure = Failure::from(error);
        assert_eq!(failure.error, "start the operator");
        assert_eq!(failure.causes, ["write the store", "disk full"]);
        let wrapped = anyhow::Error::new(Failure::new(Exit::Refused, "x")).context("y");
        assert_eq!(Failure::from(wrapped).exit, Exit::Refused);
    }

    #[test]
    fn each_resting_state_has_its_code() {
        let codes: Vec<u8> = State::ALL.into_iter().map(|state| Exit::of(state) as u8).collect();
        assert_eq!(codes, [6, 6, 4, 3, 5, 0, 5, 0, 0, 8, 0, 3, 8, 8, 8, 8, 8]);
    }
}
