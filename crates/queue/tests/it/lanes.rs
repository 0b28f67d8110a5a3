//! Two lanes over one pool of places.

use std::time::Duration;

use nephoran_queue::{Band, Lane, Limits, Queue};
use proptest::prelude::*;
use tokio::time::Instant;

fn queue() -> Queue<usize> {
    Queue::new(Limits::default()).unwrap()
}

fn publish(queue: &Queue<usize>, band: Band, keys: impl IntoIterator<Item = usize>) {
    for key in keys {
        queue.reserve(band).unwrap().publish(key, None, None);
    }
}

fn hand_over(queue: &Queue<usize>, items: usize) {
    for _ in 0..items {
        queue.try_claim().unwrap().hand_over(Lane::Model);
    }
}

fn drain(queue: &Queue<usize>, lane: Lane) -> Vec<usize> {
    std::iter::from_fn(|| {
        let delivery = queue.try_claim_from(lane)?;
        let key = *delivery.key();
        delivery.ack();
        Some(key)
    })
    .collect()
}

#[test]
fn what_is_handed_over_is_claimed_from_the_other_lane_only() {
    let queue = queue();
    publish(&queue, Band::Normal, [1, 2]);
    hand_over(&queue, 1);
    assert_eq!(queue.numbers().lanes, [[0, 0, 1, 0], [0, 0, 1, 0]]);
    assert_eq!(queue.depths(), [0, 0, 2, 0]);
    assert_eq!(drain(&queue, Lane::Direct), [2]);
    assert!(queue.try_claim().is_none());
    let delivery = queue.try_claim_from(Lane::Model).unwrap();
    assert_eq!((*delivery.key(), delivery.band(), delivery.lane()), (1, Band::Normal, Lane::Model));
    delivery.hand_over(Lane::Direct);
    assert_eq!(drain(&queue, Lane::Model), []);
    assert_eq!(drain(&queue, Lane::Direct), [1]);
}

#[test]
fn what_is_handed_over_keeps_its_place_and_its_deadline() {
    let queue = Queue::new(Limits { total: 1, bands: [None; 4] }).unwrap();
    let deadline = Some(Instant::now() + Duration::from_secs(60));
    queue.reserve(Band::High).unwrap().publish(1, None, deadline);
    hand_over(&queue, 1);
    assert_eq!(queue.numbers().used, [0, 1, 0, 0]);
    assert!(queue.reserve(Band::Urgent).is_err(), "the one place is in use");
    let delivery = queue.try_claim_from(Lane::Model).unwrap();
    assert_eq!(delivery.deadline(), deadline);
    assert!(queue.reserve(Band::Urgent).is_err());
    delivery.ack();
    assert!(queue.reserve(Band::Urgent).is_ok());
}

#[test]
fn what_is_handed_over_late_stands_in_front_of_what_came_later() {
    let queue = queue();
    publish(&queue, Band::Low, 0..4);
    let (first, second) = (queue.try_claim().unwrap(), queue.try_claim().unwrap());
    hand_over(&queue, 2);
    second.hand_over(Lane::Model);
    first.hand_over(Lane::Model);
    assert_eq!(drain(&queue, Lane::Model), [0, 1, 2, 3]);
}

