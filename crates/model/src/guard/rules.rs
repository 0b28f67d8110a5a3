//! The rules, in the order in which a reader wants their findings.

use crate::inventory::Workload;
use crate::plan::{Hashed, Plan, Resolved, Scalar, Step, exact, replicas_of};
use crate::proposal::{MAX_COUNT, is_dns_label};

use super::{Bounds, Case, Difference, Effect, Finding, void};

/// One check over the difference that a plan makes.
pub struct Rule {
    pub name: &'static str,
    pub(super) judge: fn(&Plan, &Case<'_>, &Bounds) -> Vec<Objection>,
}

const fn rule(name: &'static str, judge: fn(&Plan, &Case<'_>, &Bounds) -> Vec<Objection>) -> Rule {
    Rule { name, judge }
}

pub const RULES: &[Rule] = &[
    rule("plan_hash", plan_hash), // what is reviewed is what was hashed, unaltered
    rule("read_back", read_back), // what a model understood is nobody's word until the author says so
    rule("unintended_change", unintended_change), // a plan changes what its steps name, nothing else
    rule("dns_names", dns_names), // a name is never a path, a flag or a piece of shell
    rule("namespaces_allowed", namespaces_allowed), // a plan stays inside the namespaces it was given
    rule("constraints", constraints), // the requester's own bounds bind too
    rule("replicas_within_bounds", replicas_within_bounds), // a typo must not scale a DU to 500
    rule("not_replicable", not_replicable), // two pods with one fixed address are an outage
    rule("autoscaler", autoscaler), // two masters of one number fight for ever
    rule("conflict", conflict),   // who asked first and higher is not overruled silently
    rule("freeze", freeze),       // somebody stopped the world on purpose
    rule("approval_valid", approval_valid), // a yes to another plan is no yes to this one
    rule("protected", protected), // some workloads are nobody's to change alone
    rule("to_zero", to_zero),     // zero is an outage that looks like a number
    rule("step_size", step_size), // a big step is more often a typo than a need
    rule("factor_size", factor_size), // so is a big factor, also where counts are small
];

/// A finding before it knows its rule.
pub(super) struct Objection {
    effect: Effect,
    message: String,
    remedy: String,
}

impl Objection {
    pub(super) fn under(self, rule: &str) -> Finding {
        Finding::new(self.effect, rule, self.message, self.remedy)
    }
}

fn refuse(message: impl Into<String>, remedy: impl Into<String>) -> Objection {
    Objection { effect: Effect::Refuse, message: message.into(), remedy: remedy.into() }
}

fn approval(message: impl Into<String>, remedy: impl Into<String>) -> Objection {
    Objection { effect: Effect::Approval, message: message.into(), remedy: remedy.into() }
}

fn read_back(_plan: &Plan, case: &Case<'_>, _bounds: &Bounds) -> Vec<Objection> {
    if !case.unconfirmed {
        return Vec::new();
    }
    vec![refuse(
        "a language model understood this request, and its author has not confirmed what it understood",
        "answer the question of the intent with yes, or cancel it and say it in other words",
    )]
}

fn plan_hash(plan: &Plan, case: &Case<'_>, _bounds: &Bounds) -> Vec<Objection> {
    let hashed = Hashed::new(case.intent, case.generation, case.requester, &plan.steps, case.guard);
    if (case.hash)(&hashed) == plan.hash {
        return Vec::new();
    }
    vec![refuse(
        "the plan is not what its hash was taken of",
        "have it planned again; its old approval is void",
    )]
}

