//! The index, from outside: what is found, what changes it, what it survives.
#![allow(clippy::unwrap_used)]

mod crash;
mod documents;
mod hostile;
mod meaning;
mod real;
mod server;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nephoran_retrieve::{Embed, Found, Index, Limits, Report, Settings};
use tokio_util::sync::CancellationToken;

/// A folder of documents and an index beside it.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new(documents: &[(&str, &str)]) -> Self {
        let place = Self { root: tempfile::tempdir().unwrap() };
        std::fs::create_dir(place.folder()).unwrap();
        for (name, text) in documents {
            place.write(name, text);
        }
        place
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("documents")
    }

    fn database(&self) -> PathBuf {
        self.root.path().join("retrieval.db")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn open(&self) -> Index {
        open(&self.database(), &self.folder(), Limits::default(), None)
    }

    fn open_with(&self, embed: Arc<dyn Embed>) -> Index {
        open(&self.database(), &self.folder(), Limits::default(), Some(embed))
    }

    fn limited(&self, limits: Limits) -> Index {
        open(&self.database(), &self.folder(), limits, None)
    }
}

fn open(database: &Path, folder: &Path, limits: Limits, embed: Option<Arc<dyn Embed>>) -> Index {
    let settings = Settings { folder: Some(folder.to_owned()), notes: false, limits, embed };
    Index::open(database, settings).unwrap()
}

async fn update(index: &Index) -> Report {
    index.update(&CancellationToken::new()).await.unwrap()
}

async fn find(index: &Index, words: &str) -> Vec<Found> {
    index.find(words, 10).await.unwrap()
}

/// The documents of what is found, the best first.
async fn found(index: &Index, words: &str) -> Vec<String> {
    find(index, words).await.into_iter().map(|found| found.document).collect()
}
