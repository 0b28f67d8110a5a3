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

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(name: &str, query: Option<String>, tag: Option<&HeaderValue>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(tag) = tag {
            headers.insert(header::IF_NONE_MATCH, tag.clone());
        }
        serve(Path(name.to_owned()), RawQuery(query), headers).await
    }

    #[tokio::test]
    async fn a_file_is_kept_for_ever_by_its_hash_and_asked_for_again_without() {
        for asset in [&STYLE, &SCRIPT] {
            let hash = asset.link().split_once("?v=").map(|(_, hash)| hash.to_owned()).expect("a hash");
            let response = get(asset.name, Some(format!("v={hash}")), None).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
            for query in [None, Some("v=0".to_owned())] {
                let response = get(asset.name, query, None).await;
                assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
            }
            let tag = response.headers()[header::ETAG].clone();
            assert_eq!(get(asset.name, None, Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
        }
        assert_eq!(get("../mod.rs", None, None).await.status(), StatusCode::NOT_FOUND);
    }
}
