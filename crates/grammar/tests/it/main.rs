//! Behaviour of the grammar, one file per subject.
#![allow(clippy::unwrap_used)]

mod corpus;
