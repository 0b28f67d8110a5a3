//! Errors as RFC 9457 problem details.

use serde::Serialize;

/// One thing that is wrong, and where: a JSON pointer (RFC 6901), empty for the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub pointer: String,
    pub detail: String,
}

impl Fault {
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// `application/problem+json`. `instance` names the request, so that a report can be found in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    pub instance: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

impl Problem {
    /// `kind` is the last word of the problem's type, e.g. `queue_full`.
    pub fn new(status: u16, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:nephoran:problem:{kind}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            instance: String::new(),
            errors: Vec::new(),
        }
    }

    pub fn with(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }
}

/// All faults in one sentence, as `/actions/0/replicas/to: must be a whole number; ...`.
pub fn sentence(faults: &[Fault]) -> String {
    let mut text = String::new();
    for fault in faults {
        if !text.is_empty() {
            text.push_str("; ");
        }
        if !fault.pointer.is_empty() {
            text.push_str(&fault.pointer);
            text.push_str(": ");
        }
        text.push_str(&fault.detail);
    }
    text
}
