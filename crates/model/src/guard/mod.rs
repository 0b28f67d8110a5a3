//! Reviews the difference a plan makes; alone makes an [`ApprovedPlan`].
//!
//! The rules judge the parsed values before and after, wherever they come from, never
//! the names of the actions. All findings at once; the strongest decides:
//! refused, held, waits for a person, approved.

mod bounds;
mod rules;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::intent::{Approval, Constraints, HoldReason};
use crate::inventory::Workload;
use crate::plan::{Hashed, Plan, PlanHash, Scalar, Step};
use crate::proposal::Priority;

pub use bounds::{ApprovalBounds, Bounds, OwnPlans, glob};
pub use rules::{RULES, Rule};

/// One objection: which rule, what is wrong, what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: String,
    pub message: String,
    pub remedy: String,
    #[serde(default)]
    pub effect: Effect,
}

impl Finding {
    pub fn new(effect: Effect, rule: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), message: message.into(), remedy: remedy.into(), effect }
    }

    pub fn refuse(rule: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Effect::Refuse, rule, message, remedy)
    }
}

/// What a finding does to the plan. Ordered: the strongest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Said to whoever approves; stops nothing.
    Note,
    /// A person must say yes.
    Approval,
    /// Waits until it is lifted.
    Hold,
    /// Refused, whoever approves.
    #[default]
    Refuse,
}

/// One parsed value that differs between a package before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The step that names this value; `None`: no step does.
    pub step: Option<String>,
    pub repository: String,
    pub package: String,
    /// From the repository's root.
    pub file: String,
    pub document: usize,
    pub kind: String,
    pub name: String,
    pub namespace: Option<String>,
    /// Dotted path, as in an `Edit`.
    pub field: String,
    /// Absent where the value appears.
    pub before: Option<Scalar>,
    /// Absent where the value goes away.
    pub after: Option<Scalar>,
}

/// Another intent that rests and is about a field that this plan changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    pub intent: String,
    pub priority: Priority,
    pub requester: String,
    /// Its change is in the repository already.
    pub committed: bool,
    /// What it does, e.g. its plan's summary.
    pub title: String,
}

/// Everything that a review looks at besides the plan and the bounds.
pub struct Case<'a> {
    pub intent: &'a str,
    pub generation: u32,
    pub requester: &'a str,
    pub priority: Priority,
    pub constraints: &'a Constraints,
    pub now: Timestamp,
    pub differences: &'a [Difference],
    /// The workloads that the plan touches, as they were read.
    pub workloads: &'a [Arc<Workload>],
    pub rivals: &'a [Rival],
    pub approval: Option<&'a Approval>,
    /// A language model understood the request, and its author did not say yet that it is right.
    pub unconfirmed: bool,
    /// Hash of the guard's configuration, which the plan's hash covers.
    pub guard: &'a str,
    /// How a plan is hashed: a review hashes it again and trusts no stored hash.
    pub hash: &'a dyn Fn(&Hashed<'_>) -> PlanHash,
}

/// What becomes of a reviewed plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Approved(ApprovedPlan),
    /// A person must say yes to this very plan.
    NeedsApproval {
        plan: Plan,
        findings: Vec<Finding>,
    },
    /// Waits, and is reviewed again.
    Held {
        plan: Plan,
        findings: Vec<Finding>,
        reason: HoldReason,
    },
    Refused {
        plan: Plan,
        findings: Vec<Finding>,
    },
}

impl Verdict {
    pub fn plan(&self) -> &Plan {
        match self {
            Self::Approved(approved) => approved.plan(),
            Self::NeedsApproval { plan, .. } | Self::Held { plan, .. } | Self::Refused { plan, .. } => plan,
        }
    }

    /// All findings, also those that an approval satisfied.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Approved(approved) => approved.findings(),
            Self::NeedsApproval { findings, .. }
            | Self::Held { findings, .. }
            | Self::Refused { findings, .. } => findings,
        }
    }
}

/// A plan that may be carried out. Only [`review`] makes one:
///
/// ```compile_fail,E0451
/// # use nephoran_model::{guard::ApprovedPlan, plan::Plan};
/// fn forge(plan: Plan) -> ApprovedPlan {
///     ApprovedPlan { plan, steps: vec![], approval: None, findings: vec![] }
/// }
/// ```
///
/// Nor can one be read from anywhere, or made by default:
///
/// ```compile_fail,E0277
/// # use nephoran_model::guard::ApprovedPlan;
/// fn readable<T: serde::de::DeserializeOwned>() {}
/// readable::<ApprovedPlan>();
/// ```
///
/// ```compile_fail,E0277
/// # use nephoran_model::guard::ApprovedPlan;
/// fn made_of_nothing<T: Default>() {}
/// made_of_nothing::<ApprovedPlan>();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedPlan {
    plan: Plan,
    steps: Vec<ApprovedStep>,
    approval: Option<Approval>,
    findings: Vec<Finding>,
}

