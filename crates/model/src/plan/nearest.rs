//! The names that come nearest to one that nobody has.

use crate::inventory::{Inventory, Workload};
use crate::proposal::Target;

use super::Resolved;

/// More would be a list, not a hint.
const SHOWN: usize = 3;

/// Jaro-Winkler below this reads as another word: `upf` and `smf` have 0.56, `ran-a` and `ran-b` 0.92.
const NEAR: f64 = 0.7;

/// Workloads that the requester may have meant, as `namespace/name`, best first.
pub(super) fn workloads(target: &Target, inventory: &Inventory) -> Vec<String> {
    let near = |workload: &Workload| {
        let by_name = target.name.as_deref().map_or(0.0, |name| strsim::jaro_winkler(name, &workload.name));
        // The very function in another place is as near as the very name there.
        let by_function = f64::from(target.function.is_some() && target.function == workload.function);
        by_name.max(by_function)
    };
    best(inventory.workloads().iter().map(|workload| (near(workload), Resolved::of(workload).title())))
}

/// Names out of `all` that look like `word`, best first.
pub(super) fn names<'a>(word: &str, all: impl Iterator<Item = &'a str>) -> Vec<String> {
    best(all.map(|name| (strsim::jaro_winkler(word, name), name.to_owned())))
}

fn best(scored: impl Iterator<Item = (f64, String)>) -> Vec<String> {
    let mut near: Vec<(f64, String)> = scored.filter(|(score, _)| *score >= NEAR).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    near.dedup_by(|a, b| a.1 == b.1);
    near.into_iter().take(SHOWN).map(|(_, name)| name).collect()
}
