//! Prints answers as aligned tables, JSON or YAML.

use jiff::Timestamp;
use serde_json::Value;

use super::args::{Common, Output};
use super::exit::{Exit, Failure};
use super::out;
use super::text::{escape, escape_json, escape_lines, is_hidden, shorten, table};

/// JSON and YAML show the answer as it came; `table` says what people read.
pub fn answer(common: &Common, value: &Value, people: impl FnOnce(bool) -> String) -> Result<Exit, Failure> {
    match common.output.unwrap_or(Output::Table) {
        Output::Table => out(&people(false)),
        Output::Wide => out(&people(true)),
        Output::Json => out(&json(value)),
        Output::Yaml => out(&yaml(value)),
    }
}

pub fn json(value: &Value) -> String {
    escape_json(format!("{value:#}\n"))
}

pub fn yaml(value: &Value) -> String {
    match serde_saphyr::to_string(value) {
        Ok(text) if !text.chars().any(|character| character != '\n' && is_hidden(character)) => {
            if text.ends_with('\n') { text } else { text + "\n" }
        }
        // JSON is YAML too, and can write out what a terminal would obey.
        _ => json(value),
    }
}

/// A field as text; absent and null are empty.
pub fn field(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// What was asked for, on one line.
pub fn request(record: &Value) -> String {
    if let Some(text) = record.pointer("/request/text").and_then(Value::as_str) {
        return text.to_owned();
    }
    if let Some(intent) = record.pointer("/request/intent") {
        let said = |key: &str| field(intent, &format!("/{key}"));
        return format!(
            "{} {}/{} to {}",
            said("intent_type"),
            said("namespace"),
            said("target"),
            said("replicas")
        );
    }
    "a proposal".to_owned()
}

/// The change where there is one, else what holds it up, else the words.
pub fn summary(record: &Value) -> String {
    let plan = field(record, "/plan/summary");
    let question = field(record, "/question");
    if !question.is_empty() && field(record, "/state") == "needs_answer" {
        return question;
    }
    if !plan.is_empty() {
        return plan;
    }
    request(record)
}

/// To the millisecond: what a reader can use.
pub fn time(at: &str) -> String {
    at.parse::<Timestamp>().map_or_else(|_| at.to_owned(), |at| format!("{at:.3}"))
}

/// `45s`, `12m`, `3h`, `5d`: how long ago, as kubectl says it.
pub fn age(at: &str, now: Timestamp) -> String {
    let Ok(at) = at.parse::<Timestamp>() else { return String::new() };
    let seconds = now.duration_since(at).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

pub fn list(items: &[Value], wide: bool, now: Timestamp) -> String {
    if items.is_empty() {
        return "no intents\n".to_owned();
    }
    let state = |item: &Value| {
        let reason = field(item, "/reason");
        let state = field(item, "/state");
        if reason.is_empty() { state } else { format!("{state} ({reason})") }
    };
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            let mut row = vec![
                field(item, "/id"),
                state(item),
                field(item, "/priority"),
                age(&field(item, "/created_at"), now),
            ];
            if wide {
                row.extend([
                    field(item, "/source"),
                    field(item, "/requester"),
                    field(item, "/fulfilment/status"),
                    short_hash(&field(item, "/outcomes/0/commit")),
                    shorten(&summary(item), 60),
                    request(item),
                ]);
            } else {
                row.push(shorten(&summary(item), 72));
            }
            row
        })
        .collect();
    let head: &[&str] = if wide {
        &[
            "ID",
            "STATE",
            "PRIORITY",
            "AGE",
            "SOURCE",
            "REQUESTER",
            "FULFILMENT",
            "COMMIT",
            "SUMMARY",
            "REQUEST",
        ]
    } else {
        &["ID", "STATE", "PRIORITY", "AGE", "SUMMARY"]
    };
    table(head, &rows)
}

