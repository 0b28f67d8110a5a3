//! Sends a request within its limits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HOST, LOCATION, PROXY_AUTHORIZATION};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use tokio::time::Instant;

use crate::body::{Body, Packing};
use crate::dial::{Dialer, Target};
use crate::error::Error;
use crate::pool::{Conn, HostGauge, Lease, Pool};
use crate::profile::Profile;
use crate::resolve::{Machine, Names};
use crate::settings::{Settings, SettingsError};
use crate::{address, tls};

/// The factory: made once, from the settings. Clones are the same: they share pools, names and authorities.
#[derive(Clone)]
pub struct Clients {
    default: Client,
    high_throughput: Client,
    model: Client,
}

impl Clients {
    pub fn new(settings: Settings) -> Result<Clients, SettingsError> {
        let tls = tls::configure(&settings)?;
        let resolve = settings.resolve.clone().unwrap_or_else(|| Arc::new(Machine));
        let names = Arc::new(Names::new(resolve, address::Filter::new(settings.allow.clone())));
        let client = |profile| {
            let numbers = settings.numbers(profile).clone();
            let dialer = Dialer::new(Arc::clone(&names), Arc::clone(&tls), &settings.proxies, &numbers);
            let limits = Defaults {
                header: numbers.response_header,
                pause: numbers.body_pause,
                total: numbers.request,
            };
            Client(Arc::new(Inner { dialer, pool: Pool::new(numbers), limits }))
        };
        Ok(Clients {
            default: client(Profile::Default),
            high_throughput: client(Profile::HighThroughput),
            model: client(Profile::Model),
        })
    }

    pub fn get(&self, profile: Profile) -> Client {
        match profile {
            Profile::Default => self.default.clone(),
            Profile::HighThroughput => self.high_throughput.clone(),
            Profile::Model => self.model.clone(),
        }
    }

    /// Every host called so far, over all profiles, sorted.
    pub fn gauges(&self) -> Vec<HostGauge> {
        let mut hosts: BTreeMap<String, HostGauge> = BTreeMap::new();
        for profile in Profile::ALL {
            for gauge in self.get(profile).0.pool.gauges() {
                let sum = hosts.entry(gauge.host.clone()).or_insert_with(|| HostGauge {
                    host: gauge.host.clone(),
                    open: 0,
                    in_use: 0,
                    idle: 0,
                });
                sum.open += gauge.open;
                sum.in_use += gauge.in_use;
                sum.idle += gauge.idle;
            }
        }
        hosts.into_values().collect()
    }
}

/// By when and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Nothing is begun after it, and nothing outlives it.
    pub deadline: Option<Instant>,
    /// Instead of the profile's.
    pub header_limit: Option<Duration>,
    pub body_pause: Option<Duration>,
    pub total_limit: Option<Duration>,
    /// Bytes of the body, unpacked.
    pub body_limit: usize,
    /// Ask for gzip. A stream of small events is better without.
    pub packed: bool,
    /// To be sent once more, on a new connection, when a kept one turns out to be closed before
    /// anything of an answer came. For requests that may arrive twice: some servers say that they
    /// keep a connection and close it.
    pub repeatable: bool,
}

impl Default for Call {
    fn default() -> Call {
        Call {
            deadline: None,
            header_limit: None,
            body_pause: None,
            total_limit: None,
            body_limit: 1024 * 1024,
            packed: true,
            repeatable: false,
        }
    }
}

#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    dialer: Dialer,
    pool: Pool,
    limits: Defaults,
}

struct Defaults {
    header: Duration,
    pause: Duration,
    total: Duration,
}

/// How long one step may take, and what it is called when it took longer.
pub(crate) type StepLimit = (Duration, fn(String, Duration) -> Error);

/// What ends a call, whatever it is doing.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) host: String,
    total: Duration,
    end: Instant,
    deadline: Option<Instant>,
}

impl Limits {
    /// `own` is the limit of this step, beside those of the whole call.
    pub(crate) async fn within<T>(
        &self,
        own: Option<StepLimit>,
        step: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let now = Instant::now();
        let own_end = own.map(|(limit, _)| now + limit);
        let end = [Some(self.end), self.deadline, own_end].into_iter().flatten().min().unwrap_or(self.end);
        match tokio::time::timeout_at(end, step).await {
            Ok(done) => Ok(done),
            Err(_) => Err(match (own, self.deadline) {
                (_, Some(deadline)) if deadline == end => Error::Deadline { host: self.host.clone() },
                (Some((limit, name)), _) if own_end == Some(end) => name(self.host.clone(), limit),
                _ => Error::TotalLimit { host: self.host.clone(), limit: self.total },
            }),
        }
    }

    fn in_time(&self) -> Result<(), Error> {
        let now = Instant::now();
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(Error::Deadline { host: self.host.clone() });
        }
        if self.end <= now {
            return Err(Error::TotalLimit { host: self.host.clone(), limit: self.total });
        }
        Ok(())
    }
}

fn no_head(host: String, limit: Duration) -> Error {
    Error::HeaderLimit { host, limit }
}

/// A connection that was returned is free within a moment, or never.
const SETTLES: Duration = Duration::from_millis(250);
// More than any answer that is meant well; hyper's own bound is 400 KiB.
const HEAD: usize = 128 * 1024;

