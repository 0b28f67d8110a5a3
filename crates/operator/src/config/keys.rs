//! Every key: its default, what it means, and what its value implies.

/// How a value given in the environment or by a flag is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Taken as it is: a path or an address may hold what YAML reads otherwise.
    Text,
    /// A number, a switch, or null.
    Scalar,
    /// `[a, b]` or `a,b`.
    List,
    /// Only as YAML in flow style.
    Tree,
}

pub struct Key {
    pub path: &'static str,
    pub kind: Kind,
    /// As YAML.
    pub default: &'static str,
    pub meaning: &'static str,
    pub support: Support,
}

/// What this version does with another value than the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    Full,
    /// Refuses it: it does not have that yet.
    Missing(&'static str),
    /// Accepts it and says what does not happen.
    Note(&'static str),
}

const fn key(path: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Key {
    Key { path, kind, default, meaning, support: Support::Full }
}

const fn later(
    path: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
    lacks: &'static str,
) -> Key {
    Key { path, kind, default, meaning, support: Support::Missing(lacks) }
}

const fn noted(
    path: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
    note: &'static str,
) -> Key {
    Key { path, kind, default, meaning, support: Support::Note(note) }
}

use Kind::{List, Scalar, Text, Tree};

const OTLP: Key = {
    let meaning = "Address of a collector that traces are sent to (OTLP over HTTP); null: none are made.";
    if cfg!(feature = "otel") {
        key("telemetry.otlp", Text, "null", meaning)
    } else {
        later("telemetry.otlp", Text, "null", meaning, "traces: it was built without the feature `otel`,")
    }
};

/// In the order of the file that the documentation shows.
pub const KEYS: &[Key] = &[
    key("listen", Text, "127.0.0.1:8080", "Address of HTTP and the page; port 0 takes any free one."),
    key("hosts", List, "[]", "Names accepted in the Host header besides loopback's own."),
    later("tls.cert", Text, "null", "Certificate chain (PEM).", "TLS"),
    later("tls.key", Text, "null", "Private key (PEM).", "TLS"),
    later("tls.client_ca", Text, "null", "Authority of client certificates (PEM).", "TLS"),
    later(
        "danger_plaintext",
        Scalar,
        "false",
        "Listen beyond loopback without TLS.",
        "listening beyond loopback",
    ),
    key("data", Text, "./nephoran-data", "Folder of the store; made when missing."),
    key("hot_folder.path", Text, "null", "Folder whose intent files are taken; it must exist."),
    key("hot_folder.mode", Text, "auto", "auto, events or poll: how new files are noticed."),
    key("hot_folder.as", Text, "null", "Identity that the folder's files act for; null: local."),
    key("handoff", Text, "null", "Folder where POST /intent writes its hand-off files; made when missing."),
    later("store", Text, "sqlite", "Where intents are kept.", "the store `kubernetes`"),
    key(
        "packages.repositories",
        Tree,
        "[{name: default, url: null, branch: main, directory: \"\", cluster: null, deliver: commit, \
         remote: null, credential_file: null}]",
        "Git repositories of kpt packages; url null: one is made in the data folder.",
    ),
    later(
        "packages.on_drift",
        Text,
        "report",
        "report: a change behind our back is told, not undone.",
        "`reapply`",
    ),
    key(
        "packages.unknown_targets",
        Text,
        "refuse",
        "refuse, or patch: a patch package for a target that no package holds.",
    ),
    key("limits.client.per_second", Scalar, "20", "Requests a second of one client to /api and /intent."),
    key("limits.client.burst", Scalar, "40", "Requests of one client at once."),
    key("limits.global.per_second", Scalar, "500", "Requests a second of all clients together."),
    key("limits.global.burst", Scalar, "1000", "Requests of all clients at once."),
    key("limits.trusted_proxies", List, "[]", "Networks whose X-Forwarded-For is believed."),
    key("limits.live", Scalar, "100000", "Intents accepted and not ended; beyond it the doors refuse."),
    key("queue.total", Scalar, "2000", "Places in the queue, all four bands together."),
    key("queue.bands", Tree, "null", "Bounds of single bands {urgent, high, normal, low}; null: shared."),
    key("workers.min", Scalar, "1", "Workers at rest."),
    key("workers.max", Scalar, "16", "Workers under load."),
    key("workers.paused", Scalar, "false", "Start without claiming work; `nephoran resume` begins."),
    key(
        "translate.order",
        List,
        "[grammar]",
        "Translators in the order they are asked: [grammar] or [grammar, model].",
    ),
    key("translate.model.endpoint", Text, "null", "Base address of a language model's server."),
    key("translate.model.name", Text, "null", "Model to ask for."),
    key(
        "translate.model.api",
        Text,
        "openai",
        "openai: /v1/chat/completions, as most servers have it; ollama: /api/chat.",
    ),
    key("translate.model.api_key_file", Text, "null", "File that holds the key; read at start."),
    key(
        "translate.model.tokens_per_hour",
        Scalar,
        "500000",
        "Tokens an hour that one identity may spend; null: unbounded.",
    ),
    key("translate.model.first_byte", Text, "60s", "How long a model may think before its answer begins."),
    key(
        "translate.model.cache_life",
        Text,
        "10m",
        "How long an answer may be given again to the same words.",
    ),
    key("translate.model.cache_entries", Scalar, "1000", "Answers kept for that; 0: none."),
    key(
        "http.allow",
        List,
        "[]",
        "Hosts and networks that may be called although they are private, e.g. a model on this machine.",
    ),
    key("http.ca_file", Text, "null", "Authorities (PEM) to trust instead of the machine's own."),
    key("http.client_cert", Text, "null", "Certificate (PEM) shown to servers that ask for one."),
    key("http.client_key", Text, "null", "Its key (PEM)."),
    key(
        "http.danger_accept_invalid_certs",
        Scalar,
        "false",
        "Take any certificate from anyone: for a trial only.",
    ),
    key("http.default.idle", Scalar, "100", "Idle connections kept, all hosts together."),
    key("http.default.idle_per_host", Scalar, "20", "Idle connections kept to one host."),
    key("http.default.connections_per_host", Scalar, "100", "Connections to one host, busy and idle."),
    key("http.default.idle_timeout", Text, "90s", "An idle connection is closed after this time."),
    key("http.default.request", Text, "30s", "A call, from waiting for a place to the answer's last byte."),
    key("http.default.tls_handshake", Text, "10s", "Agreeing on TLS."),
    key("http.default.dial", Text, "5s", "Finding the address and connecting."),
    key("http.default.keep_alive", Text, "30s", "Between two signs of life of TCP."),
    key("http.default.response_header", Text, "10s", "From the request to the answer's head."),
    key("http.default.body_pause", Text, "10s", "Between two pieces of an answer."),
    key("http.high_throughput.idle", Scalar, "200", "Idle connections kept, all hosts together."),
    key("http.high_throughput.idle_per_host", Scalar, "50", "Idle connections kept to one host."),
    key(
        "http.high_throughput.connections_per_host",
        Scalar,
        "200",
        "Connections to one host, busy and idle.",
    ),
    key("http.high_throughput.idle_timeout", Text, "120s", "An idle connection is closed after this time."),
    key(
        "http.high_throughput.request",
        Text,
        "60s",
        "A call, from waiting for a place to the answer's last byte.",
    ),
    key("http.high_throughput.tls_handshake", Text, "15s", "Agreeing on TLS."),
    key("http.high_throughput.dial", Text, "5s", "Finding the address and connecting."),
    key("http.high_throughput.keep_alive", Text, "30s", "Between two signs of life of TCP."),
    key("http.high_throughput.response_header", Text, "10s", "From the request to the answer's head."),
    key("http.high_throughput.body_pause", Text, "10s", "Between two pieces of an answer."),
    key(
        "retrieve.folder",
        Text,
        "null",
        "Folder of Markdown and text files that a model may be shown passages of; null: our own notes alone.",
    ),
    key(
        "retrieve.embeddings.endpoint",
        Text,
        "null",
        "Base address of a server with /v1/embeddings; null: none.",
    ),
    key("retrieve.embeddings.name", Text, "null", "Model to ask it for; another one makes the vectors anew."),
    key("retrieve.embeddings.api_key_file", Text, "null", "File that holds the key; read at start."),
    key("guard.namespaces", List, "[\"*\"]", "Namespaces that may be changed; * stands for any text."),
    key(
        "guard.protected",
        List,
        "[]",
        "Targets (namespace/name, * allowed) whose change always needs approval.",
    ),
    key("guard.max_replicas", Scalar, "100", "More replicas than this are refused."),
    later("guard.settings", List, "[]", "Keys that `configure` may set.", "configuring workloads"),
    later("guard.images", List, "[\"*\"]", "Images that may be used.", "upgrading workloads"),
    key("guard.freeze", Scalar, "false", "Hold every change until it is lifted."),
    key("guard.approval.to_zero", Scalar, "true", "Zero replicas need approval."),
    key("guard.approval.retire", Scalar, "true", "Removing a workload needs approval."),
    key(
        "guard.approval.step_over",
        Scalar,
        "10",
        "A change by more than this many replicas needs approval; equal is not over.",
    ),
    key(
        "guard.approval.factor_over",
        Scalar,
        "3",
        "Larger or smaller by more than this factor needs approval; 0 counts as 1, equal is not over.",
    ),
    key("guard.approval.self", Text, "deny", "deny or allow: whether authors may approve their own plans."),
    key("guard.approval.ttl", Text, "24h", "An approval is void after this time."),
    later(
        "guard.budget.changes_per_hour",
        Scalar,
        "null",
        "Commits an hour of one identity before approval is needed.",
        "budgets",
    ),
    later("guard.change.ticket", Text, "optional", "Whether a change needs a ticket.", "required tickets"),
    later("auth.tokens_file", Text, "null", "File of access tokens.", "access tokens"),
    noted(
        "retention",
        Text,
        "90d",
        "How long ended intents are kept.",
        "this version deletes no intents yet",
    ),
    OTLP,
    key("telemetry.log", Text, "info", "error, warn, info, debug or trace; or a filter per module."),
];

pub fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// `queue.total` is a leaf; `queue` a section.
pub fn is_section(path: &str) -> bool {
    KEYS.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// `queue.total` -> `NEPHORAN_QUEUE__TOTAL`.
pub fn variable(path: &str) -> String {
    format!("NEPHORAN_{}", path.to_ascii_uppercase().replace('.', "__"))
}

/// The key or section that `path` may have been meant to be.
pub fn nearest(path: &str) -> Option<String> {
    let last = path.rsplit('.').next().unwrap_or(path);
    KEYS.iter()
        .flat_map(|key| {
            let cuts = key.path.match_indices('.').map(|(at, _)| &key.path[..at]);
            cuts.chain([key.path])
        })
        .map(|known| {
            let whole = strsim::normalized_damerau_levenshtein(path, known);
            let tail = known.rsplit('.').next().unwrap_or(known);
            // The right word in the wrong section is near too.
            let same_word = if tail == last { 0.7 } else { 0.0 };
            (known, f64::max(whole, same_word))
        })
        .filter(|(_, likeness)| *likeness >= 0.6)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(known, _)| known.to_owned())
}
