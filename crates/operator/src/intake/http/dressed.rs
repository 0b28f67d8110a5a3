//! Answers that hyper gives by itself, to bytes that are no request, in our form.
//!
//! hyper writes them below every route: a bare head without any of our headers. They are told by
//! that, as they leave, and replaced.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use nephoran_api::problem::Problem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame::{RequestId, fresh_id};

/// hyper's own answers are shorter than this; ours are longer, and carry a request id.
const BARE: usize = 256;

pub struct Dressed<S> {
    stream: S,
    /// What goes out in place of a bare answer, and how much of it has.
    instead: Option<(Vec<u8>, usize)>,
}

impl<S> Dressed<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, instead: None }
    }
}

/// The status of an answer of hyper's own.
fn bare_status(bytes: &[u8]) -> Option<u16> {
    if bytes.len() > BARE || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ").or_else(|| head.strip_prefix("HTTP/1.0 "))?.get(..3)?;
    let bare = head.contains("\r\ncontent-length: 0\r\n") && !head.contains("\r\nx-request-id: ");
    status.parse().ok().filter(|status| bare && (400..500).contains(status))
}

fn dress(status: u16) -> Vec<u8> {
    let (kind, title, detail) = match status {
        431 => ("headers", "Request Header Fields Too Large", "the headers are too large"),
        414 => ("target", "URI Too Long", "the request target is too long"),
        _ => ("bad_request", "Bad Request", "this is no HTTP request that can be read"),
    };
    let RequestId(id) = fresh_id();
    let id = id.to_str().unwrap_or_default();
    let mut problem = Problem::new(status, kind, title, detail);
    problem.instance = format!("urn:nephoran:request:{id}");
    let body = serde_json::to_string(&problem).unwrap_or_default();
    format!(
        "HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         connection: close\r\nx-request-id: {id}\r\nx-content-type-options: nosniff\r\n\
         x-frame-options: DENY\r\ncache-control: no-store\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

impl<S: AsyncRead + Unpin> AsyncRead for Dressed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Dressed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.instead.is_none()
            && let Some(status) = bare_status(bytes)
        {
            this.instead = Some((dress(status), 0));
        }
        let Some((instead, sent)) = &mut this.instead else {
            return Pin::new(&mut this.stream).poll_write(context, bytes);
        };
        while *sent < instead.len() {
            let written = ready!(Pin::new(&mut this.stream).poll_write(context, &instead[*sent..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *sent += written;
        }
        this.instead = None;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut said = slices.iter().filter(|slice| !slice.is_empty());
        match (said.next(), said.next()) {
            (Some(only), None) => self.poll_write(context, only),
            _ => Pin::new(&mut self.stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
