//! A language model: what was asked, how it ended, what it took.

use std::fmt;
use std::sync::{Arc, OnceLock};

use nephoran_llm::{BUCKETS, Ended, ModelTranslator};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::out::Out;

#[derive(Default)]
pub(super) struct Model {
    /// Counts for itself; read when somebody looks. Empty: no model is configured.
    pub(super) translator: OnceLock<Arc<ModelTranslator>>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

impl Collector for Model {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out::new(encoder);
        let translator = self.translator.get();
        let stats = translator.map(|translator| translator.stats()).unwrap_or_default();
        let ended = translator.iter().flat_map(|translator| {
            let endpoint = translator.endpoint();
            Ended::ALL.map(|how| ([("endpoint", endpoint), ("result", how.as_str())], stats.ended(how)))
        });
        out.counted("nephoran_model_requests", "Requests to understand words, by how they ended", ended)?;
        out.counter("nephoran_model_calls", "Calls of the endpoint", stats.calls)?;
        out.counter("nephoran_model_repairs", "Calls that showed the model its own errors", stats.repairs)?;
        out.counter("nephoran_model_repeats", "Calls made again after a failure", stats.repeats)?;
        out.counter("nephoran_model_invalid", "Answers that had not the right form", stats.invalid)?;
        let help = "Proposals that did not rest on what the author said";
        out.counter("nephoran_model_unfaithful", help, stats.unfaithful)?;
        let tokens = [("prompt", stats.prompt_tokens), ("completion", stats.completion_tokens)]
            .map(|(direction, count)| ([("direction", direction)], count));
        out.counted("nephoran_model_tokens", "Tokens, as the endpoint counts them", tokens)?;
        let bounds = BUCKETS.into_iter().chain([f64::MAX]);
        let calls = Calls {
            buckets: bounds.zip(stats.seconds).collect(),
            sum: stats.seconds_sum.as_secs_f64(),
            count: stats.seconds.iter().sum(),
        };
        out.histogram("nephoran_model_seconds", "Time of one call", &calls)
    }
}

struct Calls {
    /// Upper bound and count of each, not cumulated.
    buckets: Vec<(f64, u64)>,
    sum: f64,
    count: u64,
}

impl EncodeMetric for Calls {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_histogram::<NoLabelSet>(self.sum, self.count, &self.buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
