//! First in, first out inside a band; nothing is lost, whoever gives up.

use std::collections::HashSet;
use std::time::Duration;

use nephoran_queue::{Band, Limits, Queue};
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

/// Claims and ends everything that can be claimed now.
fn drain(queue: &Queue<usize>) -> Vec<usize> {
    std::iter::from_fn(|| {
        let delivery = queue.try_claim()?;
        let key = *delivery.key();
        delivery.ack();
        Some(key)
    })
    .collect()
}

fn after(seconds: u64) -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(seconds))
}

#[test]
fn inside_a_band_the_first_comes_first() {
    let queue = queue();
    publish(&queue, Band::Normal, 0..100);
    assert_eq!(drain(&queue), (0..100).collect::<Vec<_>>());
}

#[test]
fn what_is_resumed_stands_in_line_with_what_is_new() {
    let queue = queue();
    queue.resume(1, Band::Normal);
    publish(&queue, Band::Normal, [2]);
    queue.resume(3, Band::Normal);
    assert_eq!(drain(&queue), [1, 2, 3]);
}

#[test]
fn a_delivery_that_nobody_ended_goes_back_to_where_it_stood() {
    let queue = queue();
    publish(&queue, Band::Normal, 0..5);
    let (zero, one, two) =
        (queue.try_claim().unwrap(), queue.try_claim().unwrap(), queue.try_claim().unwrap());
    // In any order of giving up.
    drop(one);
    drop(two);
    drop(zero);
    assert_eq!(drain(&queue), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_worker_that_panics_loses_nothing() {
    let queue = queue();
    publish(&queue, Band::High, [7]);
    let worker = tokio::spawn({
        let queue = queue.clone();
        async move {
            let _delivery = queue.claim().await;
            panic!("the worker fails");
        }
    });
    assert!(worker.await.unwrap_err().is_panic());
    assert_eq!(drain(&queue), [7]);
}

#[tokio::test]
async fn a_claim_waits_until_something_is_published() {
    let queue = queue();
    let claim = tokio::spawn({
        let queue = queue.clone();
        async move {
            let delivery = queue.claim().await;
            let key = *delivery.key();
            delivery.ack();
            key
        }
    });
    tokio::task::yield_now().await;
    assert!(!claim.is_finished());
    publish(&queue, Band::Low, [3]);
    assert_eq!(claim.await.unwrap(), 3);
}

#[tokio::test]
async fn a_claim_that_is_given_up_leaves_the_item_to_the_others() {
    let queue = queue();
    let mut waiting = Box::pin(queue.claim());
    let other = tokio::spawn({
        let queue = queue.clone();
        async move { *queue.claim().await.key() }
    });
    // Registered first, so the wake-up goes to it.
    assert!(futures_poll(&mut waiting).is_none());
    tokio::task::yield_now().await;
    publish(&queue, Band::Normal, [5]);
    drop(waiting);
    assert_eq!(other.await.unwrap(), 5);
}

/// One look at a future.
fn futures_poll<T>(future: &mut std::pin::Pin<Box<impl Future<Output = T>>>) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_a_time_is_handed_out_then_and_not_before() {
    let queue = queue();
    let start = Instant::now();
    queue.resume_at(2, Band::Urgent, after(20), None);
    queue.resume_at(1, Band::Low, after(10), None);
    queue.reserve(Band::Normal).unwrap().publish(3, after(30), None);
    for expected in [1, 2, 3] {
        let delivery = queue.claim().await;
        assert_eq!(*delivery.key(), expected);
        let waited = start.elapsed().as_secs_f64();
        let due = expected as f64 * 10.0;
        assert!((due..due + 0.01).contains(&waited), "{expected} came after {waited} s");
        delivery.ack();
    }
}

#[tokio::test(start_paused = true)]
async fn an_earlier_time_that_is_added_later_wakes_those_who_wait() {
    let queue = queue();
    let start = Instant::now();
    queue.resume_at(1, Band::Normal, after(3600), None);
    let claims: Vec<_> = (0..2)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let delivery = queue.claim().await;
                let key = *delivery.key();
                delivery.ack();
                (key, start.elapsed().as_secs())
            })
        })
        .collect();
    tokio::task::yield_now().await;
    queue.resume_at(2, Band::Normal, after(5), None);
    let mut got = HashSet::new();
    for claim in claims {
        got.insert(claim.await.unwrap());
    }
    assert_eq!(got, HashSet::from([(2, 5), (1, 3600)]));
}

