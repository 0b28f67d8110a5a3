//! What the store promises, one file per promise.
#![allow(clippy::unwrap_used)]

mod accept;
mod audit;
mod batch;
mod events;
mod faults;
mod lists;
mod open;

use std::path::PathBuf;

use nephoran_model::intent::{Intent, IntentId, Move, Request, Source, State};
use nephoran_model::proposal::Priority;

use super::*;

/// A data folder of its own that goes with the test.
pub(super) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn open(&self) -> Store {
        Store::open(self.path()).unwrap()
    }

    fn database(&self) -> PathBuf {
        self.path().join("nephoran.db")
    }

    /// Somebody else's hand in the closed file.
    fn tamper(&self, sql: &str) {
        rusqlite::Connection::open(self.database()).unwrap().execute_batch(sql).unwrap();
    }
}

pub(super) fn id(number: usize) -> IntentId {
    IntentId::parse(&format!("i{number:06}")).unwrap()
}

/// An intent as the desk makes it.
pub(super) fn intent(number: usize) -> Intent {
    let at = Timestamp::from_second(1_700_000_000 + number as i64).unwrap();
    Intent {
        id: id(number),
        version: 0,
        generation: 1,
        state: State::Received,
        hold: None,
        priority: Priority::Normal,
        source: Source::Http,
        requester: "local".into(),
        created_at: at,
        deadline: None,
        not_before: None,
        request: Request::Text(format!("scale upf to {number}")),
        change: Default::default(),
        constraints: Default::default(),
        parent: None,
        file: None,
        correlation_id: None,
        traceparent: None,
        answers: vec![],
        history: vec![Move { at, state: State::Received, cause: "accepted".into(), actor: "local".into() }],
        proposal: None,
        translator: None,
        plan: None,
        findings: vec![],
        question: None,
        approval: None,
        understanding: None,
        outcomes: vec![],
        fulfilment: Default::default(),
        answer: None,
        superseded_by: None,
        supersedes: vec![],
        attempts: 0,
        retry_at: None,
    }
}

/// The record moved on, as the flow does it.
pub(super) fn moved(mut intent: Intent, state: State, cause: &str) -> Intent {
    intent.enter(state, cause, "operator", Timestamp::now()).unwrap();
    intent
}

pub(super) async fn stored(store: &Store, id: &IntentId) -> Intent {
    store.get(id).await.unwrap().unwrap()
}
