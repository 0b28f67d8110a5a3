//! How workers come, go, claim and fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nephoran_queue::{Band, Lane};
use nephoran_worker::{Ended, Next, Numbers, Pool, Scale, Spare};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{Does, publish, queue, settings, settle, start};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(1)
}

#[tokio::test(start_paused = true)]
async fn items_are_begun_in_the_order_of_claims_and_worked_on_at_the_same_time() {
    let queue = queue();
    let work = Does::takes(Duration::from_millis(100));
    let pool = start(&queue, Scale::Upto(8), &work);
    publish(&queue, 0..32);
    let began = Instant::now();
    while work.results.lock().unwrap().len() < 32 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(*work.begun.lock().unwrap(), (0..32).collect::<Vec<_>>());
    let took = began.elapsed();
    assert!(took < Duration::from_millis(420), "32 by 8 at a time in {took:?}");
    pool.shutdown(soon()).await;
}

#[tokio::test(start_paused = true)]
async fn workers_are_hired_for_work_and_leave_after_it() {
    let queue = queue();
    let pool = start(&queue, Scale::Upto(8), &Does::takes(Duration::from_millis(100)));
    settle().await;
    assert_eq!(pool.numbers(), Numbers { alive: 1, busy: 0, limit: 8 });
    publish(&queue, 0..3);
    settle().await;
    assert_eq!(pool.numbers(), Numbers { alive: 4, busy: 3, limit: 8 });
    publish(&queue, 3..20);
    settle().await;
    assert_eq!(pool.numbers(), Numbers { alive: 8, busy: 8, limit: 8 });
    tokio::time::sleep(Duration::from_secs(1)).await;
    settle().await;
    assert_eq!(pool.numbers(), Numbers { alive: 1, busy: 0, limit: 8 });
    pool.shutdown(soon()).await;
}

#[tokio::test(start_paused = true)]
async fn under_load_the_workers_grow_from_min_to_max_and_shrink_to_min_when_it_fails() {
    let queue = queue();
    let fails = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let failing = fails.clone();
    let work = Does::what(move |key, _| {
        let fails = failing.load(Ordering::Relaxed);
        async move {
            tokio::time::sleep(Duration::from_millis(40)).await;
            let ended = Ended::new(Next::Done).with(key);
            if fails { ended.strained() } else { ended }
        }
    });
    let pool = start(&queue, Scale::Between { min: 2, max: 16 }, &work);
    settle().await;
    assert_eq!(pool.numbers(), Numbers { alive: 2, busy: 0, limit: 2 });
    publish(&queue, 0..2000);
    settle().await;
    assert_eq!(pool.numbers(), Numbers { alive: 2, busy: 2, limit: 2 });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(pool.numbers(), Numbers { alive: 16, busy: 16, limit: 16 });
    fails.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(pool.numbers(), Numbers { alive: 2, busy: 2, limit: 2 });
    fails.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(pool.numbers(), Numbers { alive: 16, busy: 16, limit: 16 });
    pool.shutdown(soon()).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_told_to_the_owner_and_costs_nobody_else_anything() {
    let queue = queue();
    let tries = Arc::new(AtomicUsize::new(0));
    let tried = tries.clone();
    let work = Does::what(move |key, _| {
        let first = key == 1 && tried.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            assert!(!first, "the first try of {key}");
            Ended::new(Next::Done).with(key)
        }
    });
    let pool = start(&queue, Scale::Upto(2), &work);
    publish(&queue, 0..4);
    settle().await;
    assert_eq!(work.sorted_results(), [0, 2, 3]);
    assert_eq!(*work.panics.lock().unwrap(), [(1, "the first try of 1".to_owned())]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(work.sorted_results(), [0, 1, 2, 3]);
    assert_eq!(queue.numbers().used, [0; 4]);
    pool.shutdown(soon()).await;
}

#[tokio::test(start_paused = true)]
async fn while_the_gate_is_closed_nothing_is_claimed_and_nothing_fails() {
    let queue = queue();
    let (open, gate) = watch::channel(true);
    let work = Does::of(|key, _| async move { Ended::new(Next::Done).with(key) }).behind(move || {
        let mut gate = gate.clone();
        async move {
            let _ = gate.wait_for(|open| *open).await;
        }
    });
    let pool = start(&queue, Scale::Upto(4), &work);
    settle().await;
    // The worker waits for an item when it closes.
    open.send(false).unwrap();
    publish(&queue, 0..4);
    settle().await;
    assert_eq!(queue.depths(), [4, 0, 0, 0]);
    assert!(work.begun.lock().unwrap().is_empty(), "nothing was begun");
    open.send(true).unwrap();
    settle().await;
    assert_eq!(work.sorted_results(), [0, 1, 2, 3]);
    assert_eq!(*work.begun.lock().unwrap(), [0, 1, 2, 3], "in their order");
    pool.shutdown(soon()).await;
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_panics_costs_the_pool_no_worker() {
    let queue = queue();
    let asked = Arc::new(AtomicUsize::new(0));
    let work = Does::of(|key, _| async move { Ended::new(Next::Done).with(key) }).behind(move || {
        let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        async move { assert!(!first, "the gate is broken") }
    });
    let pool = start(&queue, Scale::Upto(4), &work);
    publish(&queue, 0..4);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(work.sorted_results(), [0, 1, 2, 3]);
    pool.shutdown(soon()).await;
}

#[tokio::test(start_paused = true)]
async fn an_item_goes_through_two_pools_over_one_queue() {
    let queue = queue();
    let direct = Does::what(|_, _| async { Ended::new(Next::HandOver(Lane::Model)) });
    let model = Does::takes(Duration::from_millis(10));
    let first = start(&queue, Scale::Upto(4), &direct);
    let slow = nephoran_worker::Settings { lane: Lane::Model, ..settings(Scale::Between { min: 1, max: 2 }) };
    let second = Pool::start(queue.clone(), slow, model.clone());
    publish(&queue, 0..10);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(model.sorted_results(), (0..10).collect::<Vec<_>>());
    assert_eq!(queue.numbers().used, [0; 4]);
    first.shutdown(soon()).await;
    second.shutdown(soon()).await;
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_an_item_comes_with_its_work() {
    let queue = queue();
    let work = Does::what(|key, context| async move {
        Ended::new(Next::Done).with(if context.is_late() { 1000 + key } else { key })
    });
    queue.reserve(Band::Low).unwrap().publish(1, None, Some(soon()));
    queue.reserve(Band::Low).unwrap().publish(2, None, Some(Instant::now()));
    let pool = start(&queue, Scale::Upto(4), &work);
    settle().await;
    assert_eq!(work.sorted_results(), [1, 1002]);
    pool.shutdown(soon()).await;
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_dropped_leaves_no_task_and_loses_nothing() {
    let queue = queue();
    let pool = start(&queue, Scale::Upto(4), &Does::takes(Duration::from_secs(10)));
    publish(&queue, 0..4);
    settle().await;
    drop(pool);
    settle().await;
    assert_eq!(queue.depths(), [4, 0, 0, 0]);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

#[test]
fn a_value_that_was_given_back_is_used_again_and_too_many_are_dropped() {
    let spare: Spare<Vec<u8>> = Spare::new(1);
    let mut value = spare.take();
    value.reserve_exact(100);
    let at = value.as_ptr();
    spare.give(value);
    spare.give(Vec::with_capacity(7));
    let again = spare.take();
    assert_eq!(again.as_ptr(), at);
    assert_eq!(spare.take().capacity(), 0, "only one is kept");
}
