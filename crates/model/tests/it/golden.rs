//! Proposals, a network and bounds as data; the outcome as a text that a network engineer can read.
//!
//! `testdata/<case>/`: `proposal.json`; `inventory.yaml` (else `testdata/inventory.yaml`);
//! `bounds.yaml` (else the defaults); `case.yaml` (who asks, what was before; else nothing);
//! `plan.txt`, the outcome. `UPDATE_GOLDEN=1 cargo test -p nephoran-model --test it golden` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use nephoran_model::guard::{self, Bounds, Case, Difference, Rival, Verdict};
use nephoran_model::intent::{Approval, Constraints};
use nephoran_model::inventory::{Inventory, LeftOut, ReplicasField, SetterField, Workload};
use nephoran_model::plan::{self, Changes, Edit, Hashed, Plan, Resolved, Scalar, UnknownTargets, World};
use nephoran_model::proposal::{Function, Priority, Proposal};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::stand_in::{differences, digest, hash};

/// A workload as it is written in `inventory.yaml`: what is usual is left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    namespace: Option<String>,
    function: Option<Function>,
    #[serde(default = "deployment")]
    kind: String,
    cluster: Option<String>,
    #[serde(default = "default_repository")]
    repository: String,
    package: Option<String>,
    replicas: Option<u32>,
    #[serde(default = "spec_replicas")]
    field: String,
    setter: Option<String>,
    locked: Option<String>,
    #[serde(default)]
    not_replicable: Vec<String>,
    autoscaled_by: Option<String>,
}

fn deployment() -> String {
    "Deployment".into()
}

fn default_repository() -> String {
    "default".into()
}

fn spec_replicas() -> String {
    "spec.replicas".into()
}

impl Line {
    fn workload(self) -> Workload {
        let package = self.package.unwrap_or_else(|| match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        });
        let file = format!("{package}/{}.yaml", self.kind.to_lowercase());
        let setter = self.setter.map(|value| SetterField {
            name: "replicas".into(),
            value,
            file: format!("{package}/Kptfile"),
            document: 0,
            field: "pipeline.mutators[0].configMap.replicas".into(),
            blob: format!("blob of {package}/Kptfile"),
        });
        Workload {
            repository: self.repository,
            api_version: "apps/v1".into(),
            kind: self.kind,
            name: self.name,
            function: self.function,
            namespace: self.namespace,
            cluster: self.cluster,
            document: 0,
            replicas: self.replicas.map(|value| ReplicasField {
                value,
                field: self.field,
                file: file.clone(),
                document: 0,
                blob: format!("blob of {file}"),
                setter,
                locked: self.locked,
            }),
            file,
            package,
            not_replicable: self.not_replicable,
            autoscaled_by: self.autoscaled_by,
        }
    }
}

/// `inventory.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    workloads: Vec<Line>,
    #[serde(default)]
    left_out: Vec<LeftOut>,
}

/// `case.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Setting {
    requester: Option<String>,
    priority: Option<Priority>,
    constraints: Constraints,
    rivals: Vec<RivalLine>,
    approval: Option<ApprovalLine>,
    /// A language model understood it, and the author did not confirm that.
    unconfirmed: bool,
    /// Oldest first.
    changes: Vec<ChangeLine>,
    patch_unknown_targets: bool,
    /// Answers to what planning asks, in turn.
    answers: Vec<String>,
    /// Differences besides those of the steps, as the package editor would find them.
    differences: Vec<Difference>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RivalLine {
    intent: String,
    priority: Priority,
    requester: String,
    committed: bool,
    title: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalLine {
    by: String,
    #[serde(default)]
    of_another_plan: bool,
    #[serde(default)]
    over: bool,
}

/// What an earlier intent committed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeLine {
    intent: String,
    steps: Vec<ChangeStep>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeStep {
    namespace: String,
    name: String,
    before: Option<i64>,
    after: i64,
    /// Before and after of the setter in the Kptfile.
    setter: Option<[String; 2]>,
}

impl ChangeLine {
    fn plan(&self) -> Plan {
        let steps = self
            .steps
            .iter()
            .enumerate()
            .map(|(at, step)| {
                let package = format!("{}/{}", step.namespace, step.name);
                let edit = |file: &str, field: &str, before, after| Edit {
                    file: format!("{package}/{file}"),
                    document: 0,
                    field: field.into(),
                    before,
                    after,
                    blob: "blob of then".into(),
                };
                let mut edits = vec![edit(
                    "deployment.yaml",
                    "spec.replicas",
                    step.before.map_or(Scalar::Absent, Scalar::Int),
                    Scalar::Int(step.after),
                )];
                if let Some([before, after]) = &step.setter {
                    edits.push(edit(
                        "Kptfile",
                        "pipeline.mutators[0].configMap.replicas",
                        Scalar::Text(before.clone()),
                        Scalar::Text(after.clone()),
                    ));
                }
                plan::Step {
                    id: (at + 1).to_string(),
                    action: "scale".into(),
                    actuator: plan::ActuatorKind::Package,
                    repository: "default".into(),
                    target: Resolved {
                        name: step.name.clone(),
                        kind: "Deployment".into(),
                        function: None,
                        namespace: Some(step.namespace.clone()),
                        cluster: None,
                        package,
                    },
                    edits,
                    state: plan::StepState::Done,
                }
            })
            .collect();
        plan::seal(steps, vec![], BTreeMap::new(), String::new(), digest(&self.intent), None)
    }
}

struct Before<'a>(&'a [ChangeLine]);

