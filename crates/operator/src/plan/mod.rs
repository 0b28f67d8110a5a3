//! A proposal and the inventory become a reviewed plan. The decisions live in
//! `nephoran_model::{plan, guard}`; here is what they need of the world.

mod packages;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nephoran_api::canonical;
use nephoran_model::fulfilment::{Fulfilment, TargetFulfilment};
use nephoran_model::guard::{self, Bounds, Case, Finding, Rival, Verdict};
use nephoran_model::intent::{Intent, IntentId, Question, State};
use nephoran_model::inventory::{Inventory, Workload};
use nephoran_model::plan::{
    self, Changes, Draft, Hashed, Objection, Plan, PlanHash, Resolved, Step, UnknownTargets, World,
};
use nephoran_model::proposal::{Action, Actions, Purpose, Target};

pub use packages::{Packages, Preview};

use crate::reconcile::fields::{Field, Fields, Holder};
use crate::reconcile::lines;
use crate::store::{self, Store};
use crate::{observe, package};

/// How often a repository may move between reading it and editing it before planning gives up for now.
const TRIES: usize = 4;

const CANONICAL: &str = "the types that are hashed have string keys and finite numbers";

#[derive(Clone)]
pub struct Planner {
    packages: Packages,
    bounds: Arc<Bounds>,
    guard_hash: Arc<str>,
    /// Where patch packages go for targets that no package holds, when that is configured:
    /// repository and directory.
    patch: Option<(Arc<str>, Arc<str>)>,
    fields: Arc<Fields>,
    store: Store,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("read the last change")]
    Store(#[from] store::Error),
    #[error("read the packages")]
    Package(#[from] package::Error),
}

/// How planning ended.
pub enum Planned {
    Ask(Question),
    Refused(Vec<Finding>),
    /// A check, or nothing but reports: nothing will be applied.
    Answer {
        plan: Plan,
        findings: Vec<Finding>,
        text: String,
    },
    Reviewed(Box<Reviewed>),
}

pub struct Reviewed {
    pub verdict: Verdict,
    /// Other intents that rest on a field that this plan changes.
    pub rivals: Vec<Holder>,
    /// The intent whose change this plan takes back.
    pub undoes: Option<IntentId>,
    /// There are report steps beside the others.
    pub reports: bool,
    /// How long the guard took for its review.
    pub judged_in: Duration,
}

impl Planned {
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Ask(_) | Self::Refused(_) => None,
            Self::Answer { plan, .. } => Some(plan),
            Self::Reviewed(reviewed) => Some(reviewed.verdict.plan()),
        }
    }

    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Ask(_) => &[],
            Self::Refused(findings) | Self::Answer { findings, .. } => findings,
            Self::Reviewed(reviewed) => reviewed.verdict.findings(),
        }
    }

    pub fn question(&self) -> Option<&Question> {
        match self {
            Self::Ask(question) => Some(question),
            _ => None,
        }
    }

    pub fn answer(&self) -> Option<&str> {
        match self {
            Self::Answer { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Where an intent so planned comes to rest before its commit.
    pub fn rest(&self) -> State {
        match self {
            Self::Ask(_) => State::NeedsAnswer,
            Self::Refused(_) => State::Refused,
            Self::Answer { .. } => State::Answered,
            Self::Reviewed(reviewed) => match &reviewed.verdict {
                Verdict::Approved(approved) if approved.plan().is_already_so() => State::Applied,
                Verdict::Approved(_) => State::Applying,
                Verdict::NeedsApproval { .. } => State::AwaitingApproval,
                Verdict::Held { .. } => State::Planned,
                Verdict::Refused { .. } => State::Refused,
            },
        }
    }

    /// One line for the history.
    pub fn summary(&self) -> String {
        match self.plan() {
            Some(plan) => plan.summary.clone(),
            None => "planned against the repository".to_owned(),
        }
    }
}

impl Planner {
    pub fn new(
        packages: Packages,
        bounds: Bounds,
        patch: Option<(String, String)>,
        fields: Arc<Fields>,
        store: Store,
    ) -> Self {
        let guard_hash = canonical::sha256_hex(&bounds).expect(CANONICAL).into();
        let patch = patch.map(|(repository, directory)| (repository.into(), directory.into()));
        Self { packages, bounds: Arc::new(bounds), guard_hash, patch, fields, store }
    }

    pub fn inventory(&self) -> Arc<Inventory> {
        self.packages.inventory()
    }

    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Looks at the repositories now, for an answer that must not rest on what was so a moment ago.
    pub async fn refresh(&self) -> Result<(), package::Error> {
        self.packages.refresh().await
    }

    /// Draws, edits, seals and reviews. Nothing is written anywhere.
    pub async fn plan(&self, intent: &Intent, actions: &Actions, now: Timestamp) -> Result<Planned, Error> {
        for _ in 1..TRIES {
            match self.plan_once(intent, actions, now).await {
                Err(Error::Package(package::Error::Stale { .. })) => {}
                planned => return planned,
            }
        }
        self.plan_once(intent, actions, now).await
    }

    async fn plan_once(&self, intent: &Intent, actions: &Actions, now: Timestamp) -> Result<Planned, Error> {
        let inventory = self.inventory();
        let known = self.known_changes(intent, actions, &inventory).await?;
        let drawn = plan::draw(actions, &self.world(&inventory, &known));
        let Draft { steps, notes } = match drawn {
            Ok(draft) => draft,
            Err(Objection::Ask { missing, question, candidates }) => {
                return Ok(Planned::Ask(Question { missing, text: question, candidates }));
            }
            Err(Objection::Refuse(findings)) => return Ok(Planned::Refused(findings)),
        };
        let preview = match self.packages.preview(&steps).await {
            Ok(preview) => preview,
            Err(package::Error::CannotEdit { file, reason }) => {
                return Ok(Planned::Refused(vec![Finding::refuse(
                    "editable",
                    format!("{file} cannot be edited safely: {reason}"),
                    "Write the file in plain YAML, or make this change by hand.",
                )]));
            }
            Err(other) => return Err(other.into()),
        };
        let hash = self.hash(intent, &steps);
        let plan = plan::seal(steps, notes, preview.base, preview.diff, hash, None);
        let reports = plan.steps.iter().any(|step| step.action == "report");
        if plan.steps.iter().all(|step| step.action == "report") {
            let text = plan::report_text(&plan.steps, &inventory);
            return Ok(Planned::Answer { plan, findings: Vec::new(), text });
        }
        let rivals = self.rivals(intent, &plan);
        let begun = Instant::now();
        let verdict = self.review(intent, plan, &preview.differences, &rivals, &inventory, now);
        let judged_in = begun.elapsed();
        if actions.purpose == Some(Purpose::Check) {
            return Ok(feasibility(verdict));
        }
        let undoes = known.undone(&intent.id);
        Ok(Planned::Reviewed(Box::new(Reviewed { verdict, rivals, undoes, reports, judged_in })))
    }

    fn world<'a>(&'a self, inventory: &'a Inventory, changes: &'a dyn Changes) -> World<'a> {
        let unknown_targets = match &self.patch {
            Some((repository, directory)) => UnknownTargets::Patch { repository, directory },
            None => UnknownTargets::Refuse,
        };
        World { inventory, changes, unknown_targets }
    }

    /// What an answer to a question of planning makes of `actions`; `None` when it does not say it.
    pub fn complete(&self, actions: &Actions, text: &str) -> Option<Actions> {
        plan::answer(actions, text, &self.world(&self.inventory(), &()))
    }

    fn review(
        &self,
        intent: &Intent,
        plan: Plan,
        differences: &[guard::Difference],
        rivals: &[Holder],
        inventory: &Inventory,
        now: Timestamp,
    ) -> Verdict {
        let rivals: Vec<Rival> = rivals
            .iter()
            .map(|rival| Rival {
                intent: rival.id.to_string(),
                priority: rival.priority,
                requester: rival.requester.clone(),
                committed: rival.committed,
                title: format!("sets the same field to {}", rival.wanted),
            })
            .collect();
        let workloads: Vec<Arc<Workload>> =
            plan.steps.iter().filter_map(|step| workload(step, inventory)).collect();
        let case = Case {
            intent: intent.id.as_str(),
            generation: intent.generation,
            requester: &intent.requester,
            priority: intent.priority,
            constraints: &intent.constraints,
            now,
            differences,
            workloads: &workloads,
            rivals: &rivals,
            approval: intent.approval.as_ref(),
            unconfirmed: intent.is_unconfirmed(),
            guard: &self.guard_hash,
            hash: &|hashed: &Hashed<'_>| canonical::plan_hash(hashed).expect(CANONICAL),
        };
        guard::review(plan, &case, &self.bounds)
    }

    /// The hash of what `steps` would do for `intent`.
    pub fn hash(&self, intent: &Intent, steps: &[Step]) -> PlanHash {
        canonical::plan_hash(&Hashed::new(
            intent.id.as_str(),
            intent.generation,
            &intent.requester,
            steps,
            &self.guard_hash,
        ))
        .expect(CANONICAL)
    }

    /// Whether the author says yes to an own plan where nobody can be told apart.
    pub fn may_approve(&self, requester: &str, approver: &str) -> Result<bool, String> {
        guard::may_approve(requester, approver, &self.bounds)
            .map(guard::Approver::is_self_approved)
            .map_err(|denied| denied.to_string())
    }

    /// The targets of an intent, to stand in line for. Empty when they cannot be told: then it will
    /// ask or be refused.
    pub async fn targets(&self, intent: &Intent, actions: &Actions) -> Vec<lines::Target> {
        let inventory = self.inventory();
        let mut targets = Vec::new();
        for action in &actions.actions {
            match action {
                Action::Rollback(rollback) => match (&rollback.target, &rollback.intent) {
                    (Some(target), _) => targets.extend(found(target, &inventory)),
                    (None, Some(id)) => targets.extend(self.changed_by(id).await),
                    (None, None) => {}
                },
                other => {
                    if let Some(target) = target_of(other) {
                        let resolved = found(target, &inventory);
                        match (&self.patch, &target.name, &target.namespace) {
                            // The patch package that it may become.
                            (Some((repository, _)), Some(name), Some(namespace)) if resolved.is_empty() => {
                                targets.push(lines::Target {
                                    repository: repository.to_string(),
                                    package: format!("{namespace}/{name}"),
                                });
                            }
                            _ => targets.extend(resolved),
                        }
                    }
                }
            }
        }
        if let Some(plan) = &intent.plan {
            targets.extend(plan.steps.iter().map(line_of));
        }
        targets
    }

    async fn changed_by(&self, intent: &str) -> Vec<lines::Target> {
        match self.stored_plan(intent).await {
            Ok(Some(plan)) => plan.steps.iter().map(line_of).collect(),
            Ok(None) | Err(_) => Vec::new(),
        }
    }

    async fn stored_plan(&self, intent: &str) -> Result<Option<Plan>, store::Error> {
        let Some(id) = IntentId::parse(intent) else { return Ok(None) };
        let intent = self.store.get(&id).await?;
        Ok(intent.filter(|intent| !intent.outcomes.is_empty()).and_then(|intent| intent.plan))
    }

    /// The plans that rollbacks among `actions` may need, read beforehand.
    async fn known_changes(
        &self,
        intent: &Intent,
        actions: &Actions,
        inventory: &Inventory,
    ) -> Result<Known, store::Error> {
        let mut known = Known::default();
        for action in &actions.actions {
            let Action::Rollback(rollback) = action else { continue };
            if let Some(id) = &rollback.intent
                && let Some(plan) = self.stored_plan(id).await?
            {
                known.by_intent.insert(id.clone(), plan);
            }
            let Some(target) = &rollback.target else { continue };
            let Ok(found) = plan::resolve(target, inventory) else { continue };
            for workload in found.workloads {
                let Some(replicas) = &workload.replicas else { continue };
                let field = Field {
                    repository: workload.repository.clone(),
                    file: replicas.file.clone(),
                    document: replicas.document,
                    field: replicas.field.clone(),
                };
                let holders = self.fields.holders(&field);
                let last = holders
                    .iter()
                    .rev()
                    .find(|holder| holder.committed && holder.changed && holder.id != intent.id);
                if let Some(holder) = last
                    && let Some(plan) = self.stored_plan(holder.id.as_str()).await?
                {
                    let key = (workload.repository.clone(), Resolved::of(&workload).title());
                    known.by_target.insert(key, (holder.id.clone(), plan));
                }
            }
        }
        Ok(known)
    }

    /// Others that rest on a field that `plan` changes.
    fn rivals(&self, intent: &Intent, plan: &Plan) -> Vec<Holder> {
        let mut rivals: Vec<Holder> = Vec::new();
        for step in plan.steps.iter().filter(|step| !step.is_already_so()) {
            let Some(edit) = step.edits.first() else { continue };
            let field = Field {
                repository: step.repository.clone(),
                file: edit.file.clone(),
                document: edit.document,
                field: edit.field.clone(),
            };
            for holder in self.fields.holders(&field) {
                if holder.id != intent.id && rivals.iter().all(|rival| rival.id != holder.id) {
                    rivals.push(holder);
                }
            }
        }
        rivals
    }

    /// What is read where `plan` was written. The network's own state is unknown: nothing here measures it.
    pub async fn fulfilment(&self, plan: &Plan, at: Timestamp) -> Result<Fulfilment, package::Error> {
        let mut targets = Vec::new();
        for repository in self.packages.repositories() {
            for reading in observe::package::read(repository, &plan.steps).await? {
                targets.push(TargetFulfilment {
                    source: reading.source(),
                    step: reading.step,
                    field: reading.field,
                    wanted: reading.wanted.to_string(),
                    seen: reading.seen.map_or_else(|| "gone".to_owned(), |value| value.to_string()),
                    at,
                });
            }
        }
        Ok(Fulfilment { targets, ..Fulfilment::default() })
    }

    /// The words of the report steps of `plan`, from what is read now.
    pub fn report(&self, plan: &Plan) -> String {
        plan::report_text(&plan.steps, &self.inventory())
    }
}

