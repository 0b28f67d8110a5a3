//! Drawing plans over generated networks and requests.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use nephoran_model::inventory::{Inventory, Workload};
use nephoran_model::plan::{self, Changes, Draft, Objection, Plan, Resolved, Scalar, UnknownTargets, World};
use nephoran_model::proposal::{
    Action, Actions, Decimal, Function, Replicas, Report, Rollback, Scale, ScaleDirection, Target,
};
use proptest::prelude::*;

use crate::stand_in::{deployment, digest, written};

const NAMES: [&str; 4] = ["upf", "smf", "upf-edge", "du"];
const PLACES: [&str; 4] = ["ran-a", "ran-b", "core5g", "edge-1"];

fn functions() -> impl Strategy<Value = Option<Function>> {
    proptest::option::of(proptest::sample::select(vec![Function::Upf, Function::Smf, Function::ODu]))
}

fn networks() -> impl Strategy<Value = Inventory> {
    let one = (
        proptest::sample::select(NAMES.to_vec()),
        // One place fewer than requests name: some are unknown.
        proptest::sample::select(PLACES[..3].to_vec()),
        functions(),
        0..12_u32,
        proptest::option::of(0..12_u32),
    )
        .prop_map(|(name, namespace, function, replicas, setter)| {
            deployment(namespace, name, function, replicas, setter.map(|value| value.to_string()))
        });
    proptest::collection::vec(one, 0..8).prop_map(|all| {
        let mut seen = HashSet::new();
        let all = all.into_iter().filter(|one| seen.insert(one.package.clone())).map(Arc::new).collect();
        Inventory::new(all, vec![])
    })
}

fn targets() -> impl Strategy<Value = Target> {
    let place = || proptest::option::of(proptest::sample::select(PLACES.to_vec()));
    (proptest::option::of(proptest::sample::select(NAMES.to_vec())), functions(), place(), place()).prop_map(
        |(name, function, namespace, place)| Target {
            name: name.map(str::to_owned),
            function,
            namespace: namespace.map(str::to_owned),
            cluster: None,
            place: place.map(str::to_owned),
        },
    )
}

fn counts() -> impl Strategy<Value = Replicas> {
    let new = prop_oneof![
        (0..20_u32).prop_map(|to| Replicas { to: Some(to), ..Replicas::default() }),
        (-10..10_i32).prop_map(|by| Replicas { by: Some(by), ..Replicas::default() }),
        (0..40_u32).prop_map(|tenths| Replicas {
            factor: Some(Decimal(f64::from(tenths) / 10.0)),
            ..Replicas::default()
        }),
    ];
    let direction =
        proptest::option::of(proptest::sample::select(vec![ScaleDirection::Out, ScaleDirection::In]));
    let bound = || proptest::option::weighted(0.2, 0..12_u32);
    (new, bound(), bound(), bound(), direction).prop_map(|(new, from, min, max, direction)| Replicas {
        from,
        min,
        max,
        direction,
        ..new
    })
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let one = prop_oneof![
        8 => (targets(), counts()).prop_map(|(target, replicas)| Action::Scale(Scale { target, replicas })),
        1 => targets().prop_map(|target| Action::Report(Report { target: Some(target), all: None })),
    ];
    proptest::collection::vec(one, 1..4)
}

fn draw(actions: Vec<Action>, inventory: &Inventory, changes: &dyn Changes) -> Result<Draft, Objection> {
    let world = World { inventory, changes, unknown_targets: UnknownTargets::Refuse };
    plan::draw(&Actions { actions, ..Actions::default() }, &world)
}

fn holds(target: &Target, workload: &Workload) -> bool {
    let named = target.name.as_deref() == Some(workload.name.as_str());
    let of_function = target.function.is_some() && target.function == workload.function;
    (named || of_function)
        && target.namespace.as_ref().is_none_or(|name| workload.namespace.as_ref() == Some(name))
        && target.place.as_ref().is_none_or(|name| workload.namespace.as_ref() == Some(name))
}

/// A plan whose steps were committed.
struct Committed(Plan);

