//! The names that come nearest to one that nobody has.

use crate::inventory::{Inventory, Workload};
use crate::proposal::Target;

use super::Resolved;

/// More would be a list, not a hint.
const SHOWN: usize = 3;

/// Jaro-Winkler below this reads as another word: `upf` and `smf` have 0.56, `ran-a` and `ran-b` 0.92.
const NEAR: f64 = 0.7;

/// Workloads that the requester may have meant, as `namespace/name`, best first: the name counts
/// first, the place among names that are equally near.
pub(super) fn workloads(target: &Target, inventory: &Inventory) -> Vec<String> {
    let place = target.namespace.as_deref().or(target.cluster.as_deref()).or(target.place.as_deref());
    let near = |workload: &Workload| {
        let by_name = target.name.as_deref().map_or(0.0, |name| strsim::jaro_winkler(name, &workload.name));
        // The very function in another place is as near as the very name there.
        let by_function = f64::from(target.function.is_some() && target.function == workload.function);
        let its = workload.namespace.as_deref().or(workload.cluster.as_deref());
        let by_place = place.zip(its).map_or(0.0, |(place, its)| strsim::jaro_winkler(place, its));
        (by_name.max(by_function), by_place)
    };
    let mut scored: Vec<((f64, f64), String)> = inventory
        .workloads()
        .iter()
        .map(|workload| (near(workload), Resolved::of(workload).title()))
        .filter(|((name, _), _)| *name >= NEAR)
        .collect();
    scored.sort_by(|(a, first), (b, second)| {
        b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then_with(|| first.cmp(second))
    });
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(SHOWN).map(|(_, title)| title).collect()
}

/// Names out of `all` that look like `word`, best first.
pub(super) fn names<'a>(word: &str, all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut near = by_likeness(word, all);
    near.retain(|(score, _)| *score >= NEAR);
    near.into_iter().take(SHOWN).map(|(_, name)| name.to_owned()).collect()
}

/// Each of `all` once, the most alike first.
pub(super) fn by_likeness<'a>(word: &str, all: impl Iterator<Item = &'a str>) -> Vec<(f64, &'a str)> {
    let mut scored: Vec<(f64, &str)> = all.map(|name| (strsim::jaro_winkler(word, name), name)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored
}
