//! Which resting intents hold which field, so that a new one meets its rivals and a
//! foreign change finds the intents it concerns.
//!
//! An index in memory over what the store holds; rebuilt from it at start.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use nephoran_model::intent::{Intent, IntentId, State};
use nephoran_model::plan::Scalar;
use nephoran_model::proposal::Priority;

/// One scalar of one file of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    pub repository: String,
    pub file: String,
    pub document: usize,
    pub field: String,
}

/// An intent that rests on a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    pub id: IntentId,
    pub requester: String,
    pub priority: Priority,
    /// Its change is in the repository.
    pub committed: bool,
    /// It is known to be no longer so.
    pub degraded: bool,
    /// It changed the field; it was not already so.
    pub changed: bool,
    pub wanted: Scalar,
}

#[derive(Default)]
pub struct Fields {
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    holders: HashMap<Field, Vec<Holder>>,
    fields: HashMap<IntentId, Vec<Field>>,
}

impl Fields {
    /// Takes note of where `intent` is now: it holds the fields of its plan while it rests
    /// with one, and nothing once it has ended.
    pub fn note(&self, intent: &Intent) {
        let mut index = self.lock();
        index.forget(&intent.id);
        let holds = intent.state.is_committed()
            || matches!(intent.state, State::AwaitingApproval | State::AwaitingMerge)
            || (intent.state == State::Planned && intent.hold.is_some());
        let (true, Some(plan)) = (holds, &intent.plan) else { return };
        for step in &plan.steps {
            // The first edit is the field that the step is about; a setter's value follows it.
            let Some(edit) = step.edits.first() else { continue };
            let field = Field {
                repository: step.repository.clone(),
                file: edit.file.clone(),
                document: edit.document,
                field: edit.field.clone(),
            };
            index.holders.entry(field.clone()).or_default().push(Holder {
                id: intent.id.clone(),
                requester: intent.requester.clone(),
                priority: intent.priority,
                committed: intent.state.is_committed(),
                degraded: intent.state == State::Degraded,
                changed: edit.before != edit.after,
                wanted: edit.after.clone(),
            });
            index.fields.entry(intent.id.clone()).or_default().push(field);
        }
    }

    /// Those that hold `field`, oldest first.
    pub fn holders(&self, field: &Field) -> Vec<Holder> {
        let mut holders = self.lock().holders.get(field).cloned().unwrap_or_default();
        holders.sort_by(|a, b| a.id.cmp(&b.id));
        holders
    }

    /// Each committed holder of a field in a repository, or in these files of it.
    pub fn committed_in(&self, repository: &str, files: Option<&[String]>) -> Vec<(Field, Holder)> {
        self.lock()
            .holders
            .iter()
            .filter(|(field, _)| {
                field.repository == repository && files.is_none_or(|files| files.contains(&field.file))
            })
            .flat_map(|(field, holders)| holders.iter().map(move |holder| (field.clone(), holder.clone())))
            .filter(|(_, holder)| holder.committed)
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().expect("no code panics while it holds this lock")
    }
}

impl Index {
    fn forget(&mut self, id: &IntentId) {
        for field in self.fields.remove(id).unwrap_or_default() {
            if let Some(holders) = self.holders.get_mut(&field) {
                holders.retain(|holder| holder.id != *id);
                if holders.is_empty() {
                    self.holders.remove(&field);
                }
            }
        }
    }
}
