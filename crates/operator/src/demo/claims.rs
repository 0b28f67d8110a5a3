//! What the demo claims, checked in the repository itself, and how it is told.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::cli::text::escape;

pub(super) struct Claims {
    bare: PathBuf,
    colour: bool,
    made: usize,
    failed: Vec<String>,
}

impl Claims {
    pub(super) fn about(bare: PathBuf) -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { bare, colour, made: 0, failed: Vec::new() }
    }

    pub(super) fn chapter(&self, title: &str) {
        println!();
        if self.colour {
            println!("\u{1b}[1m== {title}\u{1b}[0m");
        } else {
            println!("== {title}");
        }
    }

    pub(super) fn say(&self, text: &str) {
        for line in text.lines() {
            println!("   {}", escape(line));
        }
    }

    /// Says whether it is so; what is not is remembered.
    pub(super) fn claim(&mut self, what: &str, so: bool) {
        self.made += 1;
        let (word, paint) = if so { ("ok", "32") } else { ("NOT SO", "31") };
        if self.colour {
            println!("   \u{1b}[{paint}m{word}\u{1b}[0m: {what}");
        } else {
            println!("   {word}: {what}");
        }
        if !so {
            self.failed.push(what.to_owned());
        }
    }

    pub(super) fn verdict(&self) -> ExitCode {
        println!();
        if self.failed.is_empty() {
            println!("All {} claims are so, as the repository shows.", self.made);
            return ExitCode::SUCCESS;
        }
        eprintln!("error: {} of {} claims are not so", self.failed.len(), self.made);
        self.failed.iter().for_each(|claim| eprintln!("cause: {claim}"));
        eprintln!("try: nephoran doctor; then run it again with --data DIR and look at what is left there");
        ExitCode::FAILURE
    }

    /// The states that the intent went through.
    pub(super) fn shows_way(&self, record: &Value) {
        let states: Vec<&str> = record["history"]
            .as_array()
            .map(|moves| moves.iter().filter_map(|one| one["state"].as_str()).collect())
            .unwrap_or_default();
        self.say(&format!("{}: {}", record["id"].as_str().unwrap_or("?"), states.join(" -> ")));
    }

    pub(super) fn shows_plan(&self, record: &Value) {
        let plan = &record["plan"];
        self.say(&format!("plan: {}", plan["summary"].as_str().unwrap_or("none")));
        for note in plan["notes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.say(&format!("note: {note}"));
        }
        for line in plan["diff"].as_str().unwrap_or_default().lines() {
            let paint = match line.as_bytes().first() {
                Some(b'+') => "32",
                Some(b'-') => "31",
                _ => "2",
            };
            if self.colour {
                println!("     \u{1b}[{paint}m{}\u{1b}[0m", escape(line));
            } else {
                println!("     {}", escape(line));
            }
        }
        if let Some(commit) = record["outcomes"][0]["commit"].as_str() {
            self.say(&format!("commit: {commit}"));
        }
    }

    pub(super) fn shows_findings(&self, record: &Value) {
        for finding in record["findings"].as_array().into_iter().flatten() {
            let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            self.say(&format!("{}: {}", text("rule"), text("message")));
            self.say(&format!("  remedy: {}", text("remedy")));
        }
    }

    pub(super) fn packages(&self) -> anyhow::Result<Vec<String>> {
        let files = self.git(&["ls-tree", "-r", "--name-only", "main"])?;
        Ok(files.lines().filter_map(|file| file.strip_suffix("/Kptfile")).map(str::to_owned).collect())
    }

    /// The count in a file at the tip, as its text says.
    pub(super) fn replicas(&self, file: &str) -> anyhow::Result<u32> {
        let text = self.git(&["show", &format!("main:{file}")])?;
        let line = text
            .lines()
            .find_map(|line| line.trim_start().strip_prefix("replicas:"))
            .with_context(|| format!("{file} has no replicas"))?;
        let number = line.split('#').next().unwrap_or(line).trim();
        number.parse().with_context(|| format!("the replicas of {file} are no number"))
    }

    /// The last commit changed exactly one line of `file`, and nothing in it but a number.
    pub(super) fn changed_one_scalar(&self, file: &str) -> anyhow::Result<bool> {
        let diff = self.git(&["diff", "-U0", "main~1", "main", "--", file])?;
        let changed = |sign: char, header: &str| -> Vec<String> {
            diff.lines()
                .filter(|line| line.starts_with(sign) && !line.starts_with(header))
                .map(|line| line[1..].replace(|c: char| c.is_ascii_digit(), ""))
                .collect()
        };
        let (before, after) = (changed('-', "---"), changed('+', "+++"));
        Ok(before.len() == 1 && before == after)
    }

    pub(super) fn commit_names(&self, record: &Value) -> anyhow::Result<bool> {
        let message = self.git(&["log", "-1", "--format=%B", "main"])?;
        let has = |key: &str, value: &Value| {
            value.as_str().is_some_and(|value| message.lines().any(|line| line == format!("{key}: {value}")))
        };
        Ok(has("Nephoran-Intent", &record["id"]) && has("Nephoran-Plan", &record["plan"]["hash"]))
    }

    /// What must hold of the repository as a whole.
    pub(super) fn whole_repository(&mut self) {
        if let Ok(log) = self.git(&["log", "--format=%h %s", "main"]) {
            log.lines().for_each(|line| self.say(line));
        }
        let sound = self.git(&["fsck", "--strict"]).is_ok();
        self.claim("git fsck --strict finds nothing", sound);
        let plans = self.git(&["log", "--format=%(trailers:key=Nephoran-Plan,valueonly)", "main"]);
        let once = plans.is_ok_and(|plans| {
            let mut plans: Vec<&str> = plans.lines().filter(|line| !line.is_empty()).collect();
            let all = plans.len();
            plans.sort_unstable();
            plans.dedup();
            all > 0 && plans.len() == all
        });
        self.claim("no plan has two commits", once);
        let kept = self.git(&["diff", "main", &first_commit(self)]).is_ok_and(|diff| {
            let comments = |sign: char| {
                diff.lines()
                    .filter(|line| line.starts_with(sign))
                    .filter_map(|line| line.split_once('#').map(|(_, comment)| comment.to_owned()))
                    .collect::<Vec<_>>()
            };
            comments('-') == comments('+')
        });
        self.claim("every comment is where it was", kept);
    }

    fn git(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = Command::new("git")
            .arg("-C")
            .arg(&self.bare)
            .args(args)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .context("run git")?;
        ensure!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
        String::from_utf8(output.stdout).context("git printed no text")
    }
}

fn first_commit(claims: &Claims) -> String {
    claims
        .git(&["log", "--format=%H", "--grep=Nephoran-Intent", "--invert-grep", "-1", "main"])
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}
