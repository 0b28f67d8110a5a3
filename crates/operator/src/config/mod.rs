//! One YAML file, the environment and flags become a valid configuration.
//!
//! Defaults give way to the file, the file to the environment, the environment to flags.
//! Everything is parsed once, here; each objection says where the value came from and,
//! for a file, points at it.

mod explain;
mod keys;
mod read;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use explain::Row;
use nephoran_model::guard::Bounds;

pub use keys::{KEYS, Key, Support, variable};

use read::Reader;
pub(crate) use read::parse_duration;
use yaml::{Node, Place, Value};

/// Valid, with every default filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub listen: SocketAddr,
    /// Lower case.
    pub hosts: Vec<String>,
    pub data: PathBuf,
    pub hot_folder: HotFolder,
    pub handoff: Option<PathBuf>,
    pub packages: Packages,
    pub limits: Limits,
    pub queue: nephoran_queue::Limits,
    pub workers: Workers,
    pub translate: Translate,
    pub http: Http,
    pub retrieve: Retrieve,
    pub guard: Bounds,
    pub retention: Duration,
    pub telemetry: Telemetry,
    /// What was accepted but does not act as one might expect.
    pub notes: Vec<String>,
    /// Where each value came from.
    entries: Entries,
    sources: Sources,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotFolder {
    pub path: Option<PathBuf>,
    pub mode: FolderMode,
    /// The identity its files act for.
    pub as_: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderMode {
    Auto,
    Events,
    Poll,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packages {
    pub repositories: Vec<Repository>,
    pub on_drift: OnDrift,
    pub unknown_targets: UnknownTargets,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    pub name: String,
    /// A path on this machine; `None`: made in the data folder.
    pub url: Option<String>,
    pub branch: String,
    /// From the repository's root; empty for the whole.
    pub directory: String,
    pub cluster: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDrift {
    Report,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownTargets {
    Refuse,
    Patch,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// `None`: `limits: off`.
    pub rates: Option<nephoran_limit::Rates>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<nephoran_limit::Network>,
    /// Accepted and not ended; `None`: unlimited.
    pub live: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers {
    pub min: usize,
    pub max: usize,
    pub paused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translate {
    /// Asked for what the grammar cannot account for; `None`: nobody is.
    pub model: Option<Model>,
}

/// How other servers are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    pub allow: Vec<nephoran_http::Allow>,
    pub ca_file: Option<PathBuf>,
    /// Certificate and key.
    pub client: Option<(PathBuf, PathBuf)>,
    pub danger_accept_invalid_certs: bool,
    pub default: nephoran_http::Numbers,
    /// A model's client has these too, but for its time to the first byte.
    pub high_throughput: nephoran_http::Numbers,
}

/// A language model's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// `http` or `https`, without credentials, query or fragment.
    pub endpoint: String,
    pub name: String,
    pub api: ModelApi,
    pub api_key_file: Option<PathBuf>,
    /// Of one identity; `None`: unbounded.
    pub tokens_per_hour: Option<u64>,
    /// Until the answer's head.
    pub first_byte: Duration,
    pub cache_life: Duration,
    pub cache_entries: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelApi {
    OpenAi,
    Ollama,
}

/// Background reading of a language model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retrieve {
    /// Markdown and text files; `None`: our own notes alone.
    pub folder: Option<PathBuf>,
    /// `None`: passages are found by words alone.
    pub embeddings: Option<Embeddings>,
}

/// A server with `/v1/embeddings`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embeddings {
    pub endpoint: String,
    pub name: String,
    pub api_key_file: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// A `tracing` filter.
    pub log: String,
    /// Base address of a collector of traces.
    pub otlp: Option<String>,
}

/// Values from the command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags {
    pub data: Option<PathBuf>,
    pub listen: Option<String>,
    pub hot_folder: Option<PathBuf>,
    /// Short for one repository named `default`.
    pub packages: Option<String>,
    pub store: Option<String>,
}

/// Which layer a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Default,
    File,
    Environment,
    Flag,
}

impl Origin {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    node: Node,
    origin: Origin,
    /// The variable or the flag.
    by: String,
}

type Entries = BTreeMap<String, Entry>;

/// What the layers were made of: for carets, and to read the same file again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Sources {
    name: String,
    text: String,
    file: Option<PathBuf>,
    /// Ours only.
    environment: Vec<(String, String)>,
    flags: Flags,
}

