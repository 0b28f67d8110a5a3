//! What exists now: the workloads that the package repositories describe.
//!
//! An inventory is a reading, maybe stale; every choice made from it is written
//! down in the plan together with what was seen.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::proposal::Function;

/// The workloads of all repositories at the commits they were read at.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    workloads: Vec<Arc<Workload>>,
    by_name: HashMap<String, Vec<usize>>,
    by_function: HashMap<Function, Vec<usize>>,
    namespaces: HashMap<String, usize>,
    clusters: HashMap<String, usize>,
    left_out: Vec<LeftOut>,
}

/// One workload: a Deployment, a StatefulSet, a scalable custom resource, or a
/// Nephio NFDeployment or Capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Configured name of the repository.
    pub repository: String,
    /// Folder of the package in the repository, e.g. `ran-a/upf`.
    pub package: String,
    pub api_version: String,
    pub kind: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<Function>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// File that holds the object, from the repository's root, and which document in it.
    pub file: String,
    pub document: usize,
    /// Where its number of replicas lives; absent when it has none that we may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<ReplicasField>,
    /// Why more than one replica cannot run; empty when it can be replicated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_replicable: Vec<String>,
    /// An HPA or ScaledObject in the package that also owns the count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaled_by: Option<String>,
}

/// Where a replica count lives and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicasField {
    pub value: u32,
    /// Dotted path in the document, e.g. `spec.replicas`.
    pub field: String,
    pub file: String,
    pub document: usize,
    /// Git blob id of `file` when it was read.
    pub blob: String,
    /// The kpt setter that `# kpt-set: ${name}` on the field names, with its place in the Kptfile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setter: Option<SetterField>,
    /// Set when the field may not be edited (anchors, aliases, tags, duplicate keys, a setter
    /// that other fields share, ...): the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetterField {
    pub name: String,
    pub value: String,
    pub file: String,
    pub document: usize,
    /// e.g. `pipeline.mutators[0].configMap.replicas` in a Kptfile, `data.replicas` in a ConfigMap.
    pub field: String,
    pub blob: String,
}

/// A package or file that is not in the inventory, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub repository: String,
    pub package: String,
    pub reason: String,
}

impl Inventory {
    pub fn new(workloads: Vec<Arc<Workload>>, left_out: Vec<LeftOut>) -> Self {
        let mut inventory = Self { left_out, ..Self::default() };
        for workload in workloads {
            let at = inventory.workloads.len();
            inventory.by_name.entry(workload.name.clone()).or_default().push(at);
            if let Some(function) = workload.function {
                inventory.by_function.entry(function).or_default().push(at);
            }
            if let Some(namespace) = &workload.namespace {
                *inventory.namespaces.entry(namespace.clone()).or_default() += 1;
            }
            if let Some(cluster) = &workload.cluster {
                *inventory.clusters.entry(cluster.clone()).or_default() += 1;
            }
            inventory.workloads.push(workload);
        }
        inventory
    }

    pub fn workloads(&self) -> &[Arc<Workload>] {
        &self.workloads
    }

    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Arc<Workload>> + 'a {
        self.by_name.get(name).into_iter().flatten().map(|at| &self.workloads[*at])
    }

    pub fn of_function(&self, function: Function) -> impl Iterator<Item = &Arc<Workload>> + '_ {
        self.by_function.get(&function).into_iter().flatten().map(|at| &self.workloads[*at])
    }

    pub fn has_namespace(&self, name: &str) -> bool {
        self.namespaces.contains_key(name)
    }

    pub fn has_cluster(&self, name: &str) -> bool {
        self.clusters.contains_key(name)
    }

    pub fn namespaces(&self) -> impl Iterator<Item = &str> + '_ {
        self.namespaces.keys().map(String::as_str)
    }

    pub fn clusters(&self) -> impl Iterator<Item = &str> + '_ {
        self.clusters.keys().map(String::as_str)
    }
}
