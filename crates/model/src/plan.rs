//! Every choice made: what would change, where, from what to what.
//!
//! `draw` makes a [`Draft`] from a proposal and the inventory; the package editor adds
//! the exact edits and the diff; sealing it with a hash makes it a [`Plan`], which
//! never changes again.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::guard::Finding;
use crate::proposal::{Function, Missing};

/// SHA-256 over the canonical JSON of what a plan would do: 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanHash(String);

impl PlanHash {
    /// `None` unless it is 64 lower-case hex digits: shorter forms are for display only.
    pub fn parse(hash: &str) -> Option<Self> {
        (hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
            .then(|| Self(hash.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value before or after: a number or a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Int(i64),
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// The workload that a target was resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    pub name: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<Function>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    pub package: String,
}

impl Resolved {
    /// `namespace/name`, as titles and people write it.
    pub fn title(&self) -> String {
        match (&self.namespace, &self.cluster) {
            (Some(namespace), _) => format!("{namespace}/{}", self.name),
            (None, Some(cluster)) => format!("{cluster}/{}", self.name),
            (None, None) => self.name.clone(),
        }
    }
}

/// One scalar of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// From the repository's root.
    pub file: String,
    pub document: usize,
    /// Dotted path, e.g. `spec.replicas` or `pipeline.mutators[0].configMap.replicas`.
    pub field: String,
    pub before: Scalar,
    pub after: Scalar,
    /// Git blob id of the file before.
    pub blob: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActuatorKind {
    /// A commit in a repository of kpt packages.
    Package,
    /// Reads only.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    #[default]
    Pending,
    Done,
    /// The world was so already: no commit for it.
    AlreadySo,
    Failed,
}

/// One change. `edits[0]` is the field that the step is about; the others follow it (a setter's value).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// `1`, `2`, ... in the order said.
    pub id: String,
    /// `scale`, `rollback`, `report`.
    pub action: String,
    pub actuator: ActuatorKind,
    pub repository: String,
    pub target: Resolved,
    pub edits: Vec<Edit>,
    #[serde(default)]
    pub state: StepState,
}

impl Step {
    pub fn before(&self) -> Option<&Scalar> {
        self.edits.first().map(|edit| &edit.before)
    }

    pub fn after(&self) -> Option<&Scalar> {
        self.edits.first().map(|edit| &edit.after)
    }

    /// Nothing to write: each field already holds its value.
    pub fn is_already_so(&self) -> bool {
        self.edits.iter().all(|edit| edit.before == edit.after)
    }

    /// One line as in a commit: `scale ran-a/upf 3 -> 5`.
    pub fn line(&self) -> String {
        match (self.before(), self.after()) {
            (Some(before), Some(after)) => {
                format!("{} {} {before} -> {after}", self.action, self.target.title())
            }
            _ => format!("{} {}", self.action, self.target.title()),
        }
    }
}

/// Steps and remarks before the editor made the exact edits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    pub steps: Vec<Step>,
    /// What was chosen for the requester and what was seen: `upf: taken in namespace ran-a (the only match)`.
    pub notes: Vec<String>,
}

/// Planning found that it must ask or refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    Ask { missing: Vec<Missing>, question: String, candidates: Vec<String> },
    Refuse(Vec<Finding>),
}

/// Immutable once sealed with its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub hash: PlanHash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<PlanHash>,
    /// `scale ran-a/upf 3 -> 5`, from typed fields only.
    pub summary: String,
    /// The commit each repository was read at.
    pub base: BTreeMap<String, String>,
    pub steps: Vec<Step>,
    #[serde(default)]
    pub notes: Vec<String>,
    /// Unified diff of all files.
    pub diff: String,
}

impl Plan {
    /// There is nothing to commit.
    pub fn is_already_so(&self) -> bool {
        self.steps.iter().all(Step::is_already_so)
    }
}
