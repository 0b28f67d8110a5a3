//! What is sent when, by whom: fixed before anything is sent.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

/// Identities: an address of the loopback each.
pub const IDENTITIES: usize = 1000;

/// Requests of one priority at one mean rate, at random distances.
pub struct Stream {
    pub priority: &'static str,
    pub per_second: f64,
    pub lasting: Duration,
}

impl Stream {
    pub fn steady(priority: &'static str, per_second: f64, lasting: Duration) -> Self {
        Self { priority, per_second, lasting }
    }
}

pub struct Planned {
    /// From the start.
    pub at: Duration,
    pub priority: &'static str,
    pub deadline: Timestamp,
    pub identity: usize,
    pub bytes: Vec<u8>,
}

/// The same every time for the same streams, but for the deadlines.
pub fn plan(streams: &[Stream], start: Timestamp, allowed: Duration) -> Vec<Planned> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut moments: Vec<(Duration, &'static str)> = Vec::new();
    for stream in streams {
        let mut at = 0.0;
        loop {
            at += -(1.0 - random.unit()).ln() / stream.per_second;
            if at >= stream.lasting.as_secs_f64() {
                break;
            }
            moments.push((Duration::from_secs_f64(at), stream.priority));
        }
    }
    moments.sort_unstable();
    let planned = moments.into_iter().enumerate().map(|(n, (at, priority))| {
        let deadline = start + at + allowed;
        let body = json!({"text": words(n), "priority": priority, "deadline": deadline}).to_string();
        let bytes = format!(
            "POST /api/v1/intents HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // Each has its turn: none is silent for so long that its connection would be closed.
        Planned { at, priority, deadline, identity: n % IDENTITIES, bytes: bytes.into_bytes() }
    });
    planned.collect()
}

/// A request that the grammar does not read and a model may, unlike any other.
pub fn words(n: usize) -> String {
    format!("the app-{n} in bench-{} to {}, scale", n % 20, 2 + n % 90)
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 up to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
