//! The passages that a language model may be shown: where they come from, and how they are kept.
//! What is wrong with them stops nothing: a model that is shown none still answers.

use std::sync::Arc;
use std::time::Duration;

use nephoran_retrieve::{Error, Index, Limits, Settings};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

use crate::config::Config;

/// How late a changed document may be noticed. A look at 10,000 of them takes some tens of milliseconds.
const EVERY: Duration = Duration::from_secs(15);

/// What the index is made of.
pub fn settings(config: &Config) -> Settings {
    Settings { folder: config.retrieve.folder.clone(), notes: true, limits: Limits::default(), embed: None }
}

/// The index in the data folder, which must exist.
pub fn open(config: &Config) -> Result<Index, Error> {
    Index::open(&config.data.join("retrieval.db"), settings(config))
}

/// Opens the index when somebody may ask it, and keeps it up to date until `stop`.
pub fn start(config: &Config, tasks: &TaskTracker, stop: CancellationToken) -> Option<Index> {
    if config.translate.model.is_none() && config.retrieve.folder.is_none() {
        return None;
    }
    match open(config) {
        Ok(index) => {
            tasks.spawn(index.clone().keep(EVERY, stop));
            Some(index)
        }
        Err(cause) => {
            let cause: Arc<dyn std::error::Error> = Arc::new(cause);
            let source = cause.source().map(ToString::to_string).unwrap_or_default();
            error!(%cause, source, "No passages of documents are shown to a model.");
            None
        }
    }
}

/// For one question, the best passages; none where the index cannot be asked.
pub async fn find(index: &Index, words: &str, most: usize) -> Vec<nephoran_llm::Passage> {
    match index.find(words, most).await {
        Ok(found) => found
            .into_iter()
            .map(|found| nephoran_llm::Passage { id: found.id, title: found.title, text: found.text })
            .collect(),
        Err(cause) => {
            warn!(%cause, "Passages cannot be looked up now.");
            Vec::new()
        }
    }
}
