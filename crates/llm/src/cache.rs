//! Answers that need not be asked for again, and requests that somebody asks at this moment.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::ask::{Error, Understood};

/// What makes two requests the same: a hash over all that decides the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(pub(crate) [u8; 32]);

#[derive(Debug)]
pub(crate) struct Cache {
    entries: usize,
    life: Duration,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<Key, Entry>,
    /// Oldest first; a key that was replaced is in it twice.
    order: VecDeque<(u64, Instant, Key)>,
    puts: u64,
}

#[derive(Debug)]
struct Entry {
    put: u64,
    at: Instant,
    answer: Arc<Understood>,
}

impl Cache {
    pub(crate) fn new(entries: usize, life: Duration) -> Self {
        Self { entries, life, kept: Mutex::default() }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.entries == 0 || self.life.is_zero()
    }

    pub(crate) fn get(&self, key: &Key, now: Instant) -> Option<Arc<Understood>> {
        if self.is_off() {
            return None;
        }
        let kept = self.kept.lock().expect("no holder of the cache panics");
        let entry = kept.answers.get(key)?;
        (now.saturating_duration_since(entry.at) < self.life).then(|| entry.answer.clone())
    }

    pub(crate) fn put(&self, key: Key, answer: Arc<Understood>, now: Instant) {
        if self.is_off() {
            return;
        }
        let mut kept = self.kept.lock().expect("no holder of the cache panics");
        kept.puts += 1;
        let put = kept.puts;
        kept.answers.insert(key, Entry { put, at: now, answer });
        kept.order.push_back((put, now, key));
        while let Some((put, at, key)) = kept.order.front().copied() {
            let old = now.saturating_duration_since(at) >= self.life;
            if !old && kept.order.len() <= self.entries {
                break;
            }
            kept.order.pop_front();
            if kept.answers.get(&key).is_some_and(|entry| entry.put == put) {
                kept.answers.remove(&key);
            }
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.kept.lock().expect("no holder of the cache panics").answers.len()
    }
}

pub(crate) type Outcome = Result<Arc<Understood>, Error>;

/// Requests that are asked at this moment.
#[derive(Debug, Default)]
pub(crate) struct Flights(Arc<Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>>);

pub(crate) enum Seat {
    /// Asks, for all who come meanwhile.
    Pilot(Pilot),
    /// Waits for who asks. An error of the channel: nobody asks any more, take a seat again.
    Passenger(watch::Receiver<Option<Outcome>>),
}

/// Dropped without a landing, whoever waits takes over.
pub(crate) struct Pilot {
    key: Key,
    flights: Arc<Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>>,
    tell: watch::Sender<Option<Outcome>>,
}

impl Flights {
    pub(crate) fn board(&self, key: Key) -> Seat {
        let mut flights = self.0.lock().expect("no holder of the flights panics");
        if let Some(flight) = flights.get(&key) {
            return Seat::Passenger(flight.clone());
        }
        let (tell, flight) = watch::channel(None);
        flights.insert(key, flight);
        Seat::Pilot(Pilot { key, flights: self.0.clone(), tell })
    }
}

impl Pilot {
    pub(crate) fn land(self, outcome: Outcome) {
        self.tell.send_replace(Some(outcome));
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        self.flights.lock().expect("no holder of the flights panics").remove(&self.key);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use nephoran_model::proposal::{Proposal, RefuseReason};

    use super::*;
    use crate::ask::Origin;

    fn key(number: u8) -> Key {
        Key([number; 32])
    }

    fn answer() -> Arc<Understood> {
        Arc::new(Understood { proposal: Proposal::refuse(RefuseReason::Unsafe), origin: Origin::default() })
    }

    #[test]
    fn the_cache_is_bounded_in_number_and_in_life() {
        let cache = Cache::new(2, Duration::from_secs(60));
        let start = Instant::now();
        for number in 0..3 {
            cache.put(key(number), answer(), start);
        }
        assert!(cache.get(&key(0), start).is_none());
        assert!(cache.get(&key(2), start + Duration::from_secs(59)).is_some());
        assert!(cache.get(&key(2), start + Duration::from_secs(60)).is_none());
        cache.put(key(4), answer(), start + Duration::from_secs(61));
        assert_eq!(cache.len(), 1);
        for _ in 0..10 {
            cache.put(key(4), answer(), start + Duration::from_secs(62));
        }
        assert!(cache.get(&key(4), start + Duration::from_secs(62)).is_some());
        assert!(cache.kept.lock().unwrap().order.len() <= 2);
    }

    #[tokio::test]
    async fn who_waits_hears_the_answer_or_takes_over() {
        let flights = Flights::default();
        let Seat::Pilot(pilot) = flights.board(key(1)) else { panic!("the first one asks") };
        let Seat::Passenger(mut waits) = flights.board(key(1)) else { panic!("the second one waits") };
        pilot.land(Ok(answer()));
        assert!(waits.wait_for(Option::is_some).await.unwrap().is_some());
        let Seat::Pilot(pilot) = flights.board(key(1)) else { panic!("it has landed") };
        let Seat::Passenger(mut waits) = flights.board(key(1)) else { panic!("the second one waits") };
        drop(pilot);
        assert!(waits.wait_for(Option::is_some).await.is_err());
        assert!(matches!(flights.board(key(1)), Seat::Pilot(_)));
    }
}
