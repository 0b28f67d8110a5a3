//! The command line.

mod text;

pub use text::{escape, escape_lines};
