//! Which workload a target means.
//!
//! The very name first, the function else; the place must hold. What was chosen for
//! the requester is said in the notes. Nothing is guessed: several make it ask, none
//! is refused with the nearest names.

use std::sync::Arc;

use crate::guard::Finding;
use crate::inventory::{Inventory, LeftOut, Workload};
use crate::proposal::{Function, Missing, Target};

use super::{Objection, Resolved, nearest, rule};

/// The workloads that a target means, at least one, and what was chosen to find them.
#[derive(Debug, Clone)]
pub struct Found {
    pub workloads: Vec<Arc<Workload>>,
    pub notes: Vec<String>,
}

/// Every workload that `target` may mean: never empty.
pub fn resolve(target: &Target, inventory: &Inventory) -> Result<Found, Objection> {
    let mut notes = Vec::new();
    let place = Place::of(target, inventory, &mut notes)?;
    let here = |workload: &&Arc<Workload>| place.holds(workload);

    let of_function = |function: Option<Function>| -> Vec<Arc<Workload>> {
        function
            .map(|function| inventory.of_function(function).filter(here).cloned().collect())
            .unwrap_or_default()
    };
    let named: Vec<Arc<Workload>> = target
        .name
        .as_deref()
        .map(|name| inventory.named(name).filter(here).cloned().collect())
        .unwrap_or_default();

    let workloads = if named.is_empty() {
        of_function(target.function)
    } else {
        let (fitting, other): (Vec<_>, Vec<_>) = named.into_iter().partition(|workload| {
            target.function.is_none() || workload.function.is_none() || workload.function == target.function
        });
        if !fitting.is_empty() {
            fitting
        } else {
            let rivals = of_function(target.function);
            if !rivals.is_empty() {
                return Err(which(target, other.iter().chain(&rivals)));
            }
            for workload in &other {
                notes.push(format!(
                    "{}: taken by its name, though its function is {}",
                    workload.name,
                    workload.function.map_or("unknown", Function::as_str)
                ));
            }
            other
        }
    };
    if workloads.is_empty() {
        return Err(unknown(target, inventory));
    }
    Ok(Found { workloads, notes })
}

/// The one workload that `target` means; asks when there are several.
pub fn resolve_one(
    target: &Target,
    inventory: &Inventory,
) -> Result<(Arc<Workload>, Vec<String>), Objection> {
    let Found { workloads, mut notes } = resolve(target, inventory)?;
    // A Deployment and the Capacity or NFDeployment of the same name are one function: the count
    // lives in the one that has it.
    let countless = |one: &Arc<Workload>| {
        one.replicas.is_none()
            && workloads.iter().any(|other| other.replicas.is_some() && same_title(one, other))
    };
    let left: Vec<&Arc<Workload>> = workloads.iter().filter(|one| !countless(one)).collect();
    let [one] = left[..] else { return Err(which(target, left.into_iter())) };
    if workloads.len() > 1 {
        notes.push(format!("{}: the {} of that name is the one with replicas", one.name, one.kind));
    }
    if let Some(note) = taken(target, one, inventory) {
        notes.push(note);
    }
    Ok((Arc::clone(one), notes))
}

/// How people called it.
pub(super) fn said(target: &Target) -> &str {
    target.name.as_deref().or(target.function.map(Function::as_str)).unwrap_or("the target")
}

/// What was chosen for the requester, when something was.
fn taken(target: &Target, one: &Workload, inventory: &Inventory) -> Option<String> {
    let said = said(target);
    let what = if target.name.as_deref() == Some(one.name.as_str()) {
        "taken".to_owned()
    } else {
        format!("taken to be {}", one.name)
    };
    let placed = target.namespace.is_some() || target.cluster.is_some() || target.place.is_some();
    if placed {
        return (what != "taken").then(|| format!("{said}: {what}, the only match"));
    }
    let whither = match (&one.namespace, &one.cluster) {
        (Some(namespace), _) => format!(" in namespace {namespace}"),
        (None, Some(cluster)) => format!(" in cluster {cluster}"),
        (None, None) => String::new(),
    };
    let others = target
        .function
        .filter(|_| what == "taken")
        .map(|function| inventory.of_function(function).filter(|other| !same_title(one, other)).count())
        .unwrap_or_default();
    Some(if others == 0 {
        format!("{said}: {what}{whither}, the only match")
    } else {
        format!("{said}: {what}{whither}, the only one of that very name")
    })
}

fn same_title(one: &Workload, other: &Workload) -> bool {
    one.name == other.name && one.namespace == other.namespace && one.cluster == other.cluster
}

/// Where a target must be.
struct Place<'a> {
    namespaces: Vec<&'a str>,
    clusters: Vec<&'a str>,
}

impl<'a> Place<'a> {
    fn of(target: &'a Target, inventory: &Inventory, notes: &mut Vec<String>) -> Result<Self, Objection> {
        let mut place = Self { namespaces: Vec::new(), clusters: Vec::new() };
        if let Some(namespace) = &target.namespace {
            if !inventory.has_namespace(namespace) {
                return Err(unknown(target, inventory));
            }
            place.namespaces.push(namespace);
        }
        if let Some(cluster) = &target.cluster {
            if !inventory.has_cluster(cluster) {
                return Err(unknown(target, inventory));
            }
            place.clusters.push(cluster);
        }
        if let Some(word) = &target.place {
            match (inventory.has_namespace(word), inventory.has_cluster(word)) {
                (true, false) => {
                    notes.push(format!("in {word}: the namespace of that name"));
                    place.namespaces.push(word);
                }
                (false, true) => {
                    notes.push(format!("in {word}: the cluster of that name"));
                    place.clusters.push(word);
                }
                (true, true) => {
                    return Err(Objection::Ask {
                        missing: vec![Missing::Place],
                        question: format!(
                            "{word} is a namespace and a cluster. Which one: namespace {word} or cluster {word}?"
                        ),
                        candidates: vec![format!("namespace {word}"), format!("cluster {word}")],
                    });
                }
                (false, false) => {
                    return Err(neither(target, word, inventory));
                }
            }
        }
        Ok(place)
    }

