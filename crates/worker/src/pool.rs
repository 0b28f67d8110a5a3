//! The workers and their life. Whoever has nothing to do sits down on the one chair before the
//! queue; who got an item leaves it, and sees to it that somebody else sits there.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use nephoran_queue::{Delivery, Lane, Queue};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

use crate::scale::{Crew, Scale};
use crate::{Begun, Context, Ended, Next, Work, places};

/// What is dropped at the deadline of a shutdown gets this long to be gone: a poll must end.
const LAST: Duration = Duration::from_millis(40);

/// An item whose every hook panicked is not looked at again before.
const AFTER_A_FAULT: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub lane: Lane,
    pub scale: Scale,
    /// Results that the callback gets in one go.
    pub batch: usize,
}

/// Workers that run until [`Pool::shutdown`]; dropped, they stop where they are.
#[derive(Debug)]
pub struct Pool {
    hands: Arc<Hands>,
}

/// How many workers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    pub alive: usize,
    /// With an item in their hands.
    pub busy: usize,
    /// As many as there may be now.
    pub limit: usize,
}

/// How a shutdown went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Items that came to their end meanwhile.
    pub completed: usize,
    /// Items that went back to the queue: given back by their work, to be tried again, or still
    /// worked on at the deadline.
    pub requeued: usize,
}

/// What does not depend on the work.
#[derive(Debug)]
struct Hands {
    /// Owns every task of the pool.
    tasks: TaskTracker,
    /// Nothing more is claimed.
    stop: CancellationToken,
    /// What runs is dropped.
    abort: CancellationToken,
    crew: Mutex<Crew>,
    /// Somebody should look whether he is one too many.
    look: Notify,
    completed: AtomicUsize,
    requeued: AtomicUsize,
}

impl Hands {
    fn crew(&self) -> MutexGuard<'_, Crew> {
        // Nothing under the lock can panic half-way through a change.
        self.crew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// Starts on the runtime it is called on.
    pub fn start<K, W>(queue: Queue<K>, settings: Settings, work: Arc<W>) -> Self
    where
        K: Clone + Send + Sync + 'static,
        W: Work<K>,
    {
        let Settings { lane, scale, batch } = settings;
        let hands = Arc::new(Hands {
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
            crew: Mutex::new(Crew::new(scale)),
            look: Notify::new(),
            completed: AtomicUsize::new(0),
            requeued: AtomicUsize::new(0),
        });
        let size = places(batch, scale.most());
        if let Some(wanted) = size.capped_from {
            warn!(%lane, wanted, places = size.places, "The channel of results is smaller than its workers would have it.");
        }
        let (results, from_workers) = mpsc::channel(size.places);
        hands.tasks.spawn(collect(work.clone(), from_workers, batch.max(1)));
        let place = Arc::new(Workplace { queue, lane, work, chair: tokio::sync::Mutex::new(()), hands });
        for _ in 0..scale.rest() {
            place.hands.crew().hire();
            place.clone().employ(results.clone());
        }
        Self { hands: place.hands.clone() }
    }

    pub fn numbers(&self) -> Numbers {
        let crew = self.hands.crew();
        Numbers { alive: crew.alive(), busy: crew.alive() - crew.idle(), limit: crew.limit() }
    }

    /// Claims nothing more and waits for what runs; what still runs at the deadline is dropped
    /// and stands in the queue again. Whoever calls it, and how often, gets the same report.
    pub async fn shutdown(&self, deadline: Instant) -> Report {
        let Hands { tasks, stop, abort, completed, requeued, .. } = &*self.hands;
        stop.cancel();
        tasks.close();
        if tokio::time::timeout_at(deadline, tasks.wait()).await.is_err() {
            abort.cancel();
            if tokio::time::timeout(LAST, tasks.wait()).await.is_err() {
                warn!(running = tasks.len(), "Some work blocks its thread and cannot be dropped.");
            }
        }
        Report { completed: completed.load(Ordering::Relaxed), requeued: requeued.load(Ordering::Relaxed) }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.hands.stop.cancel();
        self.hands.abort.cancel();
        self.hands.tasks.close();
    }
}

