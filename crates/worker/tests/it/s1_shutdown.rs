//! Row S1: a shutdown returns by its deadline, whatever the workers do, and nothing is lost or
//! done twice. Time is virtual: what is measured is the waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use nephoran_queue::{Band, Limits, Queue};
use nephoran_worker::{Ended, Next, Pool, Report, Scale};
use tokio::time::Instant;

use crate::{Does, publish, queue, settle, start};

const GRACE: Duration = Duration::from_secs(1);
const FOUR: Scale = Scale::Between { min: 4, max: 4 };

/// Shuts down and holds it to its deadline.
async fn shut_down(pool: &Pool) -> Report {
    let began = Instant::now();
    let report = pool.shutdown(began + GRACE).await;
    let took = began.elapsed();
    assert!(took <= GRACE + Duration::from_millis(50), "{took:?}");
    assert_eq!(pool.numbers().alive, 0, "no worker is left");
    report
}

/// What the first pool left is done by a second one, and each item exactly once.
async fn finish(queue: &Queue<usize>, before: &Does, items: usize) {
    let rest = Does::takes(Duration::ZERO);
    let pool = start(queue, FOUR, &rest);
    while queue.numbers().claimed + queue.depths().iter().sum::<usize>() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    pool.shutdown(Instant::now() + GRACE).await;
    let mut done = before.sorted_results();
    done.extend(rest.sorted_results());
    done.sort_unstable();
    assert_eq!(done, (0..items).collect::<Vec<_>>(), "0 lost, 0 twice");
    assert_eq!(queue.numbers().used, [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn s1_idle_workers_go_at_once() {
    let queue = queue();
    let pool = start(&queue, FOUR, &Does::takes(Duration::ZERO));
    settle().await;
    let began = Instant::now();
    assert_eq!(shut_down(&pool).await, Report { completed: 0, requeued: 0 });
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn s1_busy_workers_come_to_their_end() {
    let queue = queue();
    let work = Does::takes(Duration::from_millis(300));
    let pool = start(&queue, FOUR, &work);
    publish(&queue, 0..10);
    settle().await;
    assert_eq!(pool.numbers().busy, 4);
    assert_eq!(shut_down(&pool).await, Report { completed: 4, requeued: 0 });
    assert_eq!(work.sorted_results(), [0, 1, 2, 3], "a result is never dropped");
    assert_eq!(queue.depths(), [6, 0, 0, 0]);
    finish(&queue, &work, 10).await;
}

#[tokio::test(start_paused = true)]
async fn s1_a_worker_that_never_looks_at_its_token_is_dropped_and_its_item_requeued() {
    let queue = queue();
    let work = Does::takes(Duration::from_secs(10));
    let pool = start(&queue, FOUR, &work);
    publish(&queue, 0..10);
    settle().await;
    assert_eq!(shut_down(&pool).await, Report { completed: 0, requeued: 4 });
    let first = queue.try_claim().unwrap();
    assert_eq!(*first.key(), 0, "what is requeued stands where it stood");
    drop(first);
    finish(&queue, &work, 10).await;
}

#[tokio::test(start_paused = true)]
async fn s1_who_hears_the_token_gives_back_before_the_deadline() {
    let queue = queue();
    let work = Does::what(|_, context| async move {
        context.stop.cancelled().await;
        Ended::new(Next::GiveBack)
    });
    let pool = start(&queue, FOUR, &work);
    publish(&queue, 0..10);
    settle().await;
    let began = Instant::now();
    assert_eq!(shut_down(&pool).await, Report { completed: 0, requeued: 4 });
    assert_eq!(began.elapsed(), Duration::ZERO);
    finish(&queue, &work, 10).await;
}

#[tokio::test(start_paused = true)]
async fn s1_a_full_queue_stays_full() {
    let queue = queue();
    publish(&queue, 0..Limits::default().total);
    assert!(queue.reserve(Band::Urgent).is_err());
    let work = Does::takes(Duration::from_secs(10));
    let pool = start(&queue, FOUR, &work);
    settle().await;
    assert_eq!(shut_down(&pool).await, Report { completed: 0, requeued: 4 });
    assert_eq!(queue.depths(), [2000, 0, 0, 0]);
    assert!(queue.reserve(Band::Urgent).is_err());
    finish(&queue, &work, 2000).await;
}

#[tokio::test(start_paused = true)]
async fn s1_called_twice_it_tells_the_same_twice() {
    let queue = queue();
    let work = Does::takes(Duration::from_secs(10));
    let pool = start(&queue, FOUR, &work);
    publish(&queue, 0..10);
    settle().await;
    let (one, other) = tokio::join!(shut_down(&pool), shut_down(&pool));
    assert_eq!((one, other), (Report { completed: 0, requeued: 4 }, one));
    assert_eq!(shut_down(&pool).await, one);
    finish(&queue, &work, 10).await;
}

#[tokio::test(start_paused = true)]
async fn s1_a_gate_that_stays_closed_holds_nobody_up() {
    let queue = queue();
    let work = Does::of(|_, _| async { Ended::new(Next::Done) }).behind(std::future::pending);
    let pool = start(&queue, FOUR, &work);
    publish(&queue, 0..10);
    settle().await;
    assert_eq!(shut_down(&pool).await, Report { completed: 0, requeued: 0 });
    assert_eq!(queue.depths(), [10, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn s1_64_senders_submit_all_the_while_and_nothing_is_lost() {
    let queue = queue();
    // Some hear, some do not, some are quick.
    let work = Does::what(|key, context| async move {
        match key % 3 {
            0 => tokio::time::sleep(Duration::from_secs(10)).await,
            1 => tokio::select! {
                () = context.stop.cancelled() => return Ended::new(Next::GiveBack),
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            },
            _ => {}
        }
        Ended::new(Next::Done).with(key)
    });
    let pool = start(&queue, Scale::Upto(64), &work);
    let (next, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let senders: Vec<_> = (0..64)
        .map(|_| {
            let (queue, next, over) = (queue.clone(), next.clone(), over.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    if let Ok(place) = queue.reserve(Band::Urgent) {
                        place.publish(next.fetch_add(1, Ordering::Relaxed), None, None);
                    }
                    tokio::time::sleep(Duration::from_millis(7)).await;
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let report = shut_down(&pool).await;
    assert!(report.requeued > 0, "{report:?}");
    over.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.unwrap();
    }
    let published = next.load(Ordering::Relaxed);
    assert!(published > 1000, "{published}");
    finish(&queue, &work, published).await;
}

/// The same on real threads: there, hand-overs happen that virtual time cannot show.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s1_on_real_threads_nothing_is_lost_or_done_twice() {
    let queue = queue();
    let done = Does::what(|key, _| async move {
        tokio::task::yield_now().await;
        Ended::new(Next::Done).with(key)
    });
    let next = Arc::new(AtomicUsize::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..64)
        .map(|_| {
            let (queue, next, over) = (queue.clone(), next.clone(), over.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    if let Ok(place) = queue.reserve(Band::Urgent) {
                        place.publish(next.fetch_add(1, Ordering::Relaxed), None, None);
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    // Pools come and go while they submit, some without any time to end.
    for round in 0..20 {
        let pool = start(&queue, Scale::Upto(16), &done);
        while done.results.lock().unwrap().len() < (round + 1) * 500 {
            tokio::task::yield_now().await;
        }
        let grace = if round % 2 == 0 { Duration::from_secs(5) } else { Duration::ZERO };
        pool.shutdown(Instant::now() + grace).await;
        assert_eq!(queue.numbers().claimed, 0, "after a shutdown nothing is in anybody's hands");
    }
    over.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.unwrap();
    }
    finish(&queue, &done, next.load(Ordering::Relaxed)).await;
}
