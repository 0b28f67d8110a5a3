//! An answer to a question of planning: fills what was asked for, and changes nothing else.

use crate::inventory::Inventory;
use crate::proposal::{Action, Actions, MAX_COUNT, Missing, Replicas, Target};

use super::{Objection, Resolved, World, draw};

/// The proposal with `text` in the place that planning asks about, or `None` when it is no answer to
/// any of its questions. What else is open is asked about next.
pub fn answer(proposal: &Actions, text: &str, world: &World<'_>) -> Option<Actions> {
    let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let mut answered = proposal.clone();
    let mut settled: Option<String> = None;
    for action in &mut answered.actions {
        let alone = Actions { actions: vec![action.clone()], ..Actions::default() };
        let Err(Objection::Ask { missing, question, candidates }) = draw(&alone, world) else { continue };
        // The same question about several parts has one answer; another question is still open.
        if settled.as_ref().is_some_and(|settled| *settled != question) {
            continue;
        }
        let filled = missing
            .first()
            .is_some_and(|missing| fill(action, *missing, &text, &candidates, world.inventory).is_some());
        if filled {
            settled = Some(question);
        }
    }
    settled.map(|_| answered)
}

fn fill(
    action: &mut Action,
    missing: Missing,
    text: &str,
    candidates: &[String],
    inventory: &Inventory,
) -> Option<()> {
    match missing {
        Missing::Replicas => {
            let Action::Scale(scale) = action else { return None };
            let to = text.parse().ok().filter(|count| *count <= MAX_COUNT)?;
            scale.replicas = Replicas { to: Some(to), by: None, factor: None, ..scale.replicas.clone() };
        }
        Missing::Place => {
            let target = target_of(action)?;
            if let Some(namespace) =
                text.strip_prefix("namespace ").filter(|one| inventory.has_namespace(one))
            {
                target.namespace = Some(namespace.to_owned());
                target.place = None;
            } else if let Some(cluster) =
                text.strip_prefix("cluster ").filter(|one| inventory.has_cluster(one))
            {
                target.cluster = Some(cluster.to_owned());
                target.place = None;
            } else if inventory.has_namespace(text) != inventory.has_cluster(text) {
                target.place = Some(text.to_owned());
            } else {
                return None;
            }
        }
        Missing::Target => {
            let chosen = candidates.iter().find(|candidate| candidate.as_str() == text).or_else(|| {
                // `ran-a` is enough where only one of them is there.
                let mut there = candidates
                    .iter()
                    .filter(|candidate| candidate.split_once('/').is_some_and(|(place, _)| place == text));
                there.next().filter(|_| there.next().is_none())
            })?;
            *target_of(action)? = candidate(chosen, inventory)?;
        }
        _ => return None,
    }
    Some(())
}

/// The target that names exactly what a candidate names.
fn candidate(candidate: &str, inventory: &Inventory) -> Option<Target> {
    let (title, cluster) = match candidate.split_once(" (cluster ") {
        Some((title, rest)) => (title, Some(rest.strip_suffix(')')?)),
        None => (candidate, None),
    };
    let name = title.rsplit('/').next()?;
    let workload = inventory.named(name).find(|workload| {
        Resolved::of(workload).title() == title
            && cluster.is_none_or(|cluster| workload.cluster.as_deref() == Some(cluster))
    })?;
    Some(Target {
        name: Some(name.to_owned()),
        // The name is chosen: what function the word was taken for no longer matters.
        function: None,
        namespace: workload.namespace.clone(),
        cluster: workload.cluster.clone(),
        place: None,
    })
}

fn target_of(action: &mut Action) -> Option<&mut Target> {
    match action {
        Action::Scale(scale) => Some(&mut scale.target),
        Action::Report(report) => report.target.as_mut(),
        Action::Rollback(rollback) => rollback.target.as_mut(),
        _ => None,
    }
}
