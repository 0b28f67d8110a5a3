//! Layered values become typed ones; what is wrong with them is collected.

mod http;
mod retrieve;
mod translate;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use nephoran_limit::{BadNetwork, Network, Rate, Rates};
use nephoran_model::guard::{ApprovalBounds, Bounds, OwnPlans};
use nephoran_model::proposal::{Decimal, is_dns_label};
use nephoran_queue::Band;

use super::yaml::{self, Node, Place, Value};
use super::{
    Config, Entries, Error, Fault, FolderMode, HotFolder, KEYS, Limits, OnDrift, Origin, Packages,
    Repository, Sources, Support, Telemetry, UnknownTargets, Workers, keys, shown_origin,
};

pub(super) struct Reader {
    entries: Entries,
    sources: Sources,
    faults: Vec<Fault>,
    notes: Vec<String>,
}

/// More would be a mistake: at 1,000,000 places the queue alone takes hundreds of megabytes.
const MOST_PLACES: usize = 1_000_000;

impl Reader {
    pub(super) fn new(entries: Entries, sources: Sources, faults: Vec<Fault>, notes: Vec<String>) -> Self {
        Self { entries, sources, faults, notes }
    }

    pub(super) fn config(mut self) -> Result<Config, Error> {
        self.what_this_version_lacks();
        let listen = self.listen();
        let hosts = self.hosts();
        let data = self.path("data").unwrap_or_else(|| {
            self.object("data", "is null; it must be a folder");
            PathBuf::new()
        });
        let hot_folder = HotFolder {
            path: self.path("hot_folder.path"),
            mode: self.one_of(
                "hot_folder.mode",
                &[("auto", FolderMode::Auto), ("events", FolderMode::Events), ("poll", FolderMode::Poll)],
            ),
            as_: self.identity("hot_folder.as"),
        };
        let handoff = self.path("handoff");
        let packages = Packages {
            repositories: self.repositories(),
            on_drift: OnDrift::Report,
            unknown_targets: self.one_of(
                "packages.unknown_targets",
                &[("refuse", UnknownTargets::Refuse), ("patch", UnknownTargets::Patch)],
            ),
        };
        let limits = self.limits();
        let queue = self.queue();
        let workers = self.workers();
        let translate = self.translate();
        let http = self.http();
        let retrieve = self.retrieve();
        let guard = self.guard();
        let retention = self.duration("retention");
        let telemetry = self.telemetry();
        if !self.faults.is_empty() {
            return Err(Error { faults: self.faults });
        }
        Ok(Config {
            listen,
            hosts,
            data,
            hot_folder,
            handoff,
            packages,
            limits,
            queue,
            workers,
            translate,
            http,
            retrieve,
            guard,
            retention,
            telemetry,
            notes: self.notes,
            entries: self.entries,
            sources: self.sources,
        })
    }

    /// A value that nothing here acts on is refused rather than carried along.
    fn what_this_version_lacks(&mut self) {
        for key in KEYS {
            let default = yaml::parse(key.default).expect("a test parses every default");
            let value = &self.entries[key.path].node.value;
            if same(value, &default.value) {
                continue;
            }
            match key.support {
                Support::Full => {}
                Support::Note(note) => self.notes.push(format!("{}: {note}", key.path)),
                Support::Missing(lacks) => {
                    let shown = short(value);
                    let remedy = format!("leave out {} or set it to {}", key.path, key.default);
                    let message =
                        format!("{} is {shown}, and this version does not have {lacks} yet", key.path);
                    self.fault(key.path, None, message, Some(remedy));
                }
            }
        }
    }