impl Changes for Committed {
    fn last_change(&self, target: &Resolved, _repository: &str) -> Option<Plan> {
        self.0.steps.iter().any(|step| step.target == *target).then(|| self.0.clone())
    }

    fn plan_of(&self, _intent: &str) -> Option<Plan> {
        Some(self.0.clone())
    }
}

fn sealed(draft: Draft) -> Plan {
    plan::seal(draft.steps, draft.notes, BTreeMap::new(), String::new(), digest("plan"), None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_is_drawn_is_what_was_said(network in networks(), actions in actions()) {
        match draw(actions.clone(), &network, &()) {
            Ok(draft) => {
                let scales: Vec<&Scale> = actions
                    .iter()
                    .filter_map(|action| match action {
                        Action::Scale(scale) => Some(scale),
                        _ => None,
                    })
                    .collect();
                let steps: Vec<_> = draft.steps.iter().filter(|step| step.action == "scale").collect();
                prop_assert_eq!(scales.len(), steps.len());
                for (at, step) in draft.steps.iter().enumerate() {
                    prop_assert_eq!(&step.id, &(at + 1).to_string());
                }
                let mut fields = HashSet::new();
                for (scale, step) in scales.into_iter().zip(steps) {
                    let matches: Vec<_> = network
                        .workloads()
                        .iter()
                        .filter(|workload| step.target.is(workload))
                        .collect();
                    prop_assert_eq!(matches.len(), 1);
                    let workload = matches[0];
                    prop_assert!(holds(&scale.target, workload), "{:?} is no {:?}", workload, scale.target);
                    let seen = i64::from(workload.replicas.as_ref().unwrap().value);
                    prop_assert_eq!(step.before(), Some(&Scalar::Int(seen)));
                    let after = step.after().and_then(Scalar::as_int).unwrap();
                    let Replicas { to, by, factor, from, min, max, direction } = scale.replicas.clone();
                    if let Some(to) = to { prop_assert_eq!(after, i64::from(to)); }
                    if let Some(by) = by { prop_assert_eq!(after, seen + i64::from(by)); }
                    if let Some(factor) = factor {
                        // In tenths, which is how they were made.
                        prop_assert_eq!(after * 10, seen * (factor.0 * 10.0).round() as i64);
                    }
                    prop_assert!(from.is_none_or(|from| i64::from(from) == seen));
                    prop_assert!(min.is_none_or(|min| after >= i64::from(min)));
                    prop_assert!(max.is_none_or(|max| after <= i64::from(max)));
                    prop_assert!(direction != Some(ScaleDirection::Out) || after >= seen);
                    prop_assert!(direction != Some(ScaleDirection::In) || after <= seen);
                    for edit in &step.edits {
                        prop_assert!(fields.insert((edit.file.clone(), edit.field.clone())));
                        // The setter says the number of the field.
                        prop_assert_eq!(edit.after.to_string(), after.to_string());
                    }
                }
            }
            Err(Objection::Ask { missing, question, .. }) => {
                prop_assert!(!missing.is_empty() && !question.is_empty());
                prop_assert!(missing.is_sorted());
            }
            Err(Objection::Refuse(findings)) => {
                prop_assert!(!findings.is_empty());
                for finding in findings {
                    prop_assert!(plan::rule::ALL.contains(&finding.rule.as_str()), "{}", finding.rule);
                    prop_assert!(!finding.message.is_empty() && !finding.remedy.is_empty());
                }
            }
        }
    }

    #[test]
    fn one_bad_part_spoils_the_whole(network in networks(), actions in actions()) {
        let alone: Vec<_> =
            actions.iter().map(|action| draw(vec![action.clone()], &network, &()).is_ok()).collect();
        let together = draw(actions, &network, &());
        if alone.contains(&false) {
            prop_assert!(together.is_err());
        } else if let Err(Objection::Refuse(findings)) = &together {
            // Each part is fine by itself: only together they contradict each other.
            prop_assert!(findings.iter().all(|finding| finding.rule == plan::rule::CONTRADICTION));
        } else {
            prop_assert!(together.is_ok());
        }
    }

    #[test]
    fn a_rollback_brings_back_what_was(network in networks(), actions in actions()) {
        let Ok(draft) = draw(actions, &network, &()) else { return Ok(()) };
        let changed = draft.steps.iter().any(|step| !step.is_already_so());
        let committed = Committed(sealed(draft));
        let after = written(&network, &committed.0.steps);

        let undo = vec![Action::Rollback(Rollback { target: None, intent: Some("i-1".into()) })];
        let back = draw(undo.clone(), &after, &committed);
        if changed {
            let back = back.unwrap();
            let restored = written(&after, &back.steps);
            for (was, is) in network.workloads().iter().zip(restored.workloads()) {
                prop_assert_eq!(was, is);
            }
            // Once more: the world is no longer as the plan left it, or it never differed.
            let again = draw(undo, &restored, &committed);
            prop_assert!(again.is_err(), "{:?}", again);
        } else {
            prop_assert!(back.is_err());
        }
    }

    #[test]
    fn what_is_the_only_match_is_found_and_what_is_not_is_never_taken(
        network in networks(),
        target in targets(),
    ) {
        let matching = network.workloads().iter().filter(|one| holds(&target, one)).count();
        match plan::resolve_one(&target, &network) {
            Ok((workload, _)) => prop_assert!(holds(&target, &workload)),
            // Nothing that fits in a place that exists: it never asks which of none.
            Err(Objection::Ask { candidates, .. }) => {
                prop_assert!(matching != 1 || target.place.is_some(), "{:?}", candidates);
            }
            Err(Objection::Refuse(_)) => prop_assert_eq!(matching, 0),
        }
    }
}

#[test]
fn a_factor_is_read_in_decimal() {
    // 10 x 1.1 is 11.000000000000002 in binary, 100 x 1.15 is 114.99999999999999.
    for (seen, factor, after) in [(10, 1.1, 11), (100, 1.15, 115), (3, 1.0, 3), (40, 0.025, 1), (0, 7.5, 0)] {
        let network = Inventory::new(vec![Arc::new(deployment("ran-a", "upf", None, seen, None))], vec![]);
        let scale = Action::Scale(Scale {
            target: Target { name: Some("upf".into()), ..Target::default() },
            replicas: Replicas { factor: Some(Decimal(factor)), ..Replicas::default() },
        });
        let draft = draw(vec![scale], &network, &()).unwrap();
        assert_eq!(draft.steps[0].after(), Some(&Scalar::Int(after)), "{seen} x {factor}");
    }
}

#[test]
fn a_factor_that_nobody_means_is_refused_not_computed() {
    let network = Inventory::new(vec![Arc::new(deployment("ran-a", "upf", None, 3, None))], vec![]);
    for factor in [-1.0, f64::NAN, f64::INFINITY, 1e300, 1e-300, 0.123_456_789_012_345_68] {
        let scale = Action::Scale(Scale {
            target: Target { name: Some("upf".into()), ..Target::default() },
            replicas: Replicas { factor: Some(Decimal(factor)), ..Replicas::default() },
        });
        assert!(draw(vec![scale], &network, &()).is_err(), "{factor}");
    }
}

#[test]
fn the_greatest_counts_do_not_overflow() {
    let network = Inventory::new(vec![Arc::new(deployment("ran-a", "upf", None, u32::MAX, None))], vec![]);
    for replicas in [
        Replicas { by: Some(i32::MAX), ..Replicas::default() },
        Replicas { by: Some(i32::MIN), ..Replicas::default() },
        Replicas { to: Some(u32::MAX), ..Replicas::default() },
        Replicas { factor: Some(Decimal(99_999_999.9)), ..Replicas::default() },
    ] {
        let target = Target { name: Some("upf".into()), ..Target::default() };
        let scale = Action::Scale(Scale { target, replicas });
        assert!(matches!(draw(vec![scale], &network, &()), Err(Objection::Refuse(_))));
    }
}
