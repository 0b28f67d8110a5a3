//! Documents of a model's background reading: how far their index is.

use std::fmt;

use nephoran_retrieve::{Index, State};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::out::Out;

/// The numbers of an index, read when somebody looks.
#[derive(Debug)]
pub struct Documents(pub Index);

impl Collector for Documents {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out::new(encoder);
        let progress = self.0.progress();
        let documents =
            [("total", progress.documents), ("done", progress.done), ("skipped", progress.skipped)]
                .map(|(state, count)| (state, count as i64));
        out.gauges(
            "nephoran_documents",
            "Documents by what became of them in the last look",
            "state",
            documents,
        )?;
        let passages = [("words", progress.passages), ("meaning", progress.embedded)]
            .map(|(by, count)| (by, count as i64));
        out.gauges("nephoran_passages", "Passages by what they are found by", "by", passages)?;
        let is_building = i64::from(progress.state == State::Building);
        out.gauge("nephoran_documents_building", "1 while documents are looked at", is_building)
    }
}