/// Plans read beforehand, as planning asks for them.
#[derive(Default)]
struct Known {
    by_intent: HashMap<String, Plan>,
    by_target: HashMap<(String, String), (IntentId, Plan)>,
}

impl Known {
    /// The one intent that is taken back, when it is one.
    fn undone(&self, own: &IntentId) -> Option<IntentId> {
        let mut ids = self
            .by_intent
            .keys()
            .filter_map(|id| IntentId::parse(id))
            .chain(self.by_target.values().map(|(id, _)| id.clone()))
            .filter(|id| id != own);
        let first = ids.next()?;
        ids.all(|id| id == first).then_some(first)
    }
}

impl Changes for Known {
    fn last_change(&self, target: &Resolved, repository: &str) -> Option<Plan> {
        self.by_target.get(&(repository.to_owned(), target.title())).map(|(_, plan)| plan.clone())
    }

    fn plan_of(&self, intent: &str) -> Option<Plan> {
        self.by_intent.get(intent).cloned()
    }
}

fn found(target: &Target, inventory: &Inventory) -> Vec<lines::Target> {
    let Ok(found) = plan::resolve(target, inventory) else { return Vec::new() };
    found
        .workloads
        .iter()
        .map(|workload| lines::Target {
            repository: workload.repository.clone(),
            package: workload.package.clone(),
        })
        .collect()
}

