//! Keeps watching what was applied: a value that somebody else changed makes its intent
//! `degraded`, with the commit and its author; the value back in place makes it `applied` again.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use nephoran_model::intent::{IntentId, State};
use nephoran_model::plan::Scalar;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::fields::{Field, Holder};
use super::records::Records;
use crate::package::{Moved, Repository};
use crate::plan::Packages;
use crate::store;

/// Below the 5 s in which a foreign change must show.
const AGAIN: Duration = Duration::from_secs(3);

#[derive(Clone)]
pub struct Drift {
    pub records: Records,
    pub packages: Packages,
}

impl Drift {
    /// Follows one repository until `stop`.
    pub async fn run(self, repository: Repository, stop: CancellationToken) {
        let mut moves = repository.moves();
        // What changed while nobody watched.
        self.check(self.held(&repository, None), None).await;
        // What a move did not show: it came between a commit and its record, or could not be read or
        // written down at that moment.
        let mut looks = tokio::time::interval(AGAIN);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let moved = tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => {
                    self.check(self.suspects(&repository), None).await;
                    continue;
                }
                moved = moves.recv() => moved,
            };
            match moved {
                Ok(moved) => {
                    self.check(self.held(&repository, Some(&moved.files)), Some(&moved)).await;
                }
                // Too many moves to follow one by one: look at everything.
                Err(RecvError::Lagged(_)) => self.check(self.held(&repository, None), None).await,
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn held(&self, repository: &Repository, files: Option<&[String]>) -> Vec<(Field, Holder)> {
        self.records.fields.committed_in(repository.name(), files)
    }

    /// Those whose state does not fit what the inventory says: a comparison in memory, so that it
    /// costs little with many of them.
    fn suspects(&self, repository: &Repository) -> Vec<(Field, Holder)> {
        let inventory = repository.inventory();
        let counts: HashMap<(&str, usize, &str), u32> = inventory
            .workloads()
            .iter()
            .filter_map(|workload| workload.replicas.as_ref())
            .map(|at| ((at.file.as_str(), at.document, at.field.as_str()), at.value))
            .collect();
        let mut held = self.held(repository, None);
        held.retain(|(field, holder)| {
            let seen = counts.get(&(field.file.as_str(), field.document, field.field.as_str()));
            let so = seen.is_some_and(|seen| holder.wanted == Scalar::Int(i64::from(*seen)));
            so == holder.degraded
        });
        held
    }

    async fn check(&self, held: Vec<(Field, Holder)>, moved: Option<&Moved>) {
        for (field, holder) in held {
            let seen =
                self.packages.value(&field.repository, &field.file, field.document, &field.field).await;
            let seen = match seen {
                Ok(seen) => seen,
                Err(cause) => {
                    warn!(intent = %holder.id, %cause, "The repository cannot be read; what was applied there is not watched.");
                    continue;
                }
            };
            if seen.as_ref() == Some(&holder.wanted) {
                self.mark(&holder.id, State::Applied, &|| {
                    format!("{} is {} again", field.field, holder.wanted)
                })
                .await;
            } else {
                let seen = seen.map_or_else(|| "gone".to_owned(), |value| value.to_string());
                self.mark(&holder.id, State::Degraded, &|| {
                    let by = moved
                        .and_then(|moved| {
                            // Newest first: the last one to touch the file.
                            moved.commits.iter().find(|commit| commit.files.contains(&field.file))
                        })
                        .map_or_else(String::new, |commit| {
                            let short = commit.commit.get(..12).unwrap_or(&commit.commit);
                            format!(", by commit {short} of {}", commit.author)
                        });
                    format!("{} of {} is {seen}, not {}{by}", field.field, field.file, holder.wanted)
                })
                .await;
            }
        }
    }

    /// Moves a committed intent between `applied` and `degraded`; leaves any other alone.
    async fn mark(&self, id: &IntentId, state: State, cause: &(dyn Fn() -> String + Sync)) {
        loop {
            let mut intent = match self.records.get(id).await {
                Ok(Some(intent)) => intent,
                Ok(None) => return,
                Err(cause) => {
                    warn!(intent = %id, %cause, "The store cannot read; drift is noted at the next look.");
                    return;
                }
            };
            let already =
                intent.state == state || (state == State::Applied && intent.state != State::Degraded);
            if already || !intent.state.is_committed() || !intent.state.may_become(state) {
                return;
            }
            if intent.enter(state, cause(), "operator", Timestamp::now()).is_err() {
                return;
            }
            match self.records.save(&mut intent, Vec::new()).await {
                Ok(_) => {
                    info!(intent = %id, state = %state, "Seen in the repository.");
                    return;
                }
                Err(store::Error::Stale { .. }) => {}
                Err(cause) => {
                    warn!(intent = %id, %cause, "The store cannot write; drift is noted at the next look.");
                    return;
                }
            }
        }
    }
}
