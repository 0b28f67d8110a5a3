//! get, list, plan, report, audit.

use std::io::IsTerminal;
use std::path::Path;

use jiff::Timestamp;
use nephoran_model::intent::IntentId;
use serde_json::{Value, json};

use super::args::{Audit, Common, List, Output};
use super::client::{Client, encoded};
use super::exit::{Exit, Failure, colour_wanted};
use super::text::escape;
use super::{note, show};
use crate::store::{self, AuditHead, Look};

pub fn path(id: &str, rest: &str) -> String {
    format!("/api/v1/intents/{}{rest}", encoded(id))
}

pub async fn get(client: &Client, common: &Common, id: &str) -> Result<Exit, Failure> {
    let record = client.get(&format!("read the intent {id}"), &path(id, "")).await?;
    show::answer(common, &record, |wide| show::record(&record, wide, Timestamp::now()))
}

pub async fn list(client: &Client, common: &Common, options: &List) -> Result<Exit, Failure> {
    let mut query = Vec::new();
    let mut ask = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            query.push(format!("{name}={}", encoded(&value)));
        }
    };
    ask("state", options.state.clone());
    ask("namespace", options.namespace.clone());
    ask("priority", options.priority.map(|priority| priority.as_str().to_owned()));
    ask("source", options.source.clone());
    ask("limit", options.limit.map(|limit| limit.to_string()));
    ask("cursor", options.cursor.clone());
    let question = if query.is_empty() { "" } else { "?" };
    let page =
        client.get("list the intents", &format!("/api/v1/intents{question}{}", query.join("&"))).await?;
    let items = page["items"].as_array().cloned().unwrap_or_default();
    let done = show::answer(common, &page, |wide| show::list(&items, wide, Timestamp::now()))?;
    let table = matches!(common.output, None | Some(Output::Table | Output::Wide));
    if let (true, Some(cursor)) = (table, page["next_cursor"].as_str()) {
        note(&format!("more: --cursor {cursor}"));
    }
    Ok(done)
}

pub async fn plan(client: &Client, common: &Common, id: &str) -> Result<Exit, Failure> {
    let plan = client.get(&format!("read the plan of {id}"), &path(id, "/plan")).await?;
    let colour = std::io::stdout().is_terminal() && colour_wanted();
    show::answer(common, &plan, |wide| show::plan(&plan, wide, colour))
}

pub async fn report(client: &Client, common: &Common, id: &str) -> Result<Exit, Failure> {
    let report = client.get(&format!("read the report on {id}"), &path(id, "/report")).await?;
    show::answer(common, &report, |_| {
        let mut text = String::new();
        for sentence in report["words"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            text.push_str(&format!("{}\n", escape(sentence)));
        }
        text
    })
}

pub async fn audit(client: &Client, common: &Common, id: &str) -> Result<Exit, Failure> {
    let trail = client.get(&format!("read the audit trail of {id}"), &path(id, "/audit")).await?;
    let entries = trail["items"].as_array().cloned().unwrap_or_default();
    show::answer(common, &trail, |wide| show::trail(&entries, wide))
}

