//! What waits for a worker: bounded, in memory, four bands in one pool, in two lanes.
//!
//! It holds a key, a band, a lane, a time and a deadline; no bytes, no disk, no intents. What is
//! full refuses at once and says when to come back; nothing here waits for room. The queue is
//! rebuilt from the store at start.
//!
//! ```text
//! reserve(band) -> Place --publish--> direct lane --claim--> Delivery --ack--> gone
//!                    |                    ^                   |    |
//!                 dropped: free           +----- dropped -----+    +--hand_over--> model lane
//! ```
//!
//! An item that is handed over keeps its place, its band, its deadline and its order. The lanes
//! are claimed from apart, so what waits for a model holds nothing else up.

mod bands;
mod drain;
mod fairness;
mod lanes;
mod pace;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

pub use bands::{Band, Limits, LimitsError};
pub use lanes::Lane;

use drain::Drain;
use lanes::{Item, Room, Waiting};

/// No place for this band now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    pub band: Band,
    /// When there is likely room again: 1 to 60 s, from the pace at which places came free.
    pub retry_after: Duration,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the queue is full for {} items; try again in {} s",
            self.band,
            self.retry_after.as_secs_f64().ceil()
        )
    }
}

impl std::error::Error for Full {}

/// A handle; clones share one queue.
pub struct Queue<K: Clone + Send> {
    shared: Arc<Shared<K>>,
}

impl<K: Clone + Send> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K: Clone + Send> fmt::Debug for Queue<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("depths", &self.depths()).finish_non_exhaustive()
    }
}

impl<K: Clone + Send> Queue<K> {
    pub fn new(limits: Limits) -> Result<Self, LimitsError> {
        let limits = limits.check()?;
        let wake = [Notify::new(), Notify::new()];
        Ok(Self { shared: Arc::new(Shared { wake, inner: Mutex::new(Inner::new(limits)) }) })
    }

    /// Takes a place in the pool, or refuses. Never waits.
    pub fn reserve(&self, band: Band) -> Result<Place<K>, Full> {
        let mut inner = self.shared.lock();
        let short = inner.limits.short(band, &inner.used);
        if short > 0 {
            return Err(Full { band, retry_after: inner.drain.wait_for(short, Instant::now()) });
        }
        inner.used[band.index()] += 1;
        drop(inner);
        Ok(Place { shared: self.shared.clone(), band, lane: None, taken: true })
    }

    /// Puts something back that was accepted before: after an answer, an approval, a restart.
    /// It has a place of its own, outside the pool, and is never refused.
    pub fn resume(&self, key: K, band: Band) {
        self.resume_at(key, band, None, None);
    }

    /// As [`Queue::resume`], handed out only from `ready_at` on: back-off, `not_before`.
    /// At its deadline it is handed out in any case, so that somebody can say that it is late.
    pub fn resume_at(&self, key: K, band: Band, ready_at: Option<Instant>, deadline: Option<Instant>) {
        let mut inner = self.shared.lock();
        let item = inner.item(key, band, deadline, Room::Own);
        self.shared.put(inner, item, ready_at);
    }

    /// Waits for the next item of the direct lane: [`Queue::claim_from`].
    pub async fn claim(&self) -> Delivery<K> {
        self.claim_from(Lane::Direct).await
    }

    /// Waits for the next item of a lane whose turn it is. Nothing is lost when the future is
    /// dropped.
    ///
    /// Over bands that have something, claims are shared 8:4:2:1; inside a band the order is
    /// that of publication. An item with `n` ahead of it in its own band waits at most for
    /// `14 * (n + 1)` claims of other bands.
    pub async fn claim_from(&self, lane: Lane) -> Delivery<K> {
        loop {
            if let Some(delivery) = self.try_claim_from(lane) {
                return delivery;
            }
            // Registered before the second look: what is published in between wakes us.
            let woken = self.shared.wake(lane).notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            if let Some(delivery) = self.try_claim_from(lane) {
                return delivery;
            }
            let next_ready_at = self.shared.lock().next_ready_at(lane);
            match next_ready_at {
                Some(at) => {
                    let _ = tokio::time::timeout_at(at, woken).await;
                }
                None => woken.await,
            }
        }
    }