impl Client {
    /// Resolves when the answer's head is there. An error status is an answer; a redirect is an error.
    pub async fn send(&self, request: Request<Bytes>, call: Call) -> Result<Response<Body>, Error> {
        let inner = &*self.0;
        let target = inner.dialer.target(request.uri())?;
        let total = call.total_limit.unwrap_or(inner.limits.total);
        let limits = Limits {
            host: target.label.clone(),
            total,
            end: Instant::now() + total,
            deadline: call.deadline,
        };
        limits.in_time()?;
        let request = prepare(request, &target, &call)?;
        let host = inner.pool.host(&target.key(), &target.label);
        let lease = limits.within(None, host.enter()).await?;
        limits.in_time()?;
        let header = call.header_limit.unwrap_or(inner.limits.header);
        let (response, lease) =
            inner.exchange(&target, &limits, header, request, &host, lease, call.repeatable).await?;
        refuse_redirect(&limits.host, &response)?;
        let pause = call.body_pause.unwrap_or(inner.limits.pause);
        answer(response, lease, limits, pause, call.body_limit)
    }
}

impl Inner {
    #[expect(clippy::too_many_arguments, reason = "all of them are one call's")]
    async fn exchange(
        &self,
        target: &Target,
        limits: &Limits,
        header: Duration,
        mut request: Request<Full<Bytes>>,
        host: &crate::pool::Host,
        mut lease: Lease,
        repeatable: bool,
    ) -> Result<(Response<Incoming>, Lease), Error> {
        let mut repeated = false;
        loop {
            let reused = !repeated && lease.take_idle();
            if reused {
                let ready =
                    limits.within(None, tokio::time::timeout(SETTLES, lease.sender().ready())).await?;
                if !matches!(ready, Ok(Ok(()))) {
                    lease.give_up();
                    continue;
                }
            } else {
                lease.hold(limits.within(None, self.open(target, host)).await??);
            }
            let again = (reused && repeatable).then(|| request.clone());
            let sent = lease.sender().try_send_request(request);
            match limits.within(Some((header, no_head)), sent).await? {
                Ok(response) => return Ok((response, lease)),
                Err(mut error) => match error.take_message() {
                    // The other side closed it while it was idle, and nothing was sent: the next one.
                    Some(unsent) if reused => {
                        request = unsent;
                        lease.give_up();
                    }
                    None if again.is_some() && is_gone(error.error()) => {
                        request = again.expect("it was looked at");
                        repeated = true;
                        lease.give_up();
                    }
                    _ => return Err(Error::on_the_wire(&limits.host, error.error())),
                },
            }
        }
    }

    async fn open(&self, target: &Target, host: &crate::pool::Host) -> Result<Conn, Error> {
        let socket = host.socket().await;
        let id = socket.id();
        let stream = self.dialer.dial(target, socket).await?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD)
            .handshake(stream)
            .await
            .map_err(|error| Error::on_the_wire(&target.label, &error))?;
        // Its errors reach whoever waits for the answer; it ends with the connection, or when that is dropped.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Conn::new(sender, driver.abort_handle(), &id))
    }
}

/// Closed before anything of an answer came.
fn is_gone(error: &hyper::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    error.is_incomplete_message()
        || cause.is_some_and(|cause| matches!(cause.kind(), BrokenPipe | ConnectionAborted | ConnectionReset))
}

fn prepare(request: Request<Bytes>, target: &Target, call: &Call) -> Result<Request<Full<Bytes>>, Error> {
    let (mut head, body) = request.into_parts();
    let bad = |reason: String| Error::Url { reason };
    if !head.headers.contains_key(HOST) {
        let host =
            HeaderValue::from_str(target.authority.as_str()).map_err(|error| bad(error.to_string()))?;
        head.headers.insert(HOST, host);
    }
    if call.packed && !head.headers.contains_key(ACCEPT_ENCODING) {
        head.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
    match target.asks_proxy() {
        // A proxy is asked with the whole URL.
        Some(via) => {
            if let Some(auth) = &via.auth {
                head.headers.insert(PROXY_AUTHORIZATION, auth.clone());
            }
        }
        None => {
            let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
            head.uri = Uri::try_from(path).map_err(|error| bad(error.to_string()))?;
        }
    }
    Ok(Request::from_parts(head, Full::new(body)))
}

fn refuse_redirect(host: &str, response: &Response<Incoming>) -> Result<(), Error> {
    let status = response.status();
    if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
        return Ok(());
    }
    // The host alone: what stands behind it may be a secret, or written to mislead.
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target = match location.map(str::parse::<Uri>) {
        Some(Ok(uri)) => uri.host().map_or_else(|| "another path on the same host".to_owned(), str::to_owned),
        _ => "nowhere".to_owned(),
    };
    Err(Error::Redirect { host: host.to_owned(), status: status.as_u16(), target })
}

fn answer(
    response: Response<Incoming>,
    lease: Lease,
    limits: Limits,
    pause: Duration,
    body_limit: usize,
) -> Result<Response<Body>, Error> {
    let (mut head, incoming) = response.into_parts();
    let packing =
        Packing::of(&head.headers).map_err(|reason| Error::Protocol { host: limits.host.clone(), reason })?;
    if hyper::body::Body::size_hint(&incoming).lower() > body_limit as u64 {
        return Err(Error::TooLarge { host: limits.host, limit: body_limit });
    }
    if packing == Packing::Gzip {
        head.headers.remove(CONTENT_ENCODING);
        head.headers.remove(CONTENT_LENGTH);
    }
    Ok(Response::from_parts(head, Body::new(incoming, lease, limits, pause, body_limit, packing)))
}
