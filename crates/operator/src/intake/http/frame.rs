//! What every request and every answer passes: the host and origin it claims, its name, the headers
//! of an answer, the form of an error, and the time it may take.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use nephoran_api::intent_v1::is_mark;
use nephoran_api::problem::Problem;

use super::body::throw_away;
use super::rate::{self, Verdict};
use super::reject::{Reject, Unwritten};
use crate::admit::RequestRates;

/// How long a route may take until its answer begins. An event stream's body may go on for ever.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// hyper is told larger bounds, because its own refusal cannot carry our headers.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 * 1024;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The name of a request: the client's own when it has the right form, else one of ours.
#[derive(Clone)]
pub struct RequestId(pub HeaderValue);

impl RequestId {
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// The names that a request may call us by, besides loopback's own.
#[derive(Debug, Clone, Default)]
pub struct Hosts(Arc<Vec<String>>);

impl Hosts {
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(Arc::new(names.into_iter().map(|name| name.to_ascii_lowercase()).collect()))
    }

    /// Whether `authority` (`name`, `name:port`, `[v6]:port`) is one of our names. The port is free:
    /// a forwarded port is the user's own doing, a foreign name is somebody else's.
    pub fn accept(&self, authority: &str) -> bool {
        let (name, port) = if let Some(rest) = authority.strip_prefix('[') {
            match rest.split_once(']') {
                Some((name, port)) => (name, port),
                None => return false,
            }
        } else {
            let end = authority.find(':').unwrap_or(authority.len());
            authority.split_at(end)
        };
        let port_is_fine = match port.strip_prefix(':') {
            Some(digits) => digits.parse::<u16>().is_ok() && digits.bytes().all(|byte| byte.is_ascii_digit()),
            None => port.is_empty(),
        };
        port_is_fine
            && (name.eq_ignore_ascii_case("localhost")
                || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
                || self.0.iter().any(|known| name.eq_ignore_ascii_case(known)))
    }
}

/// Puts routes into the frame, with an answer for what is no route.
pub fn framed(routes: Router, hosts: Hosts, rates: RequestRates) -> Router {
    routes
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(axum::middleware::from_fn_with_state((hosts, rates), frame))
}

async fn frame(
    State((hosts, rates)): State<(Hosts, RequestRates)>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    let response = match check(&request, &hosts) {
        Err(reject) => {
            throw_away(request.into_body());
            reject.into_response()
        }
        Ok(()) => match rate::check(&rates, &request) {
            Verdict::Refused(response) => {
                rate::drop_body(request);
                response
            }
            Verdict::Passed(left) => {
                request.extensions_mut().insert(id.clone());
                let mut response = answer(request, next, &id).await;
                if let Some(left) = left {
                    rate::show(&mut response, &left);
                }
                response
            }
        },
    };
    finish(response, id)
}

/// The route's answer, or what stands for it when the route panics or takes too long.
async fn answer(request: Request, next: Next, id: &RequestId) -> Response {
    let guarded = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(ANSWER_TIME, guarded).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(request = id.as_str(), "A route panicked.");
            Reject::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "fault",
                "A fault of the operator",
                "the request met a fault of ours; the log has it under this request's id",
            )
            .into_response()
        }
        Err(_) => Reject::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "slow",
            "The answer took too long",
            format!("no answer within {} s; what was accepted stays accepted", ANSWER_TIME.as_secs()),
        )
        .retry_after(Duration::from_secs(5))
        .into_response(),
    }
}

fn request_id(headers: &HeaderMap) -> RequestId {
    if let Some(sent) = headers.get(&REQUEST_ID)
        && sent.to_str().is_ok_and(is_mark)
    {
        return RequestId(sent.clone());
    }
    fresh_id()
}

/// Unique across restarts by its first half, within one run by its second; no randomness is spent on
/// each request.
pub fn fresh_id() -> RequestId {
    static RUN: LazyLock<String> = LazyLock::new(|| {
        let run = uuid::Uuid::now_v7().simple().to_string();
        format!("{}{}", &run[6..12], &run[20..26])
    });
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}-{count:x}", *RUN);
    RequestId(HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("request")))
}

/// The checks that hold for every route, before it is known which one.
fn check(request: &Request, hosts: &Hosts) -> Result<(), Reject> {
    let headers = request.headers();
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers.len() > MAX_HEADERS || size > MAX_HEADER_BYTES {
        return Err(Reject::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers",
            "The headers are too large",
            format!("at most {MAX_HEADERS} headers of {} KiB in all are accepted", MAX_HEADER_BYTES / 1024),
        ));
    }
    let host = host(request)?;
    if !hosts.accept(host) {
        return Err(Reject::new(
            StatusCode::MISDIRECTED_REQUEST,
            "host",
            "This is not the host asked for",
            "the Host is no name of this operator; names are added under `hosts` in its configuration",
        ));
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        same_origin(headers, host)?;
    }
    Ok(())
}

