//! A language model as a translator that nobody trusts. It cannot reach the store, a package or an actuator.

mod ask;

pub use ask::{Ask, Error, Known, Origin, Passage, Understood};
