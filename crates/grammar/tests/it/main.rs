//! Behaviour of the grammar, one file per subject.
#![allow(clippy::unwrap_used)]

mod answers;
mod contract;
mod corpus;
mod faithful;
mod hostile;
mod properties;
mod rendering;
