//! Request rates: what each tier said, and of how many clients it knows.

use std::fmt;

use nephoran_limit::Tier;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::out::Out;
use crate::admit::RequestRates;

impl Collector for RequestRates {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out::new(encoder);
        let numbers = self.numbers();
        let all = Tier::ALL.into_iter().flat_map(|tier| {
            [("allowed", numbers.passed(tier)), ("refused", numbers.refused(tier))]
                .map(|(result, count)| ([("tier", tier.as_str()), ("result", result)], count))
        });
        out.counted("nephoran_rate_limit", "Requests by what each tier said", all)?;
        out.gauge("nephoran_rate_limit_clients", "Clients known now", numbers.clients as i64)
    }
}
