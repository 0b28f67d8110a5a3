//! Takes spans to a collector: OTLP over HTTP, in batches, from a bounded queue.
//!
//! A collector that is slow or gone costs spans, which are counted, and nothing else.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use nephoran_http::{Allow, Call, Client, Clients, Profile, Settings};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Metrics;
use super::metrics::{Fate, Span};

/// Spans in one request, and how long the first of them waits for others.
const BATCH: usize = 512;
const GATHER: Duration = Duration::from_secs(1);

/// Longest wait for a collector's answer.
const ANSWER: Duration = Duration::from_secs(5);

/// What is left at the end may take this long.
const FLUSH: Duration = Duration::from_secs(2);

/// Where the spans are taken. Ends with [`Exporter::close`].
pub struct Exporter {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Exporter {
    /// `endpoint` is the collector's base address, e.g. `http://127.0.0.1:4318`.
    pub fn start(endpoint: &str, metrics: &Metrics) -> anyhow::Result<Self> {
        let host = endpoint.parse::<http::Uri>().context("read telemetry.otlp")?;
        let host = host.host().context("telemetry.otlp names no host")?.trim_matches(['[', ']']).to_owned();
        let settings = Settings {
            // Who configures a collector means that one, wherever it is.
            allow: vec![host.parse::<Allow>().context("read the host of telemetry.otlp")?],
            proxies: nephoran_http::Proxies::from_environment(|name| std::env::var(name).ok()),
            ..Settings::default()
        };
        let clients = Arc::new(Clients::new(settings).context("make the client for telemetry.otlp")?);
        let way = Way(clients.get(Profile::Default));
        metrics.show_clients(clients);
        let mut exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(way)
            .with_endpoint(traces_at(endpoint))
            .with_timeout(ANSWER)
            .build()
            .context("make the exporter for telemetry.otlp")?;
        exporter.set_resource(
            &Resource::builder()
                .with_service_name("nephoran")
                .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
                .build(),
        );
        let spans = metrics.open_spans().context("spans are exported already")?;
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(spans, exporter, metrics.clone(), stop.clone()));
        Ok(Self { task, stop })
    }

    /// Sends what is left, for at most two seconds.
    pub async fn close(self) {
        self.stop.cancel();
        if tokio::time::timeout(FLUSH + Duration::from_secs(1), self.task).await.is_err() {
            warn!("The exporter of spans did not end in time.");
        }
    }
}

/// As the specification of OTLP has it for a base address.
fn traces_at(endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    if endpoint.ends_with("/v1/traces") { endpoint.to_owned() } else { format!("{endpoint}/v1/traces") }
}

async fn run(
    mut spans: mpsc::Receiver<Span>,
    exporter: impl SpanExporter,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let given_up = async {
        stop.cancelled().await;
        tokio::time::sleep(FLUSH).await;
    };
    tokio::pin!(given_up);
    let scope = InstrumentationScope::builder("nephoran").with_version(env!("CARGO_PKG_VERSION")).build();
    let mut batch = Vec::with_capacity(BATCH);
    let mut failing = false;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => spans.close(),
            () = gather(&mut spans, &mut batch) => {}
        }
        while batch.len() < BATCH
            && let Ok(span) = spans.try_recv()
        {
            batch.push(span);
        }
        if batch.is_empty() {
            return;
        }
        let count = batch.len() as u64;
        let data = batch.drain(..).map(|span| data(span, &scope)).collect();
        let sent = tokio::select! {
            sent = exporter.export(data) => sent,
            () = &mut given_up => {
                let lost = count + spans.len() as u64;
                metrics.spans(Fate::DroppedFailed, lost);
                return warn!(spans = lost, "The collector took too long at the end: its last spans are lost.");
            }
        };
        metrics.spans(if sent.is_ok() { Fate::Exported } else { Fate::DroppedFailed }, count);
        match (sent, failing) {
            (Err(cause), false) => {
                warn!(%cause, "The collector does not take spans; they are dropped and counted until it does.");
                failing = true;
            }
            (Ok(()), true) => {
                info!("The collector takes spans again.");
                failing = false;
            }
            _ => {}
        }
    }
}

/// Until there is something to send: a whole batch, or what came within a second.
async fn gather(spans: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) {
    if batch.is_empty() && spans.recv_many(batch, BATCH).await == 0 {
        return;
    }
    let filled =
        async { while batch.len() < BATCH && spans.recv_many(batch, BATCH - batch.len()).await > 0 {} };
    // Late is no harm: what came is in the batch.
    let _ = tokio::time::timeout(GATHER, filled).await;
}

fn data(span: Span, scope: &InstrumentationScope) -> SpanData {
    let context = SpanContext::new(
        TraceId::from_bytes(span.trace.id.0.to_be_bytes()),
        SpanId::from_bytes(span.id.to_be_bytes()),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    SpanData {
        span_context: context,
        parent_span_id: SpanId::from_bytes(span.parent.to_be_bytes()),
        parent_span_is_remote: span.parent_is_remote,
        span_kind: if span.id == span.trace.root { SpanKind::Consumer } else { SpanKind::Internal },
        name: span.name.into(),
        start_time: span.start,
        end_time: span.end,
        attributes: span.attributes.into_iter().map(|(name, value)| KeyValue::new(name, value)).collect(),
        dropped_attributes_count: 0,
        events: Default::default(),
        links: Default::default(),
        status: span.failed.map_or(Status::Unset, Status::error),
        instrumentation_scope: scope.clone(),
    }
}

/// Our own way out, with its pool, its limits and its filter of addresses.
struct Way(Client);

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Way")
    }
}

