//! The breaker, on a clock that the test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nephoran_http::{Breaker, BreakerSettings, BreakerState};

fn breaker() -> Breaker {
    let settings = BreakerSettings {
        window: Duration::from_secs(10),
        minimum: 10,
        ratio: 0.5,
        open: Duration::from_secs(2),
        open_at_most: Duration::from_secs(5),
    };
    Breaker::new("model.test:443", settings)
}

fn calls(breaker: &Breaker, number: u32, success: bool) {
    for _ in 0..number {
        let pass = breaker.try_pass().unwrap();
        if success { pass.succeeded() } else { pass.failed() }
    }
}

async fn after(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn it_opens_at_the_ratio_from_the_minimum_of_calls_on() {
    let few = breaker();
    calls(&few, 9, false);
    assert_eq!(few.state(), BreakerState::Closed, "nine calls say nothing");
    calls(&few, 1, false);
    assert_eq!(few.state(), BreakerState::Open);
    assert_eq!(few.try_pass().unwrap_err().retry_after, Duration::from_secs(2));

    let mixed = breaker();
    calls(&mixed, 11, true);
    calls(&mixed, 10, false);
    assert_eq!(mixed.state(), BreakerState::Closed, "10 of 21");
    calls(&mixed, 1, false);
    assert_eq!(mixed.state(), BreakerState::Open, "11 of 22");
}

#[tokio::test(start_paused = true)]
async fn failures_that_left_the_window_count_no_more() {
    // Five failures since the start, whenever they happened, opened the audit's breaker.
    let breaker = breaker();
    for _ in 0..100 {
        calls(&breaker, 4, false);
        after(11).await;
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
    calls(&breaker, 9, false);
    after(8).await;
    calls(&breaker, 1, false);
    assert_eq!(breaker.state(), BreakerState::Open, "still within the window");
}

#[tokio::test(start_paused = true)]
async fn half_open_lets_one_probe_at_a_time_through_and_its_success_closes() {
    let breaker = breaker();
    calls(&breaker, 10, false);
    after(2).await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    let probe = breaker.try_pass().unwrap();
    for _ in 0..10 {
        assert!(breaker.try_pass().is_err(), "one probe at a time");
    }
    drop(probe);
    let probe = breaker.try_pass().expect("a probe that said nothing makes room for the next");
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    probe.succeeded();
    assert_eq!(breaker.state(), BreakerState::Closed);
    calls(&breaker, 9, false);
    assert_eq!(breaker.state(), BreakerState::Closed, "old failures were forgotten");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_keeps_it_open_for_twice_as_long_up_to_a_limit() {
    let breaker = breaker();
    calls(&breaker, 10, false);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let wait = breaker.try_pass().unwrap_err().retry_after;
        waits.push(wait.as_secs());
        after(wait.as_secs()).await;
        breaker.try_pass().unwrap().failed();
        assert_eq!(breaker.state(), BreakerState::Open);
    }
    assert_eq!(waits, [2, 4, 5, 5]);
    after(5).await;
    breaker.try_pass().unwrap().succeeded();
    calls(&breaker, 10, false);
    assert_eq!(
        breaker.try_pass().unwrap_err().retry_after,
        Duration::from_secs(2),
        "recovered: from the start again"
    );
}

#[tokio::test(start_paused = true)]
async fn answers_to_what_was_asked_before_it_opened_change_nothing() {
    let breaker = breaker();
    let late: Vec<_> = (0..20).map(|_| breaker.try_pass().unwrap()).collect();
    calls(&breaker, 10, false);
    after(2).await;
    let probe = breaker.try_pass().unwrap();
    for (number, pass) in late.into_iter().enumerate() {
        if number % 2 == 0 { pass.succeeded() } else { pass.failed() }
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert!(breaker.try_pass().is_err(), "the probe is still out");
    probe.succeeded();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// Time of the paused clock, which nobody really waits for.
async fn passes(time: Duration) {
    let never = std::future::pending::<()>();
    assert!(tokio::time::timeout(time, never).await.is_err(), "only time passes");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_pass_asks_nothing_while_it_is_open_and_one_probes_first() {
    let breaker = breaker();
    calls(&breaker, 10, false);
    let (asked, probes) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..16)
        .map(|_| {
            let (breaker, asked, probes) = (breaker.clone(), Arc::clone(&asked), Arc::clone(&probes));
            tokio::spawn(async move {
                breaker.may_pass().await;
                let pass = breaker.pass().await;
                asked.fetch_add(1, Ordering::SeqCst);
                if breaker.state() == BreakerState::HalfOpen {
                    probes.fetch_add(1, Ordering::SeqCst);
                    passes(Duration::from_secs(1)).await;
                }
                pass.succeeded();
            })
        })
        .collect();
    passes(Duration::from_millis(1999)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nobody asks while it is open");
    passes(Duration::from_millis(500)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "one probe");
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!((asked.load(Ordering::SeqCst), probes.load(Ordering::SeqCst)), (16, 1));
    assert_eq!(breaker.state(), BreakerState::Closed);
    breaker.may_pass().await;
}