/// Twelve digits are enough to look at; a whole hash is needed to approve.
fn short_hash(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// One intent: the line of the list, then whatever a reader has to know of it.
pub fn record(record: &Value, wide: bool, now: Timestamp) -> String {
    let mut text = list(std::slice::from_ref(record), wide, now);
    text.push('\n');
    let mut say = |title: &str, said: String| {
        if !said.is_empty() {
            text.push_str(&format!("{title:<10} {}\n", escape(&said)));
        }
    };
    say("request", request(record));
    say("ticket", field(record, "/change/ticket"));
    say("reason", field(record, "/change/reason"));
    say("plan", field(record, "/plan/summary"));
    say("hash", field(record, "/plan/hash"));
    for outcome in record["outcomes"].as_array().into_iter().flatten() {
        let commit = field(outcome, "/commit");
        let note = field(outcome, "/note");
        say("commit", if commit.is_empty() { note } else { commit });
    }
    let status = field(record, "/fulfilment/status");
    let reason = field(record, "/fulfilment/reason");
    // Before anything was applied there is nothing to fulfil.
    let status =
        if record["outcomes"].as_array().is_some_and(Vec::is_empty) { String::new() } else { status };
    say(
        "fulfilment",
        if reason.is_empty() || status.is_empty() { status } else { format!("{status} ({reason})") },
    );
    say("answer", field(record, "/answer"));
    say("question", field(record, "/question"));
    text.push_str(&findings(&record["findings"]));
    let moves: Vec<Vec<String>> = record["history"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|step| {
            let said = |pointer| field(step, pointer);
            vec![time(&said("/at")), said("/state"), said("/actor"), said("/cause")]
        })
        .collect();
    if !moves.is_empty() {
        text.push('\n');
        text.push_str(&table(&["TIME", "STATE", "ACTOR", "CAUSE"], &moves));
    }
    if let Some(next) = next_step(record) {
        text.push_str(&format!("\nnext: {}\n", escape(&next)));
    }
    text
}

/// What a person can do now, where one has to.
pub fn next_step(record: &Value) -> Option<String> {
    let id = field(record, "/id");
    let step = match field(record, "/state").as_str() {
        "needs_answer" => {
            let first = field(record, "/candidates/0");
            let answer = if first.is_empty() { "ANSWER" } else { &first };
            format!("nephoran answer {id} {answer}")
        }
        "awaiting_approval" => {
            format!("nephoran plan {id}, then nephoran approve {id} --plan {}", field(record, "/plan/hash"))
        }
        "planned" if field(record, "/reason") == "frozen" => {
            "lift guard.freeze in the configuration and restart, or nephoran cancel ID".replace("ID", &id)
        }
        "failed" => format!("nephoran retry {id}"),
        "degraded" => format!("nephoran report {id}, then submit it again or nephoran rollback {id}"),
        "refused" => return None,
        _ => return None,
    };
    Some(step)
}

pub fn findings(findings: &Value) -> String {
    let mut text = String::new();
    for finding in findings.as_array().into_iter().flatten() {
        let effect = match field(finding, "/effect").as_str() {
            "" => String::new(),
            effect => format!(" ({effect})"),
        };
        text.push_str(&format!(
            "finding    {}{}: {}\n",
            escape(&field(finding, "/rule")),
            escape(&effect),
            escape(&field(finding, "/message"))
        ));
        let remedy = field(finding, "/remedy");
        if !remedy.is_empty() {
            text.push_str(&format!("  try      {}\n", escape(&remedy)));
        }
    }
    text
}

pub fn plan(plan: &Value, wide: bool, colour: bool) -> String {
    let rows: Vec<Vec<String>> = plan["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|step| {
            let place = match (field(step, "/target/namespace"), field(step, "/target/cluster")) {
                (namespace, _) if !namespace.is_empty() => format!("{namespace}/"),
                (_, cluster) if !cluster.is_empty() => format!("{cluster}/"),
                _ => String::new(),
            };
            let mut row = vec![
                field(step, "/id"),
                field(step, "/action"),
                format!("{place}{}", field(step, "/target/name")),
                field(step, "/before"),
                field(step, "/after"),
                field(step, "/state"),
                field(step, "/file"),
            ];
            if wide {
                row.extend([field(step, "/field"), field(step, "/repository"), field(step, "/actuator")]);
            }
            row
        })
        .collect();
    let mut head = vec!["STEP", "ACTION", "TARGET", "BEFORE", "AFTER", "STATE", "FILE"];
    if wide {
        head.extend(["FIELD", "REPOSITORY", "ACTUATOR"]);
    }
    let mut text = format!("{}\n\n{}", escape(&field(plan, "/summary")), table(&head, &rows));
    for note in plan["notes"].as_array().into_iter().flatten() {
        text.push_str(&format!("note       {}\n", escape(note.as_str().unwrap_or_default())));
    }
    let base: Vec<String> = plan["base"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(repository, commit)| format!("{repository} at {}", commit.as_str().unwrap_or_default()))
        .collect();
    if !base.is_empty() {
        text.push_str(&format!("read       {}\n", escape(&base.join(", "))));
    }
    text.push_str(&format!("hash       {}\n", escape(&field(plan, "/hash"))));
    let diff = field(plan, "/diff");
    if !diff.is_empty() {
        text.push('\n');
        for line in diff.lines() {
            let shown = escape_lines(line);
            match line.as_bytes().first() {
                Some(b'+') if colour => text.push_str(&format!("\u{1b}[32m{shown}\u{1b}[0m\n")),
                Some(b'-') if colour => text.push_str(&format!("\u{1b}[31m{shown}\u{1b}[0m\n")),
                _ => text.push_str(&format!("{shown}\n")),
            }
        }
    }
    text
}

/// Entries of the audit trail.
pub fn trail(entries: &[Value], wide: bool) -> String {
    if entries.is_empty() {
        return "no entries\n".to_owned();
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let body = &entry["body"];
            let said = match (field(body, "/state"), field(body, "/cause")) {
                (state, cause) if !state.is_empty() => format!("{state}: {cause}"),
                _ if body.is_null() => "erased".to_owned(),
                _ => body.to_string(),
            };
            let mut row = vec![
                field(entry, "/sequence"),
                time(&field(entry, "/at")),
                field(entry, "/kind"),
                field(entry, "/actor"),
                field(entry, "/intent"),
            ];
            if wide {
                row.push(field(entry, "/hash"));
            }
            row.push(if wide { said } else { shorten(&said, 80) });
            row
        })
        .collect();
    let head: &[&str] = if wide {
        &["SEQUENCE", "TIME", "KIND", "ACTOR", "INTENT", "HASH", "WHAT"]
    } else {
        &["SEQUENCE", "TIME", "KIND", "ACTOR", "INTENT", "WHAT"]
    };
    table(head, &rows)
}
