//! How other servers are called.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use nephoran_http::{Allow, Numbers, Profile};

use super::super::{Http, Origin};
use super::Reader;

impl Reader {
    pub(super) fn http(&mut self) -> Http {
        let allow = self.texts("http.allow", |entry| {
            let is_right = entry.parse::<Allow>().is_ok();
            is_right.then_some(()).ok_or("a host name, an address or a network, e.g. 127.0.0.1 or 10.0.0.0/8")
        });
        Http {
            allow: allow.iter().filter_map(|entry| entry.parse().ok()).collect(),
            ca_file: self.path("http.ca_file"),
            client: self.client(),
            danger_accept_invalid_certs: self.switch("http.danger_accept_invalid_certs"),
            default: self.profile(Profile::Default),
            high_throughput: self.profile(Profile::HighThroughput),
        }
    }

    fn client(&mut self) -> Option<(PathBuf, PathBuf)> {
        let (cert, key) = (self.path("http.client_cert"), self.path("http.client_key"));
        let (given, lacking) = match (cert, key) {
            (Some(cert), Some(key)) => return Some((cert, key)),
            (None, None) => return None,
            (Some(_), None) => ("http.client_cert", "http.client_key"),
            (None, Some(_)) => ("http.client_key", "http.client_cert"),
        };
        let message = format!("{given} is set and {lacking} is not: a certificate is shown with its key");
        self.fault(given, None, message, Some(format!("set {lacking} too, or leave out {given}")));
        None
    }

    fn profile(&mut self, profile: Profile) -> Numbers {
        const MOST: usize = 10_000;
        let path = |name: &str| format!("http.{}.{name}", profile.name());
        let connections = self.integer(&path("connections_per_host"), 1..=MOST);
        let numbers = Numbers {
            idle: self.integer(&path("idle"), 1..=MOST),
            idle_per_host: self.integer(&path("idle_per_host"), 1..=MOST),
            connections_per_host: NonZeroUsize::new(connections).unwrap_or(NonZeroUsize::MIN),
            idle_timeout: self.duration(&path("idle_timeout")),
            request: self.duration(&path("request")),
            tls_handshake: self.duration(&path("tls_handshake")),
            dial: self.duration(&path("dial")),
            keep_alive: self.duration(&path("keep_alive")),
            response_header: self.duration(&path("response_header")),
            body_pause: self.duration(&path("body_pause")),
        };
        self.not_over(
            &path("idle_per_host"),
            &path("connections_per_host"),
            numbers.idle_per_host > connections,
        );
        self.not_over(&path("response_header"), &path("request"), numbers.response_header > numbers.request);
        self.not_over(&path("body_pause"), &path("request"), numbers.body_pause > numbers.request);
        numbers
    }

    /// What was set to more than what bounds it is a mistake; a default gives way in silence.
    fn not_over(&mut self, path: &str, bound: &str, is_over: bool) {
        if self.entries[path].origin == Origin::Default || !is_over {
            return;
        }
        let shown = |path: &str| self.entries[path].node.value.to_string();
        let message =
            format!("{path} is {} and {bound} is {}: more than there is", shown(path), shown(bound));
        self.fault(path, None, message, Some(format!("lower {path}, or raise {bound}")));
    }
}