/// Gives results to the callback, until the last worker is gone.
async fn collect<K, W>(work: Arc<W>, mut results: mpsc::Receiver<W::Output>, batch: usize)
where
    K: Clone + Send,
    W: Work<K>,
{
    let mut taken = Vec::with_capacity(batch);
    while results.recv_many(&mut taken, batch).await > 0 {
        for output in taken.drain(..) {
            let called = std::panic::catch_unwind(AssertUnwindSafe(|| work.finished(output)));
            if let Err(panic) = called {
                error!(cause = said(&*panic), "A callback panicked over a result.");
            }
        }
    }
}

struct Workplace<K: Clone + Send, W> {
    queue: Queue<K>,
    lane: Lane,
    work: Arc<W>,
    chair: tokio::sync::Mutex<()>,
    hands: Arc<Hands>,
}

/// An item in the hands of a worker.
struct Held<'a, K: Clone + Send> {
    delivery: Option<Delivery<K>>,
    hands: &'a Hands,
}

impl<K: Clone + Send> Held<'_, K> {
    fn delivery(&self) -> &Delivery<K> {
        self.delivery.as_ref().expect("only `end` and `drop` take the delivery, and they consume it")
    }

    fn end(mut self, next: Next) {
        let Some(delivery) = self.delivery.take() else { return };
        let count = match next {
            Next::Done => &self.hands.completed,
            _ => &self.hands.requeued,
        };
        if self.hands.stop.is_cancelled() {
            count.fetch_add(1, Ordering::Relaxed);
        }
        match next {
            Next::Done => delivery.ack(),
            Next::Again(at) => delivery.put_back(at),
            Next::HandOver(lane) => delivery.hand_over(lane),
            Next::GiveBack => drop(delivery),
        }
    }
}

