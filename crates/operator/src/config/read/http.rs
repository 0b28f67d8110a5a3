//! How other servers are called.

use nephoran_http::Allow;

use super::super::Http;
use super::Reader;

impl Reader {
    pub(super) fn http(&mut self) -> Http {
        let allow = self.texts("http.allow", |entry| {
            let is_right = entry.parse::<Allow>().is_ok();
            is_right.then_some(()).ok_or("a host name, an address or a network, e.g. 127.0.0.1 or 10.0.0.0/8")
        });
        Http { allow: allow.iter().filter_map(|entry| entry.parse().ok()).collect() }
    }
}
