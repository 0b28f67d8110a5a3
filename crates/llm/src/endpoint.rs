//! One endpoint: a request goes out, an answer comes in, and what failed is told apart by whose
//! fault it is.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use nephoran_http::{Body, Breaker, Call, Client, Kind, Pass};
use serde::Deserialize;
use tokio::time::Instant;

use crate::ask::Error;
use crate::settings::{Api, Settings};
use crate::stream::{Form, Reader, Stop, Usage};

/// Asked again no sooner, whatever a server says.
const SHORTEST_AWAY: Duration = Duration::from_secs(1);
const LONGEST_AWAY: Duration = Duration::from_secs(600);
/// What a server that is full and says no time gets.
const USUAL_AWAY: Duration = Duration::from_secs(5);
/// Bytes of the body of an error that are looked at.
const MAX_ERROR: usize = 8 * 1024;

/// A whole answer; its form is not looked at yet.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) usage: Option<Usage>,
}

#[derive(Debug)]
pub(crate) enum Failed {
    /// Something came, and it is no answer. The endpoint is well.
    Invalid {
        text: String,
        fault: &'static str,
        usage: Option<Usage>,
    },
    /// It may go better at once: the connection broke, or a gateway had nobody behind it.
    Broken(Error),
    Final(Error),
}

pub(crate) struct Endpoint {
    client: Client,
    uri: Uri,
    /// Host and port, for records.
    pub(crate) name: String,
    bearer: Option<HeaderValue>,
    api: Api,
    most: usize,
    header_limit: Duration,
    call_timeout: Duration,
    pub(crate) breaker: Breaker,
    /// Why it cannot be asked at all.
    wrong: Option<String>,
}

impl Endpoint {
    pub(crate) fn new(settings: &Settings, client: Client) -> Self {
        let mut wrong = None;
        let uri = settings.url().unwrap_or_else(|error| {
            wrong = Some(format!("its endpoint is no URL ({error}); set translate.model.endpoint"));
            Uri::default()
        });
        let bearer = settings.api_key.as_ref().and_then(|key| {
            key.bearer()
                .inspect_err(|_| {
                    wrong = Some(
                        "its key holds a character that no header may hold; look at translate.model.api_key_file"
                            .to_owned(),
                    );
                })
                .ok()
        });
        let name = match (uri.host(), uri.port_u16()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) if uri.scheme_str() == Some("https") => format!("{host}:443"),
            (Some(host), None) => format!("{host}:80"),
            (None, _) => String::new(),
        };
        Self {
            breaker: Breaker::new(name.clone(), settings.breaker.clone()),
            client,
            uri,
            name,
            bearer,
            api: settings.api,
            most: settings.max_answer,
            header_limit: settings.header_timeout,
            call_timeout: settings.call_timeout,
            wrong,
        }
    }

    /// One call. Its outcome is told to the breaker.
    pub(crate) async fn call(&self, body: Bytes, deadline: Option<Instant>) -> Result<Answer, Failed> {
        if let Some(wrong) = &self.wrong {
            return Err(Failed::Final(Error::Rejected(wrong.clone())));
        }
        let pass = match self.breaker.try_pass() {
            Ok(pass) => pass,
            Err(away) => {
                let retry_after = away.retry_after.clamp(SHORTEST_AWAY, LONGEST_AWAY);
                return Err(Failed::Final(Error::Away { retry_after }));
            }
        };
        let limit = Instant::now() + self.call_timeout;
        let by = deadline.map_or(limit, |deadline| deadline.min(limit));
        let late = deadline.is_some_and(|deadline| deadline <= limit);
        let asked = self.exchange(body, by, late).await;
        judge(pass, &asked);
        asked
    }

    async fn exchange(&self, body: Bytes, by: Instant, late: bool) -> Result<Answer, Failed> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(
                header::ACCEPT,
                HeaderValue::from_static("text/event-stream, application/x-ndjson, application/json"),
            );
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, bearer.clone());
        }
        let request = request.body(body).expect("the parts of the request were parsed before");
        let call = Call {
            deadline: Some(by),
            header_limit: Some(self.header_limit),
            body_pause: Some(self.call_timeout),
            total_limit: Some(self.call_timeout),
            // A stream wraps every word in some 200 bytes.
            body_limit: self.most * 64 + 1024 * 1024,
            // Small events are better left as they are.
            packed: false,
            // Asking twice changes nothing but the cost, and llama.cpp's server closes a connection
            // that it said it keeps after each stream.
            repeatable: true,
        };
        let response = self.client.send(request, call).await.map_err(|error| failed(&error, late))?;
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            return Err(self.status(parts.status, &parts.headers, body).await);
        }
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let Some(form) = self.form(kind.unwrap_or_default()) else {
            return Err(Failed::Final(Error::Rejected(
                "the endpoint answers with something that is no chat; look at translate.model.endpoint"
                    .to_owned(),
            )));
        };
        self.read(Reader::new(form, self.most), body, late).await
    }

    fn form(&self, kind: &str) -> Option<Form> {
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match (self.api, kind.as_str()) {
            (_, "text/event-stream") => Some(Form::Events),
            (_, "application/x-ndjson" | "application/jsonl") | (Api::Ollama, _) if kind != "text/html" => {
                Some(Form::Lines)
            }
            // A server that does not stream, or one that says what is wrong.
            (_, "application/json") => Some(Form::Body),
            (Api::OpenAi, "" | "text/plain") => Some(Form::Events),
            _ => None,
        }
    }

    async fn read(&self, mut reader: Reader, mut body: Body, late: bool) -> Result<Answer, Failed> {
        let read = loop {
            match body.chunk().await {
                Some(Ok(bytes)) => match reader.feed(&bytes) {
                    Ok(false) => {}
                    Ok(true) => {
                        // Read to its end, a connection can be used again; it is not waited for.
                        let rest = async { while let Some(Ok(_)) = body.chunk().await {} };
                        let _ = tokio::time::timeout(Duration::from_millis(20), rest).await;
                        break reader.end();
                    }
                    Err(stop) => break Err(stop),
                },
                None => break reader.end(),
                Some(Err(error)) => return Err(failed(&error, late)),
            }
        };
        let usage = reader.usage;
        match read {
            Ok(()) => Ok(Answer { text: reader.text, usage }),
            Err(Stop::Invalid(fault)) => Err(Failed::Invalid { text: reader.text, fault, usage }),
            Err(Stop::Broken(fault)) => Err(Failed::Broken(Error::Unreachable(fault.to_owned()))),
            Err(Stop::Server) => {
                Err(Failed::Broken(Error::Unreachable("the server says that it failed".to_owned())))
            }
        }
    }

    async fn status(&self, status: StatusCode, headers: &http::HeaderMap, body: Body) -> Failed {
        let after = retry_after(headers);
        let said = what_it_says(body).await;
        let code = status.as_u16();
        let error = match code {
            401 | 403 => Error::Rejected(format!(
                "the endpoint answers {code}: set translate.model.api_key_file to a file with a key that it takes"
            )),
            404 => Error::Rejected(
                "the endpoint answers 404: look at translate.model.endpoint (without /v1/...) and translate.model.name"
                    .to_owned(),
            ),
            429 => Error::Away { retry_after: after.unwrap_or(USUAL_AWAY) },
            400..500 if said.contains("context") => Error::Rejected(format!(
                "the endpoint answers {code} ({said}): its context is too short for the prompt; give the model's server 4096 tokens a request or more"
            )),
            400..500 => Error::Rejected(format!(
                "the endpoint answers {code}{}: it does not take the request; it must know the model of translate.model.name and answers with a JSON schema",
                if said.is_empty() { String::new() } else { format!(" ({said})") }
            )),
            500.. => match after {
                Some(retry_after) => return Failed::Final(Error::Away { retry_after }),
                None => return Failed::Broken(Error::Unreachable(format!("the endpoint answers {code}"))),
            },
            _ => Error::Rejected(format!("the endpoint answers {code}, which is no answer to a chat")),
        };
        Failed::Final(error)
    }
}

