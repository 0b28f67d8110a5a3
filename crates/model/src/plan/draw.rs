//! A proposal becomes steps: every choice made, all or nothing.

use std::sync::Arc;

use crate::guard::Finding;
use crate::inventory::{Inventory, Workload};
use crate::proposal::{self, Action, Actions, Missing, Target, is_dns_label};

use super::resolve::{resolve, resolve_one, said};
use super::{
    ActuatorKind, Draft, Edit, NO_BLOB, Objection, Plan, Resolved, Scalar, Step, StepState, count, inverse,
    rule,
};

/// What a plan is drawn from.
pub struct World<'a> {
    pub inventory: &'a Inventory,
    pub changes: &'a dyn Changes,
    pub unknown_targets: UnknownTargets<'a>,
}

/// What becomes of a target that no package holds (`packages.unknown_targets`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownTargets<'a> {
    #[default]
    Refuse,
    /// A scale to a count in a named namespace makes a patch package in `repository`, below `directory`.
    Patch { repository: &'a str, directory: &'a str },
}

/// What was committed before, for rollbacks.
pub trait Changes {
    /// The last plan that was committed in `repository` and changed `target`.
    fn last_change(&self, target: &Resolved, repository: &str) -> Option<Plan>;

    /// The plan that `intent` committed; `None` when it is unknown or committed nothing.
    fn plan_of(&self, intent: &str) -> Option<Plan>;
}

/// No change is known: nothing can be rolled back.
impl Changes for () {
    fn last_change(&self, _target: &Resolved, _repository: &str) -> Option<Plan> {
        None
    }

    fn plan_of(&self, _intent: &str) -> Option<Plan> {
        None
    }
}

/// Draws the steps that carry `proposal` out, or says what stands against it. One bad part makes the
/// whole ask or refuse; a refusal goes before a question, which no answer to it could lift.
pub fn draw(proposal: &Actions, world: &World<'_>) -> Result<Draft, Objection> {
    if proposal.actions.is_empty() {
        return Err(Objection::Ask {
            missing: vec![Missing::Action],
            question: "What should be done?".into(),
            candidates: Vec::new(),
        });
    }
    let mut draft = Draft::default();
    let mut objections = Objections::default();
    for action in &proposal.actions {
        let part = match action {
            Action::Scale(scale) => self::scale(scale, world),
            Action::Report(report) => self::report(report, world),
            Action::Rollback(rollback) => self::rollback(rollback, world),
            other => Err(not_carried_out(other, world.inventory)),
        };
        match part {
            Ok(part) => {
                draft.steps.extend(part.steps);
                draft.notes.extend(part.notes);
            }
            Err(objection) => objections.add(objection),
        }
    }
    for (at, step) in draft.steps.iter_mut().enumerate() {
        step.id = (at + 1).to_string();
    }
    objections.findings.extend(contradictions(&draft.steps));
    objections.into_result()?;
    let mut seen = std::collections::HashSet::new();
    draft.notes.retain(|note| seen.insert(note.clone()));
    Ok(draft)
}

/// Questions and findings of all parts.
#[derive(Default)]
struct Objections {
    findings: Vec<Finding>,
    missing: Vec<Missing>,
    questions: Vec<String>,
    candidates: Vec<String>,
}

impl Objections {
    fn add(&mut self, objection: Objection) {
        match objection {
            Objection::Refuse(findings) => self.findings.extend(findings),
            Objection::Ask { missing, question, candidates } => {
                self.missing.extend(missing);
                if !self.questions.contains(&question) {
                    self.questions.push(question);
                }
                for candidate in candidates {
                    if !self.candidates.contains(&candidate) {
                        self.candidates.push(candidate);
                    }
                }
            }
        }
    }

    fn into_result(mut self) -> Result<(), Objection> {
        if !self.findings.is_empty() {
            return Err(Objection::Refuse(self.findings));
        }
        if self.questions.is_empty() {
            return Ok(());
        }
        self.missing.sort_unstable();
        self.missing.dedup();
        Err(Objection::Ask {
            missing: self.missing,
            question: self.questions.join(" "),
            candidates: self.candidates,
        })
    }
}

