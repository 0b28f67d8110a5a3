//! The pool is never passed by one, and what is full says when to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nephoran_queue::{Band, Full, Lane, Limits, LimitsError, Place, Queue};
use proptest::prelude::*;
use tokio::time::Instant;

fn queue(total: usize) -> Queue<usize> {
    Queue::new(Limits { total, ..Limits::default() }).unwrap()
}

/// Takes places until it is refused.
fn fill(queue: &Queue<usize>, band: Band) -> (Vec<Place<usize>>, Full) {
    let mut places = Vec::new();
    loop {
        match queue.reserve(band) {
            Ok(place) => places.push(place),
            Err(full) => return (places, full),
        }
    }
}

#[test]
fn s5_each_band_alone_fills_its_part_of_the_pool_and_not_one_more() {
    for (band, most) in [(Band::Low, 1600), (Band::Normal, 1800), (Band::High, 1950), (Band::Urgent, 2000)] {
        let queue = queue(2000);
        let (places, full) = fill(&queue, band);
        assert_eq!(places.len(), most, "{band}");
        assert_eq!(full.band, band);
    }
}

#[test]
fn the_parts_are_of_the_total_whoever_fills_it() {
    let queue = queue(2000);
    let (_urgent, _) = fill(&queue, Band::Urgent);
    for band in Band::ALL {
        assert!(queue.reserve(band).is_err(), "{band}");
    }
}

#[test]
fn s5_when_low_is_refused_the_others_are_still_let_in() {
    let queue = queue(1000);
    let (_low, _) = fill(&queue, Band::Low);
    let (normal, _) = fill(&queue, Band::Normal);
    let (high, _) = fill(&queue, Band::High);
    let (urgent, _) = fill(&queue, Band::Urgent);
    assert_eq!((normal.len(), high.len(), urgent.len()), (100, 75, 25));
}

#[test]
fn a_pool_of_one_place_takes_an_item_of_any_band() {
    for band in Band::ALL {
        let (places, _) = fill(&queue(1), band);
        assert_eq!(places.len(), 1, "{band}");
    }
}

#[test]
fn a_band_with_a_cap_of_its_own_stops_there() {
    let limits = Limits { total: 100, bands: [None, None, Some(7), None] };
    let queue = Queue::new(limits).unwrap();
    assert_eq!(fill(&queue, Band::Normal).0.len(), 7);
    let (places, _) = fill(&queue, Band::High);
    assert_eq!(places.len(), 98);
}

#[test]
fn s5_caps_that_promise_more_than_there_is_are_refused_at_the_start() {
    let limits = Limits { total: 100, bands: [Some(50), Some(30), Some(20), Some(1)] };
    let error = Queue::<u8>::new(limits).unwrap_err();
    assert_eq!(error, LimitsError::SumOverTotal { sum: 101, total: 100 });
    assert!(error.to_string().contains("queue.total"), "{error}");
    assert!(Queue::<u8>::new(Limits { total: 100, bands: [Some(50), Some(30), Some(20), None] }).is_ok());
    assert_eq!(Queue::<u8>::new(Limits { total: 0, ..limits }).unwrap_err(), LimitsError::NoPlaces);
}

#[test]
fn a_place_that_is_dropped_is_free_again() {
    let queue = queue(10);
    let (places, _) = fill(&queue, Band::Urgent);
    drop(places);
    assert_eq!(fill(&queue, Band::Urgent).0.len(), 10);
}

#[test]
fn a_claimed_item_keeps_its_place_until_it_is_done() {
    let queue = queue(1);
    queue.reserve(Band::Normal).unwrap().publish(1, None, None);
    let delivery = queue.try_claim().unwrap();
    assert!(queue.reserve(Band::Urgent).is_err());
    delivery.ack();
    assert!(queue.reserve(Band::Urgent).is_ok());
}

