//! Limits of time: each on its own, and named.

use std::time::Duration;

use nephoran_http::{Call, Kind, Numbers, Profile};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::support::{Server, clients, get, soon, streamed, text};

const SHORT: Duration = Duration::from_millis(60);

async fn silent() -> Server {
    Server::start(|_| std::future::pending()).await
}

/// Sends its head and one piece, then nothing.
async fn stalling() -> Server {
    Server::start(|_| async {
        let (pieces, answer) = streamed();
        pieces.send("begin".into()).unwrap();
        tokio::spawn(async move { pieces.closed().await });
        answer
    })
    .await
}

#[tokio::test]
async fn s2_the_header_limit_fires_on_its_own() {
    let server = silent().await;
    let clients = clients(|settings| settings.default.response_header = SHORT);
    let fault = clients.get(Profile::Default).send(get(&server.url()), Call::default()).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::HeaderLimit);
    assert!(fault.is_passing());
    // The server notices, and the connection is not used again.
    server.live_is(0).await;
}

#[tokio::test]
async fn s2_the_total_limit_fires_on_its_own() {
    let server = stalling().await;
    let clients = clients(|settings| settings.default.request = SHORT);
    let response = clients.get(Profile::Default).send(get(&server.url()), Call::default()).await.unwrap();
    let fault = response.into_body().collect().await.unwrap_err();
    assert_eq!(fault.kind(), Kind::TotalLimit);
    server.live_is(0).await;
}

#[tokio::test]
async fn a_pause_within_a_body_has_a_limit_of_its_own() {
    let server = stalling().await;
    let clients = clients(|settings| settings.default.body_pause = SHORT);
    let response = clients.get(Profile::Default).send(get(&server.url()), Call::default()).await.unwrap();
    let mut body = response.into_body();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "begin");
    assert_eq!(body.chunk().await.unwrap().unwrap_err().kind(), Kind::BodyPause);
    assert!(body.chunk().await.is_none(), "nothing comes after a failure");
    server.live_is(0).await;
}

#[tokio::test]
async fn the_callers_deadline_ends_a_call_in_every_step() {
    let soon_over = || Call { deadline: Some(Instant::now() + SHORT), ..Call::default() };
    let clients = clients(|settings| settings.default.connections_per_host = 1.try_into().unwrap());
    let client = clients.get(Profile::Default);

    let server = silent().await;
    let fault = client.send(get(&server.url()), soon_over()).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Deadline, "before the head");

    let server = stalling().await;
    let response = client.send(get(&server.url()), soon_over()).await.unwrap();
    let waiting = client.send(get(&server.url()), soon_over()).await.unwrap_err();
    assert_eq!(waiting.kind(), Kind::Deadline, "before there was a place");
    assert_eq!(response.into_body().collect().await.unwrap_err().kind(), Kind::Deadline, "in the body");
}

#[tokio::test]
async fn past_its_deadline_nothing_is_begun() {
    let server = silent().await;
    let clients = clients(|_| {});
    let late = Call { deadline: Some(Instant::now()), ..Call::default() };
    let fault = clients.get(Profile::Default).send(get(&server.url()), late).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Deadline);
    assert_eq!(server.opened(), 0);
    assert!(clients.gauges().is_empty());
}

#[tokio::test]
async fn s2_a_model_may_think_for_20_s_before_its_first_byte_where_others_have_10() {
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let server = Server::start(move |_| {
        let (answer, wanted) = tokio::sync::oneshot::channel::<()>();
        arrived.send(answer).unwrap();
        async {
            wanted.await.unwrap();
            text("thought")
        }
    })
    .await;
    let clients = clients(|_| {});
    for (profile, cut) in [(Profile::Model, false), (Profile::HighThroughput, true), (Profile::Default, true)]
    {
        let (client, url) = (clients.get(profile), server.url());
        let call = tokio::spawn(async move { client.send(get(&url), Call::default()).await.map(|_| ()) });
        let answer = soon("the request", arrivals.recv()).await.unwrap();
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(20)).await;
        tokio::time::resume();
        // Where the call was cut, nobody waits for it.
        let _ = answer.send(());
        let outcome = soon("the call", call).await.unwrap();
        assert_eq!(
            outcome.map_err(|fault| fault.kind()),
            if cut { Err(Kind::HeaderLimit) } else { Ok(()) },
            "{profile:?}"
        );
    }
}

#[test]
fn s2_the_profiles_have_the_audits_numbers() {
    let default = Numbers::of(Profile::Default);
    let high = Numbers::of(Profile::HighThroughput);
    let seconds = Duration::from_secs;
    let row = |n: &Numbers| {
        (n.idle, n.idle_per_host, n.connections_per_host.get(), n.idle_timeout, n.request, n.tls_handshake)
    };
    assert_eq!(row(&default), (100, 20, 100, seconds(90), seconds(30), seconds(10)));
    assert_eq!(row(&high), (200, 50, 200, seconds(120), seconds(60), seconds(15)));
    for numbers in [default, high] {
        assert_eq!(
            (numbers.dial, numbers.keep_alive, numbers.response_header),
            (seconds(5), seconds(30), seconds(10))
        );
    }
}