    /// The next item of the direct lane, if there is one now and claims are not paused.
    pub fn try_claim(&self) -> Option<Delivery<K>> {
        self.try_claim_from(Lane::Direct)
    }

    /// The next item of a lane whose turn it is, if there is one now and claims are not paused.
    pub fn try_claim_from(&self, lane: Lane) -> Option<Delivery<K>> {
        let mut inner = self.shared.lock();
        if inner.paused {
            return None;
        }
        let Inner { lanes, sequence, claimed, .. } = &mut *inner;
        let waiting = &mut lanes[lane.index()];
        waiting.ripen(sequence);
        let item = waiting.take()?;
        claimed.push((item.sequence, item.key.clone()));
        drop(inner);
        Some(Delivery { shared: self.shared.clone(), item: Some(item) })
    }

    /// Claims wait from now on. What is accepted stays, and accepting goes on.
    pub fn pause(&self) {
        self.shared.lock().paused = true;
    }

    pub fn resume_claims(&self) {
        self.shared.lock().paused = false;
        for wake in &self.shared.wake {
            wake.notify_waiters();
        }
    }

    pub fn is_paused(&self) -> bool {
        self.shared.lock().paused
    }

    /// Items of both lanes that could be claimed now, by [`Band::index`].
    pub fn depths(&self) -> [usize; 4] {
        let mut inner = self.shared.lock();
        inner.ripen();
        sum(inner.depths())
    }

    /// The numbers behind the queue, in one look.
    pub fn numbers(&self) -> Numbers {
        let mut inner = self.shared.lock();
        inner.ripen();
        let lanes = inner.depths();
        Numbers {
            limits: inner.limits,
            used: inner.used,
            waiting: sum(lanes),
            lanes,
            delayed: inner.lanes.iter().map(Waiting::delayed).sum(),
            claimed: inner.claimed.len(),
            paused: inner.paused,
        }
    }

    /// Every key that is here: waiting, set aside for later, or in the hands of a worker. For who
    /// resumes from the store and must not put the same in twice.
    pub fn keys(&self) -> Vec<K> {
        let inner = self.shared.lock();
        let waiting = inner.lanes.iter().flat_map(Waiting::items).map(|item| &item.key);
        let claimed = inner.claimed.iter().map(|(_, key)| key);
        waiting.chain(claimed).cloned().collect()
    }

    /// How many claims, at most, come before that of an item of `band` published now, if
    /// nothing else is published meanwhile.
    pub fn position(&self, band: Band) -> usize {
        let mut inner = self.shared.lock();
        inner.ripen();
        inner.lane(Lane::Direct).position(band)
    }

    /// How long an item of `band` that came into `lane` now would wait until it is claimed, at
    /// the pace at which the workers of the lane got through it lately. Zero when nothing would
    /// come before it; grows while they stand still. While claims are paused it tells what it
    /// would be if they were not.
    pub fn wait_for(&self, lane: Lane, band: Band) -> Duration {
        let mut inner = self.shared.lock();
        inner.ripen();
        let coming = inner.coming[lane.index()];
        let waiting = inner.lane(lane);
        let position = waiting.position(band) + coming;
        if position == 0 {
            return Duration::ZERO;
        }
        let seconds = position as f64 * waiting.pace.seconds_each(Instant::now());
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

impl<K: Clone + Send + PartialEq> Queue<K> {
    /// Takes out everything that waits under this key, e.g. of a cancelled intent, and frees its
    /// places. What is claimed already is not touched. Looks at every item.
    pub fn remove(&self, key: &K) -> usize {
        let mut inner = self.shared.lock();
        let mut gone = Vec::new();
        for lane in &mut inner.lanes {
            lane.retain(|item| item.key != *key, &mut gone);
        }
        let now = Instant::now();
        for (band, room) in &gone {
            inner.free(*band, *room, now);
        }
        gone.len()
    }
}

/// What [`Queue::numbers`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    pub limits: Limits,
    /// Places of the pool in use: reserved, waiting or claimed.
    pub used: [usize; 4],
    /// Items that could be claimed now; those with a place of their own too.
    pub waiting: [usize; 4],
    /// The same per lane, by [`Lane::index`].
    pub lanes: [[usize; 4]; 2],
    /// Items whose time has not come.
    pub delayed: usize,
    /// Items in the hands of a worker.
    pub claimed: usize,
    pub paused: bool,
}

/// A place in the pool. Dropped without [`Place::publish`], it is free again.
pub struct Place<K: Clone + Send> {
    shared: Arc<Shared<K>>,
    band: Band,
    /// Where it is known to go.
    lane: Option<Lane>,
    taken: bool,
}

impl<K: Clone + Send> Place<K> {
    pub fn band(&self) -> Band {
        self.band
    }

