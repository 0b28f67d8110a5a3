//! The plan that undoes a plan, as far as the world is still as that plan left it.

use crate::guard::Finding;
use crate::inventory::{Inventory, Workload};

use super::draw::{field_absent, locked, step};
use super::{ActuatorKind, Draft, Edit, Objection, Plan, Scalar, Step, rule};

/// Swaps before and after of `plan`'s steps, of those on `only` when it is given, last one first.
/// Every value must still be what the plan made it.
pub(super) fn of(plan: &Plan, only: Option<&Workload>, inventory: &Inventory) -> Result<Draft, Objection> {
    let mut draft = Draft::default();
    let mut findings = Vec::new();
    let (wanted, left): (Vec<&Step>, Vec<&Step>) = plan
        .steps
        .iter()
        .filter(|step| !step.is_already_so())
        .partition(|step| only.is_none_or(|workload| step.target.is(workload)));
    if !left.is_empty() && !wanted.is_empty() {
        let lines: Vec<String> = left.iter().map(|step| step.line()).collect();
        draft.notes.push(format!("of the same plan, left as it is: {}", lines.join("; ")));
    }
    for done in wanted.into_iter().rev() {
        match undo(done, inventory) {
            Ok(part) => {
                draft.steps.extend(part.steps);
                draft.notes.extend(part.notes);
            }
            Err(more) => findings.extend(more),
        }
    }
    if findings.is_empty() { Ok(draft) } else { Err(Objection::Refuse(findings)) }
}

fn undo(done: &Step, inventory: &Inventory) -> Result<Draft, Vec<Finding>> {
    let title = done.target.title();
    if done.creates() {
        return Err(vec![Finding::refuse(
            rule::ACTUATOR_AVAILABLE,
            format!("undoing \"{}\" would remove the package {}", done.line(), done.target.package),
            "packages are not removed yet; remove it in the repository, or scale it to another count",
        )]);
    }
    let present = inventory
        .named(&done.target.name)
        .find(|workload| workload.repository == done.repository && done.target.is(workload));
    let Some(workload) = present else {
        return Err(vec![Finding::refuse(
            rule::TARGET_EXISTS,
            format!("{title} is no longer in {} of {}", done.target.package, done.repository),
            "it was removed, moved or renamed since; ask for what you want instead",
        )]);
    };
    let Some(field) = &workload.replicas else { return Err(vec![field_absent(workload)]) };
    if let Some(reason) = &field.locked {
        return Err(vec![locked(&title, &field.file, &field.field, reason)]);
    }
    let [first, rest @ ..] = &done.edits[..] else { return Ok(Draft::default()) };
    let seen = Scalar::Int(i64::from(field.value));
    if seen != first.after {
        return Err(vec![changed_since(&title, &field.field, &first.after, &seen)]);
    }
    let mut notes =
        vec![format!("{title}: {seen} seen at read, as \"{}\" left it -> {}", done.line(), first.before)];
    let mut edits = vec![Edit {
        file: field.file.clone(),
        document: field.document,
        field: field.field.clone(),
        before: seen,
        after: first.before.clone(),
        blob: field.blob.clone(),
    }];
    match (&field.setter, rest.first()) {
        (Some(setter), Some(edit)) => {
            let seen = Scalar::Text(setter.value.clone());
            if seen != edit.after {
                return Err(vec![changed_since(&title, &setter.field, &edit.after, &seen)]);
            }
            edits.push(back(setter, edit.before.clone()));
        }
        // The setter came since: it follows the field, or the next render would undo the rollback.
        (Some(setter), None) => {
            notes.push(format!("{title}: the setter {} came since and follows", setter.name));
            edits.push(back(setter, Scalar::Text(first.before.to_string())));
        }
        (None, Some(edit)) => {
            notes.push(format!("{title}: the setter at {} in {} is gone since", edit.field, edit.file));
        }
        (None, None) => {}
    }
    let step = step("rollback", ActuatorKind::Package, &workload.repository, done.target.clone(), edits);
    Ok(Draft { steps: vec![step], notes })
}

fn back(setter: &crate::inventory::SetterField, after: Scalar) -> Edit {
    Edit {
        file: setter.file.clone(),
        document: setter.document,
        field: setter.field.clone(),
        before: Scalar::Text(setter.value.clone()),
        after,
        blob: setter.blob.clone(),
    }
}

fn changed_since(title: &str, field: &str, left: &Scalar, seen: &Scalar) -> Finding {
    Finding::refuse(
        rule::PRECONDITION,
        format!("{title}: {field} was changed since: {left} then, {seen} now"),
        "ask for the count you want, or roll back the later change first",
    )
}