#[test]
fn what_was_accepted_before_is_never_refused_and_takes_nobodys_place() {
    let queue = queue(4);
    for key in 0..100 {
        queue.resume(key, Band::Low);
    }
    assert_eq!(queue.depths(), [0, 0, 0, 100]);
    assert_eq!(fill(&queue, Band::Urgent).0.len(), 4);
    while let Some(delivery) = queue.try_claim() {
        delivery.ack();
    }
    assert_eq!(queue.numbers().used, [0; 4]);
    assert_eq!(fill(&queue, Band::Urgent).0.len(), 4, "a place of its own is not given to the pool");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_time_takes_no_place() {
    let queue = queue(2);
    let later = Instant::now() + Duration::from_secs(3600);
    for key in 0..10 {
        queue.reserve(Band::Normal).unwrap().publish(key, Some(later), None);
    }
    assert_eq!(queue.numbers().delayed, 10);
    assert_eq!(queue.numbers().used, [0; 4]);
    assert_eq!(fill(&queue, Band::Urgent).0.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_the_time_from_the_pace_at_which_places_come_free() {
    let queue = queue(1000);
    for key in 0..1000 {
        queue.reserve(Band::Urgent).unwrap().publish(key, None, None);
    }
    // Ten a second, for twenty seconds.
    for _ in 0..200 {
        tokio::time::advance(Duration::from_millis(100)).await;
        queue.try_claim().unwrap().ack();
    }
    // 800 are left; low is let in below 800: one must come free, and 100 ms are said as a second.
    assert_eq!(queue.reserve(Band::Low).unwrap_err().retry_after, Duration::from_secs(1));
    let (_places, full) = fill(&queue, Band::Urgent);
    assert_eq!(full.retry_after, Duration::from_secs(1));
    // 1000 are in use, low needs 201 fewer: at ten a second some 20 s.
    let wait = queue.reserve(Band::Low).unwrap_err().retry_after.as_secs_f64();
    assert!((18.0..=23.0).contains(&wait), "{wait}");
}

#[tokio::test(start_paused = true)]
async fn the_time_told_is_between_a_second_and_a_minute() {
    let unused = queue(1);
    let (_place, full) = fill(&unused, Band::Urgent);
    assert!((1..=60).contains(&full.retry_after.as_secs()), "{full:?}");

    let stuck = queue(1000);
    for key in 0..1000 {
        stuck.reserve(Band::Urgent).unwrap().publish(key, None, None);
    }
    stuck.try_claim().unwrap().ack();
    stuck.reserve(Band::Urgent).unwrap().publish(0, None, None);
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(stuck.reserve(Band::Low).unwrap_err().retry_after, Duration::from_secs(60));
}

#[test]
fn s5_many_at_once_get_exactly_as_many_places_as_there_are() {
    let queue = queue(500);
    let got = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (queue, got) = (queue.clone(), got.clone());
            std::thread::spawn(move || {
                for key in 0..200 {
                    if let Ok(place) = queue.reserve(Band::Urgent) {
                        place.publish(key, None, None);
                        got.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(got.load(Ordering::Relaxed), 500);
    assert_eq!(queue.depths(), [500, 0, 0, 0]);
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Reserve(Band),
    DropPlace,
    Publish,
    Claim,
    Ack,
    DropDelivery,
    PutBack,
    HandOver,
}

fn act() -> impl Strategy<Value = Act> {
    let band = proptest::sample::select(&Band::ALL[..]);
    prop_oneof![
        4 => band.prop_map(Act::Reserve),
        1 => Just(Act::DropPlace),
        4 => Just(Act::Publish),
        2 => Just(Act::Claim),
        2 => Just(Act::Ack),
        1 => Just(Act::DropDelivery),
        1 => Just(Act::PutBack),
        1 => Just(Act::HandOver),
    ]
}

proptest! {
    /// Beside a model that only counts.
    #[test]
    fn s5_whatever_happens_no_bound_is_passed_and_no_place_is_lost(
        total in 1usize..40,
        caps in proptest::array::uniform4(proptest::option::of(0usize..10)),
        acts in proptest::collection::vec(act(), 0..200),
    ) {
        let limits = Limits { total, bands: caps };
        let sum: usize = caps.iter().flatten().sum();
        let queue = match Queue::new(limits) {
            Ok(queue) => queue,
            Err(error) => {
                prop_assert_eq!(error, LimitsError::SumOverTotal { sum, total });
                prop_assert!(sum > total);
                return Ok(());
            }
        };
        prop_assert!(sum <= total);
        let mut used = [0usize; 4];
        let (mut places, mut deliveries) = (Vec::new(), Vec::new());
        let mut published = 0usize;
        // Put back an hour ahead: they hold no place and are not claimed in this test.
        let later = Instant::now() + Duration::from_secs(3600);
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                Act::Reserve(band) => {
                    let room = used.iter().sum::<usize>() < limits.refused_from(band)
                        && caps[band.index()].is_none_or(|cap| used[band.index()] < cap);
                    match queue.reserve(band) {
                        Ok(place) => {
                            prop_assert!(room, "{} was let in over the bound", band);
                            used[band.index()] += 1;
                            places.push(place);
                        }
                        Err(full) => {
                            prop_assert!(!room, "{} was refused below the bound", band);
                            prop_assert!((1.0..=60.0).contains(&full.retry_after.as_secs_f64()));
                        }
                    }
                }
                Act::DropPlace => if let Some(place) = places.pop() {
                    used[place.band().index()] -= 1;
                },
                Act::Publish => if let Some(place) = places.pop() {
                    place.publish(number, None, None);
                    published += 1;
                },
                Act::Claim => {
                    let lane = Lane::ALL[number % 2];
                    deliveries.extend(queue.try_claim_from(lane));
                }
                Act::Ack => if let Some(delivery) = deliveries.pop() {
                    used[delivery.band().index()] -= 1;
                    delivery.ack();
                    published -= 1;
                },
                Act::DropDelivery => drop(deliveries.pop()),
                // A place is used by the item, not by the lane: nothing changes.
                Act::HandOver => if let Some(delivery) = deliveries.pop() {
                    delivery.hand_over(Lane::ALL[number % 2]);
                },
                Act::PutBack => if let Some(delivery) = deliveries.pop() {
                    used[delivery.band().index()] -= 1;
                    delivery.put_back(later);
                    published -= 1;
                },
            }
            let numbers = queue.numbers();
            prop_assert_eq!(numbers.used, used);
            prop_assert_eq!(numbers.waiting.iter().sum::<usize>() + numbers.claimed, published);
            prop_assert!(used.iter().sum::<usize>() <= total);
        }
    }
}
