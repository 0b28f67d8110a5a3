//! Follows the event stream, and takes it up again where it broke off.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use nephoran_model::intent::{IntentId, State};
use serde_json::{Value, json};

use super::args::{Common, Output};
use super::client::{Client, encoded};
use super::exit::{Exit, Failure};
use super::read::path;
use super::text::{escape, escape_json};
use super::{note, out, show};

/// The server gives a sign of life every 15 s.
const SILENCE: Duration = Duration::from_secs(60);

/// An event is a few hundred bytes.
const LONGEST_EVENT: usize = 64 * 1024;

/// Tries to take a broken stream up again, with pauses that double up to five seconds: a restart
/// of the operator is sat out.
const TRIES: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub async fn run(client: &Client, common: &Common, id: Option<&str>) -> Result<Exit, Failure> {
    match id {
        None => all(client, common).await,
        Some(id) => one(client, common, id).await,
    }
}

async fn all(client: &Client, common: &Common) -> Result<Exit, Failure> {
    let mut stream = Stream::new(client, "watch the intents", "/api/v1/events".to_owned());
    if table(common) {
        out(&row("TIME", "STATE", "ID"))?;
    }
    loop {
        match stream.next().await? {
            Event::Move(data) if table(common) => {
                let said = |pointer| show::field(&data, pointer);
                out(&row(&said("/at"), &said("/state"), &said("/id")))?;
            }
            Event::Move(data) => print(common, &data)?,
            Event::Reset => {
                note("some moves are no longer remembered; nephoran list shows where things stand")
            }
            Event::Opened => {}
        }
    }
}

/// The record itself is the truth: an event only says that it is worth reading again.
async fn one(client: &Client, common: &Common, id: &str) -> Result<Exit, Failure> {
    let doing = format!("watch {id}");
    // Also finds out that there is no such intent.
    client.get(&doing, &path(id, "")).await?;
    let mut stream = Stream::new(client, &doing, format!("/api/v1/events?intent={}", encoded(id)));
    let mut shown = 0;
    if table(common) {
        out(&row("TIME", "STATE", "CAUSE"))?;
    }
    loop {
        stream.next().await?;
        let record = client.get(&doing, &path(id, "")).await?;
        let moves = record["history"].as_array().map(Vec::as_slice).unwrap_or_default();
        for step in moves.iter().skip(shown) {
            let said = |pointer| show::field(step, pointer);
            if table(common) {
                out(&row(&said("/at"), &said("/state"), &said("/cause")))?;
            } else {
                let data =
                    json!({"id": id, "state": said("/state"), "at": said("/at"), "cause": said("/cause")});
                print(common, &data)?;
            }
        }
        shown = moves.len();
        if State::parse(&show::field(&record, "/state")).is_some_and(State::is_end) {
            return Ok(Exit::Done);
        }
    }
}

fn table(common: &Common) -> bool {
    matches!(common.output, None | Some(Output::Table | Output::Wide))
}

fn row(time: &str, state: &str, last: &str) -> String {
    // Wide enough for a time in milliseconds and for the longest state.
    format!("{:<24}   {:<17}   {}\n", escape(&show::time(time)), escape(state), escape(last))
}

fn print(common: &Common, data: &Value) -> Result<(), Failure> {
    match common.output {
        Some(Output::Yaml) => out(&format!("---\n{}", show::yaml(data))),
        _ => out(&escape_json(format!("{data}\n"))),
    }
    .map(|_| ())
}

pub enum Event {
    /// Listening from now on.
    Opened,
    Move(Value),
    /// Something was missed.
    Reset,
}

/// The event stream of a running operator; a broken one is taken up again.
pub struct Stream<'a> {
    client: &'a Client,
    doing: String,
    path: String,
    body: Option<Incoming>,
    parser: Parser,
    failures: u32,
}

impl<'a> Stream<'a> {
    pub fn new(client: &'a Client, doing: &str, path: String) -> Self {
        Self { client, doing: doing.to_owned(), path, body: None, parser: Parser::default(), failures: 0 }
    }

