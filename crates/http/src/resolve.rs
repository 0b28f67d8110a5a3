//! Names to addresses: remembered for a short time, filtered.
//!
//! The connector dials exactly the addresses that come out here, so nothing can change between check and dial.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::time::Instant;
use tower::Service;

use crate::address::{Filter, Range};

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Who finds the addresses of a name.
pub trait Resolve: Send + Sync + 'static {
    fn resolve(&self, host: &str) -> Answer<io::Result<Vec<IpAddr>>>;
}

/// The machine's own way.
pub(crate) struct Machine;

impl Resolve for Machine {
    fn resolve(&self, host: &str) -> Answer<io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{0}")]
    Unknown(String),
    #[error("{address} is a {range} address")]
    Forbidden { address: IpAddr, range: Range },
}

// Long enough that a burst asks once, short enough that a moved service is found soon.
const REMEMBERED: Duration = Duration::from_secs(30);
// More names than any configuration holds.
const NAMES: usize = 256;

pub(crate) struct Names {
    resolve: Arc<dyn Resolve>,
    filter: Filter,
    known: Mutex<HashMap<String, Known>>,
}

struct Known {
    addresses: Vec<IpAddr>,
    until: Instant,
}

impl Names {
    pub(crate) fn new(resolve: Arc<dyn Resolve>, filter: Filter) -> Names {
        Names { resolve, filter, known: Mutex::default() }
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// All addresses, unfiltered. Failures are not remembered: the next call asks again.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Fault> {
        if let Some(addresses) = self.remembered(host) {
            return Ok(addresses);
        }
        let found = self.resolve.resolve(host).await.map_err(|error| Fault::Unknown(error.to_string()))?;
        if found.is_empty() {
            return Err(Fault::Unknown("the name has no address".to_owned()));
        }
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= NAMES {
            known.retain(|_, entry| entry.until > now);
        }
        if known.len() < NAMES {
            known.insert(host.to_owned(), Known { addresses: found.clone(), until: now + REMEMBERED });
        }
        Ok(found)
    }

    fn remembered(&self, host: &str) -> Option<Vec<IpAddr>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(host).filter(|entry| entry.until > Instant::now()).map(|entry| entry.addresses.clone())
    }

    async fn allowed(&self, host: &str) -> Result<Vec<IpAddr>, Fault> {
        let mut refused = None;
        let mut open = Vec::new();
        for address in self.addresses(host).await? {
            match self.filter.refuses(host, address) {
                Some(range) => refused = Some(Fault::Forbidden { address, range }),
                None => open.push(address),
            }
        }
        match refused {
            Some(fault) if open.is_empty() => Err(fault),
            _ => Ok(open),
        }
    }
}

/// What the connector asks.
#[derive(Clone)]
pub(crate) struct Resolver {
    pub(crate) names: Arc<Names>,
    /// A proxy of the environment was named by whoever runs the machine: its address is not filtered.
    pub(crate) trusted: bool,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Fault;
    type Future = Answer<Result<Self::Response, Fault>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Resolver { names, trusted } = self.clone();
        Box::pin(async move {
            // As the list of allowed names has it.
            let host = &name.as_str().trim_end_matches('.').to_ascii_lowercase();
            let addresses = match trusted {
                true => names.addresses(host).await?,
                false => names.allowed(host).await?,
            };
            let addresses: Vec<_> = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            Ok(addresses.into_iter())
        })
    }
}
