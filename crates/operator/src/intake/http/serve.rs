//! Connections: accepted, bounded in number and time, drained at the end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::dressed::Dressed;
use super::stall::Stall;

/// Bounds of connections.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open at once. More wait in the kernel's backlog.
    pub connections: usize,
    /// For the head of a request to arrive; an idle connection is closed after it too.
    pub header_time: Duration,
    /// For a peer to take what was sent to it.
    pub stall_time: Duration,
    /// For open requests to end once the stop signal is there.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_time: Duration::from_secs(10),
            stall_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(10),
        }
    }
}

/// The other end of the connection that a request came over.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Answers until `stop`, then until the open requests ended or `drain_time` passed.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) -> io::Result<()> {
    let mut http = http1::Builder::new();
    // hyper's own bounds lie above ours: its refusal has no headers of ours. They still bound memory.
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(64 * 1024)
        .keep_alive(true);
    let room = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = room.clone().acquire_owned() => place.expect("the semaphore is never closed"),
        };
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
        };
        // Small answers must not wait for more.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = hyper::service::service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            let answer = router.clone().call(request.map(axum::body::Body::new));
            async move { Ok::<_, Infallible>(unwrap_infallible(answer.await)) }
        });
        let connection =
            http.serve_connection(TokioIo::new(Dressed::new(Stall::new(stream, limits.stall_time))), service);
        let (stop, cut) = (stop.clone(), cut.clone());
        connections.spawn(async move {
            let _place = place;
            let mut connection = std::pin::pin!(connection);
            let answered = async {
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = stop.cancelled() => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                }
            };
            let ended = tokio::select! {
                ended = answered => ended,
                () = cut.cancelled() => return,
            };
            if let Err(error) = ended {
                // A client that goes away or sends no HTTP is no event of ours.
                tracing::debug!(cause = %error, "A connection ended early.");
            }
        });
    }
    connections.close();
    drop(listener);
    if !within(limits.drain_time, connections.wait()).await {
        tracing::warn!(open = connections.len(), "Connections were still open at the end of the drain time.");
        cut.cancel();
        connections.wait().await;
    }
    Ok(())
}

async fn within(time: Duration, done: impl Future<Output = ()>) -> bool {
    tokio::time::timeout(time, done).await.is_ok()
}