    /// The next event. Fails when the stream cannot be taken up again.
    pub async fn next(&mut self) -> Result<Event, Failure> {
        loop {
            let Some(body) = &mut self.body else {
                match self.client.stream(&self.doing, &self.path, self.parser.last_id.as_deref()).await {
                    Ok(response) => {
                        self.body = Some(response.into_body());
                        self.parser.forget_the_cut();
                        return Ok(Event::Opened);
                    }
                    // A first failure, or an answer that says no, is final.
                    Err(failure)
                        if failure.exit != Exit::NotReachable
                            || self.parser.last_id.is_none() && self.failures == 0 =>
                    {
                        return Err(failure);
                    }
                    Err(failure) if self.failures >= TRIES => return Err(failure),
                    Err(_) => self.pause().await,
                }
                continue;
            };
            if let Some(event) = self.parser.next() {
                self.failures = 0;
                return Ok(event);
            }
            match tokio::time::timeout(SILENCE, body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    if let Some(bytes) = frame.data_ref()
                        && !self.parser.feed(bytes)
                    {
                        return Err(Failure::new(Exit::NotReachable, self.doing.clone())
                            .cause("the stream holds an event without end: another program may listen there")
                            .try_("name the operator with --server"));
                    }
                }
                // It ended, broke, or fell silent.
                Ok(Some(Err(_)) | None) | Err(_) => {
                    self.body = None;
                    self.pause().await;
                }
            }
        }
    }

    async fn pause(&mut self) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures += 1;
        tokio::time::sleep(pause).await;
    }
}

/// Server-sent events, as far as we send them.
#[derive(Default)]
struct Parser {
    buffer: Vec<u8>,
    event: String,
    data: String,
    last_id: Option<String>,
}

impl Parser {
    /// `false` when an event is longer than any of ours.
    fn feed(&mut self, bytes: &[u8]) -> bool {
        self.buffer.extend_from_slice(bytes);
        self.buffer.len() + self.data.len() <= LONGEST_EVENT || self.buffer.contains(&b'\n')
    }

    fn forget_the_cut(&mut self) {
        self.buffer.clear();
        self.event.clear();
        self.data.clear();
    }

    fn next(&mut self) -> Option<Event> {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                let event = std::mem::take(&mut self.event);
                let data = std::mem::take(&mut self.data);
                match event.as_str() {
                    "reset" => return Some(Event::Reset),
                    _ if data.is_empty() => {}
                    _ => {
                        if let Ok(data) = serde_json::from_str(&data) {
                            return Some(Event::Move(data));
                        }
                    }
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => self.event = value.to_owned(),
                "data" => self.data.push_str(value),
                "id" => self.last_id = Some(value.to_owned()),
                // A comment is a sign of life.
                _ => {}
            }
        }
        None
    }
}

/// Where an intent stands, and whether it rests there.
pub fn standing(record: &Value) -> Option<(State, bool)> {
    let state = State::parse(&show::field(record, "/state"))?;
    let hold = serde_json::from_value(record["reason"].clone()).ok().flatten();
    Some((state, state.is_resting(hold)))
}

/// Only ids that the server gave are followed.
pub fn is_id(id: &str) -> bool {
    IntentId::parse(id).is_some()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn events_are_read_whole_however_they_are_cut() {
        let text = ": alive\n\nid: 7\nevent: state\ndata: {\"id\":\"a\",\"state\":\"applied\"}\n\nevent: reset\ndata: {}\n\n";
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let mut seen = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                assert!(parser.feed(piece));
                while let Some(event) = parser.next() {
                    seen.push(match event {
                        Event::Move(data) => data["state"].as_str().unwrap().to_owned(),
                        Event::Reset => "reset".to_owned(),
                        Event::Opened => "opened".to_owned(),
                    });
                }
            }
            assert_eq!(seen, ["applied", "reset"], "in pieces of {size}");
            assert_eq!(parser.last_id.as_deref(), Some("7"));
        }
    }

    #[test]
    fn an_event_without_end_is_not_kept_for_ever() {
        let mut parser = Parser::default();
        assert!(!parser.feed(&vec![b'x'; LONGEST_EVENT + 1]));
    }

    #[test]
    fn a_planned_intent_rests_only_when_it_is_held() {
        assert_eq!(standing(&json!({"state": "planned", "reason": null})), Some((State::Planned, false)));
        assert_eq!(standing(&json!({"state": "planned", "reason": "frozen"})), Some((State::Planned, true)));
        assert_eq!(standing(&json!({"state": "applied"})), Some((State::Applied, true)));
    }
}
