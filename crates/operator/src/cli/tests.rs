#![allow(clippy::unwrap_used)]

use clap::{Command as Clap, CommandFactory, Parser};

use super::args::{Cli, Output};
use super::*;

/// Every command at the end of its path, e.g. `config check`.
fn leaves(command: &Clap, path: &str, found: &mut Vec<(String, Clap)>) {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
    {
        let path = format!("{path} {}", inner.get_name());
        found.push((path.clone(), inner.clone()));
        leaves(inner, &path, found);
    }
}

#[test]
fn each_command_has_help_with_an_example_the_variables_and_the_exit_codes() {
    let mut found = Vec::new();
    leaves(&Cli::command(), "nephoran", &mut found);
    assert!(found.len() >= 28, "{}", found.len());
    for (path, mut command) in found {
        let help = command.render_long_help().to_string();
        let name = path.split_whitespace().nth(1).unwrap();
        let examples = help.split("Examples:\n").nth(1).unwrap_or_default();
        assert!(examples.contains(&format!("nephoran {name}")), "{path}:\n{help}");
        assert!(help.contains("Exit codes:") && help.contains("NEPHORAN_SERVER"), "{path}:\n{help}");
        assert!(command.get_about().is_some_and(|about| about.to_string().len() > 10), "{path}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path} {}", argument.get_id());
        }
    }
}

#[test]
fn every_example_in_a_help_can_be_typed() {
    let mut found = Vec::new();
    leaves(&Cli::command(), "nephoran", &mut found);
    let mut tried = 0;
    for (path, command) in found {
        let help = command.get_after_help().unwrap().to_string();
        let examples =
            help.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
        for line in examples.filter(|line| line.contains("nephoran ")) {
            let from = line.find("nephoran ").unwrap();
            let line = line[from..].split([' ']).take_while(|word| !matches!(*word, ">" | "|" | "<"));
            let words = shell_words(&line.collect::<Vec<_>>().join(" "));
            let parsed = Cli::try_parse_from(&words);
            assert!(parsed.is_ok(), "{path}: {words:?}: {}", parsed.unwrap_err());
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

/// Splits as a shell does, as far as the examples need it.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_and_option_of_the_contract_is_there() {
    let lines = [
        "demo --data d --keep",
        "up --config f --data d --listen 127.0.0.1:0 --hot-folder h --packages r --store sqlite --once",
        "submit words and more words",
        "submit -f x.json --wait --priority high --idempotency-key k --ticket t --reason r",
        "submit - --dry-run",
        "get ID -o wide",
        "list -o json --state applied",
        "watch",
        "watch ID",
        "plan ID -o yaml",
        "report ID",
        "audit",
        "audit ID --verify",
        "audit --verify --data d",
        "answer ID -2",
        "answer ID in ran-a",
        "approve ID --plan HASH",
        "approve ID",
        "reject ID",
        "reject ID --reason no",
        "cancel ID",
        "rollback ID",
        "retry ID",
        "pause",
        "resume",
        "translate scale upf to 5 --translator grammar",
        "translate --file f.jsonl",
        "translate -",
        "token new alice --role viewer --role admin",
        "crd",
        "openapi",
        "schema proposal",
        "schema intent",
        "config check f.yaml",
        "config explain -o json",
        "doctor -o json",
        "completions bash",
        "--server http://127.0.0.1:1 get ID",
    ];
    for line in lines {
        let words = ["nephoran"].into_iter().chain(line.split_whitespace());
        assert!(Cli::try_parse_from(words).is_ok(), "{line}");
    }
}

#[test]
fn server_token_file_and_output_are_taken_before_and_after_the_command() {
    for line in [
        "nephoran --server http://127.0.0.1:9 --token-file t -o json list",
        "nephoran list --server http://127.0.0.1:9 --token-file t -o json",
        "nephoran --server=http://127.0.0.1:9 list -o=json --token-file=t",
    ] {
        let common = Cli::try_parse_from(line.split_whitespace()).unwrap().common;
        assert_eq!(common.server, "http://127.0.0.1:9", "{line}");
        assert_eq!(common.output, Some(Output::Json), "{line}");
        assert_eq!(common.token_file.as_deref(), Some(std::path::Path::new("t")), "{line}");
    }
}

#[test]
fn bad_arguments_are_told_as_error_cause_and_try() {
    for (line, cause, remedy) in [
        ("nephoran submit --prioritty high x", "unexpected argument '--prioritty' found", "--priority"),
        ("nephoran lst", "unrecognized subcommand 'lst'", "'list'"),
        ("nephoran get", "the following required arguments were not provided: <ID>", "nephoran get --help"),
        ("nephoran submit --priority soon x", "invalid value 'soon' for '--priority <PRIORITY>'", "--help"),
        ("nephoran list --limit 0", "invalid value '0' for '--limit <N>'", "--help"),
        ("nephoran submit --timeout soon x", "must be a time with its unit", "--help"),
    ] {
        let error = Cli::try_parse_from(line.split_whitespace()).unwrap_err();
        let failure = bad_arguments(&error.to_string());
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.causes[0].contains(cause), "{line}: {failure:?}");
        assert!(failure.tries.iter().any(|text| text.contains(remedy)), "{line}: {failure:?}");
    }
}

#[test]
fn the_reference_in_docs_is_current() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let there = std::fs::read_to_string(&file).unwrap();
    // Not `assert_eq`: nobody wants to see both whole.
    assert!(there == markdown(), "docs/cli.md is not current; write it anew with: cargo xtask gen");
}