fn unintended_change(plan: &Plan, case: &Case<'_>, _bounds: &Bounds) -> Vec<Objection> {
    const REMEDY: &str = "the package needs a look by hand; nothing was written";
    let mut objections = Vec::new();
    for difference in case.differences {
        let at = format!("{} in {} of {}", difference.field, difference.file, difference.repository);
        let Some(step) = difference
            .step
            .as_ref()
            .and_then(|id| plan.steps.iter().find(|step| step.id == *id))
            .filter(|step| step.repository == difference.repository)
        else {
            objections.push(refuse(
                format!(
                    "{at} would change from {} to {}, and no step names it",
                    shown(difference.before.as_ref()),
                    shown(difference.after.as_ref())
                ),
                REMEDY,
            ));
            continue;
        };
        match step.edits.iter().position(|edit| {
            (&edit.file, edit.document, &edit.field)
                == (&difference.file, difference.document, &difference.field)
        }) {
            Some(index) => {
                let edit = &step.edits[index];
                let before = difference.before.clone().unwrap_or(Scalar::Absent);
                if before != edit.before || difference.after.as_ref() != Some(&edit.after) {
                    objections.push(refuse(
                        format!(
                            "{at} would go from {} to {}; the step says {} -> {}",
                            shown(difference.before.as_ref()),
                            shown(difference.after.as_ref()),
                            edit.before,
                            edit.after
                        ),
                        REMEDY,
                    ));
                }
                // The first edit is what the step is about: it must be that very object.
                let target = &step.target;
                if index == 0
                    && (difference.name != target.name
                        || difference.kind != target.kind
                        || difference.package != target.package
                        || (difference.namespace.is_some() && difference.namespace != target.namespace))
                {
                    objections.push(refuse(
                        format!(
                            "{at} belongs to {} {}, not to {} {}",
                            difference.kind,
                            difference.name,
                            target.kind,
                            target.title()
                        ),
                        REMEDY,
                    ));
                }
            }
            // All values of a package that the step makes are new.
            None if step.creates()
                && difference.before.is_none()
                && difference.package == step.target.package => {}
            None => objections
                .push(refuse(format!("{at} would change, and step {} does not name it", step.id), REMEDY)),
        }
    }
    for step in &plan.steps {
        for edit in step.edits.iter().filter(|edit| edit.before != edit.after) {
            let arrives = case.differences.iter().any(|difference| {
                difference.step.as_deref() == Some(step.id.as_str())
                    && difference.repository == step.repository
                    && (&difference.file, difference.document, &difference.field)
                        == (&edit.file, edit.document, &edit.field)
            });
            if !arrives {
                objections.push(refuse(
                    format!("{} in {} would not become {}", edit.field, edit.file, edit.after),
                    REMEDY,
                ));
            }
        }
    }
    objections
}

fn dns_names(plan: &Plan, _case: &Case<'_>, _bounds: &Bounds) -> Vec<Objection> {
    let mut objections = Vec::new();
    for step in changing(plan) {
        let target = &step.target;
        if !is_dns_name(&target.name) {
            objections.push(refuse(
                format!("the name {:?} is no DNS name", target.name),
                "names are lower-case letters, digits and hyphens",
            ));
        }
        for (what, word) in [("namespace", &target.namespace), ("cluster", &target.cluster)] {
            if let Some(word) = word
                && !is_dns_label(word)
            {
                objections.push(refuse(
                    format!("the {what} {word:?} is no DNS label"),
                    "names are at most 63 lower-case letters, digits and hyphens",
                ));
            }
        }
    }
    objections
}

fn namespaces_allowed(plan: &Plan, case: &Case<'_>, bounds: &Bounds) -> Vec<Objection> {
    let of_steps = changing(plan).map(|step| step.target.namespace.as_deref());
    let of_differences =
        case.differences.iter().filter_map(|difference| difference.namespace.as_deref()).map(Some);
    let mut namespaces: Vec<Option<&str>> = of_steps.chain(of_differences).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    namespaces
        .into_iter()
        .filter(|namespace| !bounds.allows_namespace(*namespace))
        .map(|namespace| {
            let message = match namespace {
                Some(namespace) => format!("the namespace {namespace} is not allowed"),
                None => "a workload without a namespace is not allowed".to_owned(),
            };
            refuse(message, format!("guard.namespaces allows {}", bounds.namespaces.join(", ")))
        })
        .collect()
}

fn constraints(plan: &Plan, case: &Case<'_>, _bounds: &Bounds) -> Vec<Objection> {
    let mut objections = Vec::new();
    let wanted = case.constraints;
    for count in counts(plan, case) {
        let Count { title, after, .. } = &count;
        if let Some(max) = wanted.max_replicas
            && *after > i64::from(max)
        {
            objections.push(refuse(
                format!("{title} would have {}; the intent allows at most {max}", replicas_of(*after)),
                format!("ask for {max} or fewer, or raise max_replicas of the intent"),
            ));
        }
        if let Some(min) = wanted.min_replicas
            && *after < i64::from(min)
        {
            objections.push(refuse(
                format!("{title} would have {}; the intent wants at least {min}", replicas_of(*after)),
                format!("ask for {min} or more, or lower min_replicas of the intent"),
            ));
        }
    }
    for step in changing(plan) {
        let Resolved { namespace, package, .. } = &step.target;
        let title = step.target.title();
        if let Some(allowed) = &wanted.allowed_namespaces
            && !namespace.as_ref().is_some_and(|namespace| allowed.contains(namespace))
        {
            objections.push(refuse(
                format!("{title} is outside of the namespaces that the intent allows"),
                format!("the intent allows {}", allowed.join(", ")),
            ));
        }
        if let Some(name) = &wanted.kpt_package_name
            && package.rsplit('/').next() != Some(name.as_str())
        {
            objections.push(refuse(
                format!("{title} is in the package {package}; the intent wants {name}"),
                "name the target of that package, or leave kpt_package_name out",
            ));
        }
        if let Some(repository) = &wanted.porch_repository
            && step.repository != *repository
        {
            objections.push(refuse(
                format!("{title} is in the repository {}; the intent wants {repository}", step.repository),
                "name a target of that repository, or leave porch_repository out",
            ));
        }
    }
    objections
}

