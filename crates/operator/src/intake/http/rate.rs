//! Request rates, at the door: `/api` and `/intent` count, nothing else does.
//!
//! Decided on the head of a request alone, before its body is read and before any other work: a
//! refusal must not cost much more than an answer of `/healthz`.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use nephoran_limit::{Decision, Left, Rate, Refused, Tier};

use super::body::throw_away;
use super::reject::Reject;
use super::serve::Peer;
use crate::admit::RequestRates;

static LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
static REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
static SCOPE: HeaderName = HeaderName::from_static("x-ratelimit-scope");
static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

pub enum Verdict {
    /// With what the client has left, where it is counted.
    Passed(Option<Left>),
    Refused(Response),
}

pub fn check(rates: &RequestRates, request: &Request) -> Verdict {
    if !counts(request.uri().path()) {
        return Verdict::Passed(None);
    }
    // A request without a connection is a test's; should there be others, they share one bucket.
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let peer = request.extensions().get::<Peer>().map_or(nowhere, |Peer(peer)| peer.ip());
    let forwarded = request.headers().get_all(&FORWARDED_FOR).iter().map(HeaderValue::as_bytes);
    match rates.check(peer, forwarded) {
        None => Verdict::Passed(None),
        Some(Decision::Passed(left)) => Verdict::Passed(Some(left)),
        Some(Decision::Refused(refused)) => Verdict::Refused(answer(&refused)),
    }
}

fn counts(path: &str) -> bool {
    let below =
        |root| path.strip_prefix(root).is_some_and(|rest: &str| rest.is_empty() || rest.starts_with('/'));
    below("/api") || below("/intent")
}

fn answer(refused: &Refused) -> Response {
    let whose = match refused.tier {
        Tier::Client => "of one client",
        Tier::Global => "of all clients together",
    };
    let detail = format!(
        "at most {} requests a second {whose} are let in, {} at once; Retry-After says when to come back",
        refused.rate.per_second(),
        refused.rate.burst()
    );
    let mut response = Reject::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit", "Too many requests", detail)
        .retry_after(refused.retry_after)
        .into_response();
    say(&mut response, &refused.rate, 0, refused.tier);
    response
}

/// Tells a client that passed what it has left, so that it can slow down by itself.
pub fn show(response: &mut Response, left: &Left) {
    say(response, left.rate(), left.remaining(), Tier::Client);
}

fn say(response: &mut Response, rate: &Rate, remaining: u64, tier: Tier) {
    let per_second = rate.per_second();
    let limit = if per_second.fract() == 0.0 {
        HeaderValue::from(per_second as u64)
    } else {
        HeaderValue::try_from(per_second.to_string()).expect("a number is made of digits and a point")
    };
    let headers = response.headers_mut();
    headers.insert(LIMIT.clone(), limit);
    headers.insert(REMAINING.clone(), HeaderValue::from(remaining));
    headers.insert(SCOPE.clone(), HeaderValue::from_static(tier.as_str()));
}

/// What the client still sends is thrown away, so that the answer reaches it. One that asks first
/// whether it should send is not asked for anything.
pub fn drop_body(request: Request) {
    if !request.headers().contains_key(header::EXPECT) {
        throw_away(request.into_body());
    }
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn s7_the_api_and_the_drop_in_door_count_and_nothing_else() {
        for path in ["/api", "/api/", "/api/v1/intents", "/api/v1/nothing", "/intent", "/intent/"] {
            assert!(counts(path), "{path}");
        }
        for path in [
            "/",
            "/healthz",
            "/livez",
            "/readyz",
            "/metrics",
            "/openapi.json",
            "/intents",
            "/apis",
            "/ui/preview",
        ] {
            assert!(!counts(path), "{path}");
        }
    }
}
