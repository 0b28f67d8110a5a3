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
    /// Each host once; one that a breaker stands before is there from the start, called or not.
    fn hosts(&self) -> Vec<HostGauge> {
        let uncalled = |breaker: &Breaker| HostGauge {
            host: breaker.endpoint().to_owned(),
            open: 0,
            in_use: 0,
            idle: 0,
        };
        let mut hosts: Vec<HostGauge> = lock(&self.breakers).iter().map(uncalled).collect();
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use nephoran_http::{BreakerSettings, Call, Profile, Settings};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::Metrics;
    use super::*;

    #[tokio::test]
    async fn a_configured_host_is_shown_before_and_after_it_is_called() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.read_u8().await.unwrap();
            connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            connection
        });
        let settings = Settings { allow: vec!["127.0.0.1".parse().unwrap()], ..Settings::default() };
        let clients = Clients::new(settings).unwrap();
        let breaker = Breaker::new(host.clone(), BreakerSettings { minimum: 1, ..Default::default() });
        let metrics = Metrics::new();
        metrics.show_clients(Arc::new(clients.clone()));
        metrics.show_breaker(breaker.clone());
        let shown = |idle: u32, breaker: u32| {
            let text = metrics.encode();
            for line in [
                format!("http_client_idle_connections_per_host{{host=\"{host}\"}} {idle}"),
                format!("nephoran_http_client_connections{{host=\"{host}\",state=\"in_use\"}} 0"),
                format!("nephoran_http_client_connections{{host=\"{host}\",state=\"idle\"}} {idle}"),
                format!("nephoran_breaker_state{{endpoint=\"{host}\"}} {breaker}"),
            ] {
                assert_eq!(text.lines().filter(|shown| **shown == line).count(), 1, "{line} in\n{text}");
            }
        };
        shown(0, 0);

        let request = http::Request::get(format!("http://{host}/")).body(bytes::Bytes::new()).unwrap();
        let answer = clients.get(Profile::Model).send(request, Call::default()).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap(), "ok");
        let open = server.await.unwrap();
        breaker.try_pass().unwrap().failed();
        shown(1, 2);
        drop(open);
    }
}