fn replicas_within_bounds(plan: &Plan, case: &Case<'_>, bounds: &Bounds) -> Vec<Objection> {
    let mut objections = Vec::new();
    for difference in case.differences.iter().filter(|difference| is_count(difference, case)) {
        if difference.after.as_ref().and_then(Scalar::as_int).is_none() {
            objections.push(refuse(
                format!(
                    "{} of {} would become {}",
                    difference.field,
                    title(difference, plan),
                    shown(difference.after.as_ref())
                ),
                "a count is a whole number",
            ));
        }
    }
    let most = i64::from(bounds.max_replicas.min(MAX_COUNT));
    for Count { title, after, .. } in counts(plan, case) {
        if after > most {
            objections.push(refuse(
                format!("{title} would have {}; at most {most} are allowed", replicas_of(after)),
                format!("ask for {most} or fewer, or raise guard.max_replicas"),
            ));
        } else if after < 0 {
            objections.push(refuse(format!("{title} would have {after} replicas"), "a count is 0 or more"));
        }
    }
    objections
}

fn not_replicable(plan: &Plan, case: &Case<'_>, _bounds: &Bounds) -> Vec<Objection> {
    counts(plan, case)
        .into_iter()
        .filter(|count| count.after > 1 && count.after > count.before.unwrap_or(0))
        .filter_map(|count| {
            let reasons = &count.workload?.not_replicable;
            (!reasons.is_empty()).then(|| {
                refuse(
                    format!("{} cannot run more than one replica: {}", count.title, reasons.join("; ")),
                    "give it more capacity, or deploy another instance of it",
                )
            })
        })
        .collect()
}

fn autoscaler(plan: &Plan, case: &Case<'_>, _bounds: &Bounds) -> Vec<Objection> {
    counts(plan, case)
        .into_iter()
        .filter(|count| count.before != Some(count.after))
        .filter_map(|count| {
            let owner = count.workload?.autoscaled_by.as_ref()?;
            Some(refuse(
                format!("{} is scaled by {owner}, which would put the count back", count.title),
                format!("change the bounds of {owner} instead, or remove it first"),
            ))
        })
        .collect()
}

fn conflict(plan: &Plan, case: &Case<'_>, _bounds: &Bounds) -> Vec<Objection> {
    if plan.is_already_so() {
        return Vec::new();
    }
    case.rivals
        .iter()
        .map(|rival| {
            let what = format!("{} \"{}\"", rival.intent, rival.title);
            if !rival.committed && rival.priority > case.priority {
                return refuse(
                    format!(
                        "{what} waits with priority {}, above {}",
                        rival.priority.as_str(),
                        case.priority.as_str()
                    ),
                    "wait for it, have it cancelled, or ask with at least its priority",
                );
            }
            if rival.requester != case.requester {
                return approval(
                    format!("{what} of {} would be superseded", rival.requester),
                    "someone besides the author must agree",
                );
            }
            Objection {
                effect: Effect::Note,
                message: format!("{what} is superseded"),
                remedy: "nothing to do: it is an earlier intent of the same author".into(),
            }
        })
        .collect()
}

fn freeze(plan: &Plan, _case: &Case<'_>, bounds: &Bounds) -> Vec<Objection> {
    if !bounds.freeze || plan.is_already_so() {
        return Vec::new();
    }
    vec![Objection {
        effect: Effect::Hold,
        message: "changes are frozen".into(),
        remedy: "it goes on when guard.freeze is lifted, if its deadline has not passed by then".into(),
    }]
}

/// Says why an approval that is there does not count. A plan that was approved and is another by
/// now needs approval again, also when it would not need one by itself: somebody said yes to what
/// they saw.
fn approval_valid(plan: &Plan, case: &Case<'_>, bounds: &Bounds) -> Vec<Objection> {
    let Some(approval) = case.approval else { return Vec::new() };
    let Some(why) = void(approval, plan, case, bounds) else { return Vec::new() };
    vec![Objection {
        effect: if plan.is_already_so() { Effect::Note } else { Effect::Approval },
        message: format!("the approval by {} does not hold: {why}", approval.by),
        remedy: "read the plan as it is now and approve its hash".into(),
    }]
}

fn protected(plan: &Plan, _case: &Case<'_>, bounds: &Bounds) -> Vec<Objection> {
    changing(plan)
        .filter(|step| !step.is_already_so())
        .filter(|step| bounds.protects(step.target.namespace.as_deref(), &step.target.name))
        .map(|step| {
            approval(format!("{} is protected", step.target.title()), "someone besides the author must agree")
        })
        .collect()
}

