//! Reads bodies within bounds of size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Body as _;

use super::reject::Reject;

/// A client that sends slower than this is told so; the largest body fits through a thin line.
const SEND_TIME: Duration = Duration::from_secs(20);

/// What a client may still send after it was told that the body is too large. A connection that is
/// closed under a sender loses the answer with it.
const THROWN_AWAY: usize = 4 * 1024 * 1024;

/// The whole body, at most `limit` bytes.
pub async fn read(mut body: Body, limit: usize) -> Result<Bytes, Reject> {
    if body.size_hint().lower() > limit as u64 {
        throw_away(body);
        return Err(too_large(limit));
    }
    let whole = async {
        let mut first: Option<Bytes> = None;
        let mut rest = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Reject::bad_request("the body ended before its time"))?;
            let Ok(data) = frame.into_data() else { continue };
            let so_far = first.as_ref().map_or(0, Bytes::len) + rest.len();
            if so_far + data.len() > limit {
                return Ok(None);
            }
            // One frame is the usual case: nothing is copied then.
            match &first {
                None => first = Some(data),
                Some(_) => rest.extend_from_slice(&data),
            }
        }
        let Some(first) = first else { return Ok(Some(Bytes::new())) };
        if rest.is_empty() {
            return Ok(Some(first));
        }
        let mut all = BytesMut::with_capacity(first.len() + rest.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&rest);
        Ok(Some(all.freeze()))
    };
    match tokio::time::timeout(SEND_TIME, whole).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => {
            throw_away(body);
            Err(too_large(limit))
        }
        Ok(Err(reject)) => Err(reject),
        Err(_) => Err(Reject::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow_body",
            "The body did not arrive in time",
            format!("the whole body must arrive within {} s", SEND_TIME.as_secs()),
        )),
    }
}

/// Reads on while the answer goes out, then lets the connection end.
pub fn throw_away(mut body: Body) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(tokio::time::timeout(SEND_TIME, async move {
        let mut thrown = 0;
        while let Some(Ok(frame)) = body.frame().await {
            thrown += frame.data_ref().map_or(0, Bytes::len);
            if thrown > THROWN_AWAY {
                return;
            }
        }
    }));
}

fn too_large(limit: usize) -> Reject {
    Reject::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        "The body is too large",
        format!("at most {} KiB are accepted", limit / 1024),
    )
}