impl Changes for Before<'_> {
    fn last_change(&self, target: &Resolved, repository: &str) -> Option<Plan> {
        self.0.iter().rev().map(ChangeLine::plan).find(|plan| {
            plan.steps.iter().any(|step| {
                step.repository == repository
                    && (&step.target.name, &step.target.namespace) == (&target.name, &target.namespace)
            })
        })
    }

    fn plan_of(&self, intent: &str) -> Option<Plan> {
        self.0.iter().find(|change| change.intent == intent).map(ChangeLine::plan)
    }
}

fn yaml<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// The outcome of one case as text.
fn outcome(folder: &Path) -> String {
    let proposal = fs::read_to_string(folder.join("proposal.json")).unwrap();
    let proposal: Proposal =
        serde_json::from_str(&proposal).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let Proposal::Actions(mut proposal) = proposal else { panic!("{}: no actions", folder.display()) };
    let network: Network = yaml(&folder.join("inventory.yaml"))
        .unwrap_or_else(|| yaml(&folder.join("../inventory.yaml")).expect("testdata has an inventory"));
    let bounds: Bounds = yaml(&folder.join("bounds.yaml")).unwrap_or_default();
    let setting: Setting = yaml(&folder.join("case.yaml")).unwrap_or_default();

    let workloads: Vec<Arc<Workload>> =
        network.workloads.into_iter().map(|line| Arc::new(line.workload())).collect();
    let inventory = Inventory::new(workloads, network.left_out);
    let before = Before(&setting.changes);
    let unknown_targets = if setting.patch_unknown_targets {
        UnknownTargets::Patch { repository: "default", directory: "" }
    } else {
        UnknownTargets::Refuse
    };
    let world = World { inventory: &inventory, changes: &before, unknown_targets };
    let mut text = String::new();
    for answer in &setting.answers {
        text.push_str(&plan::render_objection(&plan::draw(&proposal, &world).unwrap_err()));
        match plan::answer(&proposal, answer, &world) {
            Some(answered) => {
                proposal = answered;
                _ = writeln!(text, "answer: {answer}");
            }
            None => _ = writeln!(text, "no answer: {answer}"),
        }
    }
    let draft = match plan::draw(&proposal, &world) {
        Ok(draft) => draft,
        Err(objection) => return text + &plan::render_objection(&objection),
    };

    let requester = setting.requester.as_deref().unwrap_or("author");
    let sealed = hash(&Hashed::new("i-1", 1, requester, &draft.steps, "bounds"));
    let plan = plan::seal(draft.steps, draft.notes, BTreeMap::new(), String::new(), sealed, None);
    _ = write!(text, "{}\n{}", plan.summary, plan::render(&plan));
    let report = plan::report_text(&plan.steps, &inventory);
    if !report.is_empty() {
        _ = write!(
            text,
            "report\n{}",
            report.lines().fold(String::new(), |all, line| all + "  " + line + "\n")
        );
    }

    let now: Timestamp = "2025-01-01T12:00:00Z".parse().unwrap();
    let approval = setting.approval.map(|line| Approval {
        plan: if line.of_another_plan { digest("another plan") } else { plan.hash.clone() },
        by: line.by,
        at: "2025-01-01T10:00:00Z".parse().unwrap(),
        until: if line.over { "2025-01-01T11:00:00Z" } else { "2025-01-02T10:00:00Z" }.parse().unwrap(),
        comment: None,
        self_approved: false,
    });
    let mut differences = differences(&plan);
    differences.extend(setting.differences);
    let rivals: Vec<Rival> = setting
        .rivals
        .into_iter()
        .map(|RivalLine { intent, priority, requester, committed, title }| Rival {
            intent,
            priority,
            requester,
            committed,
            title,
        })
        .collect();
    let case = Case {
        intent: "i-1",
        generation: 1,
        requester,
        priority: setting.priority.unwrap_or(Priority::Normal),
        constraints: &setting.constraints,
        now,
        differences: &differences,
        workloads: inventory.workloads(),
        rivals: &rivals,
        approval: approval.as_ref(),
        unconfirmed: setting.unconfirmed,
        guard: "bounds",
        hash: &hash,
    };
    let verdict = guard::review(plan, &case, &bounds);
    text.push_str(&match &verdict {
        Verdict::Approved(approved) => match approved.approved_by() {
            Some(by) => format!("approved by {by}\n"),
            None => "approved\n".to_owned(),
        },
        Verdict::NeedsApproval { .. } => "needs approval\n".to_owned(),
        Verdict::Held { reason, .. } => format!("held: {reason:?}\n").to_lowercase(),
        Verdict::Refused { .. } => "refused\n".to_owned(),
    });
    for finding in verdict.findings() {
        text.push_str(&plan::render_finding(finding));
    }
    text
}

#[test]
fn every_case_has_the_outcome_that_was_agreed_on() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut folders: Vec<PathBuf> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 40, "only {} cases", folders.len());

    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for folder in folders {
        let is = outcome(&folder);
        let file = folder.join("plan.txt");
        if update {
            fs::write(&file, &is).unwrap();
        }
        let agreed = fs::read_to_string(&file).unwrap_or_default();
        if is != agreed {
            wrong.push(format!("{}\n--- agreed\n{agreed}--- is\n{is}", folder.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases differ; UPDATE_GOLDEN=1 writes them anew\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
