//! Every choice made: what would change, where, from what to what.
//!
//! `draw` makes a [`Draft`] from a proposal and the inventory; the package editor adds
//! the exact edits and the diff; sealing it with a hash makes it a [`Plan`], which
//! never changes again.

mod answer;
mod count;
mod draw;
mod hashed;
mod inverse;
mod nearest;
mod render;
mod report;
mod resolve;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::guard::Finding;
use crate::inventory::Workload;
use crate::proposal::{Function, Missing};

pub use answer::answer;
pub(crate) use count::{exact, replicas_of};
pub use draw::{Changes, UnknownTargets, World, draw};
pub use hashed::{Hashed, HashedStep, SCHEMA_VERSION};
pub use render::{render, render_finding, render_objection};
pub use report::report_text;
pub use resolve::{Found, resolve, resolve_one};

/// Rules by which planning itself refuses; those of the guard are `guard::RULES`.
pub mod rule {
    pub const TARGET_EXISTS: &str = "target_exists";
    pub const PRECONDITION: &str = "precondition";
    pub const CONSTRAINTS: &str = "constraints";
    pub const REPLICAS_WITHIN_BOUNDS: &str = "replicas_within_bounds";
    pub const FIELD_ABSENT: &str = "field_absent";
    pub const EDITABLE: &str = "editable";
    pub const CONTRADICTION: &str = "contradiction";
    pub const ACTUATOR_AVAILABLE: &str = "actuator_available";
    pub const NOTHING_TO_ROLL_BACK: &str = "nothing_to_roll_back";

    /// A closed set: labels of metrics come from it.
    pub const ALL: &[&str] = &[
        TARGET_EXISTS,
        PRECONDITION,
        CONSTRAINTS,
        REPLICAS_WITHIN_BOUNDS,
        FIELD_ABSENT,
        EDITABLE,
        CONTRADICTION,
        ACTUATOR_AVAILABLE,
        NOTHING_TO_ROLL_BACK,
    ];
}

/// The blob id of a file that does not exist yet, as git writes it.
pub const NO_BLOB: &str = "0000000000000000000000000000000000000000";

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

/// A value before or after: a number, a text, or nothing yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Int(i64),
    Text(String),
    /// Before a package that the plan makes; `null` in JSON.
    Absent,
}

impl Scalar {
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Text(_) | Self::Absent => None,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
            Self::Absent => f.write_str("absent"),
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

/// The name of the target of a report on everything.
const EVERYTHING: &str = "all workloads";

impl Resolved {
    pub fn of(workload: &Workload) -> Self {
        Self {
            name: workload.name.clone(),
            kind: workload.kind.clone(),
            function: workload.function,
            namespace: workload.namespace.clone(),
            cluster: workload.cluster.clone(),
            package: workload.package.clone(),
        }
    }

    /// What a report on everything is about. No workload can have this name: it is no DNS name.
    pub fn everything() -> Self {
        Self {
            name: EVERYTHING.to_owned(),
            kind: String::new(),
            function: None,
            namespace: None,
            cluster: None,
            package: String::new(),
        }
    }

    pub fn is_everything(&self) -> bool {
        self.name == EVERYTHING
    }

    /// The same object of the same package, whatever it looks like by now.
    pub fn is(&self, workload: &Workload) -> bool {
        self.name == workload.name
            && self.kind == workload.kind
            && self.namespace == workload.namespace
            && self.package == workload.package
    }

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

    /// The package does not exist yet: the step makes it.
    pub fn creates(&self) -> bool {
        self.before() == Some(&Scalar::Absent)
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

/// Seals a draft's steps with their hash. From here on nothing of it changes.
pub fn seal(
    steps: Vec<Step>,
    notes: Vec<String>,
    base: BTreeMap<String, String>,
    diff: String,
    hash: PlanHash,
    parent: Option<PlanHash>,
) -> Plan {
    Plan { hash, parent, summary: summary(&steps), base, steps, notes, diff }
}

/// `scale ran-a/upf 3 -> 5`, from typed fields only; the first three of many.
pub fn summary(steps: &[Step]) -> String {
    const SHOWN: usize = 3;
    let mut lines: Vec<String> = steps.iter().take(SHOWN).map(Step::line).collect();
    if steps.len() > SHOWN {
        lines.push(format!("and {} more", steps.len() - SHOWN));
    }
    lines.join("; ")
}

impl Plan {
    /// It only reads: its answer is a text.
    pub fn is_report(&self) -> bool {
        self.steps.iter().all(|step| step.actuator == ActuatorKind::None)
    }

    /// There is nothing to commit.
    pub fn is_already_so(&self) -> bool {
        self.steps.iter().all(Step::is_already_so)
    }
}
