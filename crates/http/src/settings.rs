//! What the operator may set: names allowed, proxies, authorities, certificates.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::profile::{Numbers, Profile};
use crate::resolve::Resolve;

#[derive(Clone)]
pub struct Settings {
    /// Hosts and networks that may be dialled although they are not public.
    pub allow: Vec<Allow>,
    pub proxies: Proxies,
    /// Authorities (PEM) trusted instead of the machine's own.
    pub ca_file: Option<PathBuf>,
    /// Shown to servers that ask for one (PEM); both or none.
    pub client_cert: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    /// Any certificate is taken, from anyone. For a trial on one's own desk only.
    pub danger_accept_invalid_certs: bool,
    pub default: Numbers,
    pub high_throughput: Numbers,
    pub model: Numbers,
    /// Who finds addresses; none: the machine.
    pub resolve: Option<Arc<dyn Resolve>>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            allow: Vec::new(),
            proxies: Proxies::default(),
            ca_file: None,
            client_cert: None,
            client_key: None,
            danger_accept_invalid_certs: false,
            default: Numbers::of(Profile::Default),
            high_throughput: Numbers::of(Profile::HighThroughput),
            model: Numbers::of(Profile::Model),
            resolve: None,
        }
    }
}

impl Settings {
    pub fn numbers(&self, profile: Profile) -> &Numbers {
        match profile {
            Profile::Default => &self.default,
            Profile::HighThroughput => &self.high_throughput,
            Profile::Model => &self.model,
        }
    }

    pub fn numbers_mut(&mut self, profile: Profile) -> &mut Numbers {
        match profile {
            Profile::Default => &mut self.default,
            Profile::HighThroughput => &mut self.high_throughput,
            Profile::Model => &mut self.model,
        }
    }
}

/// One entry of the list of what may be dialled although it is not public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allow {
    /// This name, whatever private or loopback address it has.
    Host(String),
    Network(IpNet),
}

impl FromStr for Allow {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Allow, SettingsError> {
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Allow::Network(IpNet::from(address)));
        }
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Allow::Network(network));
        }
        let is_name = !text.is_empty()
            && text.len() <= 253
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
        match is_name {
            true => Ok(Allow::Host(text.trim_end_matches('.').to_ascii_lowercase())),
            false => Err(SettingsError::Allow { entry: text.to_owned() }),
        }
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allow::Host(name) => formatter.write_str(name),
            Allow::Network(network) => network.fmt(formatter),
        }
    }
}

/// The proxies of the environment, given as an argument: nothing here reads the environment by itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    pub all: String,
    pub http: String,
    pub https: String,
    pub no: String,
}

impl Proxies {
    /// `read` answers a variable's value. The small spelling comes first, as curl has it.
    pub fn from_environment(read: impl Fn(&str) -> Option<String>) -> Proxies {
        let either = |small: &str, large: &str| read(small).or_else(|| read(large)).unwrap_or_default();
        Proxies {
            all: either("all_proxy", "ALL_PROXY"),
            http: either("http_proxy", "HTTP_PROXY"),
            https: either("https_proxy", "HTTPS_PROXY"),
            no: either("no_proxy", "NO_PROXY"),
        }
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A proxy's URL may hold a password.
        formatter
            .debug_struct("Proxies")
            .field("all", &!self.all.is_empty())
            .field("http", &!self.http.is_empty())
            .field("https", &!self.https.is_empty())
            .field("no", &self.no)
            .finish()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{entry:?} is neither a host's name, an address nor a network")]
    Allow { entry: String },
    #[error("read {what} {}: {reason}", path.display())]
    Pem { what: &'static str, path: PathBuf, reason: String },
    #[error(
        "a client certificate needs its key, and a key its certificate: set http.client_cert and http.client_key"
    )]
    HalfAnIdentity,
    #[error("the client certificate and its key do not belong together: {0}")]
    Identity(String),
    #[error("set up TLS: {0}")]
    Tls(String),
}