#[test]
fn a_delivery_that_nobody_ended_goes_back_to_its_lane() {
    let queue = queue();
    publish(&queue, Band::Low, 0..3);
    hand_over(&queue, 3);
    let (first, second) = (queue.try_claim_from(Lane::Model), queue.try_claim_from(Lane::Model));
    drop(second);
    drop(first);
    assert!(queue.try_claim().is_none());
    assert_eq!(drain(&queue, Lane::Model), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_is_put_back_comes_again_in_its_lane() {
    let queue = queue();
    publish(&queue, Band::Low, [1]);
    hand_over(&queue, 1);
    let began = Instant::now();
    let again = began + Duration::from_secs(7);
    queue.try_claim_from(Lane::Model).unwrap().put_back(again);
    assert_eq!(queue.numbers().delayed, 1);
    assert_eq!(*queue.claim_from(Lane::Model).await.key(), 1);
    assert_eq!(began.elapsed().as_secs(), 7);
}

#[tokio::test]
async fn a_claim_in_one_lane_is_not_woken_in_vain_and_takes_no_wake_of_the_other() {
    let queue = queue();
    let (direct, model) = (queue.clone(), queue.clone());
    let direct = tokio::spawn(async move { *direct.claim().await.key() });
    let model = tokio::spawn(async move {
        let delivery = model.claim_from(Lane::Model).await;
        let key = *delivery.key();
        delivery.ack();
        key
    });
    tokio::task::yield_now().await;
    let held = {
        queue.resume(1, Band::Urgent);
        assert_eq!(direct.await.unwrap(), 1);
        queue.try_claim().unwrap()
    };
    assert!(!model.is_finished());
    held.hand_over(Lane::Model);
    assert_eq!(model.await.unwrap(), 1);
}

#[tokio::test]
async fn pause_remove_and_keys_see_both_lanes() {
    let queue = queue();
    publish(&queue, Band::Low, [1, 2, 3]);
    hand_over(&queue, 2);
    let held = queue.try_claim_from(Lane::Model).unwrap();
    let mut keys = queue.keys();
    keys.sort_unstable();
    assert_eq!(keys, [1, 2, 3]);
    queue.pause();
    assert!(queue.try_claim_from(Lane::Model).is_none());
    let mut waiting = polled(queue.claim_from(Lane::Model));
    assert!(waiting.poll());
    queue.resume_claims();
    assert!(!waiting.poll(), "2 is handed out");
    drop(waiting);
    assert_eq!(queue.remove(&2), 1);
    assert_eq!(queue.remove(&3), 1);
    assert!(queue.try_claim_from(Lane::Model).is_none());
    assert_eq!(queue.numbers().used, [0, 0, 0, 1]);
    held.ack();
    assert_eq!(queue.numbers().used, [0; 4]);
}

/// Polls by hand: true while it waits.
struct Polled<F>(std::pin::Pin<Box<F>>);

fn polled<F: Future>(future: F) -> Polled<F> {
    Polled(Box::pin(future))
}

impl<F: Future> Polled<F> {
    fn poll(&mut self) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        self.0.as_mut().poll(&mut context).is_pending()
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_told_is_that_of_the_lane_at_the_pace_of_its_workers() {
    let queue = queue();
    assert_eq!(queue.wait_for(Lane::Direct, Band::Low), Duration::ZERO);
    publish(&queue, Band::Normal, 0..400);
    assert_eq!(queue.wait_for(Lane::Direct, Band::Low), Duration::ZERO, "nothing is refused on a guess");
    hand_over(&queue, 400);
    // One each 10 ms: 100 a second.
    for _ in 0..200 {
        let delivery = queue.try_claim_from(Lane::Model).unwrap();
        tokio::time::advance(Duration::from_millis(10)).await;
        delivery.ack();
    }
    let told = queue.wait_for(Lane::Model, Band::Normal).as_secs_f64();
    assert!((1.9..=2.1).contains(&told), "{told} s for 200 at 100 a second");
    // Before an urgent one come the two turns of normal in a round.
    let told = queue.wait_for(Lane::Model, Band::Urgent).as_secs_f64();
    assert!((0.019..=0.021).contains(&told), "{told} s for 2 at 100 a second");
    assert_eq!(queue.wait_for(Lane::Direct, Band::Normal), Duration::ZERO, "the other lane is idle");
}

#[tokio::test(start_paused = true)]
async fn the_wait_told_grows_while_the_workers_stand_still_and_shrinks_when_they_go_on() {
    let queue = queue();
    publish(&queue, Band::Normal, 0..1000);
    let work = async |items: usize| {
        for _ in 0..items {
            let delivery = queue.try_claim().unwrap();
            tokio::time::advance(Duration::from_micros(2500)).await;
            delivery.ack();
        }
    };
    work(200).await;
    let before = queue.wait_for(Lane::Direct, Band::Normal).as_secs_f64();
    assert!((1.9..=2.1).contains(&before), "{before} s for 800 at 400 a second");
    tokio::time::advance(Duration::from_secs(30)).await;
    let stalled = queue.wait_for(Lane::Direct, Band::Normal).as_secs_f64();
    assert!(stalled > 60.0, "{stalled} s after a stall of 30 s");
    work(400).await;
    let recovered = queue.wait_for(Lane::Direct, Band::Normal).as_secs_f64();
    assert!(recovered < 2.0, "{recovered} s for 400 at 400 a second, a second after the stall");
}

#[tokio::test(start_paused = true)]
async fn a_lane_with_little_to_do_is_not_taken_for_a_slow_one() {
    let queue = queue();
    // One item a second, done in a millisecond.
    for key in 0..60 {
        publish(&queue, Band::Normal, [key]);
        let delivery = queue.try_claim().unwrap();
        tokio::time::advance(Duration::from_millis(1)).await;
        delivery.ack();
        tokio::time::advance(Duration::from_millis(999)).await;
    }
    publish(&queue, Band::Normal, 0..100);
    assert_eq!(queue.wait_for(Lane::Direct, Band::Normal), Duration::ZERO);
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Publish(Band),
    Claim(Lane),
    Ack,
    Drop,
    HandOver(Lane),
}

fn act() -> impl Strategy<Value = Act> {
    let lane = || proptest::sample::select(&Lane::ALL[..]);
    prop_oneof![
        4 => proptest::sample::select(&Band::ALL[..]).prop_map(Act::Publish),
        3 => lane().prop_map(Act::Claim),
        1 => Just(Act::Ack),
        1 => Just(Act::Drop),
        2 => lane().prop_map(Act::HandOver),
    ]
}

proptest! {
    /// Whatever is handed over, dropped or claimed in whichever order: no place is lost or used
    /// twice, and each claim of a lane is the oldest of its band there.
    #[test]
    fn s5_in_each_lane_each_band_keeps_its_order_and_every_item_its_place(
        acts in proptest::collection::vec(act(), 0..300),
    ) {
        let queue = Queue::new(Limits { total: 20, bands: [None; 4] }).unwrap();
        let mut deliveries = Vec::new();
        // What waits, by lane and band: keys count up with publication.
        let mut waiting: [[Vec<usize>; 4]; 2] = Default::default();
        for (key, act) in acts.into_iter().enumerate() {
            match act {
                Act::Publish(band) => if let Ok(place) = queue.reserve(band) {
                    place.publish(key, None, None);
                    waiting[0][band.index()].push(key);
                },
                Act::Claim(lane) => match queue.try_claim_from(lane) {
                    Some(delivery) => {
                        let band = &mut waiting[lane.index()][delivery.band().index()];
                        let oldest = band.iter().copied().min();
                        prop_assert_eq!(oldest, Some(*delivery.key()));
                        band.retain(|key| key != delivery.key());
                        prop_assert_eq!(delivery.lane(), lane);
                        deliveries.push(delivery);
                    }
                    None => prop_assert!(waiting[lane.index()].iter().all(Vec::is_empty)),
                },
                Act::Ack => if let Some(delivery) = deliveries.pop() {
                    delivery.ack();
                },
                Act::Drop => if let Some(delivery) = deliveries.pop() {
                    waiting[delivery.lane().index()][delivery.band().index()].push(*delivery.key());
                    drop(delivery);
                },
                Act::HandOver(lane) => if let Some(delivery) = deliveries.pop() {
                    waiting[lane.index()][delivery.band().index()].push(*delivery.key());
                    delivery.hand_over(lane);
                },
            }
            let numbers = queue.numbers();
            let depths: [[usize; 4]; 2] =
                std::array::from_fn(|lane| std::array::from_fn(|band| waiting[lane][band].len()));
            prop_assert_eq!(numbers.lanes, depths);
            let here = depths.iter().flatten().sum::<usize>() + deliveries.len();
            prop_assert_eq!(numbers.used.iter().sum::<usize>(), here);
            prop_assert!(here <= 20);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_to_a_lane_waits_in_its_line_already() {
    let queue = queue();
    publish(&queue, Band::Normal, 0..100);
    hand_over(&queue, 100);
    for _ in 0..50 {
        let delivery = queue.try_claim_from(Lane::Model).unwrap();
        tokio::time::advance(Duration::from_millis(10)).await;
        delivery.ack();
    }
    let before = queue.wait_for(Lane::Model, Band::Normal);
    let place = || queue.reserve(Band::Normal).unwrap().for_lane(Lane::Model);
    let (kept, dropped) = (place(), place());
    assert!(queue.wait_for(Lane::Model, Band::Normal) > before, "reserved is as good as there");
    assert_eq!(queue.wait_for(Lane::Direct, Band::Normal), Duration::ZERO);
    drop(dropped);
    kept.publish(200, None, None);
    assert!(queue.try_claim().is_none(), "it never stood in the other lane");
    let mut keys = Vec::new();
    while let Some(delivery) = queue.try_claim_from(Lane::Model) {
        keys.push(*delivery.key());
        delivery.ack();
    }
    assert_eq!((keys.len(), keys.last()), (51, Some(&200)));
}
