//! A form proves that it came from a page of ours: it carries the token that a cookie
//! carries too, and no other site can read or set that.

use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};

use super::fault::{self, Fault};
use super::render::Visit;

const COOKIE: &str = "nephoran-csrf";

/// Bytes of a token; it is written in twice as many hex digits.
const BYTES: usize = 16;

#[derive(Clone)]
struct Token {
    text: String,
    /// The browser brought it; a token that was only just made proves nothing.
    brought: bool,
}

/// Gives each visitor a token, and each handler the visitor's.
pub async fn cookie(mut request: Request, next: Next) -> Response {
    let token = match brought(request.headers()) {
        Some(text) => Token { text, brought: true },
        None => Token { text: random(), brought: false },
    };
    request.extensions_mut().insert(token.clone());
    let mut response = next.run(request).await;
    if !token.brought {
        // Lax, not Strict: with Strict a visit by a link from elsewhere would look like a
        // first one, and the new cookie would void the forms of every open tab.
        let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax", token.text);
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn brought(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
        .find(|text| text.len() == 2 * BYTES && text.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(str::to_owned)
}

/// Hex digits that nobody can guess.
pub fn random() -> String {
    let mut bytes = [0; BYTES];
    // The system's generator fails only where the system itself is broken; zeros then match
    // no cookie that was given out before, and the form is refused.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let csrf = parts.extensions.get::<Token>().map(|token| token.text.clone()).unwrap_or_default();
        Ok(Self { csrf, now: Timestamp::now() })
    }
}

/// The token that the browser brought, to be compared with the form's.
pub struct Expected(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Expected {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(
            parts.extensions.get::<Token>().filter(|token| token.brought).map(|token| token.text.clone()),
        ))
    }
}

impl Expected {
    pub fn check(&self, sent: &str) -> Result<(), Fault> {
        let same = self.0.as_deref().is_some_and(|expected| same(expected.as_bytes(), sent.as_bytes()));
        if same { Ok(()) } else { Err(fault::foreign_form()) }
    }
}

/// In a time that does not tell how much of it was right.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "00112233445566778899aabbccddeeff";

    fn sent(cookies: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_static(cookie));
        }
        brought(&headers)
    }

    #[test]
    fn the_token_is_found_among_other_cookies_and_only_in_its_form() {
        let found = Some(TOKEN.to_owned());
        assert_eq!(sent(&["a=b; nephoran-csrf=00112233445566778899aabbccddeeff; c=d"]), found);
        assert_eq!(sent(&["a=b", "nephoran-csrf=00112233445566778899aabbccddeeff"]), found);
        assert_eq!(sent(&["nephoran-csrf=<script>"]), None);
        assert_eq!(sent(&["xnephoran-csrf=00112233445566778899aabbccddeeff"]), None);
        assert_eq!(sent(&[]), None);
    }

    #[test]
    fn a_form_is_believed_only_with_the_token_that_the_browser_brought() {
        let expected = Expected(Some(TOKEN.to_owned()));
        assert!(expected.check(TOKEN).is_ok());
        for wrong in ["", "00112233445566778899aabbccddeef0", "0011"] {
            assert!(expected.check(wrong).is_err(), "{wrong}");
        }
        assert!(Expected(None).check("").is_err());
        assert!(Expected(None).check(TOKEN).is_err());
    }

    #[test]
    fn no_two_tokens_are_the_same() {
        assert_ne!(random(), random());
        assert_eq!(random().len(), TOKEN.len());
    }
}
