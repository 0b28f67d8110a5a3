//! How many connections, how long, for which kind of call.

use std::num::NonZeroUsize;
use std::time::Duration;

/// A kind of call. Each has a pool of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    Default,
    /// Retrieval, embeddings, traces: many short calls.
    HighThroughput,
    /// As `HighThroughput`, but an answer may be long in coming: a model thinks before its first byte.
    Model,
}

impl Profile {
    pub const ALL: [Profile; 3] = [Profile::Default, Profile::HighThroughput, Profile::Model];

    pub fn name(self) -> &'static str {
        match self {
            Profile::Default => "default",
            Profile::HighThroughput => "high_throughput",
            Profile::Model => "model",
        }
    }
}

/// The numbers of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// Idle connections kept over all hosts.
    pub idle: usize,
    pub idle_per_host: usize,
    /// Connections to one host at most, busy and idle.
    pub connections_per_host: NonZeroUsize,
    pub idle_timeout: Duration,
    /// From the call to the last byte of the answer, waiting for a place included.
    pub request: Duration,
    pub tls_handshake: Duration,
    /// Finding the address and the connection itself.
    pub dial: Duration,
    pub keep_alive: Duration,
    /// From the request's sending to the answer's head.
    pub response_header: Duration,
    /// Between two pieces of a body.
    pub body_pause: Duration,
}

impl Numbers {
    pub fn of(profile: Profile) -> Numbers {
        match profile {
            Profile::Default => Numbers {
                idle: 100,
                idle_per_host: 20,
                connections_per_host: const { NonZeroUsize::new(100).expect("100 is not zero") },
                idle_timeout: Duration::from_secs(90),
                request: Duration::from_secs(30),
                tls_handshake: Duration::from_secs(10),
                dial: Duration::from_secs(5),
                keep_alive: Duration::from_secs(30),
                response_header: Duration::from_secs(10),
                body_pause: Duration::from_secs(10),
            },
            Profile::HighThroughput => Numbers {
                idle: 200,
                idle_per_host: 50,
                connections_per_host: const { NonZeroUsize::new(200).expect("200 is not zero") },
                idle_timeout: Duration::from_secs(120),
                request: Duration::from_secs(60),
                tls_handshake: Duration::from_secs(15),
                ..Numbers::of(Profile::Default)
            },
            // A model that thinks for 20 s before its first byte must not be cut at 10 s while 60 s are granted.
            Profile::Model => Numbers {
                response_header: Duration::from_secs(60),
                body_pause: Duration::from_secs(60),
                ..Numbers::of(Profile::HighThroughput)
            },
        }
    }
}
