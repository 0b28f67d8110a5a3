//! What is so, in words.

use std::fmt::Write as _;

use crate::inventory::{Inventory, Workload};

use super::{Resolved, Step, replicas_of};

/// Said with every count that was read from a package: it is what should run, not what runs.
const NO_PROBE: &str = "How many of them are ready in the cluster is unknown: no probe measures it.";

/// Answers the `report` steps among `steps` from what is read now. Empty when there are none.
pub fn report_text(steps: &[Step], inventory: &Inventory) -> String {
    let mut text = String::new();
    let mut lines = 0_usize;
    for step in steps.iter().filter(|step| step.action == "report") {
        if step.target.is_everything() {
            let mut all: Vec<&Workload> = inventory.workloads().iter().map(AsRef::as_ref).collect();
            all.sort_by_cached_key(|workload| (Resolved::of(workload).title(), workload.file.clone()));
            for workload in all {
                lines += 1;
                line(&mut text, workload);
            }
            for left in inventory.left_out() {
                _ = writeln!(text, "Left out: {} of {}: {}.", left.package, left.repository, left.reason);
            }
            if lines == 0 {
                text.push_str("No workload is known.\n");
            }
            continue;
        }
        let present = inventory
            .named(&step.target.name)
            .find(|workload| workload.repository == step.repository && step.target.is(workload));
        match present {
            Some(workload) => {
                lines += 1;
                line(&mut text, workload);
            }
            None => {
                _ = writeln!(text, "{} is no longer in {}.", step.target.title(), step.target.package);
            }
        }
    }
    if lines > 0 {
        text.push_str(NO_PROBE);
        text.push('\n');
    }
    text
}

fn line(text: &mut String, workload: &Workload) {
    _ = write!(text, "{} ({})", Resolved::of(workload).title(), workload.kind);
    if let (Some(_), Some(cluster)) = (&workload.namespace, &workload.cluster) {
        _ = write!(text, " in cluster {cluster}");
    }
    _ = match &workload.replicas {
        Some(field) => {
            let replicas = replicas_of(i64::from(field.value));
            write!(text, ": {replicas}, {} in {}", field.field, field.file)
        }
        None => write!(text, ": no count of replicas in {}", workload.file),
    };
    _ = write!(text, " of {}", workload.repository);
    if let Some(owner) = &workload.autoscaled_by {
        _ = write!(text, "; scaled by {owner}");
    }
    text.push_str(".\n");
}
