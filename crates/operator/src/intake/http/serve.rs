//! Connections: accepted, bounded in number and time, drained at the end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
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

/// Bounds of connections.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open at once. More wait in the kernel's backlog.
    pub connections: usize,
    /// For the head of a request to arrive; an idle connection is closed after it too.
    pub header_time: Duration,
    /// For open requests to end once the stop signal is there.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1024, header_time: Duration::from_secs(10), drain_time: Duration::from_secs(10) }
    }
}

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
        .max_headers(256)
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
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
        };
        // Small answers must not wait for more.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let answer = router.clone().call(request.map(axum::body::Body::new));
            async move { Ok::<_, Infallible>(unwrap_infallible(answer.await)) }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
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