impl HttpClient for Way {
    // The trait is written for `async_trait`; this is what it stands for.
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            // A collector answers with a few bytes.
            let call =
                Call { total_limit: Some(ANSWER), body_limit: 64 * 1024, packed: false, ..Call::default() };
            let (head, body) = self.0.send(request, call).await?.into_parts();
            Ok(Response::from_parts(head, body.collect().await?))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;
    use std::time::SystemTime;

    use nephoran_model::intent::IntentId;
    use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
    use tokio::time::Instant;

    use super::*;
    use crate::telemetry::trace::Trace;

    #[derive(Debug, Clone, Copy)]
    enum Behaviour {
        Takes,
        Refuses,
        NeverAnswers,
    }

    #[derive(Debug, Clone)]
    struct Collector {
        behaves: Behaviour,
        batches: Arc<Mutex<Vec<usize>>>,
    }

    impl Collector {
        fn new(behaves: Behaviour) -> Self {
            Self { behaves, batches: Arc::default() }
        }
    }

    impl SpanExporter for Collector {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.batches.lock().unwrap().push(batch.len());
            match self.behaves {
                Behaviour::Takes => Ok(()),
                Behaviour::Refuses => Err(OTelSdkError::InternalFailure("refused".into())),
                Behaviour::NeverAnswers => std::future::pending().await,
            }
        }
    }

    fn trace() -> Trace {
        Trace::new(&IntentId::parse("01jd3v8k9m2n4p6q8r0s2t4v6w").unwrap(), None)
    }

    fn fates(metrics: &Metrics) -> [u64; 3] {
        let text = metrics.encode();
        Fate::ALL.map(|fate| {
            let series = format!("nephoran_spans_total{{result=\"{}\"}} ", fate.as_str());
            text.lines().find_map(|line| line.strip_prefix(&series)).unwrap().parse().unwrap()
        })
    }

    /// As many spans as said, then the end. How many came to which fate, in which batches, in which time.
    async fn sent(behaves: Behaviour, spans: usize) -> ([u64; 3], Vec<usize>, Duration) {
        let metrics = Metrics::new();
        let collector = Collector::new(behaves);
        let received = metrics.open_spans().unwrap();
        for _ in 0..spans {
            metrics.accepted(trace(), Duration::from_millis(1));
        }
        let stop = CancellationToken::new();
        stop.cancel();
        let begun = Instant::now();
        run(received, collector.clone(), metrics.clone(), stop).await;
        let batches = collector.batches.lock().unwrap().clone();
        (fates(&metrics), batches, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_at_the_end_is_sent_in_whole_batches() {
        let (fates, batches, _) = sent(Behaviour::Takes, 1100).await;
        assert_eq!((fates, batches), ([1100, 0, 0], vec![512, 512, 76]));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_collector_refuses_is_counted() {
        let (fates, _, _) = sent(Behaviour::Refuses, 600).await;
        assert_eq!(fates, [0, 0, 600]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_collector_that_never_answers_holds_up_the_end_for_two_seconds_and_every_span_is_accounted_for()
    {
        let (fates, _, took) = sent(Behaviour::NeverAnswers, 1000).await;
        assert_eq!(fates, [0, 0, 1000]);
        assert_eq!(took.as_secs(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_drops_and_counts_and_nobody_waits() {
        let (fates, _, _) = sent(Behaviour::Takes, 9000).await;
        assert_eq!(fates, [8192, 808, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_spans_are_sent_within_a_second() {
        let metrics = Metrics::new();
        let collector = Collector::new(Behaviour::Takes);
        let stop = CancellationToken::new();
        let received = metrics.open_spans().unwrap();
        let running = tokio::spawn(run(received, collector, metrics.clone(), stop.clone()));
        for _ in 0..3 {
            metrics.accepted(trace(), Duration::from_millis(1));
        }
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(fates(&metrics), [3, 0, 0]);
        stop.cancel();
        running.await.unwrap();
    }

    #[test]
    fn no_span_is_made_while_nobody_wants_any() {
        let metrics = Metrics::new();
        metrics.accepted(trace(), Duration::from_millis(1));
        assert!(!metrics.is_traced());
        assert_eq!(fates(&metrics), [0, 0, 0]);
    }

    #[test]
    fn a_base_address_and_a_whole_one_lead_to_the_same_place() {
        for endpoint in ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"] {
            assert_eq!(traces_at(endpoint), "http://c:4318/v1/traces");
        }
    }

    #[test]
    fn a_span_says_where_it_belongs_and_what_went_wrong() {
        let scope = InstrumentationScope::builder("nephoran").build();
        let now = SystemTime::now();
        let span = Span {
            trace: trace(),
            id: 7,
            parent: trace().root,
            parent_is_remote: false,
            name: "apply",
            start: now,
            end: now,
            attributes: vec![("nephoran.commit", "abc".into())],
            failed: Some("the disk is full".into()),
        };
        let data = data(span, &scope);
        assert_eq!(data.span_context.trace_id().to_string(), trace().id.to_string());
        assert_eq!(data.parent_span_id.to_string(), format!("{:016x}", trace().root));
        assert_eq!(data.status, Status::error("the disk is full"));
    }
}