fn target_of(action: &Action) -> Option<&Target> {
    match action {
        Action::Scale(scale) => Some(&scale.target),
        Action::Retire(retire) => Some(&retire.target),
        Action::Upgrade(upgrade) => Some(&upgrade.target),
        Action::SetCapacity(capacity) => Some(&capacity.target),
        Action::Configure(configure) => Some(&configure.target),
        Action::Report(report) => report.target.as_ref(),
        Action::Deploy(_)
        | Action::Slice(_)
        | Action::Steer(_)
        | Action::Qos(_)
        | Action::Ensure(_)
        | Action::Rollback(_) => None,
    }
}

fn line_of(step: &Step) -> lines::Target {
    lines::Target { repository: step.repository.clone(), package: step.target.package.clone() }
}

fn workload(step: &Step, inventory: &Inventory) -> Option<Arc<Workload>> {
    inventory
        .named(&step.target.name)
        .find(|workload| workload.repository == step.repository && step.target.is(workload))
        .cloned()
}

/// What a check is answered: whether it could be done, and what would stand in the way.
fn feasibility(verdict: Verdict) -> Planned {
    let said = match &verdict {
        Verdict::Approved(approved) if approved.plan().is_already_so() => "It is so already",
        Verdict::Approved(_) => "It can be done",
        Verdict::NeedsApproval { .. } => "It can be done once somebody approves it",
        Verdict::Held { .. } => "It can be done once the guard's freeze is lifted",
        Verdict::Refused { .. } => "It would be refused",
    };
    let findings = verdict.findings().to_vec();
    let plan = verdict.plan().clone();
    let mut text = format!("{said}: {}. Nothing was changed.", plan.summary);
    for finding in &findings {
        text.push_str(&format!("\n{}: {} {}", finding.rule, finding.message, finding.remedy));
    }
    Planned::Answer { plan, findings, text }
}
