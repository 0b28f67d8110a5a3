//! One intent after another to where it can rest, and the acts of people on the way.

pub mod acts;
pub mod deadlines;
pub mod drift;
pub mod fields;
pub mod flow;
pub mod lines;
pub mod records;
pub mod repair;
mod stages;
mod understand;

pub use acts::Acts;
pub use flow::Flow;
pub use records::Records;

/// An error with the chain of its causes.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