fn scale(scale: &proposal::Scale, world: &World<'_>) -> Result<Draft, Objection> {
    let (workload, mut notes) = match resolve_one(&scale.target, world.inventory) {
        Ok(found) => found,
        Err(objection) => return patch(scale, world).ok_or(objection),
    };
    let target = Resolved::of(&workload);
    let title = target.title();
    let Some(field) = &workload.replicas else {
        return Err(Objection::Refuse(vec![field_absent(&workload)]));
    };
    let after = count::after(&title, &scale.replicas, field.value)?;
    if let Some(reason) = &field.locked {
        return Err(Objection::Refuse(vec![locked(&title, &field.file, &field.field, reason)]));
    }
    notes.push(after.note);

    let mut edits = vec![Edit {
        file: field.file.clone(),
        document: field.document,
        field: field.field.clone(),
        before: Scalar::Int(i64::from(field.value)),
        after: Scalar::Int(i64::from(after.count)),
        blob: field.blob.clone(),
    }];
    if let Some(setter) = &field.setter {
        if setter.value != field.value.to_string() {
            notes.push(format!(
                "{title}: the setter {} says {}, the field {}; both become {}",
                setter.name, setter.value, field.value, after.count
            ));
        }
        edits.push(Edit {
            file: setter.file.clone(),
            document: setter.document,
            field: setter.field.clone(),
            before: Scalar::Text(setter.value.clone()),
            after: Scalar::Text(after.count.to_string()),
            blob: setter.blob.clone(),
        });
    }
    let step = step("scale", ActuatorKind::Package, &workload.repository, target, edits);
    Ok(Draft { steps: vec![step], notes })
}

/// A package of its own for a workload that no package holds, where the configuration wants that.
fn patch(scale: &proposal::Scale, world: &World<'_>) -> Option<Draft> {
    let UnknownTargets::Patch { repository, directory } = world.unknown_targets else { return None };
    let Target { name: Some(name), namespace, cluster: None, place, .. } = &scale.target else { return None };
    // Only what is truly unknown, never what is ambiguous.
    if resolve(&scale.target, world.inventory).is_ok() {
        return None;
    }
    let namespace = match (namespace, place) {
        (Some(namespace), None) => namespace,
        (None, Some(place))
            if world.inventory.has_namespace(place) && !world.inventory.has_cluster(place) =>
        {
            place
        }
        _ => return None,
    };
    // Without a reading only an absolute count says what there should be.
    let to =
        scale.replicas.to.filter(|_| scale.replicas.from.is_none() && scale.replicas.direction.is_none())?;
    let folder = format!("{name}-scaling-patch");
    if !is_dns_label(name) || !is_dns_label(namespace) || !is_dns_label(&folder) {
        return None;
    }
    let package = match directory.trim_matches('/') {
        "" => format!("{namespace}/{folder}"),
        directory => format!("{directory}/{namespace}/{folder}"),
    };
    let target = Resolved {
        name: name.clone(),
        kind: "Deployment".into(),
        function: scale.target.function,
        namespace: Some(namespace.clone()),
        cluster: None,
        package: package.clone(),
    };
    let edit = Edit {
        file: format!("{package}/scaling-patch.yaml"),
        document: 0,
        field: "spec.replicas".into(),
        before: Scalar::Absent,
        after: Scalar::Int(i64::from(to)),
        blob: NO_BLOB.into(),
    };
    let notes = vec![format!("{}: no package holds it; the patch package {package} is made", target.title())];
    let step = step("scale", ActuatorKind::Package, repository, target, vec![edit]);
    Some(Draft { steps: vec![step], notes })
}

fn report(report: &proposal::Report, world: &World<'_>) -> Result<Draft, Objection> {
    if report.all == Some(true) {
        let step = step("report", ActuatorKind::None, "", Resolved::everything(), Vec::new());
        return Ok(Draft { steps: vec![step], notes: Vec::new() });
    }
    let Some(target) = &report.target else { return Err(ask_target("What should the report be about?")) };
    let found = resolve(target, world.inventory)?;
    let mut notes = found.notes;
    if found.workloads.len() > 1 {
        // Reading changes nothing: all that match are reported.
        notes.push(format!("{}: {} match, all are reported", said(target), found.workloads.len()));
    }
    let steps = found
        .workloads
        .iter()
        .map(|workload| {
            step("report", ActuatorKind::None, &workload.repository, Resolved::of(workload), Vec::new())
        })
        .collect();
    Ok(Draft { steps, notes })
}