#[tokio::test(start_paused = true)]
async fn what_is_put_back_comes_again_after_its_wait() {
    let queue = queue();
    publish(&queue, Band::Normal, [1]);
    let start = Instant::now();
    queue.try_claim().unwrap().put_back(after(7).unwrap());
    assert!(queue.try_claim().is_none());
    assert_eq!(*queue.claim().await.key(), 1);
    assert_eq!(start.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn what_is_late_is_handed_out_at_its_deadline_so_that_somebody_can_say_so() {
    let queue = queue();
    let start = Instant::now();
    queue.resume_at(1, Band::Normal, after(3600), after(60));
    let delivery = queue.claim().await;
    assert_eq!(start.elapsed().as_secs(), 60);
    assert_eq!(delivery.deadline().unwrap(), start + Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_paused_queue_takes_in_and_hands_nothing_out() {
    let queue = queue();
    queue.pause();
    publish(&queue, Band::Urgent, [1]);
    queue.resume_at(2, Band::Urgent, after(1), None);
    let claims: Vec<_> = (0..2)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let delivery = queue.claim().await;
                let key = *delivery.key();
                delivery.ack();
                key
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(claims.iter().all(|claim| !claim.is_finished()));
    assert_eq!(queue.depths(), [2, 0, 0, 0]);
    queue.resume_claims();
    let mut got = Vec::new();
    for claim in claims {
        got.push(claim.await.unwrap());
    }
    got.sort_unstable();
    assert_eq!(got, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn every_key_that_is_here_is_told_wherever_it_is() {
    let queue = queue();
    publish(&queue, Band::Urgent, [1, 2]);
    publish(&queue, Band::Low, [3]);
    queue.resume_at(4, Band::Normal, after(60), None);
    let told = || {
        let mut keys = queue.keys();
        keys.sort_unstable();
        keys
    };
    let (one, two) = (queue.try_claim().unwrap(), queue.try_claim().unwrap());
    assert_eq!(told(), [1, 2, 3, 4]);
    one.ack();
    assert_eq!(told(), [2, 3, 4]);
    two.put_back(after(60).unwrap());
    assert_eq!(told(), [2, 3, 4]);
}

#[test]
fn what_is_taken_out_is_not_handed_out_and_frees_its_place() {
    let queue = Queue::new(Limits { total: 2, ..Limits::default() }).unwrap();
    publish(&queue, Band::Urgent, [1, 2]);
    assert_eq!(queue.remove(&1), 1);
    assert_eq!(queue.remove(&1), 0);
    publish(&queue, Band::Urgent, [3]);
    assert_eq!(drain(&queue), [2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_workers_get_each_item_once() {
    let queue = Queue::new(Limits { total: 4000, ..Limits::default() }).unwrap();
    let (sender, mut got) = tokio::sync::mpsc::unbounded_channel();
    for worker in 0..8 {
        let (queue, sender) = (queue.clone(), sender.clone());
        tokio::spawn(async move {
            for number in 0usize.. {
                let delivery = queue.claim().await;
                // One in seven is given up, as by a task that was cancelled.
                if (number + worker) % 7 == 0 {
                    drop(delivery);
                    tokio::task::yield_now().await;
                    continue;
                }
                let key = *delivery.key();
                // Before it is told, so that whoever has heard of all finds every place free.
                delivery.ack();
                sender.send(key).unwrap();
            }
        });
    }
    for key in 0..3000 {
        let band = Band::ALL[key % 4];
        queue.reserve(band).unwrap().publish(key, None, None);
        if key % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let mut seen = HashSet::new();
    for _ in 0..3000 {
        assert!(seen.insert(got.recv().await.unwrap()));
    }
    assert_eq!(queue.numbers().used, [0; 4]);
    assert!(got.try_recv().is_err());
}

proptest! {
    #[test]
    fn s5_whatever_else_is_claimed_a_band_keeps_its_order(
        published in proptest::collection::vec(0usize..4, 0..200),
        given_up in proptest::collection::vec(any::<bool>(), 64),
    ) {
        let queue = queue();
        for (key, band) in published.iter().enumerate() {
            publish(&queue, Band::ALL[*band], [key]);
        }
        let mut last = [None; 4];
        let mut claims = 0;
        while let Some(delivery) = queue.try_claim() {
            claims += 1;
            // The item itself comes again, before those behind it.
            if given_up[claims % given_up.len()] && claims < 1000 {
                drop(delivery);
                continue;
            }
            let band = delivery.band().index();
            let key = *delivery.key();
            prop_assert!(last[band].is_none_or(|last| last < key));
            last[band] = Some(key);
            delivery.ack();
        }
        prop_assert_eq!(queue.depths(), [0; 4]);
    }
}
