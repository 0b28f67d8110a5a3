//! What can be typed, with its help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::client::DEFAULT_SERVER;
use super::exit::CODES;
use crate::config::Flags;

const VARIABLES: &str = "\
Environment: NEPHORAN_SERVER, NEPHORAN_TOKEN for commands that ask a running operator;
NEPHORAN_CONFIG names the configuration file; every key of it is NEPHORAN_ and its path in
capitals, with __ between levels (NEPHORAN_QUEUE__TOTAL). NO_COLOR switches colours off.";

#[derive(Debug, Parser)]
#[command(
    name = "nephoran",
    version,
    about = "Words in, a reviewed commit out: an intent-driven operator for 5G and O-RAN networks",
    long_about = "Takes intents in words, JSON or files, plans them against the kpt packages of a git \
                  repository, has a guard review each plan, asks a person where one must be asked, and \
                  commits what may be done - once, and traceably.",
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 110,
    after_help = format!("{CODES}"),
    after_long_help = format!(
        "Examples:\n  nephoran demo\n  nephoran up --packages /srv/packages.git --hot-folder /srv/intents\n  \
         nephoran submit --wait \"scale upf to 5 in ns ran-a\"\n  nephoran list --state awaiting_approval\n\n\
         {VARIABLES}\n\n{CODES}"
    )
)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Address of the operator
    #[arg(long, global = true, env = "NEPHORAN_SERVER", default_value = DEFAULT_SERVER, value_name = "URL",
          help_heading = "Server", hide_env_values = true)]
    pub server: String,

    /// File that holds the token; NEPHORAN_TOKEN holds the token itself
    #[arg(
        long,
        global = true,
        env = "NEPHORAN_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Server",
        hide_env_values = true
    )]
    pub token_file: Option<PathBuf>,

    /// How to print what was read
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<Output>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Table,
    Wide,
    Json,
    Yaml,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole job in one go, on real input, in a temporary folder
    #[command(after_help = examples(&[
        ("nephoran demo", "makes a package repository, sends intents through every door, shows their way"),
        ("nephoran demo --data /tmp/demo --keep", "leaves everything there to look at"),
    ], "Exits 0 only if everything it claims is so, checked by reading the repository."))]
    Demo(Demo),

    /// Run the operator until SIGTERM or SIGINT
    #[command(after_help = examples(&[
        ("nephoran up", "data in ./nephoran-data, an empty package repository made there, loopback only"),
        ("nephoran up --packages /srv/packages.git --hot-folder /srv/intents", ""),
        ("nephoran up --config nephoran.yaml --listen 127.0.0.1:0", "prints `listening on http://ADDR`"),
        ("nephoran up --once --hot-folder /srv/intents", "handles the files that are there and exits"),
    ], "With --once: 0 all processed or folder empty, 1 bad configuration, 3 statistics unavailable,\n8 one or more files failed."))]
    Up(Up),

    /// Send an intent
    #[command(after_help = examples(&[
        ("nephoran submit \"scale upf to 5 in ns ran-a\"", "in words"),
        ("nephoran submit --wait --ticket CHG-17 \"add two smf in core5g\"", "follows it until it rests"),
        ("nephoran submit --dry-run \"double the upf in ran-a\"", "shows the plan, stores nothing"),
        ("nephoran submit -f intent.json", "an intent, proposal or submission as JSON; other files are words"),
        ("echo \"scale amf to 3 in ns core5g\" | nephoran submit -", "from standard input"),
    ], "With --wait and --dry-run the exit code follows the state: 0 applied or answered, 3 refused or held,\n4 needs an answer, 5 needs approval, 8 failed."))]
    Submit(Submit),

    /// Show one intent
    #[command(after_help = examples(&[
        ("nephoran get ID", "where it stands, what it would change or changed, and what to do next"),
        ("nephoran get ID -o yaml", "the whole record"),
    ], ""))]
    Get(Id),

    /// List intents, newest first
    #[command(after_help = examples(&[
        ("nephoran list", ""),
        ("nephoran list --state awaiting_approval -o wide", "what waits for a person"),
        ("nephoran list --namespace ran-a --limit 100", ""),
    ], "A longer list ends with the --cursor that continues it."))]
    List(List),

    /// Follow what happens, live
    #[command(after_help = examples(&[
        ("nephoran watch", "every move of every intent"),
        ("nephoran watch ID", "one intent, until it ends"),
        ("nephoran watch -o json", "one JSON object a line"),
    ], "A lost connection is taken up again where it broke off."))]
    Watch(Watch),

    /// Show what an intent would change, or changed: steps and diff
    #[command(after_help = examples(&[
        ("nephoran plan ID", "steps, remarks, the diff, and the hash to approve"),
        ("nephoran plan ID -o json", ""),
    ], ""))]
    Plan(Id),

    /// Tell in words how far an intent came
    #[command(after_help = examples(&[("nephoran report ID", "")], ""))]
    Report(Id),

    /// Show the audit trail, or prove that nobody altered it
    #[command(after_help = examples(&[
        ("nephoran audit ID", "one intent's entries"),
        ("nephoran audit --data ./nephoran-data", "the whole trail, read from the folder"),
        ("nephoran audit --verify --data ./nephoran-data", "checks every link of the chain"),
        ("nephoran audit --verify --packages /srv/packages.git", "a tail that was cut off shows against git"),
    ], "The whole trail and its proof are read from the data folder, also while the operator runs.\nExit code 1 when the chain is broken."))]
    Audit(Audit),

    /// Answer an intent's question
    #[command(after_help = examples(&[
        ("nephoran answer ID 5", "to: How many replicas should upf have?"),
        ("nephoran answer ID ran-a", ""),
    ], "An answer fills what was asked for and changes nothing else."))]
    Answer(Answer),

    /// Say yes to a plan
    #[command(after_help = examples(&[
        ("nephoran approve ID", "on a terminal: shows the plan and asks"),
        ("nephoran approve ID --plan HASH --comment \"agreed in CHG-17\"", "all 64 hex digits"),
    ], "Only the plan with that hash is approved; if the world changes, it is asked again."))]
    Approve(Approve),

    /// Say no to a plan
    #[command(after_help = examples(&[("nephoran reject ID --reason \"not before the weekend\"", "")], ""))]
    Reject(Reject),

    /// Cancel an intent that has not been applied
    #[command(after_help = examples(&[("nephoran cancel ID", "")], ""))]
    Cancel(Id),

    /// Undo an applied intent by a new one
    #[command(after_help = examples(&[
        ("nephoran rollback ID", "prints the id of the new intent, which passes the same guard"),
    ], ""))]
    Rollback(Id),

    /// Ask again for what a failed intent did not do
    #[command(after_help = examples(&[
        ("nephoran list --state failed", ""),
        ("nephoran retry ID", "planned anew: an old approval does not count"),
    ], ""))]
    Retry(Id),

    /// Let the workers claim nothing more; what is accepted stays
    #[command(after_help = examples(&[("nephoran pause", "")], ""))]
    Pause,

    /// Let the workers go on
    #[command(after_help = examples(&[("nephoran resume", "")], ""))]
    Resume,

    /// Turn words into proposals, offline
    #[command(after_help = examples(&[
        ("nephoran translate \"scale upf to 5 in ns ran-a\"", ""),
        ("nephoran translate --file requests.txt", "one request a line"),
        ("nephoran translate --file corpus.jsonl", "the field `text` of each line"),
        ("nephoran translate - < requests.txt", ""),
    ], "Prints one JSON proposal per line of input, for empty lines too.\nExits 0 when every line got a proposal, whatever its outcome."))]
    Translate(Translate),

    /// Find passages of the documents that a model may be shown, offline
    #[command(after_help = examples(&[
        ("nephoran search \"prb usage of a cell\"", "in our own notes, and in retrieve.folder when it is configured"),
        ("nephoran search --most 3 --config nephoran.yaml \"n3 address of the upf\"", ""),
        ("nephoran search -o json slices", "whole passages with their ids"),
    ], "Brings the index in the data folder up to date first; while an operator runs, it does that."))]
    Search(Search),

    /// Work with access tokens
    #[command(subcommand, after_help = examples(&[
        ("nephoran token new alice --role submitter --role approver", ""),
    ], ""))]
    Token(Token),

    /// Print the Kubernetes resource definitions (comes with a later version)
    #[command(after_help = examples(&[("nephoran crd", "")], ""))]
    Crd,

    /// Print the HTTP interface as an OpenAPI document
    #[command(after_help = examples(&[("nephoran openapi > openapi.json", "")], ""))]
    Openapi,

    /// Print a JSON Schema
    #[command(after_help = examples(&[
        ("nephoran schema proposal", "what a translator may say"),
        ("nephoran schema intent", "the body of POST /intent"),
    ], ""))]
    Schema(Schema),

    /// Check or explain the configuration
    #[command(subcommand, after_help = examples(&[
        ("nephoran config check nephoran.yaml", ""),
        ("nephoran config explain", ""),
    ], ""))]
    Config(Config),

    /// Check the surroundings: disk, store, git, folder, clock, address
    #[command(after_help = examples(&[
        ("nephoran doctor", "with the defaults and the environment"),
        ("nephoran doctor --config nephoran.yaml -o json", ""),
    ], "One line each, with the remedy. Exit code 1 if any check fails."))]
    Doctor(Settings),

    /// Print completions for a shell
    #[command(after_help = examples(&[
        ("nephoran completions bash > /etc/bash_completion.d/nephoran", ""),
        ("nephoran completions fish | source", ""),
    ], ""))]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },

    /// Print this reference as Markdown
    #[command(hide = true)]
    Markdown,
}