fn rollback(rollback: &proposal::Rollback, world: &World<'_>) -> Result<Draft, Objection> {
    let found = match &rollback.target {
        Some(target) => Some((resolve_one(target, world.inventory)?, said(target))),
        None => None,
    };
    let nothing = |message: String| {
        Objection::Refuse(vec![Finding::refuse(
            rule::NOTHING_TO_ROLL_BACK,
            message,
            "only a change that was committed by an intent can be rolled back; ask for the count you want",
        )])
    };
    let mut notes = Vec::new();
    let mut only: Option<&Arc<Workload>> = None;
    if let Some(((workload, chosen), _)) = &found {
        only = Some(workload);
        notes.extend(chosen.iter().cloned());
    }
    let plan = match (&rollback.intent, only) {
        (Some(intent), _) => world
            .changes
            .plan_of(intent)
            .ok_or_else(|| nothing(format!("the intent {intent} is unknown or changed nothing")))?,
        (None, Some(workload)) => {
            let target = Resolved::of(workload);
            world
                .changes
                .last_change(&target, &workload.repository)
                .ok_or_else(|| nothing(format!("no change of {} by an intent is known", target.title())))?
        }
        (None, None) => return Err(ask_target("Which change should be rolled back?")),
    };
    let inverse = inverse::of(&plan, only.map(Arc::as_ref), world.inventory)?;
    if inverse.steps.is_empty() {
        return Err(nothing(format!("the plan \"{}\" changed nothing", plan.summary)));
    }
    notes.extend(inverse.notes);
    Ok(Draft { steps: inverse.steps, notes })
}

/// Actions that are understood and that nothing here carries out. The target is resolved all the same,
/// so that a wrong name is found now and not by the day it works.
fn not_carried_out(action: &Action, inventory: &Inventory) -> Objection {
    let target = match action {
        Action::Retire(retire) => Some(&retire.target),
        Action::Upgrade(upgrade) => Some(&upgrade.target),
        Action::SetCapacity(set) => Some(&set.target),
        Action::Configure(configure) => Some(&configure.target),
        Action::Ensure(ensure) => ensure.target.as_ref(),
        _ => None,
    };
    let resolved = target.map(|target| resolve_one(target, inventory));
    let on = match &resolved {
        Some(Ok((workload, _))) => format!(" {}", Resolved::of(workload).title()),
        _ => target.map(|target| format!(" {}", said(target))).unwrap_or_default(),
    };
    let mut findings = vec![Finding::refuse(
        rule::ACTUATOR_AVAILABLE,
        format!("{}{on} is understood, but nothing here carries it out yet", action.name()),
        "scale, report and rollback are carried out today",
    )];
    if let Some(Err(Objection::Refuse(more))) = resolved {
        findings.extend(more);
    }
    Objection::Refuse(findings)
}

/// Two steps of one plan that write the same field.
fn contradictions(steps: &[Step]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, later) in steps.iter().enumerate() {
        let clash = steps[..at].iter().find(|earlier| {
            earlier.repository == later.repository
                && earlier.edits.iter().any(|one| {
                    later.edits.iter().any(|other| {
                        (&one.file, one.document, &one.field) == (&other.file, other.document, &other.field)
                    })
                })
        });
        if let Some(earlier) = clash {
            findings.push(Finding::refuse(
                rule::CONTRADICTION,
                format!("\"{}\" and \"{}\" change the same field", earlier.line(), later.line()),
                "say one of them, or send them one after another",
            ));
        }
    }
    findings
}

pub(super) fn field_absent(workload: &Workload) -> Finding {
    let title = Resolved::of(workload).title();
    let remedy = match workload.kind.as_str() {
        "NFDeployment" | "Capacity" => {
            "its kind is sized by capacity, not by a count; name the Deployment that should be scaled"
                .to_owned()
        }
        _ => format!("write the count into {} once by hand; the field is never inserted", workload.file),
    };
    Finding::refuse(
        rule::FIELD_ABSENT,
        format!("{title} ({} in {}) has no count of replicas", workload.kind, workload.file),
        remedy,
    )
}

pub(super) fn locked(title: &str, file: &str, field: &str, reason: &str) -> Finding {
    Finding::refuse(
        rule::EDITABLE,
        format!("{title}: {field} in {file} cannot be edited: {reason}"),
        "change the file by hand, or so that the field holds one plain value of its own",
    )
}

fn ask_target(question: &str) -> Objection {
    Objection::Ask { missing: vec![Missing::Target], question: question.into(), candidates: Vec::new() }
}

pub(super) fn step(
    action: &str,
    actuator: ActuatorKind,
    repository: &str,
    target: Resolved,
    edits: Vec<Edit>,
) -> Step {
    Step {
        // Numbered when all parts are there.
        id: String::new(),
        action: action.to_owned(),
        actuator,
        repository: repository.to_owned(),
        target,
        edits,
        state: StepState::Pending,
    }
}
