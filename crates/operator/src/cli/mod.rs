//! The command line: one binary, whose commands either run the operator, ask a running one,
//! or work offline.

/// What can be typed.
mod args;

/// How a command ends.
pub(crate) mod exit;

/// Speaks HTTP to a running operator.
pub(crate) mod client;

/// Text of others on a terminal.
pub(crate) mod text;

/// Prints answers as tables, JSON or YAML.
mod show;

/// get, list, plan, report, audit.
mod read;

/// Follows events.
mod watch;

/// submit.
mod submit;

/// answer, approve, reject, cancel, rollback, retry, pause, resume.
mod act;

/// translate.
mod translate;

/// search.
mod search;

/// token new.
mod token;

/// config check and explain.
mod configure;

/// doctor.
mod doctor;

/// The reference, as Markdown.
mod markdown;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

pub use exit::{Exit, Failure, colour_wanted};
pub use markdown::markdown;
pub use text::{escape, escape_lines};

use crate::app::Mode;
use crate::demo::DemoOptions;

use args::{Cli, Command, Common, Config as ConfigCommand, SchemaOf, Token};
use client::Client;

/// Parses the command line, does what it says and returns how that went.
pub fn main() -> ExitCode {
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return usage(&error).into(),
    };
    let cli = Cli::from_arg_matches(&matches).expect("the matches are those of this command");
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            failure.print();
            failure.exit.into()
        }
    }
}

/// Help and version are answers; the rest are bad arguments, told as every failure is.
fn usage(error: &clap::Error) -> Exit {
    use clap::error::ErrorKind;

    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return Exit::Done;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return Exit::Usage;
    }
    bad_arguments(&error.to_string()).print();
    Exit::Usage
}

/// clap's text has its reason first, then tips, usage and a hint at --help.
fn bad_arguments(text: &str) -> Failure {
    let mut failure = Failure::new(Exit::Usage, "the command line is not understood");
    let (reason, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let reason = reason.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ");
    failure.causes.push(reason);
    let mut command = "nephoran".to_owned();
    for line in rest.lines().map(str::trim) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            failure.tries.push(tip.to_owned());
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            let words = usage
                .split_whitespace()
                .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
            command = words.collect::<Vec<_>>().join(" ");
        }
    }
    failure.try_(format!("{command} --help"))
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let Cli { common, command } = cli;
    let done = match command {
        Command::Demo(demo) => return run_demo(demo),
        Command::Up(up) => return run_up(&up),
        Command::Submit(options) => {
            asking(&common, async |client| submit::run(&client, &common, options).await)
        }
        Command::Get(id) => asking(&common, async |client| read::get(&client, &common, &id.id).await),
        Command::List(options) => {
            asking(&common, async |client| read::list(&client, &common, &options).await)
        }
        Command::Watch(options) => {
            asking(&common, async |client| watch::run(&client, &common, options.id.as_deref()).await)
        }
        Command::Plan(id) => asking(&common, async |client| read::plan(&client, &common, &id.id).await),
        Command::Report(id) => asking(&common, async |client| read::report(&client, &common, &id.id).await),
        Command::Audit(options) => match (&options.id, &options.data, options.verify) {
            (Some(id), None, false) => {
                asking(&common, async |client| read::audit(&client, &common, id).await)
            }
            _ => read::audit_offline(&common, &options),
        },
        Command::Answer(options) => {
            asking(&common, async |client| act::answer(&client, &common, &options).await)
        }
        Command::Approve(options) => {
            asking(&common, async |client| act::approve(&client, &common, &options).await)
        }
        Command::Reject(options) => {
            asking(&common, async |client| act::reject(&client, &common, &options).await)
        }
        Command::Cancel(id) => asking(&common, async |client| act::cancel(&client, &common, &id.id).await),
        Command::Rollback(id) => {
            asking(&common, async |client| act::anew(&client, &common, &id.id, "rollback").await)
        }
        Command::Retry(id) => {
            asking(&common, async |client| act::anew(&client, &common, &id.id, "retry").await)
        }
        Command::Pause => asking(&common, async |client| act::workers(&client, &common, "pause").await),
        Command::Resume => asking(&common, async |client| act::workers(&client, &common, "resume").await),
        Command::Translate(options) => translate::run(&common, &options),
        Command::Search(options) => search::run(&common, &options),
        Command::Token(Token::New(options)) => token::new(&options),
        Command::Crd => Err(Failure::new(Exit::Environment, "print the Kubernetes resource definitions")
            .cause("this version does not have NetworkIntent objects yet")
            .try_("use the HTTP interface (nephoran openapi), the hot folder or nephoran submit")),
        Command::Openapi => document(&crate::intake::http::openapi::document()),
        Command::Schema(schema) => match schema.of {
            SchemaOf::Proposal => document(&nephoran_api::proposal::schema()),
            SchemaOf::Intent => document(&nephoran_api::intent_v1::schema(&[])),
        },
        Command::Config(ConfigCommand::Check(options)) => configure::check(&options),
        Command::Config(ConfigCommand::Explain(settings)) => configure::explain(&common, &settings),
        Command::Doctor(settings) => doctor::run(&common, &settings),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "nephoran", &mut script);
            out(&String::from_utf8_lossy(&script))
        }
        Command::Markdown => out(&markdown()),
    };
    done.map(ExitCode::from)
}

fn run_up(up: &args::Up) -> Result<ExitCode, Failure> {
    let config = configure::load(&up.settings)?;
    config.check_machine()?;
    if up.once && config.hot_folder.path.is_none() {
        return Err(Failure::new(Exit::Environment, "take what is in the hot folder")
            .cause("no hot folder is configured")
            .try_("name one: --hot-folder DIR, or hot_folder.path in the configuration"));
    }
    crate::telemetry::logs::start(&config.telemetry.log);
    for note in &config.notes {
        tracing::warn!("{note}.");
    }
    let mode = if up.once { Mode::Once } else { Mode::Serve };
    Ok(crate::app::up(config, mode)?)
}

fn run_demo(options: args::Demo) -> Result<ExitCode, Failure> {
    Ok(crate::demo::run(DemoOptions { data: options.data, keep: options.keep })?)
}

fn no_runtime(source: std::io::Error) -> Failure {
    Failure::new(Exit::Environment, "start the runtime")
        .cause(source)
        .try_("raise the limit of threads: ulimit -u")
}

/// Runs a command that asks a running operator.
fn asking<F>(common: &Common, command: F) -> Result<Exit, Failure>
where
    F: AsyncFnOnce(Client) -> Result<Exit, Failure>,
{
    let token = std::env::var("NEPHORAN_TOKEN").ok();
    let client = Client::new(&common.server, token, common.token_file.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_runtime)?;
    let done = runtime.block_on(command(client));
    runtime.shutdown_background();
    done
}

/// Prints on standard output. A reader that went away (`| head`) ends us quietly.
fn out(text: &str) -> Result<Exit, Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Exit::Done),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(Failure::new(Exit::Environment, "write to standard output")
            .cause(error)
            .try_("make room where the output goes")),
    }
}

/// A line on standard error that is no failure.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", escape_lines(text));
}

fn document(value: &serde_json::Value) -> Result<Exit, Failure> {
    out(&show::json(value))
}