/// Read from the data folder: a proof must not rest on the word of the program it is about.
pub fn audit_offline(common: &Common, options: &Audit) -> Result<Exit, Failure> {
    let data = options.data.as_deref().unwrap_or(Path::new("./nephoran-data"));
    if options.verify {
        let known = match &options.packages {
            Some(repository) => heads_in(repository)?,
            None => Vec::new(),
        };
        let proof = verify(data, &known)?;
        let sound = proof["faults_in_all"] == 0;
        let done = show::answer(common, &proof, |_| {
            let mut text = format!(
                "{}: {} entries, {} erased, {} heads in git, head {}\n",
                if sound { "the audit trail is sound" } else { "THE AUDIT TRAIL IS BROKEN" },
                show::field(&proof, "/entries"),
                show::field(&proof, "/erased"),
                known.len(),
                show::field(&proof, "/head"),
            );
            for fault in proof["faults"].as_array().into_iter().flatten() {
                let line =
                    format!("entry {}: {}", show::field(fault, "/sequence"), show::field(fault, "/what"));
                text.push_str(&format!("{}\n", escape(&line)));
            }
            text
        })?;
        if !sound {
            return Err(Failure::new(
                Exit::Environment,
                format!("verify the audit trail in {}", data.display()),
            )
            .cause(format!("{} entries do not fit the chain", show::field(&proof, "/faults_in_all")))
            .try_("keep a copy of the folder and compare the trailers `Nephoran-Audit` in git with it"));
        }
        if options.id.is_none() {
            return Ok(done);
        }
    }
    let entries = trail(data, options.id.as_deref())?;
    let all: Value = json!({"items": entries});
    show::answer(common, &all, |wide| show::trail(&entries, wide))
}

fn look(data: &Path) -> Result<Look, Failure> {
    if !data.join("nephoran.db").exists() {
        return Err(Failure::new(Exit::Environment, format!("look into the store in {}", data.display()))
            .cause("there is no store in this folder")
            .try_("give the data folder of an operator with --data"));
    }
    Look::into_folder(data)
        .map_err(|error| store_failure(&format!("look into the store in {}", data.display()), error))
}

fn verify(data: &Path, known: &[AuditHead]) -> Result<Value, Failure> {
    let proof = look(data)?
        .verify_audit(known)
        .map_err(|error| store_failure(&format!("verify the audit trail in {}", data.display()), error))?;
    Ok(serde_json::to_value(proof).expect("a proof is numbers and texts"))
}

/// The heads of the trail as the operator's own commits remember them.
fn heads_in(repository: &Path) -> Result<Vec<AuditHead>, Failure> {
    let doing = || format!("read the commits in {}", repository.display());
    let remedy = "give a package repository of this operator with --packages";
    let output = std::process::Command::new("git")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .arg("-C")
        .arg(repository)
        .args(["-c", "safe.directory=*", "-c", "log.showSignature=false", "log", "--all", "--no-color"])
        .arg(format!("--author=^{}$", crate::package::message::IDENTITY))
        .arg("--format=%(trailers:key=Nephoran-Audit,valueonly)")
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|source| Failure::new(Exit::Environment, doing()).cause(source).try_("install git"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failure::new(Exit::Environment, doing()).cause(said).try_(remedy));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.trim().parse().ok()).collect())
}

/// Entries read at once.
const PAGE: usize = 10_000;

fn trail(data: &Path, id: Option<&str>) -> Result<Vec<Value>, Failure> {
    let doing = format!("read the audit trail in {}", data.display());
    let unknown = |id: &str| {
        Failure::new(Exit::NotAllowed, doing.clone())
            .cause(format!("no intent has the id {id}"))
            .try_("nephoran audit --data DIR shows the whole trail")
    };
    let id = match id {
        Some(id) => Some(IntentId::parse(id).ok_or_else(|| unknown(id))?),
        None => None,
    };
    let look = look(data)?;
    let mut entries = Vec::new();
    let mut after = 0;
    loop {
        let page = look.audit(id.as_ref(), after, PAGE).map_err(|error| match error {
            store::Error::Unknown { id } => unknown(id.as_str()),
            other => store_failure(&doing, other),
        })?;
        let Some(last) = page.last() else { return Ok(entries) };
        after = last.sequence;
        entries.extend(page.iter().map(|entry| serde_json::to_value(entry).expect("an entry is texts")));
    }
}

/// The store's errors say what to do after a semicolon.
pub fn store_failure(doing: &str, error: store::Error) -> Failure {
    let mut failure = Failure::new(Exit::Environment, doing).cause(&error);
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        failure.causes.push(inner.to_string());
        source = inner.source();
    }
    failure.try_("give the data folder of an operator with --data; nephoran doctor checks it")
}
