//! Server-sent events: who listens hears of every move, once, in order, or is told to look anew.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use nephoran_model::intent::IntentId;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::intents::find;
use super::reject::Reject;
use crate::store::{Event, Store};

/// Open streams of one identity. A person has a page or two open; each stream holds a connection.
pub const STREAMS: usize = 64;

/// Proxies close what is silent for a minute.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

pub async fn events(
    State(doors): State<Shared>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Reject> {
    let Query(query) = query.map_err(|_| Reject::bad_request("the query cannot be read"))?;
    let mut only = None;
    for (name, value) in query {
        match name.as_str() {
            "intent" => only = Some(find(&doors, &value).await?.id),
            _ => return Err(Reject::bad_request("the query may have intent")),
        }
    }
    let place = doors.streams.clone().try_acquire_owned().map_err(|_| {
        Reject::new(
            StatusCode::TOO_MANY_REQUESTS,
            "streams",
            "Too many event streams are open",
            format!("at most {STREAMS} streams may be open at once; close one"),
        )
        .retry_after(Duration::from_secs(5))
    })?;
    // First listen, then look back: nothing falls between.
    let live = doors.store.subscribe();
    let mut listener = Listener {
        live,
        store: doors.store.clone(),
        stop: doors.stop.clone(),
        only,
        waiting: VecDeque::new(),
        last: 0,
        _place: place,
    };
    if let Some(last) = headers.get("last-event-id") {
        match last.to_str().ok().and_then(parse) {
            Some(last) => {
                listener.last = last;
                listener.look_back();
            }
            None => listener.waiting.push_back(Notice::Reset),
        }
    }
    let heard = stream::unfold(listener, |mut listener| async move {
        let notice = listener.next().await?;
        Some((Ok::<_, Infallible>(notice.write()), listener))
    });
    Ok(Sse::new(heard).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response())
}

/// One who listens.
struct Listener {
    live: Receiver<Event>,
    store: Store,
    stop: CancellationToken,
    only: Option<IntentId>,
    waiting: VecDeque<Notice>,
    /// Everything up to here was told, or is waiting to be.
    last: u64,
    _place: OwnedSemaphorePermit,
}

enum Notice {
    Moved(Event),
    /// Some moves cannot be told any more: read the records.
    Reset,
}

impl Listener {
    async fn next(&mut self) -> Option<Notice> {
        loop {
            if let Some(notice) = self.waiting.pop_front() {
                return Some(notice);
            }
            let heard = tokio::select! {
                () = self.stop.cancelled() => return None,
                heard = self.live.recv() => heard,
            };
            match heard {
                Ok(event) => self.take(event),
                Err(RecvError::Lagged(_)) => self.look_back(),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn take(&mut self, event: Event) {
        if event.seq <= self.last {
            return;
        }
        self.last = event.seq;
        if self.only.as_ref().is_none_or(|only| *only == event.id) {
            self.waiting.push_back(Notice::Moved(event));
        }
    }

    fn look_back(&mut self) {
        match self.store.events_after(self.last) {
            Some(missed) => missed.into_iter().for_each(|event| self.take(event)),
            None => {
                // From here on whatever comes is told.
                self.last = 0;
                self.waiting.push_back(Notice::Reset);
            }
        }
    }
}

impl Notice {
    fn write(self) -> Sent {
        match self {
            Self::Moved(event) => {
                let data = json!({"id": event.id, "state": event.state, "at": event.at});
                Sent::default().event("state").id(mark(event.seq)).data(data.to_string())
            }
            Self::Reset => Sent::default().event("reset").data("{}"),
        }
    }
}

/// Opaque to clients: they only hand it back.
fn mark(seq: u64) -> String {
    format!("e{seq:x}")
}

fn parse(mark: &str) -> Option<u64> {
    let digits = mark.strip_prefix('e')?;
    let sane = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    sane.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_leads_back_to_its_event() {
        assert_eq!(parse(&mark(0)), Some(0));
        assert_eq!(parse(&mark(u64::MAX)), Some(u64::MAX));
        for foreign in ["", "e", "7", "e+1", "e11111111111111111", "ezz", "e 1"] {
            assert_eq!(parse(foreign), None, "{foreign}");
        }
    }
}