    fn listen(&mut self) -> SocketAddr {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let Some(text) = self.text("listen") else {
            self.object("listen", "is null; it must be an address with a port, e.g. 127.0.0.1:8080");
            return nowhere;
        };
        let spelled = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        let Ok(address) = spelled.as_deref().unwrap_or(&text).parse::<SocketAddr>() else {
            self.object(
                "listen",
                format!("is {}; it must be an address with a port, e.g. 127.0.0.1:8080", short_text(&text)),
            );
            return nowhere;
        };
        if !address.ip().is_loopback() {
            let message = format!(
                "listen is {address}, beyond loopback: that takes tokens and TLS, which this version does not \
                 have yet"
            );
            let remedy = "listen on 127.0.0.1 or [::1], and reach it over a tunnel such as ssh -L";
            self.fault("listen", None, message, Some(remedy.to_owned()));
        }
        address
    }

    fn hosts(&mut self) -> Vec<String> {
        let names = self.texts("hosts", |name| {
            let name = name.to_ascii_lowercase();
            let labels = name.trim_end_matches('.').split('.').all(is_dns_label);
            (labels && name.len() <= 253).then_some(()).ok_or("a host name without scheme or port")
        });
        names.into_iter().map(|name| name.to_ascii_lowercase()).collect()
    }

