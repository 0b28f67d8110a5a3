//! Which plans the history holds: a plan's commit is looked for before it is made again.

use std::collections::{HashMap, HashSet, VecDeque};

use nephoran_model::plan::PlanHash;

use super::Error;
use super::git::Git;

/// Most commits that are looked at without a commit to start from.
const MOST_COMMITS: &str = "20000";

/// Of our own commits that are remembered: more than all workers can ask about again.
const REMEMBERED: usize = 8_192;

/// Plans of the last commits, by hash.
#[derive(Debug, Default)]
pub(super) struct Recent {
    commits: HashMap<PlanHash, String>,
    order: VecDeque<PlanHash>,
}

impl Recent {
    pub(super) fn get(&self, plan: &PlanHash) -> Option<&String> {
        self.commits.get(plan)
    }

    pub(super) fn remember(&mut self, plan: PlanHash, commit: String) {
        if self.commits.insert(plan.clone(), commit).is_none() {
            self.order.push_back(plan);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.commits.remove(&oldest);
            }
        }
    }
}

/// A commit with the plan that its trailer names.
pub(super) struct Planned {
    pub(super) commit: String,
    pub(super) plan: PlanHash,
}

/// Commits that carry a plan, the newest first: of the range since a commit, or of the last `most`.
pub(super) async fn history(
    git: &Git,
    since: Option<&str>,
    until: &str,
    most: &str,
) -> Result<Vec<Planned>, Error> {
    let range = since.map_or_else(|| until.to_owned(), |since| format!("{since}..{until}"));
    let output = git
        .run(&[
            "log",
            "--no-show-signature",
            "--max-count",
            most,
            "--format=%H %(trailers:key=Nephoran-Plan,valueonly,separator=%x2C)",
            &range,
            "--",
        ])
        .await?;
    Ok(String::from_utf8_lossy(&output)
        .lines()
        .filter_map(|line| {
            let (commit, plan) = line.split_once(' ')?;
            Some(Planned { commit: commit.to_owned(), plan: PlanHash::parse(plan.trim())? })
        })
        .collect())
}

/// The commits of certain plans.
pub(super) async fn find(
    git: &Git,
    since: Option<&str>,
    until: &str,
    hashes: &[PlanHash],
) -> Result<HashMap<PlanHash, String>, Error> {
    if hashes.is_empty() {
        return Ok(HashMap::new());
    }
    let planned = match history(git, since, until, MOST_COMMITS).await {
        // The commit to start from is gone: the history was rewritten.
        Err(Error::Git { .. }) if since.is_some() => history(git, None, until, MOST_COMMITS).await?,
        other => other?,
    };
    let wanted: HashSet<&PlanHash> = hashes.iter().collect();
    Ok(planned
        .into_iter()
        .filter(|planned| wanted.contains(&planned.plan))
        .map(|planned| (planned.plan, planned.commit))
        .collect())
}
