//! Tells who listens that an intent moved, after the move is on disk.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use nephoran_model::intent::{IntentId, State};
use tokio::sync::broadcast;

/// One move of one intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The move's number in the audit trail: strictly increasing, over restarts too.
    pub seq: u64,
    pub id: IntentId,
    pub state: State,
    pub at: Timestamp,
}

/// How many moves a client may have missed and still be told all of them. At 100 bytes each
/// this is 400 KiB.
pub(super) const REMEMBERED: usize = 4096;

/// How far a listener may lag before it is told that it missed something.
const LAG: usize = 1024;

#[derive(Debug)]
pub(super) struct Events {
    sender: broadcast::Sender<Event>,
    ring: Mutex<Ring>,
}

#[derive(Debug)]
struct Ring {
    events: VecDeque<Event>,
    /// All events after this number are in the ring.
    complete_after: u64,
}

impl Events {
    /// `recent` are the last events before, oldest first, complete after `complete_after`.
    pub(super) fn new(recent: Vec<Event>, complete_after: u64) -> Self {
        Self {
            sender: broadcast::channel(LAG).0,
            ring: Mutex::new(Ring { events: recent.into(), complete_after }),
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn publish(&self, events: Vec<Event>) {
        {
            let mut ring = self.ring();
            for event in &events {
                if ring.events.len() == REMEMBERED
                    && let Some(oldest) = ring.events.pop_front()
                {
                    ring.complete_after = oldest.seq;
                }
                ring.events.push_back(event.clone());
            }
        }
        for event in events {
            // An error says only that nobody listens.
            let _ = self.sender.send(event);
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    /// Everything after `seq`; `None` when that is not remembered, or was never said.
    pub(super) fn after(&self, seq: u64, head: u64) -> Option<Vec<Event>> {
        let ring = self.ring();
        if seq < ring.complete_after || seq > head {
            return None;
        }
        let from = ring.events.partition_point(|event| event.seq <= seq);
        Some(ring.events.range(from..).cloned().collect())
    }
}