/// Why there is no configuration: every fault that was found, not only the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub faults: Vec<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `queue.total is 0; it must be between 1 and 1000000`.
    pub message: String,
    /// The line of the file with a caret, or the variable or flag.
    pub origin: Option<String>,
    pub remedy: Option<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&fault.message)?;
            if let Some(origin) = &fault.origin {
                write!(f, "\n{origin}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// A configuration longer than this is a mistake.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Reads `file` when there is one, then lays the environment and the flags over it.
pub fn load(
    flags: &Flags,
    environment: impl IntoIterator<Item = (String, String)>,
    file: Option<&Path>,
) -> Result<Config, Error> {
    let mut environment: Vec<_> =
        environment.into_iter().filter(|(name, _)| name.starts_with("NEPHORAN_")).collect();
    // `NEPHORAN_LIMITS=off` before `NEPHORAN_LIMITS__LIVE`, whatever order they come in.
    environment.sort();
    let mut sources = Sources { environment, flags: flags.clone(), ..Sources::default() };
    if let Some(path) = file {
        sources.name = path.display().to_string();
        sources.text = read_file(path)?;
        sources.file = Some(path.to_owned());
    }
    parse(sources)
}

fn read_file(path: &Path) -> Result<String, Error> {
    use std::io::Read as _;

    let fault = |message: String, remedy: &str| Error {
        faults: vec![Fault { message, origin: None, remedy: Some(remedy.to_owned()) }],
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|opened| opened.take(LONGEST_FILE + 1).read_to_string(&mut text))
        .map_err(|source| {
            fault(
                format!("read the configuration {}: {source}", path.display()),
                "give a readable UTF-8 file with --config, or leave it out to run on defaults",
            )
        })?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(fault(format!("{} is over 1 MiB", path.display()), "give the right file with --config"));
    }
    Ok(text)
}

fn parse(sources: Sources) -> Result<Config, Error> {
    let mut layers = Layers { entries: defaults(), faults: Vec::new(), notes: Vec::new(), sources };
    layers.lay_file();
    layers.lay_environment();
    layers.lay_flags();
    let Layers { entries, faults, notes, sources } = layers;
    Reader::new(entries, sources, faults, notes).config()
}

fn defaults() -> Entries {
    KEYS.iter()
        .map(|key| {
            let mut node = yaml::parse(key.default).expect("a test parses every default");
            forget_places(&mut node);
            (key.path.to_owned(), Entry { node, origin: Origin::Default, by: String::new() })
        })
        .collect()
}

fn forget_places(node: &mut Node) {
    node.place = None;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(forget_places),
        Value::Map(entries) => {
            for (name, item) in entries {
                name.place = None;
                forget_places(item);
            }
        }
        _ => {}
    }
}

/// The layers, lower ones first.
struct Layers {
    entries: Entries,
    faults: Vec<Fault>,
    notes: Vec<String>,
    sources: Sources,
}

impl Layers {
    fn lay_file(&mut self) {
        if self.sources.text.is_empty() {
            return;
        }
        match yaml::parse(&self.sources.text) {
            Ok(Node { value: Value::Null, .. }) => {}
            Ok(Node { value: Value::Map(map), .. }) => self.lay_section("", map),
            Ok(node) => {
                let message = format!("the configuration is {}; it must be a map of keys", node.value.kind());
                self.fault_at(message, node.place, None);
            }
            Err(malformed) => {
                let message = format!("the file is no valid YAML: {}", malformed.message);
                let remedy = "correct the line that the caret points at";
                self.fault_at(message, malformed.place, Some(remedy.to_owned()));
            }
        }
    }

