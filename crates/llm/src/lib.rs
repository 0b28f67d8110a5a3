//! A language model as a translator that nobody trusts. It cannot reach the store, a package or an actuator.

/// What is asked, and what comes back.
mod ask;

/// How a model is asked.
mod settings;

/// What must not be asked again, what may not be spent, what is counted.
mod budget;
mod cache;
mod stats;

/// What a model is told.
mod prompt;

/// What comes back, while it comes.
mod endpoint;
mod prefix;
mod stream;

/// What an answer is worth.
mod answer;

/// From words to what was understood.
mod translator;

pub use ask::{Ask, Error, Known, Origin, Passage, Understood};
pub use prompt::{PROMPT_VERSION, version as prompt_version};
pub use settings::{Api, ApiKey, Settings};
pub use stats::{BUCKETS, Ended, Stats};
pub use translator::{ModelTranslator, Passages};