/// The one name that the request calls us by.
fn host(request: &Request) -> Result<&str, Reject> {
    let mut sent = request.headers().get_all(header::HOST).iter();
    let host = sent.next().and_then(|host| host.to_str().ok());
    if sent.next().is_some() {
        return Err(Reject::bad_request("there is more than one Host header"));
    }
    // A request target in absolute form overrides the header (RFC 9112 clause 3.2.2).
    match request.uri().authority().map(|authority| authority.as_str()).or(host) {
        Some(host) => Ok(host),
        None => Err(Reject::bad_request("the Host header is missing or unreadable")),
    }
}

/// Nothing that another site's page sends may change anything here.
fn same_origin(headers: &HeaderMap, host: &str) -> Result<(), Reject> {
    let foreign = |detail: &str| {
        Err(Reject::new(StatusCode::FORBIDDEN, "origin", "The request comes from another site", detail))
    };
    for origin in headers.get_all(header::ORIGIN) {
        let ours = origin
            .to_str()
            .ok()
            .and_then(|origin| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")));
        if !ours.is_some_and(|ours| ours.eq_ignore_ascii_case(host)) {
            return foreign("the Origin is not this operator");
        }
    }
    for site in headers.get_all(&FETCH_SITE) {
        if site.as_bytes().eq_ignore_ascii_case(b"cross-site") {
            return foreign("the browser says that another site sent it");
        }
    }
    Ok(())
}

async fn no_such_route(request: Request) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let by_person = request.method() == Method::GET
        && !request.uri().path().starts_with("/api/")
        && accept.is_some_and(|accept| accept.contains("text/html"));
    throw_away(request.into_body());
    if by_person {
        return crate::web::not_found();
    }
    Reject::not_found("there is nothing at this address; /openapi.json lists what there is").into_response()
}

async fn no_such_method(request: Request) -> Reject {
    let method = request.method().clone();
    throw_away(request.into_body());
    Reject::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "The method is not allowed here",
        format!("{method} does nothing here; the Allow header names what does"),
    )
}

/// The last touch on every answer.
fn finish(mut response: Response, id: RequestId) -> Response {
    if let Some(Unwritten(problem)) = response.extensions_mut().remove::<Unwritten>() {
        write(&mut response, *problem, &id);
    } else if (response.status().is_client_error() || response.status().is_server_error())
        && !is_problem(&response)
        && !is_page(&response)
    {
        // An extractor's own answer in plain text.
        let status = response.status();
        let title = status.canonical_reason().unwrap_or("Refused");
        let kind = "refused";
        let problem = Problem::new(status.as_u16(), kind, title, "the request cannot be handled");
        write(&mut response, problem, &id);
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID.clone(), id.0);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    response
}

fn write(response: &mut Response, mut problem: Problem, id: &RequestId) {
    problem.instance = format!("urn:nephoran:request:{}", id.as_str());
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *response.body_mut() = Body::from(body);
}

