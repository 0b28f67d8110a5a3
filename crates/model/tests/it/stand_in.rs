//! What stands in for the parts that this crate does not have: the hash, the package editor.

use nephoran_model::guard::Difference;
use nephoran_model::inventory::{Inventory, ReplicasField, SetterField, Workload};
use nephoran_model::plan::{Hashed, Plan, PlanHash, Scalar, Step};
use nephoran_model::proposal::Function;

/// Any hash will do here: that it is SHA-256 is the business of who calls.
pub fn digest(text: &str) -> PlanHash {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let hex: String = (0..4)
        .map(|part| {
            let mut hasher = DefaultHasher::new();
            (part, text).hash(&mut hasher);
            format!("{:016x}", hasher.finish())
        })
        .collect();
    PlanHash::parse(&hex).unwrap()
}

pub fn hash(hashed: &Hashed<'_>) -> PlanHash {
    digest(&serde_json::to_string(hashed).unwrap())
}

/// The differences that exactly the steps' edits make, as the package editor would find them.
pub fn differences(plan: &Plan) -> Vec<Difference> {
    let mut differences = Vec::new();
    for step in &plan.steps {
        for edit in step.edits.iter().filter(|edit| edit.before != edit.after) {
            let kptfile = edit.file.ends_with("Kptfile");
            differences.push(Difference {
                step: Some(step.id.clone()),
                repository: step.repository.clone(),
                package: step.target.package.clone(),
                file: edit.file.clone(),
                document: edit.document,
                kind: if kptfile { "Kptfile".into() } else { step.target.kind.clone() },
                name: step.target.name.clone(),
                namespace: if kptfile { None } else { step.target.namespace.clone() },
                field: edit.field.clone(),
                before: Some(edit.before.clone()).filter(|before| *before != Scalar::Absent),
                after: Some(edit.after.clone()),
            });
        }
    }
    differences
}

/// A Deployment of `replicas`, with a setter when it has one.
pub fn deployment(
    namespace: &str,
    name: &str,
    function: Option<Function>,
    replicas: u32,
    setter: Option<String>,
) -> Workload {
    let package = format!("{namespace}/{name}");
    Workload {
        repository: "default".into(),
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        name: name.into(),
        function,
        namespace: Some(namespace.into()),
        cluster: None,
        file: format!("{package}/deployment.yaml"),
        document: 0,
        replicas: Some(ReplicasField {
            value: replicas,
            field: "spec.replicas".into(),
            file: format!("{package}/deployment.yaml"),
            document: 0,
            blob: format!("{:040x}", replicas),
            setter: setter.map(|value| SetterField {
                name: "replicas".into(),
                value,
                file: format!("{package}/Kptfile"),
                document: 0,
                field: "pipeline.mutators[0].configMap.replicas".into(),
                blob: format!("{:040x}", 7),
            }),
            locked: None,
        }),
        not_replicable: vec![],
        autoscaled_by: None,
        package,
    }
}

/// The inventory after `steps` were written.
pub fn written(inventory: &Inventory, steps: &[Step]) -> Inventory {
    let workloads = inventory
        .workloads()
        .iter()
        .map(|workload| {
            let mut after = (**workload).clone();
            for edit in steps.iter().flat_map(|step| &step.edits) {
                let Some(field) = &mut after.replicas else { continue };
                match &edit.after {
                    Scalar::Int(value) if edit.file == field.file => {
                        field.value = u32::try_from(*value).unwrap();
                    }
                    Scalar::Text(value) => {
                        if let Some(setter) = field.setter.as_mut().filter(|one| one.file == edit.file) {
                            setter.value.clone_from(value);
                        }
                    }
                    _ => {}
                }
            }
            after.into()
        })
        .collect();
    Inventory::new(workloads, vec![])
}