    /// What is put into it goes to the workers of that lane at once, and waits in its line, for
    /// [`Queue::wait_for`], from now on.
    pub fn for_lane(mut self, lane: Lane) -> Self {
        let mut inner = self.shared.lock();
        if let Some(before) = self.lane.replace(lane) {
            inner.coming[before.index()] -= 1;
        }
        inner.coming[lane.index()] += 1;
        drop(inner);
        self
    }

    /// Puts `key` into this place.
    ///
    /// With a `ready_at` in the future it is set aside until then, and its place goes back to the
    /// pool: what is planned for next week must not crowd out what can be done today. When its
    /// time comes it has a place of its own.
    pub fn publish(mut self, key: K, ready_at: Option<Instant>, deadline: Option<Instant>) {
        self.taken = false;
        let mut inner = self.shared.lock();
        let mut item = inner.item(key, self.band, deadline, Room::Pool);
        if let Some(lane) = self.lane.take() {
            inner.coming[lane.index()] -= 1;
            item.lane = lane;
        }
        if ready_at.is_some_and(|at| at > Instant::now()) {
            inner.used[self.band.index()] -= 1;
            item.room = Room::Own;
        }
        self.shared.put(inner, item, ready_at);
    }
}

impl<K: Clone + Send> Drop for Place<K> {
    fn drop(&mut self) {
        if self.taken {
            let mut inner = self.shared.lock();
            inner.used[self.band.index()] -= 1;
            if let Some(lane) = self.lane {
                inner.coming[lane.index()] -= 1;
            }
        }
    }
}

impl<K: Clone + Send> fmt::Debug for Place<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("band", &self.band).finish_non_exhaustive()
    }
}

/// One item in the hands of a worker. It keeps its place until [`Delivery::ack`]; dropped without
/// one (a panic, a cancelled task) it goes back to where it stood, so nothing is lost.
pub struct Delivery<K: Clone + Send> {
    shared: Arc<Shared<K>>,
    item: Option<Item<K>>,
}

impl<K: Clone + Send> Delivery<K> {
    fn item(&self) -> &Item<K> {
        self.item
            .as_ref()
            .expect("only ack, put_back, hand_over and drop take the item, and they end the delivery")
    }

    pub fn key(&self) -> &K {
        &self.item().key
    }

    pub fn band(&self) -> Band {
        self.item().band
    }

    /// Where it was claimed from.
    pub fn lane(&self) -> Lane {
        self.item().lane
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.item().deadline
    }

    /// The queue forgets the item and its place is free.
    pub fn ack(mut self) {
        if let Some(item) = self.item.take() {
            let (mut inner, now) = self.shared.end(&item);
            inner.free(item.band, item.room, now);
        }
    }

    /// Again in the same lane, but not before `ready_at`; in a place of its own.
    pub fn put_back(mut self, ready_at: Instant) {
        if let Some(mut item) = self.item.take() {
            let now = Instant::now();
            let mut inner = self.shared.lock();
            // It will be there again: nobody is through with it, so it counts for no pace.
            inner.unclaim(item.sequence);
            inner.free(item.band, item.room, now);
            item.room = Room::Own;
            item.sequence = inner.next_sequence();
            self.shared.put(inner, item, Some(ready_at));
        }
    }

    /// Into another lane, for its workers. It keeps its place, and stands there in front of
    /// everything of its band that was published after it.
    pub fn hand_over(mut self, lane: Lane) {
        if let Some(mut item) = self.item.take() {
            let (inner, _) = self.shared.end(&item);
            item.lane = lane;
            self.shared.give_back(inner, item);
        }
    }
}

impl<K: Clone + Send> Drop for Delivery<K> {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            let mut inner = self.shared.lock();
            inner.unclaim(item.sequence);
            self.shared.give_back(inner, item);
        }
    }
}