fn content_type(response: &Response) -> &str {
    response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

fn is_problem(response: &Response) -> bool {
    content_type(response).starts_with("application/problem+json")
}

/// The page says its errors to people.
fn is_page(response: &Response) -> bool {
    content_type(response).starts_with("text/html")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::routing::{get, post};
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    async fn panics() -> &'static str {
        panic!("on purpose")
    }

    fn routes() -> Router {
        let routes = Router::new()
            .route("/ok", get(|| async { "ok" }))
            .route("/send", post(|| async { "sent" }))
            .route("/panic", get(panics))
            .route("/plain", get(|| async { (StatusCode::BAD_REQUEST, "plain text") }));
        framed(routes, Hosts::default(), RequestRates::new(None, Vec::new()))
    }

    async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> (http::response::Parts, Vec<u8>) {
        let mut request = http::Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:8080");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = routes().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        (parts, body.collect().await.unwrap().to_bytes().to_vec())
    }

    /// Asks for an error and checks what holds for all of them.
    async fn problem(method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, Value, HeaderMap) {
        let (parts, body) = ask(method, path, headers).await;
        let status = parts.status.as_u16();
        assert_eq!(parts.headers[header::CONTENT_TYPE], "application/problem+json", "{method} {path}");
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["status"], status);
        for key in ["type", "title", "detail", "instance"] {
            assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {problem}");
        }
        assert!(
            problem["instance"].as_str().unwrap().ends_with(parts.headers[&REQUEST_ID].to_str().unwrap())
        );
        (status, problem, parts.headers)
    }

    #[tokio::test]
    async fn every_answer_has_the_headers_that_protect_it() {
        for (method, path) in
            [("GET", "/ok"), ("POST", "/send"), ("GET", "/nothing"), ("PUT", "/ok"), ("GET", "/panic")]
        {
            let (parts, _) = ask(method, path, &[]).await;
            assert_eq!(parts.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert_eq!(parts.headers[header::X_FRAME_OPTIONS], "DENY");
            assert!(parts.headers.contains_key(&REQUEST_ID));
            assert!(!parts.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        }
    }

    #[tokio::test]
    async fn what_is_no_route_is_a_problem() {
        let (status, _, _) = problem("GET", "/nothing", &[]).await;
        assert_eq!(status, 404);
        let (status, _, headers) = problem("GET", "/send", &[]).await;
        assert_eq!((status, headers[header::ALLOW].to_str().unwrap()), (405, "POST"));
        let (status, _, headers) = problem("DELETE", "/ok", &[]).await;
        assert_eq!((status, headers[header::ALLOW].to_str().unwrap()), (405, "GET,HEAD"));
        let (status, problem, _) = problem("GET", "/plain", &[]).await;
        assert_eq!(status, 400);
        assert!(!problem.to_string().contains("plain text"));
    }

    #[tokio::test]
    async fn a_route_that_panics_is_a_fault_of_ours_and_says_nothing_of_it() {
        let (status, problem, _) = problem("GET", "/panic", &[]).await;
        assert_eq!(status, 500);
        assert!(!problem.to_string().contains("on purpose"));
    }

    #[tokio::test]
    async fn a_request_id_is_kept_when_it_has_the_right_form_and_replaced_when_not() {
        let (parts, _) = ask("GET", "/ok", &[("x-request-id", "a.b_c:d-1")]).await;
        assert_eq!(parts.headers[&REQUEST_ID], "a.b_c:d-1");
        let long = "x".repeat(129);
        for bad in ["", "a b", "<script>", "a\u{e9}", long.as_str()] {
            let (parts, _) = ask("GET", "/ok", &[("x-request-id", bad)]).await;
            assert!(is_mark(parts.headers[&REQUEST_ID].to_str().unwrap()));
            assert_ne!(parts.headers[&REQUEST_ID].as_bytes(), bad.as_bytes());
        }
        let (one, _) = ask("GET", "/ok", &[]).await;
        let (two, _) = ask("GET", "/ok", &[]).await;
        assert_ne!(one.headers[&REQUEST_ID], two.headers[&REQUEST_ID]);
    }

    #[tokio::test]
    async fn a_foreign_host_is_misdirected_and_a_foreign_origin_forbidden() {
        for host in ["evil.example", "localhost.evil.example", "169.254.169.254"] {
            assert_eq!(problem("GET", "/ok", &[("host", host)]).await.0, 421, "{host}");
        }
        assert_eq!(problem("GET", "http://evil.example/ok", &[]).await.0, 421);
        assert_eq!(problem("POST", "/send", &[("origin", "http://evil.example")]).await.0, 403);
        assert_eq!(problem("POST", "/send", &[("sec-fetch-site", "cross-site")]).await.0, 403);
        assert_eq!(problem("OPTIONS", "/send", &[("origin", "http://evil.example")]).await.0, 403);
        // Reading is not changing.
        assert_eq!(ask("GET", "/ok", &[("origin", "http://evil.example")]).await.0.status, 200);
        assert_eq!(ask("POST", "/send", &[("origin", "http://localhost:8080")]).await.0.status, 200);
    }

    #[tokio::test]
    async fn headers_are_bounded_in_number_and_size() {
        let names: Vec<String> = (0..80).map(|n| format!("x-{n}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
        assert_eq!(problem("GET", "/ok", &many).await.0, 431);
        let large = "x".repeat(MAX_HEADER_BYTES);
        assert_eq!(problem("GET", "/ok", &[("x-large", &large)]).await.0, 431);
    }

    #[test]
    fn loopback_and_configured_names_are_ours() {
        let hosts = Hosts::new(["Operator.Example".to_owned()]);
        for ours in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.0.0.1:1",
            "127.3.2.1:65535",
            "[::1]",
            "[::1]:8080",
            "operator.example",
            "operator.example:443",
        ] {
            assert!(hosts.accept(ours), "{ours}");
        }
        for foreign in [
            "",
            ":8080",
            "evil.example",
            "localhost.evil.example",
            "localhost.",
            "127.0.0.1.evil.example",
            "127.0.0.1:",
            "127.0.0.1:http",
            "127.0.0.1:+80",
            "127.0.0.1:99999",
            "10.0.0.1",
            "[::1",
            "[::1]x",
            "::1",
            "0x7f.1",
            "user@localhost",
            "localhost@evil.example",
        ] {
            assert!(!hosts.accept(foreign), "{foreign}");
        }
    }

    #[test]
    fn only_our_own_origin_may_change_anything() {
        let with = |pairs: &[(HeaderName, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(name.clone(), HeaderValue::from_static(value));
            }
            same_origin(&headers, "localhost:8080").is_ok()
        };
        assert!(with(&[]));
        assert!(with(&[(header::ORIGIN, "http://localhost:8080")]));
        assert!(with(&[(FETCH_SITE.clone(), "same-origin")]));
        for foreign in
            ["http://evil.example", "null", "http://localhost:3000", "http://localhost", "localhost:8080", ""]
        {
            assert!(!with(&[(header::ORIGIN, foreign)]), "{foreign}");
        }
        assert!(!with(&[(header::ORIGIN, "http://localhost:8080"), (header::ORIGIN, "http://evil.example")]));
        assert!(!with(&[(FETCH_SITE.clone(), "cross-site")]));
    }
}
