//! One connection: directly, through a proxy, with TLS or without.

use std::error::Error as StdError;
use std::future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower::Service;

use crate::error::{Error, find, innermost};
use crate::pool::{Counted, Socket};
use crate::profile::Numbers;
use crate::resolve::{Fault, Names, Resolver};
use crate::settings::Proxies;

pub(crate) type Stream = MaybeHttpsStream<Counted<TokioIo<TcpStream>>>;

/// Where a request goes, and which way.
pub(crate) struct Target {
    /// Scheme and authority.
    origin: Uri,
    /// Without brackets.
    pub(crate) host: String,
    /// Host and port, as shown.
    pub(crate) label: String,
    pub(crate) authority: Authority,
    secure: bool,
    pub(crate) via: Option<Via>,
}

/// A proxy on the way.
pub(crate) struct Via {
    uri: Uri,
    pub(crate) auth: Option<HeaderValue>,
    /// Host and port, never the password.
    pub(crate) label: String,
}

impl Target {
    /// Tells pools apart.
    pub(crate) fn key(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.label)
    }

    /// Plain HTTP is asked of the proxy itself; TLS goes through a tunnel.
    pub(crate) fn asks_proxy(&self) -> Option<&Via> {
        self.via.as_ref().filter(|_| !self.secure)
    }
}

pub(crate) struct Dialer {
    direct: HttpConnector<Resolver>,
    to_proxy: HttpConnector<Resolver>,
    names: Arc<Names>,
    tls: Arc<ClientConfig>,
    proxies: Matcher,
    dial: Duration,
    handshake: Duration,
}

impl Dialer {
    pub(crate) fn new(
        names: Arc<Names>,
        tls: Arc<ClientConfig>,
        proxies: &Proxies,
        numbers: &Numbers,
    ) -> Dialer {
        let connector = |trusted| {
            let mut connector =
                HttpConnector::new_with_resolver(Resolver { names: Arc::clone(&names), trusted });
            connector.enforce_http(false);
            connector.set_nodelay(true);
            connector.set_keepalive(Some(numbers.keep_alive));
            connector.set_connect_timeout(Some(numbers.dial));
            connector
        };
        Dialer {
            direct: connector(false),
            to_proxy: connector(true),
            tls,
            proxies: Matcher::builder()
                .all(proxies.all.clone())
                .http(proxies.http.clone())
                .https(proxies.https.clone())
                .no(proxies.no.clone())
                .build(),
            dial: numbers.dial,
            handshake: numbers.tls_handshake,
            names,
        }
    }

