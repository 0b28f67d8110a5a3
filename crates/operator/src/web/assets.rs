//! The stylesheet and the script, with the hash that names their content.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

pub struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    /// Of the content, made when the program is built.
    hash: u64,
}

const fn asset(name: &'static str, kind: &'static str, text: &'static str) -> Asset {
    Asset { name, kind, text, hash: fnv(text.as_bytes()) }
}

pub static STYLE: Asset = asset("page.css", "text/css; charset=utf-8", include_str!("page.css"));
pub static SCRIPT: Asset = asset("page.js", "text/javascript; charset=utf-8", include_str!("page.js"));

/// FNV-1a: small enough to run in the compiler. It names content, it guards nothing.
const fn fnv(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash ^= bytes[at] as u64;
        hash = hash.wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

impl Asset {
    /// The address with the hash of the content: other content, other address.
    pub fn link(&self) -> String {
        format!("/assets/{}?v={:016x}", self.name, self.hash)
    }
}

/// `GET /assets/{name}`: for ever when asked for by its hash, else to be asked again.
pub async fn serve(Path(name): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Some(asset) = [&STYLE, &SCRIPT].into_iter().find(|asset| asset.name == name) else {
        return (StatusCode::NOT_FOUND, "no such file\n").into_response();
    };
    let tag = format!("\"{:016x}\"", asset.hash);
    let by_hash = query.as_deref() == Some(&format!("v={:016x}", asset.hash));
    let age = if by_hash { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, asset.kind)], asset.text).into_response()
    };
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(age));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    response
}
