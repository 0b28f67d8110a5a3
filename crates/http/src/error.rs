//! What can go wrong on the way out, by name, and what to do about it.
//!
//! Messages name hosts, never whole URLs: a path or a query may hold what nobody else should read.

use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::address::Range;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the URL cannot be called: {reason}")]
    Url { reason: String },
    #[error("no address found for {host}: {reason}")]
    Resolve { host: String, reason: String },
    #[error("{host} is at {address}, a {range} address, which is not dialled unless it was named")]
    Forbidden { host: String, address: IpAddr, range: Range },
    #[error("connect to {host}: {reason}")]
    Connect { host: String, reason: String },
    #[error("the proxy {proxy} does not let us reach {host}: {reason}")]
    Proxy { proxy: String, host: String, reason: String },
    #[error("the certificate of {host} is not trusted: {reason}")]
    Certificate { host: String, reason: String },
    #[error("TLS with {host}: {reason}")]
    Tls { host: String, reason: String },
    #[error("{host} did not begin to answer within {limit:?}")]
    HeaderLimit { host: String, limit: Duration },
    #[error("{host} paused for {limit:?} in the middle of its answer")]
    BodyPause { host: String, limit: Duration },
    #[error("the call to {host} took more than {limit:?}")]
    TotalLimit { host: String, limit: Duration },
    #[error("the deadline passed during the call to {host}")]
    Deadline { host: String },
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge { host: String, limit: usize },
    #[error("{host} answered {status} and points to {target}; redirects are not followed")]
    Redirect { host: String, status: u16, target: String },
    #[error("{host} does not speak HTTP as agreed: {reason}")]
    Protocol { host: String, reason: String },
}

/// The name of an [`Error`], for metrics and decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Url,
    Resolve,
    Forbidden,
    Connect,
    Proxy,
    Certificate,
    Tls,
    HeaderLimit,
    BodyPause,
    TotalLimit,
    Deadline,
    TooLarge,
    Redirect,
    Protocol,
}

impl Kind {
    pub const ALL: [Kind; 14] = [
        Kind::Url,
        Kind::Resolve,
        Kind::Forbidden,
        Kind::Connect,
        Kind::Proxy,
        Kind::Certificate,
        Kind::Tls,
        Kind::HeaderLimit,
        Kind::BodyPause,
        Kind::TotalLimit,
        Kind::Deadline,
        Kind::TooLarge,
        Kind::Redirect,
        Kind::Protocol,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Url => "url",
            Kind::Resolve => "resolve",
            Kind::Forbidden => "forbidden_address",
            Kind::Connect => "connect",
            Kind::Proxy => "proxy",
            Kind::Certificate => "certificate",
            Kind::Tls => "tls",
            Kind::HeaderLimit => "header_limit",
            Kind::BodyPause => "body_pause",
            Kind::TotalLimit => "total_limit",
            Kind::Deadline => "deadline",
            Kind::TooLarge => "too_large",
            Kind::Redirect => "redirect",
            Kind::Protocol => "protocol",
        }
    }

    /// It may go away by itself: asking later makes sense.
    pub fn is_passing(self) -> bool {
        match self {
            Kind::Resolve
            | Kind::Connect
            | Kind::Proxy
            | Kind::Tls
            | Kind::HeaderLimit
            | Kind::BodyPause
            | Kind::TotalLimit
            | Kind::Deadline
            | Kind::Protocol => true,
            Kind::Url | Kind::Forbidden | Kind::Certificate | Kind::TooLarge | Kind::Redirect => false,
        }
    }

    /// What to change, in one sentence.
    pub fn remedy(self) -> &'static str {
        match self {
            Kind::Url => "give an http:// or https:// URL with a host and without user or password",
            Kind::Resolve => "check the host's name in the URL and the machine's name server",
            Kind::Forbidden => "if the endpoint is meant, name its host, address or network in http.allow",
            Kind::Connect => "check that the endpoint runs and that its port and the firewall are right",
            Kind::Proxy => "check HTTP_PROXY and HTTPS_PROXY, or name the host in NO_PROXY",
            Kind::Certificate => "put the authority that signed the endpoint's certificate in http.ca_file",
            Kind::Tls => "check that the port speaks TLS, and http.client_cert if it asks for a certificate",
            Kind::HeaderLimit => {
                "the endpoint is slow: relieve it, or raise response_header of its http profile (a model: first_byte)"
            }
            Kind::BodyPause => {
                "the endpoint stalls in its answers: relieve it, or raise body_pause of its http profile"
            }
            Kind::TotalLimit => "the endpoint is slow: relieve it, or raise request of its http profile",
            Kind::Deadline => "give the request more time, or the endpoint less to do",
            Kind::TooLarge => "check that the URL is the endpoint that is meant: its answers are too large",
            Kind::Redirect => "put the URL that the endpoint points to in the configuration",
            Kind::Protocol => "check that the URL is an HTTP/1.1 endpoint and what stands between",
        }
    }
}

impl Error {
    pub fn kind(&self) -> Kind {
        match self {
            Error::Url { .. } => Kind::Url,
            Error::Resolve { .. } => Kind::Resolve,
            Error::Forbidden { .. } => Kind::Forbidden,
            Error::Connect { .. } => Kind::Connect,
            Error::Proxy { .. } => Kind::Proxy,
            Error::Certificate { .. } => Kind::Certificate,
            Error::Tls { .. } => Kind::Tls,
            Error::HeaderLimit { .. } => Kind::HeaderLimit,
            Error::BodyPause { .. } => Kind::BodyPause,
            Error::TotalLimit { .. } => Kind::TotalLimit,
            Error::Deadline { .. } => Kind::Deadline,
            Error::TooLarge { .. } => Kind::TooLarge,
            Error::Redirect { .. } => Kind::Redirect,
            Error::Protocol { .. } => Kind::Protocol,
        }
    }

    pub fn is_passing(&self) -> bool {
        self.kind().is_passing()
    }

    pub fn remedy(&self) -> &'static str {
        self.kind().remedy()
    }

    /// What went wrong on a connection that stood already.
    pub(crate) fn on_the_wire(host: &str, error: &(dyn StdError + 'static)) -> Error {
        match find::<rustls::Error>(error) {
            Some(fault) => Error::from_tls(host, fault),
            None => Error::Protocol { host: host.to_owned(), reason: innermost(error) },
        }
    }

    pub(crate) fn from_tls(host: &str, fault: &rustls::Error) -> Error {
        use rustls::AlertDescription as Alert;
        let host = host.to_owned();
        match fault {
            rustls::Error::InvalidCertificate(reason) => {
                Error::Certificate { host, reason: reason.to_string() }
            }
            rustls::Error::AlertReceived(Alert::CertificateRequired) => {
                Error::Tls { host, reason: "it asks for a client certificate".to_owned() }
            }
            other => Error::Tls { host, reason: other.to_string() },
        }
    }
}

/// The first `T` in the chain of causes. An `io::Error` hides what it wraps from `source()`.
pub(crate) fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut here = Some(error);
    while let Some(error) = here {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        here = next(error);
    }
    None
}

/// The last word of the chain: what the machine said.
pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut here = error;
    while let Some(deeper) = next(here) {
        here = deeper;
    }
    here.to_string()
}

fn next<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