/// One step of an approved plan: what an actuator takes.
///
/// ```compile_fail,E0451
/// # use nephoran_model::{guard::ApprovedStep, plan::{PlanHash, Step}};
/// fn forge(step: Step, plan: PlanHash) -> ApprovedStep {
///     ApprovedStep { step, plan }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedStep {
    step: Step,
    plan: PlanHash,
}

impl ApprovedPlan {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Takes the plan out, for the record; the approval stays behind.
    pub fn into_plan(self) -> Plan {
        self.plan
    }

    pub fn steps(&self) -> &[ApprovedStep] {
        &self.steps
    }

    /// The repositories that are written, in the order of the steps.
    pub fn repositories(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for step in self.steps.iter().filter(|step| !step.step.edits.is_empty()) {
            if !all.contains(&step.step.repository.as_str()) {
                all.push(&step.step.repository);
            }
        }
        all
    }

    /// The steps inside one repository: one commit.
    pub fn steps_in<'a>(&'a self, repository: &'a str) -> impl Iterator<Item = &'a ApprovedStep> + 'a {
        self.steps.iter().filter(move |step| step.step.repository == repository)
    }

    /// Who said yes, where somebody did.
    pub fn approved_by(&self) -> Option<&str> {
        self.approval.as_ref().map(|approval| approval.by.as_str())
    }

    pub fn approval(&self) -> Option<&Approval> {
        self.approval.as_ref()
    }

    /// Notes, and what the approval satisfied.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl ApprovedStep {
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// Hash of the plan that it belongs to: with the step's id the key of what is done once.
    pub fn plan(&self) -> &PlanHash {
        &self.plan
    }
}

/// All findings of all rules, in the order of [`RULES`].
pub fn findings(plan: &Plan, case: &Case<'_>, bounds: &Bounds) -> Vec<Finding> {
    RULES
        .iter()
        .flat_map(|rule| {
            (rule.judge)(plan, case, bounds).into_iter().map(|objection| objection.under(rule.name))
        })
        .collect()
}

/// Judges `plan` in its case. The strongest finding decides; an approval satisfies only findings
/// that ask for one, and only for this very plan.
pub fn review(plan: Plan, case: &Case<'_>, bounds: &Bounds) -> Verdict {
    let findings = findings(&plan, case, bounds);
    let approval = case.approval.filter(|approval| void(approval, &plan, case, bounds).is_none());
    match findings.iter().map(|finding| finding.effect).max() {
        Some(Effect::Refuse) => Verdict::Refused { plan, findings },
        Some(Effect::Hold) => Verdict::Held { plan, findings, reason: HoldReason::Frozen },
        Some(Effect::Approval) if approval.is_none() => Verdict::NeedsApproval { plan, findings },
        Some(Effect::Approval | Effect::Note) | None => {
            let steps = plan
                .steps
                .iter()
                .map(|step| ApprovedStep { step: step.clone(), plan: plan.hash.clone() })
                .collect();
            Verdict::Approved(ApprovedPlan { plan, steps, approval: approval.cloned(), findings })
        }
    }
}

/// Why an approval does not hold for `plan`; `None` when it does.
fn void(approval: &Approval, plan: &Plan, case: &Case<'_>, bounds: &Bounds) -> Option<String> {
    if approval.plan != plan.hash {
        return Some("it was given to another plan".into());
    }
    if case.now > approval.until {
        return Some(format!("it ended at {}", approval.until));
    }
    may_approve(case.requester, &approval.by, bounds).err().map(|denied| denied.to_string())
}

/// Whose plan it is that somebody may approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approver {
    Another,
    /// The author, and the configuration lets authors do so.
    Author,
    /// The author, where nobody can be told apart: `self-approved, no authentication`.
    Unauthenticated,
}

impl Approver {
    /// What `Approval::self_approved` says.
    pub fn is_self_approved(self) -> bool {
        self == Self::Unauthenticated
    }
}

/// Why somebody may not approve a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    OwnPlan,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnPlan => f.write_str("the author of a plan may not approve it"),
        }
    }
}

impl std::error::Error for Denied {}

/// Whether `approver` may say yes to a plan that `requester` asked for.
pub fn may_approve(requester: &str, approver: &str, bounds: &Bounds) -> Result<Approver, Denied> {
    match (requester == approver, bounds.authenticated, bounds.approval.self_) {
        (false, _, _) => Ok(Approver::Another),
        (true, false, _) => Ok(Approver::Unauthenticated),
        (true, true, OwnPlans::Allow) => Ok(Approver::Author),
        (true, true, OwnPlans::Deny) => Err(Denied::OwnPlan),
    }
}