impl<K: Clone + Send> Drop for Held<'_, K> {
    fn drop(&mut self) {
        if let Some(delivery) = self.delivery.take() {
            drop(delivery);
            self.hands.requeued.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a worker got from the queue.
enum Got<'a, K: Clone + Send, W: Work<K>> {
    Item {
        held: Held<'a, K>,
        result: mpsc::Permit<'a, W::Output>,
        begun: Result<W::Begun, Ended<W::Output>>,
    },
    /// Nothing: this worker is one too many.
    Notice,
}

impl<K, W> Workplace<K, W>
where
    K: Clone + Send + Sync + 'static,
    W: Work<K>,
{
    fn employ(self: Arc<Self>, results: mpsc::Sender<W::Output>) {
        let hands = self.hands.clone();
        hands.tasks.spawn(self.worker(results));
    }

    #[allow(
        clippy::manual_async_fn,
        reason = "a worker may employ another one, so that it is `Send` must be said"
    )]
    fn worker(self: Arc<Self>, results: mpsc::Sender<W::Output>) -> impl Future<Output = ()> + Send {
        async move {
            // A panic that gets here is of the gate; it must not cost the pool its worker.
            let mut again_at = None;
            loop {
                let next = async {
                    if let Some(at) = again_at.take() {
                        tokio::time::sleep_until(at).await;
                    }
                    AssertUnwindSafe(self.next(&results)).catch_unwind().await
                };
                let got = tokio::select! {
                    biased;
                    () = self.hands.stop.cancelled() => break,
                    got = next => got,
                };
                let (held, result, begun) = match got {
                    Ok(Got::Item { held, result, begun }) => (held, result, begun),
                    Ok(Got::Notice) => return,
                    Err(panic) => {
                        error!(cause = said(&*panic), "A worker panicked before it had work; it goes on.");
                        again_at = Some(Instant::now() + AFTER_A_FAULT);
                        continue;
                    }
                };
                let worked = async {
                    match begun {
                        Ok(begun) => self.work(held.delivery(), begun).await,
                        Err(ended) => ended,
                    }
                };
                let ended = tokio::select! {
                    biased;
                    ended = worked => ended,
                    () = self.hands.abort.cancelled() => {
                        self.hands.crew().free();
                        break;
                    }
                };
                held.end(ended.next);
                if let Some(output) = ended.output {
                    result.send(output);
                }
                self.hands.crew().free();
            }
            self.hands.crew().leave();
        }
    }

    /// Waits for the chair and then for an item.
    async fn next<'a>(self: &'a Arc<Self>, results: &'a mpsc::Sender<W::Output>) -> Got<'a, K, W> {
        let Hands { look, .. } = &*self.hands;
        let _chair = loop {
            // Made before the look at the crew: a call in between is heard.
            let called = look.notified();
            if self.leaves() {
                return Got::Notice;
            }
            tokio::select! {
                biased;
                chair = self.chair.lock() => break chair,
                () = called => {}
            }
        };
        if self.leaves() {
            return Got::Notice;
        }
        // Before the item: once it is worked on, nothing waits any more.
        let result = results.reserve().await.expect("the collector ends after the last worker");
        loop {
            self.until_ready().await;
            let (delivery, waited) = match self.queue.try_claim_from(self.lane) {
                Some(delivery) => (delivery, true),
                None => {
                    self.quiet();
                    (self.queue.claim_from(self.lane).await, false)
                }
            };
            // The gate may have closed while nothing was there. Dropped, the item stands where it stood.
            if self.work.ready().now_or_never().is_none() {
                drop(delivery);
                continue;
            }
            let held = Held { delivery: Some(delivery), hands: &self.hands };
            let begun = self.begin(held.delivery()).await;
            if self.hands.crew().take(waited) {
                self.hands.crew().hire();
                self.clone().employ(results.clone());
            }
            return Got::Item { held, result, begun };
        }
    }

    /// True when this worker is one too many; it is no longer counted then.
    fn leaves(&self) -> bool {
        let mut crew = self.hands.crew();
        let leaves = crew.is_too_many();
        if leaves {
            crew.leave();
        }
        leaves
    }

    fn quiet(&self) {
        let others_may_leave = self.hands.crew().quiet();
        if others_may_leave {
            self.hands.look.notify_waiters();
        }
    }

    async fn until_ready(&self) {
        if self.work.ready().now_or_never().is_none() {
            self.quiet();
            self.work.ready().await;
        }
    }

    async fn begin(&self, delivery: &Delivery<K>) -> Result<W::Begun, Ended<W::Output>> {
        match AssertUnwindSafe(self.work.begin(delivery)).catch_unwind().await {
            Ok(Begun::Work(begun)) => Ok(begun),
            Ok(Begun::Ended(ended)) => Err(ended),
            Err(panic) => Err(self.failed(delivery.key(), said(&*panic)).await),
        }
    }

    async fn work(&self, delivery: &Delivery<K>, begun: W::Begun) -> Ended<W::Output> {
        let context = Context { stop: self.hands.stop.clone(), deadline: delivery.deadline() };
        let started = self.hands.crew().is_measured().then(Instant::now);
        let worked = AssertUnwindSafe(self.work.work(begun, context)).catch_unwind().await;
        let ended = match worked {
            Ok(ended) => ended,
            Err(panic) => self.failed(delivery.key(), said(&*panic)).await,
        };
        if let Some(started) = started.filter(|_| ended.measured) {
            self.hands.crew().ended(started.elapsed(), ended.strained);
        }
        ended
    }

    async fn failed(&self, key: &K, cause: &str) -> Ended<W::Output> {
        let next = match AssertUnwindSafe(self.work.failed(key, cause)).catch_unwind().await {
            Ok(next) => next,
            Err(panic) => {
                error!(cause = said(&*panic), "The work panicked over its own failure.");
                Next::Again(Instant::now() + AFTER_A_FAULT)
            }
        };
        Ended::new(next).strained()
    }
}

/// The text of a panic, where it has one.
fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(said), _) => said,
        (_, Some(said)) => said,
        _ => "a panic without a text",
    }
}