    fn lay_section(&mut self, section: &str, map: Vec<(yaml::Name, Node)>) {
        for (name, node) in map {
            let path =
                if section.is_empty() { name.text.clone() } else { format!("{section}.{}", name.text) };
            if keys::find(&path).is_some() {
                self.put(&path, node, Origin::File, String::new());
            } else if path == "limits" && is_off(&node.value) {
                self.limits_off(node, Origin::File, String::new());
            } else if keys::is_section(&path) {
                match node.value {
                    Value::Map(inner) => self.lay_section(&path, inner),
                    // `guard:` with nothing below keeps the defaults.
                    Value::Null => {}
                    other => {
                        let message = format!("{path} is {}; it must be a map of keys", other.kind());
                        self.fault_at(message, node.place, None);
                    }
                }
            } else {
                let remedy = match keys::nearest(&path) {
                    Some(near) => format!("did you mean {near}? `nephoran config explain` lists every key"),
                    None => "`nephoran config explain` lists every key".to_owned(),
                };
                self.fault_at(format!("unknown key {path}"), name.place, Some(remedy));
            }
        }
    }

    fn lay_environment(&mut self) {
        for (name, text) in self.sources.environment.clone() {
            let path = name["NEPHORAN_".len()..].to_ascii_lowercase().replace("__", ".");
            if NOT_KEYS.contains(&name.as_str()) {
                continue;
            }
            if path == "limits" && matches!(text.as_str(), "off" | "false") {
                let node = Node { value: Value::Text("off".into()), place: None };
                self.limits_off(node, Origin::Environment, name);
            } else if keys::find(&path).is_some() {
                self.put_text(&path, &text, Origin::Environment, name);
            } else if let Some(near) = keys::nearest(&path) {
                self.faults.push(Fault {
                    message: format!("unknown variable {name}"),
                    origin: None,
                    remedy: Some(format!("did you mean {}?", variable(&near))),
                });
            } else {
                // A cluster puts variables of that form beside a service of our name.
                self.notes.push(format!("the variable {name} is no key and was left alone"));
            }
        }
    }

    fn lay_flags(&mut self) {
        let flags = self.sources.flags.clone();
        let path_text = |path: &PathBuf| path.to_string_lossy().into_owned();
        let given = [
            ("data", "--data", flags.data.as_ref().map(path_text)),
            ("listen", "--listen", flags.listen.clone()),
            ("hot_folder.path", "--hot-folder", flags.hot_folder.as_ref().map(path_text)),
            ("store", "--store", flags.store.clone()),
        ];
        for (path, flag, text) in given {
            if let Some(text) = text {
                let node = Node { value: Value::Text(text), place: None };
                self.put(path, node, Origin::Flag, flag.to_owned());
            }
        }
        if let Some(url) = &flags.packages {
            let text = |text: &str| Node { value: Value::Text(text.to_owned()), place: None };
            let name = |text: &str| yaml::Name { text: text.to_owned(), place: None };
            let repository = Value::Map(vec![(name("name"), text("default")), (name("url"), text(url))]);
            let list = Value::List(vec![Node { value: repository, place: None }]);
            let node = Node { value: list, place: None };
            self.put("packages.repositories", node, Origin::Flag, "--packages".to_owned());
        }
    }

    fn put_text(&mut self, path: &str, text: &str, origin: Origin, by: String) {
        let kind = keys::find(path).map_or(keys::Kind::Tree, |key| key.kind);
        let as_text = |text: &str| Node { value: Value::Text(text.to_owned()), place: None };
        let parsed = match kind {
            keys::Kind::Text if text.is_empty() || text == "null" => {
                Ok(Node { value: Value::Null, place: None })
            }
            keys::Kind::Text => Ok(as_text(text)),
            keys::Kind::List if !text.trim_start().starts_with('[') => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Ok(Node { value: Value::List(items.map(as_text).collect()), place: None })
            }
            keys::Kind::List | keys::Kind::Scalar | keys::Kind::Tree => yaml::parse(text),
        };
        match parsed {
            Ok(mut node) => {
                forget_places(&mut node);
                self.put(path, node, origin, by);
            }
            Err(malformed) => self.faults.push(Fault {
                message: format!("{path} is no valid YAML: {}", malformed.message),
                origin: Some(format!("from {by}")),
                remedy: Some("give it in flow style, e.g. [{name: default, url: /srv/packages.git}]".into()),
            }),
        }
    }

    fn put(&mut self, path: &str, node: Node, origin: Origin, by: String) {
        if path.starts_with("limits.") {
            self.entries.remove("limits");
        }
        self.entries.insert(path.to_owned(), Entry { node, origin, by });
    }

    fn limits_off(&mut self, node: Node, origin: Origin, by: String) {
        for (path, entry) in defaults() {
            if path.starts_with("limits.") {
                self.entries.insert(path, entry);
            }
        }
        self.entries.insert("limits".to_owned(), Entry { node, origin, by });
    }

    fn fault_at(&mut self, message: String, place: Option<Place>, remedy: Option<String>) {
        let origin = place.map(|place| yaml::caret(&self.sources.text, &self.sources.name, place));
        self.faults.push(Fault { message, origin, remedy });
    }
}