    fn repositories(&mut self) -> Vec<Repository> {
        let path = "packages.repositories";
        let node = self.entries[path].node.clone();
        let Value::List(items) = node.value else {
            self.object(path, "must be a list, e.g. [{name: default, url: /srv/packages.git}]");
            return Vec::new();
        };
        if items.is_empty() {
            self.object(path, "is empty; at least one repository is needed");
        }
        let mut names = BTreeSet::new();
        let mut repositories = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let at = format!("{path}[{index}]");
            let place = item.place;
            let Value::Map(fields) = item.value else {
                self.fault(path, place, format!("{at} is {}; it must be a map", item.value.kind()), None);
                continue;
            };
            let Some(repository) = self.repository(path, &at, place, fields) else { continue };
            if !names.insert(repository.name.clone()) {
                let message = format!("{at}.name is {}, which another repository has", repository.name);
                self.fault(path, place, message, Some("give each repository a name of its own".into()));
            }
            repositories.push(repository);
        }
        repositories
    }

    fn repository(
        &mut self,
        path: &str,
        at: &str,
        place: Option<Place>,
        fields: Vec<(yaml::Name, Node)>,
    ) -> Option<Repository> {
        const FIELDS: [&str; 8] =
            ["name", "url", "branch", "directory", "cluster", "deliver", "remote", "credential_file"];
        let before = self.faults.len();
        let mut repository = Repository {
            name: String::new(),
            url: None,
            branch: "main".into(),
            directory: String::new(),
            cluster: None,
        };
        for (name, node) in fields {
            let field = name.text.as_str();
            let key = format!("{at}.{field}");
            if !FIELDS.contains(&field) {
                let remedy = format!("a repository has {}", FIELDS.join(", "));
                self.fault(path, name.place, format!("unknown key {key}"), Some(remedy));
                continue;
            }
            let text = match node.value {
                Value::Null => None,
                Value::Text(ref text) => Some(text.clone()),
                ref other => {
                    let message = format!("{key} is {}; it must be text", other.kind());
                    self.fault(path, node.place, message, Some("put it in quotes".into()));
                    continue;
                }
            };
            let place = node.place;
            let mut wrong = |must: &str| {
                let message = format!("{key} is {}; it must be {must}", short(&node.value));
                self.fault(path, place, message, None);
            };
            match (field, text) {
                ("name", Some(text)) if is_dns_label(&text) => repository.name = text,
                ("name", _) => wrong("a DNS label, e.g. default"),
                ("url", None) => repository.url = None,
                ("url", Some(text)) => match local_path(&text) {
                    Ok(local) => repository.url = Some(local),
                    Err(Url::Empty) => wrong("a path, or null for one made in the data folder"),
                    Err(Url::Remote) => {
                        let shown = yaml::mask(&text);
                        let message = format!(
                            "{key} is {}, and this version does not have remote repositories yet",
                            short_text(&shown)
                        );
                        let remedy = "give the path of a bare repository on this machine";
                        self.fault(path, place, message, Some(remedy.into()));
                    }
                },
                ("branch", Some(text)) if is_branch(&text) => repository.branch = text,
                ("branch", _) => wrong("the name of a branch, e.g. main"),
                ("directory", None) => {}
                ("directory", Some(text)) if is_inside(&text) => {
                    repository.directory = text.trim_end_matches('/').to_owned();
                }
                ("directory", Some(_)) => wrong("a path inside the repository, without .. or a leading /"),
                ("cluster", None) => {}
                ("cluster", Some(text)) if is_dns_label(&text) => repository.cluster = Some(text),
                ("cluster", Some(_)) => wrong("a DNS label or null"),
                ("deliver", Some(text)) if text == "commit" => {}
                ("deliver", Some(text)) if text == "branch" => {
                    self.lacks(path, place, &key, "branch", "delivery by branch", "commit");
                }
                ("deliver", _) => wrong("commit or branch"),
                ("remote" | "credential_file", None) => {}
                ("remote" | "credential_file", Some(_)) => {
                    self.lacks(path, place, &key, "set", "remote repositories", "null");
                }
                _ => {}
            }
        }
        if repository.name.is_empty() && self.faults.len() == before {
            self.fault(
                path,
                place,
                format!("{at} has no name"),
                Some("add a name, e.g. name: default".into()),
            );
        }
        (self.faults.len() == before).then_some(repository)
    }

    fn lacks(&mut self, path: &str, place: Option<Place>, key: &str, is: &str, what: &str, use_: &str) {
        let message = format!("{key} is {is}, and this version does not have {what} yet");
        self.fault(path, place, message, Some(format!("set {key} to {use_}")));
    }

    fn limits(&mut self) -> Limits {
        if self.entries.contains_key("limits") {
            return Limits { rates: None, trusted_proxies: Vec::new(), live: None };
        }
        let sound = self.faults.len();
        let mut rate = |tier: &str| {
            let per_second = self.decimal(&format!("limits.{tier}.per_second"), 0.001..=1_000_000.0);
            let burst = self.integer(&format!("limits.{tier}.burst"), 1..=10_000_000);
            Rate::new(per_second, burst).expect("both were held to narrower bounds")
        };
        let rates = Rates { client: rate("client"), global: rate("global") };
        if self.faults.len() == sound {
            let (client, global) = (rates.client, rates.global);
            if client.per_second() > global.per_second() {
                self.over_all("per_second", client.per_second(), global.per_second());
            }
            if client.burst() > global.burst() {
                self.over_all("burst", client.burst(), global.burst());
            }
        }
        let trusted_proxies = self.networks("limits.trusted_proxies");
        let live = Some(self.integer("limits.live", 1..=10_000_000));
        Limits { rates: Some(rates), trusted_proxies, live }
    }

    /// A client's share that is more than what all have together could never be had.
    fn over_all(&mut self, what: &str, client: impl Display, global: impl Display) {
        let message = format!(
            "limits.client.{what} is {client}, more than the {global} that all clients have together"
        );
        let remedy = format!("lower it, or raise limits.global.{what} to {client} at least");
        // Where one of the two was set by hand, the caret stands there.
        let path = ["client", "global"]
            .map(|tier| format!("limits.{tier}.{what}"))
            .into_iter()
            .find(|path| self.entries[path].origin != Origin::Default)
            .unwrap_or_else(|| format!("limits.client.{what}"));
        self.fault(&path, None, message, Some(remedy));
    }

    fn networks(&mut self, path: &str) -> Vec<Network> {
        let Value::List(items) = self.entries[path].node.value.clone() else {
            self.object(path, "must be a list, e.g. [10.0.0.0/8]");
            return Vec::new();
        };
        let mut networks = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let said = match &item.value {
                Value::Text(text) => text.parse().map_err(|bad: BadNetwork| bad.to_string()),
                _ => Err(BadNetwork::Form.to_string()),
            };
            match said {
                Ok(network) => networks.push(network),
                Err(bad) => {
                    let message = format!("{path}[{index}], {}, {bad}", short(&item.value));
                    let remedy = "give an address or a network with its prefix, e.g. 10.0.0.0/8";
                    self.fault(path, item.place, message, Some(remedy.to_owned()));
                }
            }
        }
        networks
    }

    fn queue(&mut self) -> nephoran_queue::Limits {
        let total = self.integer("queue.total", 1..=MOST_PLACES);
        let mut bands = [None; 4];
        let path = "queue.bands";
        let node = self.entries[path].node.clone();
        match node.value {
            Value::Null => {}
            Value::Map(fields) => {
                let mut sum = 0;
                for (name, field) in fields {
                    let key = format!("{path}.{}", name.text);
                    let Some(band) = Band::ALL.into_iter().find(|band| band.as_str() == name.text) else {
                        let remedy = "the bands are urgent, high, normal and low";
                        self.fault(path, name.place, format!("unknown key {key}"), Some(remedy.into()));
                        continue;
                    };
                    let band = &mut bands[band.index()];
                    match field.value {
                        Value::Null => *band = None,
                        Value::Int(places) if (1..=MOST_PLACES as i64).contains(&places) => {
                            *band = Some(places as usize);
                            sum += places as usize;
                        }
                        ref other => {
                            let message = format!(
                                "{key} is {}; it must be a whole number between 1 and {MOST_PLACES}, or null",
                                short(other)
                            );
                            self.fault(path, field.place, message, None);
                        }
                    }
                }
                if sum > total {
                    let message =
                        format!("{path} add up to {sum}, and queue.total is {total}: more than there is");
                    let remedy = format!("lower the bands, or raise queue.total to {sum}");
                    self.fault(path, node.place, message, Some(remedy));
                }
            }
            ref other => {
                let message =
                    format!("is {}; it must be a map {{urgent, high, normal, low}} or null", other.kind());
                self.object(path, message);
            }
        }
        nephoran_queue::Limits { total, bands }
    }

    fn workers(&mut self) -> Workers {
        let before = self.faults.len();
        let min = self.integer("workers.min", 1..=256);
        let max = self.integer("workers.max", 1..=256);
        if self.faults.len() == before && min > max {
            // Point at the one that was said.
            let said = if self.entries["workers.min"].origin > self.entries["workers.max"].origin {
                "workers.min"
            } else {
                "workers.max"
            };
            let message = format!("workers.min is {min} and workers.max is {max}: min must not be over max");
            self.fault(said, None, message, Some(format!("set workers.max to {min} or more")));
        }
        Workers { min, max, paused: self.switch("workers.paused") }
    }

    fn guard(&mut self) -> Bounds {
        let pattern = |must: &'static str, extra: &'static [char]| {
            move |text: &str| {
                let fits = !text.is_empty()
                    && text.len() <= 253
                    && text.chars().all(|c| {
                        c.is_ascii_lowercase()
                            || c.is_ascii_digit()
                            || c == '-'
                            || c == '*'
                            || extra.contains(&c)
                    });
                fits.then_some(()).ok_or(must)
            }
        };
        Bounds {
            namespaces: self.texts("guard.namespaces", pattern("a namespace; * stands for any text", &[])),
            protected: self
                .texts("guard.protected", pattern("namespace/name; * stands for any text", &['/'])),
            max_replicas: self.integer("guard.max_replicas", 1..=10_000),
            freeze: self.switch("guard.freeze"),
            approval: ApprovalBounds {
                to_zero: self.switch("guard.approval.to_zero"),
                retire: self.switch("guard.approval.retire"),
                step_over: self.integer("guard.approval.step_over", 0..=10_000),
                factor_over: Decimal(self.decimal("guard.approval.factor_over", 1.0..=10_000.0)),
                self_: self
                    .one_of("guard.approval.self", &[("deny", OwnPlans::Deny), ("allow", OwnPlans::Allow)]),
                ttl: SignedDuration::try_from(self.duration("guard.approval.ttl"))
                    .expect("a duration of the configuration is at most a century"),
            },
            // Tokens come with a later version: nobody can be told apart.
            authenticated: false,
        }
    }

    fn telemetry(&mut self) -> Telemetry {
        let log = self.text("telemetry.log").unwrap_or_else(|| "info".into());
        if let Err(source) = tracing_subscriber::EnvFilter::try_new(&log) {
            let message = format!(
                "is {}; it must be error, warn, info, debug, trace or a filter such as info,nephoran::store=debug: \
                 {source}",
                short_text(&log)
            );
            self.object("telemetry.log", message);
        }
        Telemetry { log, otlp: self.endpoint("telemetry.otlp") }
    }

    /// `None` for null.
    fn text(&mut self, path: &str) -> Option<String> {
        match &self.entries[path].node.value {
            Value::Null => None,
            Value::Text(text) if text.is_empty() || text.chars().any(char::is_control) => {
                self.object(path, "is empty or holds control characters");
                None
            }
            Value::Text(text) => Some(text.clone()),
            other => {
                let message = format!("is {}; it must be text", short(other));
                self.object(path, message);
                None
            }
        }
    }

    fn path(&mut self, path: &str) -> Option<PathBuf> {
        self.text(path).map(PathBuf::from)
    }

    fn identity(&mut self, path: &str) -> Option<String> {
        let text = self.text(path)?;
        let fits =
            text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || "@._:/+-".contains(c));
        if !fits {
            self.object(path, "must be 1 to 128 of the characters A-Z a-z 0-9 @ . _ : / + -");
        }
        Some(text)
    }

    fn switch(&mut self, path: &str) -> bool {
        let value = &self.entries[path].node.value;
        if let Value::Bool(on) = value {
            return *on;
        }
        let message = format!("is {}; it must be true or false", short(value));
        self.object(path, message);
        false
    }

    fn integer<T>(&mut self, path: &str, range: RangeInclusive<T>) -> T
    where
        T: TryFrom<i64> + PartialOrd + Copy + Display,
    {
        let value = &self.entries[path].node.value;
        let whole = match value {
            Value::Int(whole) => T::try_from(*whole).ok(),
            _ => None,
        };
        match whole {
            Some(whole) if range.contains(&whole) => whole,
            _ => {
                let message = format!(
                    "is {}; it must be a whole number between {} and {}",
                    short(value),
                    range.start(),
                    range.end()
                );
                self.object(path, message);
                *range.start()
            }
        }
    }

    fn decimal(&mut self, path: &str, range: RangeInclusive<f64>) -> f64 {
        let value = &self.entries[path].node.value;
        let number = match value {
            Value::Int(whole) => *whole as f64,
            Value::Float(number) => *number,
            _ => f64::NAN,
        };
        if range.contains(&number) {
            return number;
        }
        let message =
            format!("is {}; it must be a number between {} and {}", short(value), range.start(), range.end());
        self.object(path, message);
        *range.start()
    }

    fn duration(&mut self, path: &str) -> Duration {
        let value = &self.entries[path].node.value;
        let parsed = match value {
            Value::Text(text) => parse_duration(text),
            _ => None,
        };
        match parsed {
            Some(duration) => duration,
            None => {
                let message = format!(
                    "is {}; it must be a time with its unit: s, m, h or d, e.g. 30s, 24h, 90d, and not 0",
                    short(value)
                );
                self.object(path, message);
                Duration::from_secs(1)
            }
        }
    }

    fn one_of<T: Copy>(&mut self, path: &str, choices: &[(&str, T)]) -> T {
        let value = &self.entries[path].node.value;
        if let Value::Text(text) = value
            && let Some((_, choice)) = choices.iter().find(|(word, _)| word == text)
        {
            return *choice;
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        let message = format!("is {}; it must be {}", short(value), words.join(" or "));
        self.object(path, message);
        choices[0].1
    }

    fn texts(&mut self, path: &str, check: impl Fn(&str) -> Result<(), &'static str>) -> Vec<String> {
        let Value::List(items) = self.entries[path].node.value.clone() else {
            let message = format!("is {}; it must be a list", short(&self.entries[path].node.value));
            self.object(path, message);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let must = match &item.value {
                Value::Text(text) => match check(text) {
                    Ok(()) => {
                        texts.push(text.clone());
                        continue;
                    }
                    Err(must) => must,
                },
                _ => "text",
            };
            let message = format!("{path}[{index}] is {}; it must be {must}", short(&item.value));
            self.fault(path, item.place, message, None);
        }
        texts
    }

    /// An objection to the value of `path` as a whole.
    fn object(&mut self, path: &str, what: impl Display) {
        let remedy = keys::find(path).map(|key| format!("the default is {path}: {}", key.default));
        self.fault(path, None, format!("{path} {what}"), remedy);
    }

    /// `place` where the fault is inside the value, `None` for all of it.
    fn fault(&mut self, path: &str, place: Option<Place>, message: String, remedy: Option<String>) {
        let entry = &self.entries[path];
        let origin = shown_origin(entry, place.or(entry.node.place), &self.sources);
        self.faults.push(Fault { message, origin, remedy });
    }
}