    fn holds(&self, workload: &Workload) -> bool {
        self.namespaces.iter().all(|name| workload.namespace.as_deref() == Some(name))
            && self.clusters.iter().all(|name| workload.cluster.as_deref() == Some(name))
    }
}

/// Asks which one of several it is.
fn which<'a>(target: &Target, several: impl Iterator<Item = &'a Arc<Workload>>) -> Objection {
    let several: Vec<&Arc<Workload>> = several.collect();
    let mut candidates: Vec<String> = several
        .iter()
        .map(|one| {
            let title = Resolved::of(one).title();
            let alike: Vec<_> = several.iter().filter(|other| Resolved::of(other).title() == title).collect();
            // The same title more than once: what tells them apart comes with it.
            match &one.cluster {
                _ if alike.len() == 1 => title,
                Some(cluster) if alike.iter().filter(|other| other.cluster == one.cluster).count() == 1 => {
                    format!("{title} (cluster {cluster})")
                }
                _ => format!("{title} ({} in {} of {})", one.kind, one.package, one.repository),
            }
        })
        .collect();
    candidates.sort();
    candidates.dedup();
    Objection::Ask {
        missing: vec![Missing::Target],
        question: format!("Which {}: {}?", said(target), any_of(&candidates)),
        candidates,
    }
}

/// `a, b or c`; a long list is cut, the candidates beside the question are not.
fn any_of(candidates: &[String]) -> String {
    const SHOWN: usize = 8;
    match candidates {
        [] => String::new(),
        [one] => one.clone(),
        many if many.len() > SHOWN => {
            format!("{} or one of {} more", many[..SHOWN].join(", "), many.len() - SHOWN)
        }
        [front @ .., last] => format!("{} or {last}", front.join(", ")),
    }
}

/// Asks for the place when nothing is called `word`: first where the target is known to be.
fn neither(target: &Target, word: &str, inventory: &Inventory) -> Objection {
    const SHOWN: usize = 8;
    let named = target.name.iter().flat_map(|name| inventory.named(name));
    let of_function = target.function.into_iter().flat_map(|function| inventory.of_function(function));
    let places = named
        .chain(of_function)
        .filter_map(|workload| workload.namespace.as_deref().or(workload.cluster.as_deref()));
    let mut candidates: Vec<String> = nearest::by_likeness(word, places)
        .into_iter()
        .take(SHOWN)
        .map(|(_, place)| place.to_owned())
        .collect();
    let known = if candidates.is_empty() {
        candidates = nearest::names(word, inventory.namespaces().chain(inventory.clusters()));
        if candidates.is_empty() {
            String::new()
        } else {
            format!(" The nearest: {}.", candidates.join(", "))
        }
    } else {
        format!(" {} is known in {}.", said(target), candidates.join(", "))
    };
    Objection::Ask {
        missing: vec![Missing::Place],
        question: format!(
            "No namespace and no cluster is called {word}.{known} Where is the {} that you mean?",
            said(target)
        ),
        candidates,
    }
}

fn unknown(target: &Target, inventory: &Inventory) -> Objection {
    let (whither, nowhere) = match (&target.namespace, &target.cluster, &target.place) {
        (Some(namespace), _, _) => (
            format!(" in namespace {namespace}"),
            (!inventory.has_namespace(namespace)).then(|| format!(": no namespace is called {namespace}")),
        ),
        (None, Some(cluster), _) => (
            format!(" in cluster {cluster}"),
            (!inventory.has_cluster(cluster)).then(|| format!(": no cluster is called {cluster}")),
        ),
        (None, None, Some(place)) => (format!(" in {place}"), None),
        (None, None, None) => (String::new(), None),
    };
    let near = nearest::workloads(target, inventory);
    let out = left_out(target, inventory).map(|left| {
        format!("the package {} is left out ({}): mend it, then ask again; ", left.package, left.reason)
    });
    let remedy = out.unwrap_or_default();
    let remedy = if near.is_empty() {
        remedy + "a report on all workloads lists what is known, and what was left out with the reason"
    } else {
        format!("{remedy}the nearest: {}", near.join(", "))
    };
    Objection::Refuse(vec![Finding::refuse(
        rule::TARGET_EXISTS,
        format!("no workload {}{whither} is known{}", said(target), nowhere.unwrap_or_default()),
        remedy,
    )])
}

/// A package out of the inventory whose folder is called like the target: what is asked for may be in it.
fn left_out<'i>(target: &Target, inventory: &'i Inventory) -> Option<&'i LeftOut> {
    let function = target.function.map(|function| function.to_string());
    inventory.left_out().iter().find(|left| {
        let folder = left.package.rsplit('/').next();
        folder == target.name.as_deref() || (folder.is_some() && folder == function.as_deref())
    })
}
