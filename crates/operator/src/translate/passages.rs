//! The passages that a language model may be shown: where they come from, and how they are kept.
//! What is wrong with them stops nothing: a model that is shown none still answers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use nephoran_http::{Clients, Profile};
use nephoran_llm::{Passage, Passages};
use nephoran_retrieve::{Embed, EmbedError, Embeddings, Error, Index, Limits, Settings};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

use crate::config::{self, Config};
use crate::telemetry::metrics::{self, Metrics};

/// How late a changed document may be noticed. A look at 10,000 of them takes some tens of milliseconds.
const EVERY: Duration = Duration::from_secs(15);

/// What the index is made of.
pub fn settings(config: &Config, clients: &Clients) -> Settings {
    let embed = config.retrieve.embeddings.as_ref().map(|embeddings| embedder(embeddings, clients));
    Settings { folder: config.retrieve.folder.clone(), notes: true, limits: Limits::default(), embed }
}

/// The index in the data folder, which must exist.
pub fn open(config: &Config, clients: &Clients) -> Result<Index, Error> {
    Index::open(&config.data.join("retrieval.db"), settings(config, clients))
}

/// Opens the index when somebody may ask it, and keeps it up to date until `stop`.
pub fn start(
    config: &Config,
    clients: &Clients,
    tasks: &TaskTracker,
    metrics: &Metrics,
    stop: CancellationToken,
) -> Option<Arc<dyn Passages>> {
    if config.translate.model.is_none() && config.retrieve.folder.is_none() {
        return None;
    }
    match open(config, clients) {
        Ok(index) => {
            metrics.add(metrics::Documents(index.clone()));
            tasks.spawn(index.clone().keep(EVERY, stop));
            Some(Arc::new(Documents(index)))
        }
        Err(cause) => {
            error!(
                cause = format!("{:#}", anyhow::Error::new(cause)),
                "No passages of documents are shown to a model."
            );
            None
        }
    }
}

/// What a model's translator asks.
struct Documents(Index);

impl Passages for Documents {
    /// None where the index cannot be asked.
    fn find<'a>(&'a self, words: &'a str, most: usize) -> BoxFuture<'a, Vec<Passage>> {
        Box::pin(async move {
            match self.0.find(words, most).await {
                Ok(found) => found
                    .into_iter()
                    .map(|found| Passage { id: found.id, title: found.title, text: found.text })
                    .collect(),
                Err(cause) => {
                    warn!(%cause, "Passages cannot be looked up now.");
                    Vec::new()
                }
            }
        })
    }
}

/// Who gives passages their vectors. A fault is one of the index: words alone go on, and say so.
pub fn embedder(config: &config::Embeddings, clients: &Clients) -> Arc<dyn Embed> {
    let made = key(config.api_key_file.as_deref()).and_then(|key| {
        let client = clients.get(Profile::HighThroughput);
        let made = Embeddings::new(client, &config.endpoint, &config.name, key.as_deref());
        made.map_err(|cause| cause.to_string())
    });
    match made {
        Ok(embeddings) => Arc::new(embeddings),
        Err(reason) => Arc::new(Nobody { model: config.name.clone(), reason }),
    }
}

/// Says why there are no vectors.
#[derive(Debug)]
struct Nobody {
    model: String,
    reason: String,
}

impl Embed for Nobody {
    fn model(&self) -> &str {
        &self.model
    }

    fn embed(&self, _: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        Box::pin(async { Err(EmbedError::Rejected(self.reason.clone())) })
    }
}

/// A key is one line; whatever is longer is another file.
fn key(file: Option<&Path>) -> Result<Option<String>, String> {
    const MOST: u64 = 4_096;
    let Some(file) = file else { return Ok(None) };
    let shown = file.display();
    let length = std::fs::metadata(file).map_err(|cause| format!("read the key in {shown}: {cause}"))?.len();
    if length > MOST {
        return Err(format!("read the key in {shown}: it has {length} bytes, which no key has"));
    }
    let text = std::fs::read_to_string(file).map_err(|cause| format!("read the key in {shown}: {cause}"))?;
    let text = text.trim();
    match text.is_empty() {
        true => Err(format!("read the key in {shown}: it is empty")),
        false => Ok(Some(text.to_owned())),
    }
}
