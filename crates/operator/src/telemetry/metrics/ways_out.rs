//! Connections to other servers, and whether their endpoints are worth asking.

use std::fmt;
use std::sync::{Arc, Mutex};

use nephoran_http::{Breaker, Clients, HostGauge};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::lock;
use super::out::Out;

/// Hosts and endpoints are those of the configuration, so there are only so many series.
#[derive(Default)]
pub(super) struct WaysOut {
    pub(super) clients: Mutex<Vec<Arc<Clients>>>,
    pub(super) breakers: Mutex<Vec<Breaker>>,
}

impl WaysOut {
    /// Each host once.
    fn hosts(&self) -> Vec<HostGauge> {
        let mut hosts: Vec<HostGauge> = Vec::new();
        for gauge in lock(&self.clients).iter().flat_map(|clients| clients.gauges()) {
            match hosts.iter_mut().find(|known| known.host == gauge.host) {
                Some(known) => {
                    known.open += gauge.open;
                    known.in_use += gauge.in_use;
                    known.idle += gauge.idle;
                }
                None => hosts.push(gauge),
            }
        }
        hosts
    }
}

impl fmt::Debug for WaysOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaysOut").finish_non_exhaustive()
    }
}

impl Collector for WaysOut {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out::new(encoder);
        let hosts = self.hosts();
        let idle = hosts.iter().map(|gauge| (gauge.host.as_str(), gauge.idle as i64));
        out.gauges("http_client_idle_connections_per_host", "Connections kept for later", "host", idle)?;
        let connections = hosts.iter().flat_map(|gauge| {
            [("idle", gauge.idle), ("in_use", gauge.in_use)]
                .map(|(state, count)| ([("host", gauge.host.as_str()), ("state", state)], count as i64))
        });
        out.gauged("nephoran_http_client_connections", "Connections open", connections)?;
        let breakers = lock(&self.breakers).clone();
        let states = breakers.iter().map(|breaker| (breaker.endpoint(), breaker.state().as_number()));
        out.gauges("nephoran_breaker_state", "0 closed, 1 half-open, 2 open", "endpoint", states)
    }
}