impl<K: Clone + Send + fmt::Debug> fmt::Debug for Delivery<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("key", self.key())
            .field("band", &self.band())
            .finish_non_exhaustive()
    }
}

struct Shared<K> {
    /// One a lane, by [`Lane::index`].
    wake: [Notify; 2],
    inner: Mutex<Inner<K>>,
}

struct Inner<K> {
    limits: Limits,
    /// Places of the pool in use.
    used: [usize; 4],
    /// Places that are reserved for a lane and not published yet.
    coming: [usize; 2],
    lanes: [Waiting<K>; 2],
    drain: Drain,
    /// Sequence and key of what the workers hold: few.
    claimed: Vec<(u64, K)>,
    paused: bool,
    sequence: u64,
}

impl<K> Shared<K> {
    fn lock(&self) -> MutexGuard<'_, Inner<K>> {
        // Nothing under the lock can panic half-way through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, lane: Lane) -> &Notify {
        &self.wake[lane.index()]
    }

    /// Takes an item with the newest sequence.
    fn put(&self, mut inner: MutexGuard<'_, Inner<K>>, item: Item<K>, ready_at: Option<Instant>) {
        let lane = item.lane;
        let at = match (ready_at, item.deadline) {
            (Some(ready_at), Some(deadline)) => Some(ready_at.min(deadline)),
            (ready_at, _) => ready_at,
        };
        match at.filter(|at| *at > Instant::now()) {
            None => {
                inner.lane(lane).push(item);
                drop(inner);
                self.wake(lane).notify_one();
            }
            Some(at) => {
                let earliest = inner.lane(lane).set_aside(item, at);
                drop(inner);
                if earliest {
                    // Each waiting claim sleeps until the earliest time: all must look again.
                    self.wake(lane).notify_waiters();
                }
            }
        }
    }

    /// A worker is through with an item.
    fn end(&self, item: &Item<K>) -> (MutexGuard<'_, Inner<K>>, Instant) {
        let mut inner = self.lock();
        inner.unclaim(item.sequence);
        let now = Instant::now();
        // Being told that it is late is no work: counted, a lane would look the faster the later it is.
        if item.deadline.is_none_or(|deadline| now < deadline) {
            inner.lane(item.lane).pace.ended(now);
        }
        (inner, now)
    }

    /// Takes back what was claimed, to where its sequence says.
    fn give_back(&self, mut inner: MutexGuard<'_, Inner<K>>, item: Item<K>) {
        let lane = item.lane;
        inner.lane(lane).insert(item);
        drop(inner);
        self.wake(lane).notify_one();
    }
}

impl<K> Inner<K> {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            used: [0; 4],
            coming: [0; 2],
            lanes: std::array::from_fn(|_| Waiting::new()),
            drain: Drain::default(),
            claimed: Vec::new(),
            paused: false,
            sequence: 0,
        }
    }

    fn lane(&mut self, lane: Lane) -> &mut Waiting<K> {
        &mut self.lanes[lane.index()]
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Everything comes in by the direct lane.
    fn item(&mut self, key: K, band: Band, deadline: Option<Instant>, room: Room) -> Item<K> {
        Item { key, band, lane: Lane::Direct, deadline, room, sequence: self.next_sequence() }
    }

    fn unclaim(&mut self, sequence: u64) {
        if let Some(at) = self.claimed.iter().position(|(claimed, _)| *claimed == sequence) {
            self.claimed.swap_remove(at);
        }
    }

    fn free(&mut self, band: Band, room: Room, now: Instant) {
        if room == Room::Pool {
            self.used[band.index()] -= 1;
            self.drain.freed(now);
        }
    }

    /// `None` while paused: a time that comes then wakes nobody.
    fn next_ready_at(&self, lane: Lane) -> Option<Instant> {
        self.lanes[lane.index()].next_ready_at().filter(|_| !self.paused)
    }

    fn ripen(&mut self) {
        for lane in &mut self.lanes {
            lane.ripen(&mut self.sequence);
        }
    }

    fn depths(&self) -> [[usize; 4]; 2] {
        std::array::from_fn(|lane| self.lanes[lane].depths())
    }
}

/// Per band, over both lanes.
fn sum(lanes: [[usize; 4]; 2]) -> [usize; 4] {
    std::array::from_fn(|band| lanes.iter().map(|lane| lane[band]).sum())
}
