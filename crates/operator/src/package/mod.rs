//! kpt packages in git: read as objects, edited byte for byte, written by commits.
//!
//! No work tree, no hooks, no filters and nobody's configuration: what counts is what the
//! branch holds. One task owns a repository; everybody else has a [`Repository`] handle.

mod compare;
mod editor;
mod error;
mod facts;
mod function;
mod git;
mod inventory;
pub mod message;
mod owner;
mod packs;
mod patch;
mod plans;
mod reader;
mod repository;
pub mod samples;
mod state;
mod tree;
mod watch;
mod writer;
mod yaml;

use std::sync::Arc;

use nephoran_model::guard::Difference;
use nephoran_model::plan::PlanHash;

pub use error::Error;
pub use repository::{Repository, RepositoryConfig, Status, import_files, import_folder, init_bare};
pub use watch::{Moved, MovedCommit};

/// What steps would make of the files at `base`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The commit that the files were read at.
    pub base: String,
    pub files: Vec<EditedFile>,
    /// Unified diff of all files.
    pub diff: String,
    /// Every parsed value of the files that differs, whether a step names it or not.
    pub differences: Vec<Difference>,
}

/// A file after its edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedFile {
    /// From the repository's root.
    pub path: String,
    /// Blob id before; `None`: the file must not exist yet.
    pub blob_before: Option<String>,
    pub bytes: Vec<u8>,
}

/// One commit to be made, for one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub plan: PlanHash,
    /// Each is written only while it still has the blob that the plan was made from.
    pub files: Vec<EditedFile>,
    /// See [`message::text`].
    pub message: String,
}

/// The commit of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    pub commit: String,
    /// It was there before we were asked: an earlier attempt had made it.
    pub already: bool,
}

/// A change with what its files mean, worked out before it waits for its turn.
#[derive(Debug)]
struct Prepared {
    change: Change,
    /// Beside `change.files`.
    results: Vec<FileResult>,
}

#[derive(Debug, Clone)]
struct FileResult {
    blob: String,
    facts: Arc<facts::FileFacts>,
}

impl Prepared {
    /// `like`: an id of the repository, which shows how it makes ids.
    fn new(change: Change, like: &str) -> Self {
        let results = change.files.iter().map(|file| FileResult {
            blob: writer::blob_id(&file.bytes, like),
            facts: Arc::new(facts::read(&file.bytes)),
        });
        let results = results.collect();
        Self { change, results }
    }

    fn files(&self) -> impl Iterator<Item = (&EditedFile, &FileResult)> {
        self.change.files.iter().zip(&self.results)
    }
}

/// A commit as the writer takes it.
#[derive(Debug)]
struct NewCommit {
    message: String,
    /// Seconds since 1970.
    time: u64,
    files: Vec<NewFile>,
}

#[derive(Debug)]
struct NewFile {
    path: String,
    mode: tree::Mode,
    bytes: Vec<u8>,
}

impl NewCommit {
    fn size(&self) -> usize {
        self.message.len() + self.files.iter().map(|file| file.bytes.len() + file.path.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
