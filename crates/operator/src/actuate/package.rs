//! Carries approved steps out as commits: one per repository that a plan touches.
//!
//! Takes an [`ApprovedPlan`] and nothing less. Doing it again does nothing more: a plan that
//! has its commit gets that one back.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use nephoran_api::canonical;
use nephoran_model::guard::{ApprovedPlan, ApprovedStep};
use nephoran_model::plan::{ActuatorKind, Plan, Step};

use super::{Actuator, Applied, Fence};
use crate::package::message::{self, Trailers};
use crate::package::{Change, Committed, Error, Preview, Repository};

/// The package repositories as one actuator. All or none holds inside one repository, so a plan
/// that writes to several is refused.
pub struct PackageActuator {
    repositories: Vec<Repository>,
}

impl PackageActuator {
    pub fn new(repositories: Vec<Repository>) -> Self {
        Self { repositories }
    }

    fn named(&self, name: &str) -> Result<&Repository, super::Error> {
        self.repositories
            .iter()
            .find(|repository| repository.name() == name)
            .ok_or_else(|| super::Error::Lasting(format!("no package repository is configured as {name}")))
    }

    async fn commit(&self, plan: &ApprovedPlan, fence: Fence) -> Result<Applied, super::Error> {
        let name = match plan.repositories()[..] {
            [one] => one.to_owned(),
            [] => return Err(super::Error::Lasting("the plan writes to no repository".into())),
            _ => {
                let remedy = "the plan writes to several repositories; send one intent for each";
                return Err(super::Error::Lasting(remedy.into()));
            }
        };
        let trailers = Trailers {
            intent: fence.intent.to_string(),
            requested_by: fence.requester,
            approved_by: fence.approved_by,
            ticket: fence.ticket,
            audit: Some((fence.audit.sequence, canonical::hex(&fence.audit.hash))),
        };
        let commit = match apply(self.named(&name)?, plan, &trailers).await.map_err(told)? {
            Outcome::Committed(committed) => committed.commit,
            Outcome::AlreadySo => {
                return Err(super::Error::Stale("the repository holds what was planned already".into()));
            }
        };
        Ok(Applied { repository: name, commit, at: Timestamp::now() })
    }

    async fn look(&self, plan: &Plan) -> Result<Option<Applied>, super::Error> {
        for (name, base) in &plan.base {
            let hashes = std::slice::from_ref(&plan.hash);
            let found = self.named(name)?.find_plans(Some(base), hashes).await.map_err(told)?;
            if let Some(commit) = found.into_values().next() {
                return Ok(Some(Applied { repository: name.clone(), commit, at: Timestamp::now() }));
            }
        }
        Ok(None)
    }
}

impl Actuator for PackageActuator {
    fn apply<'a>(
        &'a self,
        plan: &'a ApprovedPlan,
        fence: Fence,
    ) -> BoxFuture<'a, Result<Applied, super::Error>> {
        self.commit(plan, fence).boxed()
    }

    fn find<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<Option<Applied>, super::Error>> {
        self.look(plan).boxed()
    }
}

fn told(cause: Error) -> super::Error {
    let text = format!("{cause}; remedy: {}", cause.remedy());
    match cause {
        Error::Stale { .. } => super::Error::Stale(text),
        other if other.retry() => super::Error::Passing(text),
        _ => super::Error::Lasting(text),
    }
}

/// What became of the steps in one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every field holds its value already: no commit.
    AlreadySo,
    Committed(Committed),
}

/// Carries out the steps that lie in `repository`.
pub async fn apply(
    repository: &Repository,
    approved: &ApprovedPlan,
    trailers: &Trailers,
) -> Result<Outcome, Error> {
    let plan = approved.plan();
    let steps: Vec<Step> = approved
        .steps_in(repository.name())
        .map(ApprovedStep::step)
        .filter(|step| step.actuator == ActuatorKind::Package)
        .cloned()
        .collect();
    if steps.iter().all(Step::is_already_so) {
        return Ok(Outcome::AlreadySo);
    }
    let preview = match repository.preview(&steps).await {
        Ok(preview) => preview,
        // The files are no longer what the plan was made from: perhaps because of its own commit.
        Err(Error::Stale { file }) => {
            let since = plan.base.get(repository.name()).map(String::as_str);
            let found = repository.find_plans(since, std::slice::from_ref(&plan.hash)).await?;
            let commit = found.into_values().next().ok_or(Error::Stale { file })?;
            return Ok(Outcome::Committed(Committed { commit, already: true }));
        }
        Err(other) => return Err(other),
    };
    nothing_else(&preview)?;
    let changing = steps.iter().filter(|step| !step.is_already_so());
    let message = message::text(plan, changing, trailers);
    let change = Change { plan: plan.hash.clone(), files: preview.files, message };
    repository.commit(change).await.map(Outcome::Committed)
}

/// The guard has judged this difference; here it is made again, and must be the same.
fn nothing_else(preview: &Preview) -> Result<(), Error> {
    match preview.differences.iter().find(|difference| difference.step.is_none()) {
        None => Ok(()),
        Some(other) => Err(Error::CannotEdit {
            file: other.file.clone(),
            reason: format!("{} would change, and no step names it", other.field),
        }),
    }
}