/// The type of an error as servers name it. Never its message: that is anybody's text.
async fn what_it_says(mut body: Body) -> String {
    #[derive(Deserialize)]
    struct Whole {
        error: Named,
    }
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        code: serde_json::Value,
        #[serde(default)]
        r#type: serde_json::Value,
    }
    let mut bytes = Vec::new();
    while let Some(Ok(more)) = body.chunk().await {
        if bytes.len() + more.len() > MAX_ERROR {
            break;
        }
        bytes.extend_from_slice(&more);
    }
    let Ok(Whole { error }) = serde_json::from_slice::<Whole>(&bytes) else { return String::new() };
    let plain = |value: &serde_json::Value| {
        let word = value.as_str()?;
        let plain = !word.is_empty()
            && word.len() <= 40
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        plain.then(|| word.to_owned())
    };
    plain(&error.code).or_else(|| plain(&error.r#type)).unwrap_or_default()
}

fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds).clamp(SHORTEST_AWAY, LONGEST_AWAY))
}

fn failed(error: &nephoran_http::Error, late: bool) -> Failed {
    let said = || format!("{error}; {}", error.remedy());
    match error.kind() {
        Kind::Deadline if late => Failed::Final(Error::Late),
        Kind::TooLarge => {
            Failed::Invalid { text: String::new(), fault: "the answer is too long", usage: None }
        }
        Kind::Deadline | Kind::TotalLimit | Kind::HeaderLimit | Kind::BodyPause => {
            Failed::Final(Error::Unreachable(said()))
        }
        _ if error.is_passing() => Failed::Broken(Error::Unreachable(said())),
        _ => Failed::Final(Error::Rejected(said())),
    }
}

/// Unreachable, too slow, broken: against the endpoint. What it refuses, and what we refuse, is not.
fn judge(pass: Pass, asked: &Result<Answer, Failed>) {
    match asked {
        Ok(_) | Err(Failed::Invalid { .. }) => pass.succeeded(),
        Err(Failed::Broken(_) | Failed::Final(Error::Unreachable(_))) => pass.failed(),
        // Neither: the time was ours, or the server is well and says no.
        Err(Failed::Final(_)) => drop(pass),
    }
}
