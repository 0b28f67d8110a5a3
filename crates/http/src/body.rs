//! The answer's body: bounded in size and time, unpacked.
//!
//! It holds its place at the host until it was read to its end, or dropped.

use std::io::{self, Write};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

use crate::client::Limits;
use crate::error::Error;
use crate::pool::Lease;

pub struct Body {
    incoming: Incoming,
    /// None once the end was reached or reading failed.
    lease: Option<Lease>,
    limits: Limits,
    pause: Duration,
    cap: usize,
    /// Bytes as they came.
    came: usize,
    unpacking: Option<MultiGzDecoder<Capped>>,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Body").field("host", &self.limits.host).field("came", &self.came).finish()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    Gzip,
}

impl Packing {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Packing, String> {
        let mut named = headers.get_all(CONTENT_ENCODING).iter();
        let encoding = match (named.next(), named.next()) {
            (None, _) => return Ok(Packing::None),
            (Some(one), None) => one.to_str().unwrap_or("unreadable").trim().to_ascii_lowercase(),
            (Some(_), Some(_)) => return Err("its answer is packed more than once".to_owned()),
        };
        match encoding.as_str() {
            "" | "identity" => Ok(Packing::None),
            "gzip" | "x-gzip" => Ok(Packing::Gzip),
            other => Err(format!("its answer is packed as {other:?}, which nobody asked for")),
        }
    }
}

impl Body {
    pub(crate) fn new(
        incoming: Incoming,
        lease: Lease,
        limits: Limits,
        pause: Duration,
        cap: usize,
        packing: Packing,
    ) -> Body {
        let unpacking = (packing == Packing::Gzip).then(|| MultiGzDecoder::new(Capped::new(cap)));
        let ended = incoming.is_end_stream();
        let mut body = Body { incoming, lease: Some(lease), limits, pause, cap, came: 0, unpacking };
        if ended {
            body.unpacking = None;
            body.give_back();
        }
        body
    }

    /// The next piece. None: the answer was complete.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        loop {
            // Given back, or given up after a failure: nothing comes any more.
            self.lease.as_ref()?;
            match self.next().await {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(Some(piece)) => return Some(Ok(piece)),
                Ok(None) => return None,
                Err(error) => {
                    self.lease = None;
                    return Some(Err(error));
                }
            }
        }
    }

    /// The whole of it.
    pub async fn collect(mut self) -> Result<Bytes, Error> {
        let Some(first) = self.chunk().await else { return Ok(Bytes::new()) };
        let first = first?;
        let Some(second) = self.chunk().await else { return Ok(first) };
        let mut all = BytesMut::from(&first[..]);
        all.extend_from_slice(&second?);
        while let Some(piece) = self.chunk().await {
            all.extend_from_slice(&piece?);
        }
        Ok(all.freeze())
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let paused = |host, limit| Error::BodyPause { host, limit };
        let frame = self.limits.within(Some((self.pause, paused)), self.incoming.frame()).await?;
        let piece = match frame {
            None => return self.end(),
            Some(Err(error)) => return Err(Error::on_the_wire(&self.limits.host, &error)),
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        };
        self.came = self.came.saturating_add(piece.len());
        if self.came > self.cap {
            return Err(self.too_large());
        }
        let Some(decoder) = &mut self.unpacking else {
            if self.incoming.is_end_stream() {
                self.give_back();
            }
            return Ok(Some(piece));
        };
        let unpacked = decoder.write_all(&piece).and_then(|()| decoder.flush());
        match unpacked {
            Ok(()) => Ok(Some(decoder.get_mut().take())),
            Err(error) => Err(self.not_unpacked(&error)),
        }
    }

    fn end(&mut self) -> Result<Option<Bytes>, Error> {
        let rest = match self.unpacking.take() {
            None => Bytes::new(),
            Some(mut decoder) => match decoder.try_finish() {
                Ok(()) => decoder.get_mut().take(),
                Err(error) => return Err(self.not_unpacked(&error)),
            },
        };
        self.give_back();
        Ok(Some(rest).filter(|rest| !rest.is_empty()))
    }

    fn give_back(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { host: self.limits.host.clone(), limit: self.cap }
    }

    fn not_unpacked(&self, error: &io::Error) -> Error {
        if error.get_ref().is_some_and(|inner| inner.is::<Full>()) {
            return self.too_large();
        }
        let reason = format!("its gzip is broken: {error}");
        Error::Protocol { host: self.limits.host.clone(), reason }
    }
}

/// Takes what is unpacked, never more than `cap` in all: a kilobyte may unpack to a megabyte.
struct Capped {
    out: BytesMut,
    left: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("more than may be unpacked")]
struct Full;

impl Capped {
    fn new(cap: usize) -> Capped {
        Capped { out: BytesMut::new(), left: cap }
    }

    fn take(&mut self) -> Bytes {
        self.out.split().freeze()
    }
}

impl Write for Capped {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(data.len()).ok_or_else(|| io::Error::other(Full))?;
        self.out.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
