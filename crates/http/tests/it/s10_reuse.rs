//! S10: connections are reused.

use std::sync::Arc;
use std::time::Duration;

use nephoran_http::{Call, Profile};
use tokio::sync::{Barrier, watch};
use tokio::task::JoinSet;

use crate::support::{Server, clients, get, soon, text};

#[tokio::test]
async fn s10_100_requests_use_1_connection_then_100_at_once_stay_at_the_cap_and_20_stay_idle() {
    let (together, mode) = watch::channel(false);
    let all_here = Arc::new(Barrier::new(100));
    let server = Server::start(move |_| {
        let (mode, all_here) = (mode.clone(), Arc::clone(&all_here));
        async move {
            if *mode.borrow() {
                all_here.wait().await;
            }
            text("done")
        }
    })
    .await;
    let clients = clients(|_| {});
    let client = clients.get(Profile::Default);
    for _ in 0..100 {
        let response = client.send(get(&server.url()), Call::default()).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap(), "done");
    }
    let sequential = server.opened();
    assert_eq!(sequential, 1);

    // All hundred are at the server at the same time: it answers none before the last came.
    together.send(true).unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let (client, url) = (client.clone(), server.url());
        calls.spawn(async move {
            let response = client.send(get(&url), Call::default()).await.unwrap();
            response.into_body().collect().await.unwrap()
        });
    }
    while let Some(body) = soon("an answer", calls.join_next()).await {
        assert_eq!(body.unwrap(), "done");
    }
    assert_eq!(
        (server.opened(), server.peak()),
        (100, 100),
        "the audit's cap, the first connection among them"
    );

    // The audit's 20 idle a host; the rest is closed.
    server.live_is(20).await;
    let gauge = clients.gauges().remove(0);
    assert_eq!((gauge.open, gauge.in_use, gauge.idle), (20, 0, 20));
    println!(
        "S10: 100 in a row: {sequential} connection; 100 at once: {}; idle after: {}",
        server.peak(),
        gauge.idle
    );

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(91)).await;
    tokio::time::resume();
    server.live_is(0).await;
}
