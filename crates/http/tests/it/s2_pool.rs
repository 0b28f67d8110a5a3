//! S2: the cap per host, the gauges, the idle time.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nephoran_http::{Call, Clients, HostGauge, Profile};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::support::{Server, clients, get, soon, streamed, text};

fn capped(cap: usize) -> Clients {
    clients(|settings| settings.default.connections_per_host = NonZeroUsize::new(cap).unwrap())
}

fn gauge(clients: &Clients) -> HostGauge {
    let gauges = clients.gauges();
    assert_eq!(gauges.len(), 1, "one host was called: {gauges:?}");
    gauges.into_iter().next().unwrap()
}

/// Requests wait inside until the test lets them go.
async fn held_server() -> (Server, Arc<Semaphore>, watch::Receiver<usize>) {
    let release = Arc::new(Semaphore::new(0));
    let (inside, seen) = watch::channel(0);
    let inside = Arc::new(inside);
    let server = Server::start({
        let release = Arc::clone(&release);
        move |_| {
            let (release, inside) = (Arc::clone(&release), Arc::clone(&inside));
            async move {
                inside.send_modify(|inside| *inside += 1);
                release.acquire().await.unwrap().forget();
                inside.send_modify(|inside| *inside -= 1);
                text("done")
            }
        }
    })
    .await;
    (server, release, seen)
}

#[tokio::test]
async fn s2_at_cap_8_400_requests_open_8_connections_none_fails_and_gauges_equal_the_servers_count() {
    let (server, release, mut inside) = held_server().await;
    let clients = capped(8);
    let (done, mut finished) = mpsc::unbounded_channel();
    for _ in 0..400 {
        let (client, done, url) = (clients.get(Profile::Default), done.clone(), server.url());
        tokio::spawn(async move {
            let response = client
                .send(get(&url), Call { total_limit: Some(Duration::from_secs(600)), ..Call::default() });
            let body = response.await.unwrap().into_body().collect().await.unwrap();
            assert_eq!(body, "done");
            done.send(()).unwrap();
        });
    }
    let mut samples = 0;
    let mut peak = 0;
    for over in 0..=400_usize {
        let busy = (400 - over).min(8);
        soon("requests at the server", inside.wait_for(|inside| *inside == busy)).await.unwrap();
        let now = gauge(&clients);
        let server_sees = server.live();
        let expected = HostGauge {
            host: server.address.to_string(),
            open: server_sees,
            in_use: busy,
            idle: server_sees - busy,
        };
        assert_eq!(now, expected, "after {over} answers");
        peak = peak.max(now.open);
        samples += 1;
        if over < 400 {
            release.add_permits(1);
            soon("an answer", finished.recv()).await.unwrap();
        }
    }
    assert_eq!((server.peak(), server.opened(), peak), (8, 8, 8));

    // The audit's idle time, on a clock that the test moves.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(89)).await;
    assert_eq!(gauge(&clients).idle, 8, "not before its time");
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    server.live_is(0).await;
    let left = gauge(&clients);
    assert_eq!((left.open, left.in_use, left.idle), (0, 0, 0));
    println!(
        "S2: cap 8, 400 requests: peak {peak}, opened {}, failed 0; {samples} samples equal; 0 open after the idle time",
        server.opened()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_the_cap_holds_while_calls_are_given_up_in_the_middle() {
    let peak_of_requests = Arc::new(AtomicUsize::new(0));
    let server = Server::start(|request| async move {
        // Some answers never come, some never end.
        match request.uri().path() {
            "/never" => std::future::pending().await,
            "/endless" => {
                let (pieces, answer) = streamed();
                pieces.send("begin".into()).unwrap();
                tokio::spawn(async move { pieces.closed().await });
                answer
            }
            _ => text("done"),
        }
    })
    .await;
    let clients = Arc::new(capped(8));
    let mut calls = JoinSet::new();
    for number in 0..400 {
        let (clients, url, peak) = (Arc::clone(&clients), server.url(), Arc::clone(&peak_of_requests));
        calls.spawn(async move {
            let client = clients.get(Profile::Default);
            let call = |limit| Call {
                header_limit: Some(Duration::from_millis(limit)),
                total_limit: Some(Duration::from_secs(600)),
                ..Call::default()
            };
            let sum = match number % 4 {
                0 => client.send(get(&format!("{url}never")), call(2)).await.map(drop).is_err(),
                1 => {
                    let mut body =
                        client.send(get(&format!("{url}endless")), call(20_000)).await.unwrap().into_body();
                    body.chunk().await.unwrap().unwrap() == "begin"
                }
                _ => {
                    client.send(get(&url), call(20_000)).await.unwrap().into_body().collect().await.unwrap()
                        == "done"
                }
            };
            assert!(sum, "call {number} went as planned");
            peak.fetch_max(gauge(&clients).open, Ordering::SeqCst);
        });
    }
    while let Some(call) = soon("all calls", calls.join_next()).await {
        call.unwrap();
    }
    let peak = peak_of_requests.load(Ordering::SeqCst);
    assert!(peak <= 8, "{peak} sockets at one time");
    // What was given up is closed within a moment; until then it counts.
    soon("closing", async {
        while gauge(&clients).in_use > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.live_is(gauge(&clients).open).await;
}

#[tokio::test]
async fn a_body_holds_its_place_until_it_is_read_or_dropped() {
    let (hand_over, mut bodies) = mpsc::unbounded_channel();
    let server = Server::start(move |_| {
        let (pieces, answer) = streamed();
        hand_over.send(pieces).unwrap();
        async { answer }
    })
    .await;
    let clients = capped(1);
    let client = clients.get(Profile::Default);
    let first = client.send(get(&server.url()), Call::default()).await.unwrap();
    let pieces = bodies.recv().await.unwrap();

    let second = client.send(get(&server.url()), Call::default());
    let mut second = std::pin::pin!(second);
    let early = tokio::time::timeout(Duration::from_millis(50), second.as_mut()).await;
    assert!(early.is_err(), "the only place is taken");
    drop(first);
    let second = soon("the place", second).await.unwrap();
    assert_eq!(server.opened(), 2, "what was not read to its end is closed, not reused");
    soon("the server hears of it", pieces.closed()).await;

    bodies.recv().await.unwrap().send("all".into()).unwrap();
    assert_eq!(second.into_body().collect().await.unwrap(), "all");
    assert_eq!(gauge(&clients).idle, 1);
}

#[tokio::test]
async fn idle_connections_of_all_hosts_together_stay_within_their_number() {
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Server::start(|_| async { text("done") }).await);
    }
    let clients = clients(|settings| settings.default.idle = 2);
    for server in &servers {
        let response = clients.get(Profile::Default).send(get(&server.url()), Call::default()).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    servers[2].live_is(0).await;
    assert_eq!(clients.gauges().iter().map(|gauge| gauge.idle).sum::<usize>(), 2);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_fails_no_request() {
    let server = Server::start(|_| async {
        let mut answer = text("done");
        answer.headers_mut().insert("connection", "close".parse().unwrap());
        answer
    })
    .await;
    let clients = capped(8);
    for _ in 0..20 {
        let response = clients.get(Profile::Default).send(get(&server.url()), Call::default()).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap(), "done");
    }
    server.live_is(0).await;
    assert_eq!(server.opened(), 20);
}