/// Equal but for where they stand.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    // Shown forms are equal exactly when the values are.
    one.to_string() == other.to_string()
}

/// A value for one line of an objection: never long, never a secret.
fn short(value: &Value) -> String {
    match value {
        Value::Text(text) => short_text(text),
        Value::List(_) | Value::Map(_) => yaml::mask(&value.to_string()).chars().take(60).collect(),
        other => other.to_string(),
    }
}

fn short_text(text: &str) -> String {
    let text = &yaml::mask(text);
    let cut: String = text.chars().take(60).collect();
    let rest = if cut.len() < text.len() { "..." } else { "" };
    format!("{cut:?}{rest}")
}

/// `90d`, `24h`, `30m`, `45s`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let seconds = match &text[digits..] {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let total = number.checked_mul(seconds)?;
    // A century: beyond it dates overflow.
    (1..=3_155_760_000).contains(&total).then(|| Duration::from_secs(total))
}

enum Url {
    Empty,
    Remote,
}

fn local_path(url: &str) -> Result<String, Url> {
    if let Some(path) = url.strip_prefix("file://") {
        return if path.starts_with('/') { Ok(path.to_owned()) } else { Err(Url::Remote) };
    }
    if url.trim().is_empty() || url.chars().any(char::is_control) {
        return Err(Url::Empty);
    }
    // `host:path` is git's short form of ssh; a path with a colon can be written with ./ before it.
    let colon = url.find(':');
    let slash = url.find('/').unwrap_or(url.len());
    if url.contains("://") || colon.is_some_and(|colon| colon < slash) {
        return Err(Url::Remote);
    }
    // git would take it for an option.
    if url.starts_with('-') {
        return Err(Url::Empty);
    }
    Ok(url.to_owned())
}

/// The rules of `git check-ref-format` that matter for a name in a file.
fn is_branch(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/+".contains(c))
        && !name.starts_with(['-', '/', '.'])
        && !name.ends_with(['/', '.'])
        && !name.ends_with(".lock")
        && !name.contains("..")
        && !name.contains("//")
        && !name.contains("/.")
}

fn is_inside(path: &str) -> bool {
    path.is_empty()
        || (!path.starts_with('/')
            && !path.chars().any(char::is_control)
            && path.trim_end_matches('/').split('/').all(|part| !matches!(part, "" | "." | ".." | ".git")))
}