fn is_off(value: &Value) -> bool {
    matches!(value, Value::Bool(false)) || matches!(value, Value::Text(text) if text == "off")
}

/// Variables of the command line, which are no keys of the file.
const NOT_KEYS: [&str; 4] = ["NEPHORAN_SERVER", "NEPHORAN_TOKEN", "NEPHORAN_TOKEN_FILE", "NEPHORAN_CONFIG"];

impl Config {
    /// What runs without any configuration.
    pub fn defaults() -> Self {
        parse(Sources::default()).expect("a test loads the defaults")
    }

    /// SHA-256 over every key and its value: the audit trail says what a start ran with.
    pub fn hash(&self) -> String {
        let mut text = String::new();
        for (path, entry) in &self.entries {
            text.push_str(&format!("{path}={}\n", entry.node.value));
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads the file again, under the same environment and flags. Only `limits` and
    /// `telemetry.log` may differ: for the rest the operator would have to be made anew.
    pub fn reloaded(&self) -> Result<Self, Error> {
        let mut sources = self.sources.clone();
        if let Some(file) = &sources.file {
            sources.text = read_file(file)?;
        }
        let new = parse(sources)?;
        let paths: BTreeSet<&String> = self.entries.keys().chain(new.entries.keys()).collect();
        let mut faults = Vec::new();
        for path in paths {
            let value = |config: &Self| config.entries.get(path).map(|entry| entry.node.value.to_string());
            let reloads = path == "limits" || path.starts_with("limits.") || path == "telemetry.log";
            if reloads || value(self) == value(&new) {
                continue;
            }
            let entry = &new.entries[path];
            faults.push(Fault {
                message: format!("{path} differs from what the operator started with"),
                origin: shown_origin(entry, entry.node.place, &new.sources),
                remedy: Some("restart the operator: only limits and telemetry.log change on reload".into()),
            });
        }
        if faults.is_empty() { Ok(new) } else { Err(Error { faults }) }
    }

    /// What the machine must have for this configuration; apart, so that a file can be
    /// checked on another machine than the one it is for.
    pub fn check_machine(&self) -> Result<(), Error> {
        let mut faults = Vec::new();
        let folders = [
            ("hot_folder.path", "hot folder", &self.hot_folder.path),
            ("retrieve.folder", "folder of documents", &self.retrieve.folder),
        ];
        for (key, what, folder) in folders {
            let Some(folder) = folder else { continue };
            let wrong = match std::fs::metadata(folder) {
                Ok(found) if found.is_dir() => None,
                Ok(_) => Some("is no folder".to_owned()),
                Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                    Some("does not exist".to_owned())
                }
                Err(source) => Some(format!("cannot be read: {source}")),
            };
            if let Some(wrong) = wrong {
                faults.push(Fault {
                    message: format!("the {what} {} {wrong}", folder.display()),
                    origin: self
                        .entries
                        .get(key)
                        .and_then(|entry| shown_origin(entry, entry.node.place, &self.sources)),
                    remedy: Some(format!("make it: mkdir -p {}", folder.display())),
                });
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Error { faults }) }
    }
}

/// Where a value came from, for an objection: the line with a caret, the variable, the flag.
fn shown_origin(entry: &Entry, place: Option<Place>, sources: &Sources) -> Option<String> {
    match entry.origin {
        Origin::Default => None,
        Origin::File => place.map(|place| yaml::caret(&sources.text, &sources.name, place)),
        Origin::Environment | Origin::Flag => Some(format!("from {}", entry.by)),
    }
}