/// Examples, then what else is to be known, then the environment and the exit codes.
fn examples(examples: &[(&str, &str)], more: &str) -> String {
    let mut text = "Examples:\n".to_owned();
    for (line, comment) in examples {
        text.push_str(&format!("  {line}\n"));
        if !comment.is_empty() {
            text.push_str(&format!("      {comment}\n"));
        }
    }
    if !more.is_empty() {
        text.push_str(&format!("\n{more}\n"));
    }
    format!("{text}\n{VARIABLES}\n\n{CODES}")
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Work in this folder instead of a temporary one
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Leave the folder when done
    #[arg(long)]
    pub keep: bool,
}

/// The configuration's flags.
#[derive(Debug, Clone, Default, Args)]
pub struct Settings {
    /// Configuration file
    #[arg(long, env = "NEPHORAN_CONFIG", value_name = "FILE", hide_env_values = true)]
    pub config: Option<PathBuf>,

    /// Folder of the store, made when missing [default: ./nephoran-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Address of HTTP and the page; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,

    /// Folder whose intent files are taken; it must exist
    #[arg(long, value_name = "DIR")]
    pub hot_folder: Option<PathBuf>,

    /// Git repository of kpt packages [default: one made in the data folder]
    #[arg(long, value_name = "REPO")]
    pub packages: Option<String>,

