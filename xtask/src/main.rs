//! Set-up, tests, generated documents and benchmarks of nephoran: `cargo xtask <command>`.

mod documents;
mod model_server;
mod setup;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

/// Works on the nephoran checkout that it was built from.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what the tests need and this machine lacks, or names it with the remedy
    Setup,
    /// Sets up, then runs every test
    Test {
        /// Only tests whose name contains this
        filter: Option<String>,
    },
    /// Formatting, lints and the dependency rules
    Lint,
    /// Writes the generated documents; with --check only says whether they are current
    Gen {
        #[arg(long)]
        check: bool,
    },
    /// Measures the promises about speed on the release build: a table and target/bench.json
    Bench {
        /// Only rows whose name contains this; `overload`: the runs under overload alone
        filter: Option<String>,
    },
    /// Kills the operator at random moments under load and restarts it
    Crash {
        #[arg(long, default_value_t = 300)]
        kills: u32,
    },
}

fn main() -> Result<()> {
    let root = root();
    match Cli::parse().task {
        Task::Setup => setup::run(&root),
        Task::Test { filter } => test(&root, filter.as_deref()),
        Task::Lint => lint(&root),
        Task::Gen { check } => documents::run(&root, check),
        Task::Bench { filter } => bench(&root, filter.as_deref()),
        Task::Crash { kills } => crash(&root, kills),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the checkout").to_owned()
}

fn test(root: &Path, filter: Option<&str>) -> Result<()> {
    setup::run(root)?;
    let mut command = cargo(root);
    command.args(["test", "--workspace", "--no-fail-fast"]);
    command.args(filter);
    // What tests say is for people to read: figures, and what was skipped for lack of what.
    command.args(["--", "--show-output"]);
    run(&mut command)
}

fn lint(root: &Path) -> Result<()> {
    run(cargo(root).args(["fmt", "--all", "--check"]))?;
    run(cargo(root).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    if setup::is_there("cargo-deny") {
        // Advisories need a database from the network; the rules below need none.
        run(cargo(root).args(["deny", "--offline", "check", "bans", "licenses", "sources"]))?;
    } else {
        println!(
            "SKIPPED: the dependency rules of deny.toml; to check them: cargo install cargo-deny --locked"
        );
    }
    Ok(())
}

fn bench(root: &Path, filter: Option<&str>) -> Result<()> {
    run(cargo(root).args(["build", "--release", "--workspace"]))?;
    let overload = filter.is_some_and(|filter| filter == "overload");
    if !overload && filter != Some("retrieval") {
        let mut command = cargo(root);
        command.args(["bench", "--package", "nephoran", "--bench", "promises", "--"]);
        command.args(filter);
        run(&mut command)?;
    }
    if filter.is_none_or(|filter| filter == "retrieval") {
        run(cargo(root).args(["bench", "--package", "nephoran-retrieve", "--bench", "find"]))?;
    }
    if overload || filter.is_none() {
        run(cargo(root).args(["bench", "--package", "nephoran", "--bench", "overload"]))?;
    }
    Ok(())
}

fn crash(root: &Path, kills: u32) -> Result<()> {
    let mut command = cargo(root);
    command
        .args(["test", "--release", "--package", "nephoran", "--test", "it", "crash", "--", "--nocapture"])
        .env("NEPHORAN_KILLS", kills.to_string());
    run(&mut command)
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("run {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