    /// Reads a URL. An address in it is checked here: the connector asks the resolver for names only.
    pub(crate) fn target(&self, uri: &Uri) -> Result<Target, Error> {
        let bad = |reason: &str| Error::Url { reason: reason.to_owned() };
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(_) => return Err(bad("its scheme is neither http nor https")),
            None => return Err(bad("it has no scheme")),
        };
        let authority = uri.authority().ok_or_else(|| bad("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("it holds a user or password"));
        }
        let host = authority.host().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        if host.is_empty() {
            return Err(bad("it has no host"));
        }
        // A port that is no number is read as none, and would silently become 80.
        let named_port = authority.as_str().rsplit(']').next().is_some_and(|rest| rest.contains(':'));
        if named_port && authority.port().is_none() {
            return Err(bad("its port is no number up to 65535"));
        }
        let literal = host.parse::<IpAddr>().ok();
        if let Some(address) = literal
            && let Some(range) = self.names.filter().refuses(&host, address)
        {
            return Err(Error::Forbidden { host, address, range });
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let label = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        let origin = Uri::builder()
            .scheme(if secure { "https" } else { "http" })
            .authority(authority.as_str())
            .path_and_query("/")
            .build()
            .map_err(|error| bad(&error.to_string()))?;
        // What is on this machine is not asked for elsewhere, whatever the environment says.
        let local = host == "localhost" || literal.is_some_and(|address| address.is_loopback());
        let via = match local {
            true => None,
            false => self.way(&origin, &label)?,
        };
        Ok(Target { origin, host, label, authority: authority.clone(), secure, via })
    }

    fn way(&self, origin: &Uri, host: &str) -> Result<Option<Via>, Error> {
        let Some(found) = self.proxies.intercept(origin) else { return Ok(None) };
        let proxy = found.uri();
        let label = match (proxy.host(), proxy.port_u16()) {
            (Some(host), port) => format!("{host}:{}", port.unwrap_or(80)),
            (None, _) => String::new(),
        };
        if proxy.scheme_str() != Some("http") || label.is_empty() {
            let reason = "only proxies with an http:// URL are used".to_owned();
            return Err(Error::Proxy { proxy: label, host: host.to_owned(), reason });
        }
        Ok(Some(Via { uri: proxy.clone(), auth: found.basic_auth().cloned(), label }))
    }

    pub(crate) async fn dial(&self, target: &Target, socket: Socket) -> Result<Stream, Error> {
        let tcp = match &target.via {
            None => {
                let connector = self.direct.clone();
                let dialled = self.tcp(connector, target.origin.clone()).await;
                socket.count(dialled.map_err(|reason| not_connected(target, reason))?)
            }
            Some(via) => self.dial_proxy(target, via, socket).await?,
        };
        if !target.secure {
            return Ok(MaybeHttpsStream::Http(tcp));
        }
        self.secure(target, tcp).await
    }

    async fn tcp(
        &self,
        mut connector: HttpConnector<Resolver>,
        to: Uri,
    ) -> Result<TokioIo<TcpStream>, Reason> {
        match tokio::time::timeout(self.dial, connector.call(to)).await {
            Ok(Ok(tcp)) => Ok(tcp),
            Ok(Err(error)) => Err(match find::<Fault>(&error) {
                Some(fault) => Reason::Address(fault.clone()),
                None => Reason::Said(innermost(&error)),
            }),
            Err(_) => Err(Reason::Said(format!("no connection within {:?}", self.dial))),
        }
    }

    async fn dial_proxy(
        &self,
        target: &Target,
        via: &Via,
        socket: Socket,
    ) -> Result<Counted<TokioIo<TcpStream>>, Error> {
        let fault =
            |reason: String| Error::Proxy { proxy: via.label.clone(), host: target.label.clone(), reason };
        let dialled = self.tcp(self.to_proxy.clone(), via.uri.clone()).await;
        let tcp = socket.count(dialled.map_err(|reason| fault(reason.to_string()))?);
        if !target.secure {
            return Ok(tcp);
        }
        let mut tunnel = Tunnel::new(via.uri.clone(), ready(tcp));
        if let Some(auth) = &via.auth {
            tunnel = tunnel.with_auth(auth.clone());
        }
        match tokio::time::timeout(self.dial, tunnel.call(target.origin.clone())).await {
            Ok(Ok(tcp)) => Ok(tcp),
            Ok(Err(error)) => Err(fault(innermost(&error))),
            Err(_) => Err(fault(format!("no tunnel within {:?}", self.dial))),
        }
    }

    async fn secure(&self, target: &Target, tcp: Counted<TokioIo<TcpStream>>) -> Result<Stream, Error> {
        let host = &target.label;
        let mut connector = HttpsConnector::from((ready(tcp), Arc::clone(&self.tls)));
        match tokio::time::timeout(self.handshake, connector.call(target.origin.clone())).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                let error: &(dyn StdError + 'static) = &*error;
                Err(match find::<rustls::Error>(error) {
                    Some(fault) => Error::from_tls(host, fault),
                    None => Error::Tls { host: host.clone(), reason: innermost(error) },
                })
            }
            Err(_) => Err(Error::Tls {
                host: host.clone(),
                reason: format!("no handshake within {:?}", self.handshake),
            }),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("{0}")]
    Address(Fault),
    #[error("{0}")]
    Said(String),
}

fn not_connected(target: &Target, reason: Reason) -> Error {
    match reason {
        Reason::Address(Fault::Forbidden { address, range }) => {
            Error::Forbidden { host: target.host.clone(), address, range }
        }
        Reason::Address(Fault::Unknown(reason)) => Error::Resolve { host: target.host.clone(), reason },
        Reason::Said(reason) => Error::Connect { host: target.label.clone(), reason },
    }
}

/// A connection that stands already, in the clothes of a connector.
fn ready<T: Send + 'static>(
    stream: T,
) -> impl Service<Uri, Response = T, Error = io::Error, Future = future::Ready<io::Result<T>>> {
    let mut stream = Some(stream);
    tower::service_fn(move |_: Uri| {
        future::ready(stream.take().ok_or_else(|| io::Error::other("the connection was taken already")))
    })
}