    /// Where intents are kept; kubernetes comes with a later version [default: sqlite]
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
}

impl Settings {
    pub fn flags(&self) -> Flags {
        Flags {
            data: self.data.clone(),
            listen: self.listen.clone(),
            hot_folder: self.hot_folder.clone(),
            packages: self.packages.clone(),
            store: self.store.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    pub settings: Settings,

    /// Handle what is in the hot folder, then exit
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct Submit {
    /// The request in words; - reads standard input
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    pub text: Vec<String>,

    /// Send this file (may be given several times)
    #[arg(short, long, value_name = "FILE")]
    pub file: Vec<PathBuf>,

    /// Follow it until it rests
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,

    /// With --wait: how long at most, e.g. 30s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub timeout: Duration,

    /// Only plan it: nothing is stored or changed
    #[arg(long)]
    pub dry_run: bool,

    /// How urgent it is; the guard bounds what may be claimed
    #[arg(long, value_enum)]
    pub priority: Option<Priority>,

    /// The same key and content again is the same intent
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,

    /// Ticket of the change, shown in the commit
    #[arg(long)]
    pub ticket: Option<String>,

    /// Why the change is wanted, shown to whoever approves
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Priority {
    Urgent,
    High,
    Normal,
    Low,
}

impl Priority {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

#[derive(Debug, Args)]
pub struct Id {
    /// The intent
    pub id: String,
}

#[derive(Debug, Args)]
pub struct List {
    /// Only in this state, e.g. awaiting_approval
    #[arg(long)]
    pub state: Option<String>,

    /// Only those that touch this namespace
    #[arg(long)]
    pub namespace: Option<String>,

    /// Only of this priority
    #[arg(long, value_enum)]
    pub priority: Option<Priority>,

    /// Only from this door: http, intent or folder
    #[arg(long)]
    pub source: Option<String>,

    /// How many at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: Option<u32>,

    /// Continue a longer list
    #[arg(long)]
    pub cursor: Option<String>,
}

#[derive(Debug, Args)]
pub struct Watch {
    /// Only this intent, until it ends
    pub id: Option<String>,
}

#[derive(Debug, Args)]
pub struct Audit {
    /// Only this intent's entries
    pub id: Option<String>,

    /// Check every link of the chain
    #[arg(long)]
    pub verify: bool,

    /// With --verify: compare also with the heads that the operator's commits in this package repository carry
    #[arg(long, value_name = "REPO", requires = "verify")]
    pub packages: Option<PathBuf>,

    /// Read this data folder instead of asking the operator
    #[arg(long, value_name = "DIR", env = "NEPHORAN_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Answer {
    /// The intent
    pub id: String,

    /// What was asked for
    #[arg(required = true, value_name = "TEXT", allow_hyphen_values = true)]
    pub text: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Approve {
    /// The intent
    pub id: String,

    /// Hash of the plan that you read: 64 hex digits
    #[arg(long, value_name = "HASH")]
    pub plan: Option<String>,

    /// Kept with the approval
    #[arg(long)]
    pub comment: Option<String>,
}

#[derive(Debug, Args)]
pub struct Reject {
    /// The intent
    pub id: String,

    /// Why not; kept with the intent
    #[arg(long, default_value = "rejected on the command line")]
    pub reason: String,
}

#[derive(Debug, Args)]
pub struct Translate {
    /// The request in words; - reads standard input
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    pub text: Vec<String>,

    /// One request a line; of a .jsonl file the field `text`
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Who translates; model asks the language model of the configuration
    #[arg(long, value_enum, default_value = "grammar")]
    pub translator: Translator,

    /// Configuration file that names the model
    #[arg(long, env = "NEPHORAN_CONFIG", value_name = "FILE", hide_env_values = true)]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Search {
    /// What to look for
    #[arg(required = true, value_name = "TEXT", allow_hyphen_values = true)]
    pub text: Vec<String>,

    /// How many passages at most
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    pub most: u8,

    /// Configuration file
    #[arg(long, env = "NEPHORAN_CONFIG", value_name = "FILE", hide_env_values = true)]
    pub config: Option<PathBuf>,

    /// Folder of the store, which holds the index [default: ./nephoran-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Translator {
    Grammar,
    Model,
}

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token: printed once, with the line for `tokens_file`
    #[command(after_help = examples(&[
        ("nephoran token new alice --role submitter --role approver", ""),
        ("nephoran token new ci --role submitter --namespace ran-a --max-priority normal", ""),
    ], "Works offline. Only its SHA-256 is kept: the token itself is shown this once."))]
    New(NewToken),
}

#[derive(Debug, Args)]
pub struct NewToken {
    /// Whose it is
    pub name: String,

