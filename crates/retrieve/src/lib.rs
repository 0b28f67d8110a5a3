//! Passages of documents, found by words and by meaning. An index that can be made again at any time.
//!
//! ```text
//! folder, notes ---> clean ---> cut ------> index ---> find
//! bytes              text       passages    SQLite     by words (FTS5) and by meaning (embeddings), fused
//! ```
//!
//! What a document says is text for a reader and nothing else: no word of it decides what is found,
//! beyond that it holds that word.

/// A folder's documents: which there are, and their bytes.
mod folder;

/// The project's own notes, in the binary.
mod notes;

/// Text without what cannot be seen.
mod clean;

/// A text becomes passages with their headings.
pub mod cut;

/// The index: kept up to date, asked.
mod index;

/// Words of a request become an expression that holds nothing but words.
mod query;

/// Vectors from a server.
mod embeddings;

/// Vectors of passages, and how near they are.
mod meaning;

pub use embeddings::Embeddings;
pub use folder::{Skip, Survey, survey};
pub use index::{Error, Found, Index, Limits, Progress, Report, Settings, Skipped, State};
pub use meaning::{Embed, EmbedError};
pub use notes::NOTES;
