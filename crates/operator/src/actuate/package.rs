//! Carries approved steps out as commits: one per repository that a plan touches.
//!
//! Takes an [`ApprovedPlan`] and nothing less. Doing it again does nothing more: a plan that
//! has its commit gets that one back.

use nephoran_model::guard::{ApprovedPlan, ApprovedStep};
use nephoran_model::plan::{ActuatorKind, Step};

use crate::package::message::{self, Trailers};
use crate::package::{Change, Committed, Error, Preview, Repository};

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