    /// What it may do (may be given several times)
    #[arg(long = "role", value_enum, required = true)]
    pub roles: Vec<Role>,

    /// Only this cluster (may be given several times)
    #[arg(long = "cluster", value_name = "CLUSTER")]
    pub clusters: Vec<String>,

    /// Only this namespace (may be given several times)
    #[arg(long = "namespace", value_name = "NAMESPACE")]
    pub namespaces: Vec<String>,

    /// Only this action, e.g. scale (may be given several times)
    #[arg(long = "action", value_name = "ACTION")]
    pub actions: Vec<String>,

    /// The highest priority it may claim
    #[arg(long, value_enum)]
    pub max_priority: Option<Priority>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    Viewer,
    Submitter,
    Approver,
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Submitter => "submitter",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

#[derive(Debug, Args)]
pub struct Schema {
    /// Which one
    #[arg(value_enum)]
    pub of: SchemaOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    Proposal,
    Intent,
}

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Check a configuration file, with a caret at each fault
    #[command(after_help = examples(&[
        ("nephoran config check nephoran.yaml", ""),
        ("NEPHORAN_QUEUE__TOTAL=500 nephoran config check", "the environment is checked too"),
    ], ""))]
    Check(ConfigCheck),

    /// Print every key with its value, origin, meaning and what it implies
    #[command(after_help = examples(&[
        ("nephoran config explain", ""),
        ("nephoran config explain --config nephoran.yaml -o wide", "with the variable that would set each key"),
        ("nephoran config explain -o json", ""),
    ], ""))]
    Explain(Settings),
}

#[derive(Debug, Args)]
pub struct ConfigCheck {
    /// The file; without it --config or NEPHORAN_CONFIG
    pub file: Option<PathBuf>,

    #[command(flatten)]
    pub settings: Settings,
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::config::parse_duration(text)
        .ok_or_else(|| "must be a time with its unit, e.g. 30s, 5m, 1h".to_owned())
}
