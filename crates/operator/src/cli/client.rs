//! Speaks HTTP to a running operator. Every wait has a bound, every answer a size.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::exit::{Exit, Failure};

pub const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";

/// On one machine a connection takes microseconds; over a tunnel a second or two.
const CONNECT: Duration = Duration::from_secs(5);

/// The server bounds its own routes below this.
const ANSWER: Duration = Duration::from_secs(60);

/// A list of 500 whole records with their diffs stays far below.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

pub struct Client {
    server: String,
    authorization: Option<http::HeaderValue>,
    http: Legacy<HttpConnector, Full<Bytes>>,
}

/// Bytes to send and what they are.
pub struct Sent {
    pub bytes: Vec<u8>,
    pub kind: &'static str,
    pub idempotency_key: Option<String>,
}

impl Sent {
    pub fn json(value: &Value) -> Self {
        Self { bytes: value.to_string().into_bytes(), kind: "application/json", idempotency_key: None }
    }
}

impl Client {
    pub fn new(server: &str, token: Option<String>, token_file: Option<&Path>) -> Result<Self, Failure> {
        let wrong = |cause: &str| {
            Failure::new(Exit::Usage, format!("use the server {server}"))
                .cause(cause)
                .try_(format!("give it as in --server {DEFAULT_SERVER} or NEPHORAN_SERVER={DEFAULT_SERVER}"))
        };
        let full = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
        let uri: Uri = full.parse().map_err(|_| wrong("it is no address"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(wrong("this version does not have TLS yet: only http:// is possible"));
            }
            _ => return Err(wrong("it must begin with http://")),
        }
        let host = uri.host().ok_or_else(|| wrong("it names no host"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong(
                "a token or password never goes into an address: use NEPHORAN_TOKEN or --token-file",
            ));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("it must be the address alone, without a path"));
        }
        let token = match token_file {
            Some(file) => Some(read_token(file)?),
            None => token.filter(|token| !token.trim().is_empty()),
        };
        let authorization = match token {
            None => None,
            Some(token) => {
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                let loopback = bare == "localhost"
                    || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
                if !loopback {
                    return Err(wrong("a token is not sent beyond this machine without TLS"));
                }
                let mut value =
                    http::HeaderValue::try_from(format!("Bearer {}", token.trim())).map_err(|_| {
                        Failure::new(Exit::Usage, "use the token")
                            .cause("it holds characters that no token has")
                            .try_("nephoran token new --help")
                    })?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let http = Legacy::builder(TokioExecutor::new()).build(connector);
        Ok(Self { server: full.trim_end_matches('/').to_owned(), authorization, http })
    }

    pub async fn get(&self, doing: &str, path: &str) -> Result<Value, Failure> {
        self.ask(doing, Method::GET, path, None).await
    }

    pub async fn post(&self, doing: &str, path: &str, sent: Sent) -> Result<Value, Failure> {
        self.ask(doing, Method::POST, path, Some(sent)).await
    }

    async fn ask(
        &self,
        doing: &str,
        method: Method,
        path: &str,
        sent: Option<Sent>,
    ) -> Result<Value, Failure> {
        let exchange = async {
            let response = self.send(doing, method, path, sent, &[]).await?;
            let status = response.status();
            let retry_after = response.headers().get(header::RETRY_AFTER).cloned();
            let body = Limited::new(response.into_body(), LONGEST_ANSWER)
                .collect()
                .await
                .map_err(|error| self.not_reachable(doing, format!("the answer broke off: {error}")))?;
            let body = body.to_bytes();
            if !status.is_success() {
                let seconds = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
                return Err(refusal(doing, status, &body, seconds));
            }
            serde_json::from_slice(&body).map_err(|error| {
                self.not_reachable(
                    doing,
                    format!("the answer is no JSON ({error}): another program may listen there"),
                )
            })
        };
        tokio::time::timeout(ANSWER, exchange).await.unwrap_or_else(|_| {
            Err(self.not_reachable(doing, format!("no answer within {} s", ANSWER.as_secs())))
        })
    }

    /// An answer whose body has no end: the event stream.
    pub async fn stream(
        &self,
        doing: &str,
        path: &str,
        last_event: Option<&str>,
    ) -> Result<Response<Incoming>, Failure> {
        let mut extra = vec![(header::ACCEPT, "text/event-stream")];
        if let Some(id) = last_event {
            extra.push((header::HeaderName::from_static("last-event-id"), id));
        }
        let answer = tokio::time::timeout(ANSWER, self.send(doing, Method::GET, path, None, &extra))
            .await
            .map_err(|_| self.not_reachable(doing, "no answer".into()))??;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body =
            tokio::time::timeout(ANSWER, Limited::new(answer.into_body(), LONGEST_ANSWER).collect()).await;
        let bytes = body.ok().and_then(Result::ok).map(|body| body.to_bytes()).unwrap_or_default();
        Err(refusal(doing, status, &bytes, None))
    }

    async fn send(
        &self,
        doing: &str,
        method: Method,
        path: &str,
        sent: Option<Sent>,
        extra: &[(header::HeaderName, &str)],
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.server));
        request = request.header(header::USER_AGENT, concat!("nephoran/", env!("CARGO_PKG_VERSION")));
        for (name, value) in extra {
            request = request.header(name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let body = match sent {
            Some(sent) => {
                request = request.header(header::CONTENT_TYPE, sent.kind);
                if let Some(key) = sent.idempotency_key {
                    request = request.header("idempotency-key", key);
                }
                Full::from(sent.bytes)
            }
            None => Full::default(),
        };
        let request = request.body(body).map_err(|error| {
            Failure::new(Exit::Usage, doing)
                .cause(error)
                .try_("leave out characters that no header or address has")
        })?;
        self.http.request(request).await.map_err(|error| {
            let mut cause = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(inner) = source {
                let _ = write!(cause, ": {inner}");
                source = inner.source();
            }
            self.not_reachable(doing, cause)
        })
    }

    fn not_reachable(&self, doing: &str, cause: String) -> Failure {
        Failure::new(Exit::NotReachable, doing)
            .cause(format!("{}: {cause}", self.server))
            .try_("start the operator: nephoran up")
            .try_("name another server: --server http://HOST:PORT, or NEPHORAN_SERVER")
    }
}

fn read_token(file: &Path) -> Result<String, Failure> {
    let fault = |cause: String| {
        Failure::new(Exit::Environment, format!("read the token file {}", file.display()))
            .cause(cause)
            .try_("give a file that holds one token and nothing else")
    };
    let text = std::fs::read_to_string(file).map_err(|source| fault(source.to_string()))?;
    let token = text.trim();
    if token.is_empty() || token.len() > 512 || token.contains(char::is_whitespace) {
        return Err(fault("it does not hold one token".into()));
    }
    Ok(token.to_owned())
}

/// Percent-encodes what a path or a query must not hold.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// An answer that says no, as `application/problem+json` or not.
fn refusal(doing: &str, status: StatusCode, body: &[u8], retry_after: Option<u64>) -> Failure {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = |field: &str| problem[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let exit = match status.as_u16() {
        401 | 403 | 404 | 409 | 412 => Exit::NotAllowed,
        429 | 503 => Exit::Refused,
        400..=420 | 422..=499 => Exit::Usage,
        // 421: the server does not go by that name; 5xx: it has a fault or lacks something.
        _ => Exit::Environment,
    };
    let mut failure = Failure::new(exit, doing);
    failure.causes.push(
        said("detail").or_else(|| said("title")).unwrap_or_else(|| format!("the server answered {status}")),
    );
    for fault in problem["errors"].as_array().into_iter().flatten() {
        let pointer = fault["pointer"].as_str().unwrap_or_default();
        let detail = fault["detail"].as_str().unwrap_or_default();
        let cause = format!("{pointer}: {detail}");
        if !failure.causes[0].contains(detail) || !failure.causes[0].contains(pointer) {
            failure.causes.push(cause);
        }
    }
    let remedy = match status.as_u16() {
        401 | 403 => "give a token that may do this: NEPHORAN_TOKEN or --token-file".to_owned(),
        404 => "nephoran list shows the intents that there are".to_owned(),
        409 => "nephoran get ID shows where it stands".to_owned(),
        412 => "nephoran plan ID shows the plan that would run, with its hash".to_owned(),
        413 => "send less: an intent has at most 256 KiB".to_owned(),
        421 => "name the server as it is configured: `hosts` lists the names it goes by".to_owned(),
        429 | 503 => match retry_after {
            Some(seconds) => format!("again in {seconds} s"),
            None => "again in a few seconds; nephoran list shows what is under way".to_owned(),
        },
        400..=499 => "correct what the cause names and send it again; nephoran schema intent|proposal prints the shapes".to_owned(),
        501 => "a later version".to_owned(),
        _ => "look into the operator's log; nephoran doctor checks its surroundings".to_owned(),
    };
    failure.try_(remedy)
}
