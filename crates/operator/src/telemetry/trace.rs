//! The trace of an intent: one from door to commit, whatever lies between.
//!
//! It follows from the intent alone. Its id is the number that the intent's own id is written with, or
//! the id of the trace that the request was a part of (W3C `traceparent`), which the record keeps. So a
//! restart, a night in the queue or a retry goes on in the same trace, and nothing is carried along.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use nephoran_model::intent::{Intent, IntentId};

use crate::admit::id;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// Shown as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(pub u128);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Where the spans of one intent belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    pub id: TraceId,
    /// The span of the whole way, above those of its stages.
    pub root: u64,
    /// The requester's own span, above the root.
    pub above: Option<u64>,
}

impl Trace {
    pub fn of(intent: &Intent) -> Self {
        Self::new(&intent.id, intent.traceparent.as_deref())
    }

    pub fn new(intent: &IntentId, traceparent: Option<&str>) -> Self {
        let number = id::number(intent);
        // Neither may be 0. The low half of an id is random.
        let root = (number as u64).max(1);
        match traceparent.and_then(parse) {
            Some((trace, above)) => Self { id: TraceId(trace), root, above: Some(above) },
            None => Self { id: TraceId(number.max(1)), root, above: None },
        }
    }

    /// Names the trace in an answer.
    pub fn mark(&self, headers: &mut HeaderMap, recorded: bool) {
        let parent = format!("00-{}-{:016x}-0{}", self.id, self.root, u8::from(recorded));
        for (name, value) in [(&TRACE_ID, self.id.to_string()), (&TRACEPARENT, parent)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name.clone(), value);
            }
        }
    }
}

/// The one `traceparent` of a request, when it is one.
pub fn sent(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(&TRACEPARENT).iter();
    let text = all.next()?.to_str().ok()?;
    (all.next().is_none() && parse(text).is_some()).then(|| text.to_owned())
}

/// Trace and span of `00-<32>-<16>-<2>`. A later version may go on after that; `ff` is none.
fn parse(text: &str) -> Option<(u128, u64)> {
    let hex = |text: &str, digits| {
        text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = text.splitn(5, '-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let more = parts.next().is_some();
    if !hex(version, 2) || version == "ff" || (version == "00" && more) || text.len() > 512 {
        return None;
    }
    if !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
        return None;
    }
    let (trace, span) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
    (trace != 0 && span != 0).then_some((trace, span))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn intent() -> IntentId {
        IntentId::parse("01jd3v8k9m2n4p6q8r0s2t4v6w").unwrap()
    }

    #[test]
    fn a_trace_follows_from_the_intent_alone() {
        let trace = Trace::new(&intent(), None);
        assert_eq!(trace, Trace::new(&intent(), None));
        assert_eq!(trace.id.to_string().len(), 32);
        assert!(trace.id.0 != 0 && trace.root != 0 && trace.above.is_none());
        let other = Trace::new(&IntentId::parse("not-a-number").unwrap(), None);
        assert!(other.id != trace.id && other.id.0 != 0 && other.root != 0);
    }

    #[test]
    fn a_requester_s_trace_is_gone_on_with() {
        let trace = Trace::new(&intent(), Some(SENT));
        assert_eq!(trace.id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.above, Some(0x00f0_67aa_0ba9_02b7));
        assert_eq!(trace.root, Trace::new(&intent(), None).root);
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        let zero_trace = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let zero_span = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16));
        let upper = SENT.to_ascii_uppercase();
        let ff = SENT.replacen("00", "ff", 1);
        let more = format!("{SENT}-more");
        for bad in ["", "00", "00---", &SENT[..54], &zero_trace, &zero_span, &upper, &ff, &more] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert!(parse(&more.replacen("00", "01", 1)).is_some(), "a later version may say more");

        let mut headers = HeaderMap::new();
        assert_eq!(sent(&headers), None);
        headers.append(&TRACEPARENT, HeaderValue::from_static(SENT));
        assert_eq!(sent(&headers).as_deref(), Some(SENT));
        headers.append(&TRACEPARENT, HeaderValue::from_static(SENT));
        assert_eq!(sent(&headers), None, "two are none");
    }

    #[test]
    fn an_answer_names_the_trace() {
        let mut headers = HeaderMap::new();
        Trace::new(&intent(), Some(SENT)).mark(&mut headers, true);
        assert_eq!(headers["x-trace-id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        let parent = headers["traceparent"].to_str().unwrap();
        assert!(parse(parent).is_some() && parent.ends_with("-01"), "{parent}");
    }
}