fn to_zero(plan: &Plan, case: &Case<'_>, bounds: &Bounds) -> Vec<Objection> {
    if !bounds.approval.to_zero {
        return Vec::new();
    }
    counts(plan, case)
        .into_iter()
        .filter(|count| count.after == 0 && count.before != Some(0))
        .map(|count| {
            approval(
                format!("{} would have no replica left", count.title),
                "someone besides the author must agree, or ask for 1 or more",
            )
        })
        .collect()
}

fn step_size(plan: &Plan, case: &Case<'_>, bounds: &Bounds) -> Vec<Objection> {
    let over = bounds.approval.step_over;
    counts(plan, case)
        .into_iter()
        .filter_map(|count| {
            let before = count.before?;
            let step = before.abs_diff(count.after);
            (step > u64::from(over)).then(|| {
                approval(
                    format!("{} would go from {before} to {}, a step of {step}", count.title, count.after),
                    format!("someone besides the author must agree, or go in steps of at most {over}"),
                )
            })
        })
        .collect()
}

fn factor_size(plan: &Plan, case: &Case<'_>, bounds: &Bounds) -> Vec<Objection> {
    let over = bounds.approval.factor_over;
    counts(plan, case)
        .into_iter()
        .filter_map(|count| {
            let before = count.before?;
            let small = before.min(count.after).max(1).unsigned_abs();
            let large = before.max(count.after).max(1).unsigned_abs();
            // Compared as whole numbers: 33 against 10 with 3.3 is equal, and equal is not over. A bound
            // that cannot be read that way lets nothing through.
            let is_over = exact(over).is_none_or(|(digits, scale)| {
                u128::from(large).saturating_mul(scale) > u128::from(small).saturating_mul(digits)
            });
            (is_over && large != small).then(|| {
                approval(
                    format!(
                        "{} would go from {before} to {}, more than {over} times as much or as little",
                        count.title, count.after
                    ),
                    format!("someone besides the author must agree, or go in factors of at most {over}"),
                )
            })
        })
        .collect()
}

/// One count of replicas before and after.
struct Count<'a> {
    title: String,
    workload: Option<&'a Workload>,
    /// Absent where the workload is new.
    before: Option<i64>,
    after: i64,
}

/// Every count that differs, and those of steps that find the world already so.
fn counts<'a>(plan: &Plan, case: &Case<'a>) -> Vec<Count<'a>> {
    let changed =
        case.differences.iter().filter(|difference| is_count(difference, case)).filter_map(|difference| {
            Some(Count {
                title: title(difference, plan),
                workload: workload_of(difference, case),
                before: difference.before.as_ref().and_then(Scalar::as_int),
                after: difference.after.as_ref()?.as_int()?,
            })
        });
    let already = changing(plan).filter_map(|step| {
        let edit = step.edits.first().filter(|edit| edit.before == edit.after)?;
        Some(Count {
            title: step.target.title(),
            workload: case
                .workloads
                .iter()
                .map(AsRef::as_ref)
                .find(|workload| workload.repository == step.repository && step.target.is(workload)),
            before: edit.before.as_int(),
            after: edit.after.as_int()?,
        })
    });
    changed.chain(already).collect()
}

/// Whether a difference is at a count of replicas: where the inventory says it is, or in any field
/// of that name. A setter in a Kptfile follows the field and is held to its step instead.
fn is_count(difference: &Difference, case: &Case<'_>) -> bool {
    let known = workload_of(difference, case)
        .and_then(|workload| workload.replicas.as_ref())
        .is_some_and(|field| field.field == difference.field);
    let named = !matches!(difference.kind.as_str(), "Kptfile" | "ConfigMap")
        && difference.field.rsplit('.').next() == Some("replicas");
    known || named
}

fn workload_of<'a>(difference: &Difference, case: &Case<'a>) -> Option<&'a Workload> {
    case.workloads.iter().map(AsRef::as_ref).find(|workload| {
        workload.repository == difference.repository
            && workload.package == difference.package
            && workload.kind == difference.kind
            && workload.name == difference.name
    })
}

/// `namespace/name` of what a difference is in.
fn title(difference: &Difference, plan: &Plan) -> String {
    let step = difference.step.as_ref().and_then(|id| plan.steps.iter().find(|step| step.id == *id));
    match (step, &difference.namespace) {
        (Some(step), _) if step.target.name == difference.name => step.target.title(),
        (_, Some(namespace)) => format!("{namespace}/{}", difference.name),
        _ => difference.name.clone(),
    }
}

/// Steps that write something, or would if the world were not already so.
fn changing(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.steps.iter().filter(|step| !step.edits.is_empty())
}

/// A subdomain as Kubernetes names objects: labels with dots between.
fn is_dns_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_dns_label)
}

fn shown(value: Option<&Scalar>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Scalar::to_string)
}
