//! Workers over the queue: started, scaled by what they measure, drained by a deadline. They know no intents.
//!
//! ```text
//!          one at a time, in order            many at a time                  one at a time
//! queue --claim--> Work::begin ----> Work::work ----> ack, again, hand over
//!                                        |  panic: Work::failed
//!                                        +-- output --> channel --> Work::finished
//! ```
//!
//! An item is in the queue or in the hands of one worker, never in between: what is dropped on
//! the way (a shutdown, its deadline) stands in the queue again at its place.

mod channel;
mod pool;
mod scale;
mod spare;

use std::future::Future;

use nephoran_queue::{Delivery, Lane};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use channel::{Places, places};
pub use pool::{Numbers, Pool, Report, Settings};
pub use scale::Scale;
pub use spare::Spare;

/// What the workers do. All decisions are its own: whether a try is repeated, and how often.
pub trait Work<K: Clone + Send>: Send + Sync + 'static {
    /// What was prepared for an item.
    type Begun: Send;
    /// What a try leaves for [`Work::finished`].
    type Output: Send + 'static;

    /// While this waits nothing is claimed, and nothing fails for it: a breaker that is open.
    fn ready(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Prepares an item, one after another in the order of claims. Everybody waits for it.
    fn begin(&self, delivery: &Delivery<K>) -> impl Future<Output = Begun<Self::Begun, Self::Output>> + Send;

    /// Does the work, many at a time. It is dropped at an `.await` when a shutdown comes to its
    /// deadline, and the item is handed out again later.
    fn work(&self, begun: Self::Begun, context: Context) -> impl Future<Output = Ended<Self::Output>> + Send;

    /// A try that panicked.
    fn failed(&self, key: &K, cause: &str) -> impl Future<Output = Next> + Send;

    /// Takes what a try left. It is the callback's own from here on: nobody writes to it again.
    fn finished(&self, output: Self::Output);
}

/// What came of [`Work::begin`].
#[derive(Debug)]
pub enum Begun<B, T> {
    Work(B),
    /// There is nothing to do.
    Ended(Ended<T>),
}

/// What a piece of work has to mind.
#[derive(Debug, Clone)]
pub struct Context {
    /// Fires when the pool shuts down: who hears it comes to a good end, or gives the item back.
    pub stop: CancellationToken,
    /// The item's own.
    pub deadline: Option<Instant>,
}

impl Context {
    /// The item's deadline passed: nothing more is begun for it.
    pub fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }
}

/// How a try ended.
#[derive(Debug)]
pub struct Ended<T> {
    /// For [`Work::finished`].
    pub output: Option<T>,
    pub next: Next,
    /// The try failed in a way that speaks for fewer tries at a time.
    pub strained: bool,
    /// What it took tells how long the work takes. Not so when the result was at hand: beside that
    /// all real work would look slow.
    pub measured: bool,
}

impl<T> Ended<T> {
    pub fn new(next: Next) -> Self {
        Self { output: None, next, strained: false, measured: true }
    }

    pub fn with(self, output: T) -> Self {
        Self { output: Some(output), ..self }
    }

    pub fn at_once(self) -> Self {
        Self { measured: false, ..self }
    }

    pub fn strained(self) -> Self {
        Self { strained: true, ..self }
    }
}

/// What becomes of the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The queue forgets it.
    Done,
    /// Again in the same lane, not before.
    Again(Instant),
    /// For the workers of another lane.
    HandOver(Lane),
    /// Back to where it stood.
    GiveBack,
}
