//! The lanes: who takes an item out. They share the places of the pool and nothing else.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

use tokio::time::Instant;

use crate::bands::Band;
use crate::fairness::{self, Turns};
use crate::pace::Pace;

/// Which workers an item waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Where everything is published.
    Direct,
    /// What a worker handed over because it takes a slow helper.
    Model,
}

impl Lane {
    pub const ALL: [Self; 2] = [Self::Direct, Self::Model];

    /// Position in [`Lane::ALL`] and in every array of two.
    pub fn index(self) -> usize {
        self as usize
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Model => "model",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where an item's place comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Pool,
    Own,
}

pub(crate) struct Item<K> {
    pub(crate) key: K,
    pub(crate) band: Band,
    pub(crate) lane: Lane,
    pub(crate) deadline: Option<Instant>,
    pub(crate) room: Room,
    pub(crate) sequence: u64,
}

/// An item whose time has not come. Ordered so that the earliest is the greatest, as
/// [`BinaryHeap`] wants it.
struct Delayed<K> {
    at: Instant,
    item: Item<K>,
}

impl<K> PartialEq for Delayed<K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<K> Eq for Delayed<K> {}

impl<K> PartialOrd for Delayed<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Delayed<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.item.sequence).cmp(&(self.at, self.item.sequence))
    }
}

/// What waits in one lane.
pub(crate) struct Waiting<K> {
    /// Each in the order of the sequence.
    bands: [VecDeque<Item<K>>; 4],
    delayed: BinaryHeap<Delayed<K>>,
    turns: Turns,
    pub(crate) pace: Pace,
}

impl<K> Waiting<K> {
    pub(crate) fn new() -> Self {
        Self {
            bands: std::array::from_fn(|_| VecDeque::new()),
            delayed: BinaryHeap::new(),
            turns: Turns::default(),
            pace: Pace::default(),
        }
    }

    /// Behind everything of its band: for an item with the newest sequence.
    pub(crate) fn push(&mut self, item: Item<K>) {
        self.bands[item.band.index()].push_back(item);
        self.pace.waits(true);
    }

    /// In front of everything published later: several that come back keep their order.
    pub(crate) fn insert(&mut self, item: Item<K>) {
        let band = &mut self.bands[item.band.index()];
        let at = band.partition_point(|other| other.sequence < item.sequence);
        band.insert(at, item);
        self.pace.waits(true);
    }

    /// Sets aside until `at`; true when nothing else comes before.
    pub(crate) fn set_aside(&mut self, item: Item<K>, at: Instant) -> bool {
        let earliest = self.next_ready_at().is_none_or(|earliest| at < earliest);
        self.delayed.push(Delayed { at, item });
        earliest
    }

    /// The next whose turn it is.
    pub(crate) fn take(&mut self) -> Option<Item<K>> {
        let Self { turns, bands, .. } = self;
        let band = turns.next(|band| !bands[band.index()].is_empty())?;
        let item = bands[band.index()].pop_front()?;
        if bands.iter().all(VecDeque::is_empty) {
            self.pace.waits(false);
        }
        Some(item)
    }

    pub(crate) fn next_ready_at(&self) -> Option<Instant> {
        self.delayed.peek().map(|delayed| delayed.at)
    }

    /// Moves those whose time has come to the end of their bands.
    pub(crate) fn ripen(&mut self, sequence: &mut u64) {
        if self.delayed.is_empty() {
            return;
        }
        let now = Instant::now();
        while self.delayed.peek().is_some_and(|delayed| delayed.at <= now) {
            let Some(Delayed { mut item, .. }) = self.delayed.pop() else { return };
            *sequence += 1;
            item.sequence = *sequence;
            self.push(item);
        }
    }

    /// Items that could be claimed now.
    pub(crate) fn depths(&self) -> [usize; 4] {
        std::array::from_fn(|band| self.bands[band].len())
    }

    pub(crate) fn delayed(&self) -> usize {
        self.delayed.len()
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = &Item<K>> {
        self.bands.iter().flatten().chain(self.delayed.iter().map(|delayed| &delayed.item))
    }

    /// How many claims, at most, come before that of an item of `band` pushed now.
    pub(crate) fn position(&self, band: Band) -> usize {
        let ahead = self.bands[band.index()].len();
        let rounds = (ahead + 1).div_ceil(fairness::share(band));
        Band::ALL
            .into_iter()
            .filter(|other| *other != band)
            .map(|other| self.bands[other.index()].len().min(rounds * fairness::share(other)))
            .sum::<usize>()
            + ahead
    }

    /// Takes out what does not stay, and tells of each whose place it had.
    pub(crate) fn retain(&mut self, stays: impl Fn(&Item<K>) -> bool, gone: &mut Vec<(Band, Room)>) {
        let mut look = |item: &Item<K>| {
            let stays = stays(item);
            if !stays {
                gone.push((item.band, item.room));
            }
            stays
        };
        for band in &mut self.bands {
            band.retain(&mut look);
        }
        self.delayed.retain(|delayed| look(&delayed.item));
        if self.bands.iter().all(VecDeque::is_empty) {
            self.pace.waits(false);
        }
    }
}