fn unwrap_infallible<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// Errors of one connection pass at once; without descriptors a short wait lets others end.
async fn pause_after(error: &io::Error) {
    let of_one_connection = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    );
    if !of_one_connection {
        tracing::warn!(cause = %error, "No connection can be accepted just now.");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::super::body;
    use super::super::frame::{Hosts, framed};
    use super::*;
    use crate::admit::RequestRates;

    /// Longest wait for what should happen at once.
    const PATIENCE: Duration = Duration::from_secs(20);

    struct Served {
        address: SocketAddr,
        stop: CancellationToken,
        done: tokio::task::JoinHandle<io::Result<()>>,
    }

    async fn served(routes: Router, limits: Limits) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let router = framed(routes, Hosts::default(), RequestRates::new(None, Vec::new()));
        let done = tokio::spawn(serve(listener, router, limits, stop.clone()));
        Served { address, stop, done }
    }

    fn limits() -> Limits {
        Limits {
            connections: 1024,
            header_time: Duration::from_millis(50),
            stall_time: PATIENCE,
            drain_time: PATIENCE,
        }
    }

    async fn connect(served: &Served, sent: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        stream
    }

    /// Everything until the peer closes.
    async fn all(mut stream: TcpStream) -> String {
        let mut text = Vec::new();
        // A reset after the answer is an end too.
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut text)).await.unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The head of one answer.
    async fn head(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(tokio::time::timeout(PATIENCE, stream.read(&mut byte)).await.unwrap().unwrap(), 1);
            text.push(byte[0]);
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_ends_the_connection() {
        let served = served(Router::new().route("/", get(|| async { "ok" })), limits()).await;
        let stream = connect(&served, b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await;
        assert!(!all(stream).await.contains("200 OK"));
        let idle = connect(&served, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert!(all(idle).await.contains("200 OK"), "one request, then the idle connection is closed");
    }

    #[tokio::test]
    async fn more_connections_than_places_wait_for_one() {
        let limits = Limits { connections: 1, header_time: PATIENCE, ..limits() };
        let served = served(Router::new().route("/", get(|| async { "ok" })), limits).await;
        let first = connect(&served, b"").await;
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let second = connect(&served, request).await;
        drop(first);
        assert!(all(second).await.contains("200 OK"));
    }

    #[tokio::test]
    async fn an_open_request_is_answered_before_the_end_and_an_idle_connection_is_closed() {
        let (began, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let routes = Router::new().route(
            "/",
            get({
                let (began, go_on) = (began.clone(), go_on.clone());
                move || async move {
                    began.notify_one();
                    go_on.notified().await;
                    "answered"
                }
            }),
        );
        let served = served(routes, Limits { header_time: PATIENCE, ..limits() }).await;
        let open = connect(&served, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        began.notified().await;
        let idle = connect(&served, b"").await;
        served.stop.cancel();
        assert_eq!(all(idle).await, "");
        go_on.notify_one();
        assert!(all(open).await.ends_with("answered"));
        tokio::time::timeout(PATIENCE, served.done).await.unwrap().unwrap().unwrap();
        assert!(TcpStream::connect(served.address).await.is_err());
    }

    #[tokio::test]
    async fn a_request_that_does_not_end_does_not_hold_up_the_end() {
        let began = Arc::new(Notify::new());
        let routes = Router::new().route(
            "/",
            get({
                let began = began.clone();
                move || async move {
                    began.notify_one();
                    std::future::pending::<()>().await;
                }
            }),
        );
        let limits = Limits { drain_time: Duration::from_millis(10), ..limits() };
        let served = served(routes, limits).await;
        let _open = connect(&served, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        began.notified().await;
        served.stop.cancel();
        tokio::time::timeout(PATIENCE, served.done).await.unwrap().unwrap().unwrap();
    }

    fn reads(limit: usize) -> Router {
        Router::new().route(
            "/",
            post(move |sent: axum::body::Body| async move {
                body::read(sent, limit).await.map(|bytes| bytes.len().to_string())
            }),
        )
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_answered_and_the_rest_thrown_away() {
        let served = served(reads(1000), Limits { header_time: PATIENCE, ..limits() }).await;
        let mut stream =
            connect(&served, b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3000000\r\n\r\n").await;
        // The answer comes before the body.
        let answer = head(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
        // All of it is taken: a client that only writes is not cut off.
        for _ in 0..300 {
            stream.write_all(&[b'x'; 10_000]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_chunked_body_is_bounded_as_it_comes() {
        let served = served(reads(10), Limits { header_time: PATIENCE, ..limits() }).await;
        let head_of = "POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
        let fits = format!("{head_of}5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n");
        let mut stream = connect(&served, fits.as_bytes()).await;
        assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 "));
        let large = format!("{head_of}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
        let mut stream = connect(&served, large.as_bytes()).await;
        assert!(head(&mut stream).await.starts_with("HTTP/1.1 413 "));
    }

    #[tokio::test]
    async fn bytes_that_are_no_http_end_their_connection_only() {
        let served = served(Router::new().route("/", get(|| async { "ok" })), limits()).await;
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(300));
        let large = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(70_000));
        for (garbage, status) in [
            (&b"\x16\x03\x01\x02\x00\x01\x00"[..], 400),
            (b"GET\r\n\r\n", 400),
            (b"\0\0\0\0\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
            (many.as_bytes(), 431),
            (large.as_bytes(), 431),
        ] {
            let answer = all(connect(&served, garbage).await).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            for header in ["application/problem+json", "x-request-id: ", "nosniff", "DENY"] {
                assert!(head.contains(header), "{head}");
            }
            let problem: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(problem["status"], status);
        }
        let well = connect(&served, b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
        assert!(all(well).await.contains("200 OK"));
    }
}
