//! A small HTTP client that spends little on itself: prepared requests over kept connections.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The p50 of 300 overwrites of 4 KiB, each with fdatasync.
pub fn sync_p50(folder: &Path) -> Duration {
    let mut file = tempfile::tempfile_in(folder).expect("the data folder is writable");
    let block = [7u8; 4096];
    file.write_all(&block).and_then(|()| file.sync_all()).expect("the data folder is writable");
    let mut samples: Vec<Duration> = (0..300)
        .map(|_| {
            let begun = Instant::now();
            file.seek(SeekFrom::Start(0))
                .and_then(|_| file.write_all(&block))
                .and_then(|()| file.sync_data())
                .expect("the data folder is writable");
            begun.elapsed()
        })
        .collect();
    super::quantile(&mut samples, 0.5)
}

pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").into_bytes()
}

pub fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the operator listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Self { stream, buffer: Vec::with_capacity(4096) }
    }

    /// Sends a request and reads the answer: status and body.
    pub async fn send(&mut self, request: &[u8]) -> (u16, String) {
        self.stream.write_all(request).await.expect("the operator reads");
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.expect("the operator answers");
            assert!(read > 0, "the operator closed the connection");
            let Some(head) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            let text = std::str::from_utf8(&self.buffer[..head]).expect("headers are ASCII");
            let length: usize = text
                .lines()
                .find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
                })
                .unwrap_or(0);
            let status = text[9..12].parse().expect("a status line");
            while self.buffer.len() < head + 4 + length {
                let read = self.stream.read_buf(&mut self.buffer).await.expect("the operator answers");
                assert!(read > 0, "the operator closed the connection");
            }
            return (status, String::from_utf8_lossy(&self.buffer[head + 4..]).into_owned());
        }
    }
}

/// What a load came to.
pub struct Load {
    pub good: usize,
    pub other: usize,
    pub lasted: Duration,
    pub latencies: Vec<Duration>,
}

impl Load {
    pub fn rate(&self) -> f64 {
        self.good as f64 / self.lasted.as_secs_f64()
    }
}

/// How many requests were answered, whatever the answer.
pub async fn answered(
    address: &str,
    connections: usize,
    lasting: Duration,
    request: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
) -> usize {
    let request = Arc::new(request);
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (address, request, stop) = (address.to_owned(), request.clone(), stop.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await;
                let mut answers = 0;
                while !stop.load(Ordering::Relaxed) {
                    connection.send(&request(answers)).await;
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    tokio::time::sleep(lasting).await;
    stop.store(true, Ordering::Relaxed);
    let mut answers = 0;
    for client in clients {
        answers += client.await.expect("a client does not panic");
    }
    answers
}

/// `connections` clients that each send the next request as soon as the last was answered. `request`
/// makes the n-th of all; a 503 is tried again a little later, as clients are told to.
pub async fn closed_loop(
    address: &str,
    connections: usize,
    lasting: Duration,
    request: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
) -> Load {
    let request = Arc::new(request);
    let next = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (address, request, next, stop) =
                (address.to_owned(), request.clone(), next.clone(), stop.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await;
                let (mut good, mut other, mut latencies) = (0, 0, Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    let bytes = request(next.fetch_add(1, Ordering::Relaxed));
                    loop {
                        let sent = Instant::now();
                        let (status, body) = connection.send(&bytes).await;
                        if status == 503 && !stop.load(Ordering::Relaxed) {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                            continue;
                        }
                        if (200..300).contains(&status) {
                            good += 1;
                            latencies.push(sent.elapsed());
                        } else {
                            if other == 0 && status != 503 {
                                eprintln!("  unexpected answer {status}: {body}");
                            }
                            other += 1;
                        }
                        break;
                    }
                }
                (good, other, latencies)
            })
        })
        .collect();
    tokio::time::sleep(lasting).await;
    stop.store(true, Ordering::Relaxed);
    let mut load = Load { good: 0, other: 0, lasted: Duration::ZERO, latencies: Vec::new() };
    for client in clients {
        let (good, other, latencies) = client.await.expect("a client does not panic");
        load.good += good;
        load.other += other;
        load.latencies.extend(latencies);
    }
    load.lasted = begun.elapsed();
    load
}
