//! The guard against plain arithmetic, over generated counts and bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use nephoran_model::guard::{self, Bounds, Case, Difference, Effect, Finding, Verdict, glob};
use nephoran_model::intent::{Constraints, HoldReason};
use nephoran_model::inventory::Workload;
use nephoran_model::plan::{self, ActuatorKind, Edit, Hashed, Plan, Resolved, Scalar, Step, StepState};
use nephoran_model::proposal::{Decimal, Priority};
use proptest::prelude::*;

use crate::stand_in::{deployment, differences, hash};

/// A plan that takes `workload` from its count to `after`.
fn plan(workload: &Workload, after: i64) -> Plan {
    let field = workload.replicas.as_ref().unwrap();
    let step = Step {
        id: "1".into(),
        action: "scale".into(),
        actuator: ActuatorKind::Package,
        repository: workload.repository.clone(),
        target: Resolved::of(workload),
        edits: vec![Edit {
            file: field.file.clone(),
            document: field.document,
            field: field.field.clone(),
            before: Scalar::Int(i64::from(field.value)),
            after: Scalar::Int(after),
            blob: field.blob.clone(),
        }],
        state: StepState::Pending,
    };
    let steps = vec![step];
    let sealed = hash(&Hashed::new("i-1", 1, "author", &steps, "guard"));
    plan::seal(steps, vec![], BTreeMap::new(), String::new(), sealed, None)
}

fn review(
    plan: Plan,
    workload: Workload,
    bounds: &Bounds,
    constraints: &Constraints,
    differences: &[Difference],
) -> Verdict {
    let case = Case {
        intent: "i-1",
        generation: 1,
        requester: "author",
        priority: Priority::Normal,
        constraints,
        now: Timestamp::UNIX_EPOCH,
        differences,
        workloads: &[Arc::new(workload)],
        rivals: &[],
        approval: None,
        unconfirmed: false,
        guard: "guard",
        hash: &hash,
    };
    guard::review(plan, &case, bounds)
}

fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_findings_are_those_that_arithmetic_says(
        before in 0..40_u32,
        after in 0..60_i64,
        max_replicas in 1..50_u32,
        step_over in 0..30_u32,
        tenths in 10..60_u32,
        to_zero in any::<bool>(),
        freeze in any::<bool>(),
        least in proptest::option::of(0..40_u32),
        most in proptest::option::of(1..60_u32),
        fixed in any::<bool>(),
        autoscaled in any::<bool>(),
    ) {
        let mut workload = deployment("ran-a", "upf", None, before, None);
        if fixed {
            workload.not_replicable.push("its pod template has fixed addresses".into());
        }
        workload.autoscaled_by = autoscaled.then(|| "HorizontalPodAutoscaler upf".into());
        let mut bounds = Bounds { max_replicas, freeze, ..Bounds::default() };
        bounds.approval.step_over = step_over;
        bounds.approval.factor_over = Decimal(f64::from(tenths) / 10.0);
        bounds.approval.to_zero = to_zero;
        let constraints =
            Constraints { min_replicas: least, max_replicas: most, ..Constraints::default() };

        let plan = plan(&workload, after);
        let differences = differences(&plan);
        let verdict = review(plan, workload, &bounds, &constraints, &differences);

        let before = i64::from(before);
        let changes = before != after;
        let small = before.min(after).max(1);
        let large = before.max(after).max(1);
        let mut expected = vec![];
        // In the order of the rules.
        if most.is_some_and(|most| after > i64::from(most)) { expected.push("constraints"); }
        if least.is_some_and(|least| after < i64::from(least)) { expected.push("constraints"); }
        if after > i64::from(max_replicas) { expected.push("replicas_within_bounds"); }
        if fixed && after > 1 && after > before { expected.push("not_replicable"); }
        if autoscaled && changes { expected.push("autoscaler"); }
        if freeze && changes { expected.push("freeze"); }
        if to_zero && after == 0 && before > 0 { expected.push("to_zero"); }
        if (after - before).abs() > i64::from(step_over) { expected.push("step_size"); }
        if large * 10 > small * i64::from(tenths) && large != small { expected.push("factor_size"); }
        prop_assert_eq!(rules(verdict.findings()), expected);

        let strongest = verdict.findings().iter().map(|finding| finding.effect).max();
        let fits = match &verdict {
            Verdict::Approved(approved) => strongest.is_none() && approved.approved_by().is_none(),
            Verdict::NeedsApproval { .. } => strongest == Some(Effect::Approval),
            Verdict::Held { reason, .. } => {
                strongest == Some(Effect::Hold) && *reason == HoldReason::Frozen
            }
            Verdict::Refused { .. } => strongest == Some(Effect::Refuse),
        };
        prop_assert!(fits, "{:?} {:?}", strongest, verdict);
    }

    #[test]
    fn a_difference_that_is_not_exactly_the_steps_is_refused(
        which in 0..8_usize,
        word in "[a-z]{1,8}",
        count in 0..9_i64,
    ) {
        let workload = deployment("ran-a", "upf", None, 3, None);
        let plan = plan(&workload, 4);
        let mut all = differences(&plan);
        let original = all.clone();
        match which {
            0 => all[0].file = word,
            1 => all[0].field = format!("spec.{word}"),
            2 => all[0].after = Some(Scalar::Int(count)),
            3 => all[0].before = Some(Scalar::Int(count)),
            4 => all[0].step = None,
            5 => all[0].name = word,
            6 => all[0].after = Some(Scalar::Text("4".into())),
            _ => all.clear(),
        }
        prop_assume!(all != original);
        let verdict = review(plan, workload, &Bounds::default(), &Constraints::default(), &all);
        prop_assert!(rules(verdict.findings()).contains(&"unintended_change"), "{:?}", verdict);
        let refused = matches!(verdict, Verdict::Refused { .. });
        prop_assert!(refused);
    }

    #[test]
    fn a_glob_matches_what_a_plain_reading_of_it_matches(
        pattern in "[ab*?]{0,8}",
        word in "[ab]{0,10}",
    ) {
        fn plain(pattern: &[u8], word: &[u8]) -> bool {
            match (pattern, word) {
                ([], []) => true,
                ([b'*', rest @ ..], _) => {
                    plain(rest, word) || (!word.is_empty() && plain(pattern, &word[1..]))
                }
                ([b'?', rest @ ..], [_, tail @ ..]) => plain(rest, tail),
                ([one, rest @ ..], [first, tail @ ..]) => one == first && plain(rest, tail),
                _ => false,
            }
        }
        prop_assert_eq!(glob(&pattern, &word), plain(pattern.as_bytes(), word.as_bytes()));
    }
}

#[test]
fn a_long_glob_is_answered_at_once() {
    let pattern = "*a".repeat(200) + "b";
    assert!(!glob(&pattern, &"a".repeat(5_000)));
}

#[test]
fn a_value_that_moved_into_another_namespace_is_judged_there() {
    let workload = deployment("ran-a", "upf", None, 3, None);
    let plan = plan(&workload, 4);
    let mut all = differences(&plan);
    all[0].namespace = Some("ran-b".into());
    let bounds = Bounds { namespaces: vec!["ran-a".into()], ..Bounds::default() };
    let verdict = review(plan, workload, &bounds, &Constraints::default(), &all);
    assert_eq!(rules(verdict.findings()), ["unintended_change", "namespaces_allowed"]);
}

#[test]
fn a_count_is_judged_in_whatever_field_it_lives() {
    let mut workload = deployment("ran-a", "gnb", None, 2, None);
    workload.replicas.as_mut().unwrap().field = "spec.pool.size".into();
    let plan = plan(&workload, 400);
    let all = differences(&plan);
    let verdict = review(plan, workload, &Bounds::default(), &Constraints::default(), &all);
    assert_eq!(rules(verdict.findings()), ["replicas_within_bounds", "step_size", "factor_size"]);
}

#[test]
fn a_rule_has_one_name_and_a_remedy_with_every_finding() {
    let names: std::collections::HashSet<_> = guard::RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), guard::RULES.len());
}

#[test]
fn bounds_read_back_as_they_were_written() {
    let bounds = Bounds { protected: vec!["core5g/*".into()], ..Bounds::default() };
    let text = serde_json::to_string(&bounds).unwrap();
    assert!(text.contains(r#""self":"deny""#), "{text}");
    assert_eq!(serde_json::from_str::<Bounds>(&text).unwrap(), bounds);
}
