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

/// Answers the first request of each connection, says that it keeps it, and closes it when the next comes.
async fn fickle() -> (String, Arc<std::sync::atomic::AtomicUsize>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let requests = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                for turn in 0..2 {
                    if stream.read(&mut buffer).await.unwrap_or(0) == 0 {
                        return;
                    }
                    counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if turn == 0 {
                        let answer =
                            b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 4\r\n\r\ndone";
                        stream.write_all(answer).await.unwrap();
                    }
                }
            });
        }
    });
    (url, requests)
}

#[tokio::test]
async fn s10_a_kept_connection_that_was_closed_fails_no_request_that_may_arrive_twice() {
    let (url, requests) = fickle().await;
    let client = clients(|_| {}).get(Profile::Default);
    for _ in 0..10 {
        let call = Call { repeatable: true, ..Call::default() };
        let response = client.send(get(&url), call).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap(), "done");
    }
    // Each but the first found its connection closed, and was sent once more on a new one.
    assert_eq!(requests.load(std::sync::atomic::Ordering::Relaxed), 19);
    // Whether another arrived is not known: it fails, and is not sent twice.
    client.send(get(&url), Call::default()).await.unwrap_err();
    assert_eq!(requests.load(std::sync::atomic::Ordering::Relaxed), 20);
}
