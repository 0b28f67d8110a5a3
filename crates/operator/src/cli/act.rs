//! answer, approve, reject, cancel, rollback, retry, pause, resume.

use std::io::{BufRead, IsTerminal, Write};

use jiff::Timestamp;
use nephoran_model::plan::PlanHash;
use serde_json::{Value, json};

use super::args::{Answer, Approve, Common, Reject};
use super::client::{Client, Sent};
use super::exit::{Exit, Failure, colour_wanted};
use super::read::path;
use super::text::escape;
use super::{out, show};

/// The act's answer is the record after it.
fn acted(common: &Common, id: &str, record: &Value) -> Result<Exit, Failure> {
    show::answer(common, record, |wide| {
        if wide {
            return show::record(record, true, Timestamp::now());
        }
        let mut text = format!("{id} is {}\n", escape(&show::field(record, "/state")));
        if let Some(next) = show::next_step(record) {
            text.push_str(&format!("next: {}\n", escape(&next)));
        }
        text
    })
}

pub async fn answer(client: &Client, common: &Common, options: &Answer) -> Result<Exit, Failure> {
    let id = &options.id;
    let body = json!({"text": options.text.join(" ")});
    let record = client.post(&format!("answer {id}"), &path(id, "/answer"), Sent::json(&body)).await?;
    acted(common, id, &record)
}

pub async fn approve(client: &Client, common: &Common, options: &Approve) -> Result<Exit, Failure> {
    let id = &options.id;
    let doing = format!("approve {id}");
    let hash = match &options.plan {
        Some(hash) => PlanHash::parse(hash).map(|hash| hash.to_string()).ok_or_else(|| {
            Failure::new(Exit::Usage, doing.clone())
                .cause("--plan must be the whole hash: 64 of 0-9 and a-f")
                .try_(format!("nephoran plan {id} shows it"))
        })?,
        None if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() => {
            match ask(client, id).await? {
                Some(hash) => hash,
                None => {
                    return Err(Failure::new(Exit::NeedsApproval, doing)
                        .cause("you did not say yes")
                        .try_(format!("nephoran reject {id} --reason TEXT, or leave it to somebody else")));
                }
            }
        }
        None => {
            return Err(Failure::new(Exit::Usage, doing)
                .cause("this is no terminal, so nobody can be shown the plan and asked")
                .try_(format!(
                    "read it with nephoran plan {id}, then name its hash: nephoran approve {id} --plan HASH"
                )));
        }
    };
    let mut body = json!({"plan_hash": hash});
    if let Some(comment) = &options.comment {
        body["comment"] = json!(comment);
    }
    let record = client.post(&doing, &path(id, "/approve"), Sent::json(&body)).await?;
    acted(common, id, &record)
}

/// Shows the plan and asks; the hash of just that plan on a yes.
async fn ask(client: &Client, id: &str) -> Result<Option<String>, Failure> {
    let record = client.get(&format!("read the intent {id}"), &path(id, "")).await?;
    let plan = client.get(&format!("read the plan of {id}"), &path(id, "/plan")).await?;
    let mut text = format!("{}\n", escape(&show::request(&record)));
    let requester = show::field(&record, "/requester");
    if !requester.is_empty() {
        text.push_str(&format!("asked by {}\n", escape(&requester)));
    }
    text.push('\n');
    text.push_str(&show::plan(&plan, false, colour_wanted()));
    text.push_str(&show::findings(&record["findings"]));
    text.push_str("\nApprove this plan? [y/N] ");
    out(&text)?;
    let mut said = String::new();
    // Long enough for yes; what comes after is not read.
    let read = std::io::stdin().lock().read_line(&mut said);
    let _ = std::io::stdout().flush();
    let yes = read.is_ok() && matches!(said.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    Ok(yes.then(|| show::field(&plan, "/hash")))
}

pub async fn reject(client: &Client, common: &Common, options: &Reject) -> Result<Exit, Failure> {
    let id = &options.id;
    let body = json!({"reason": options.reason});
    let record = client.post(&format!("reject {id}"), &path(id, "/reject"), Sent::json(&body)).await?;
    acted(common, id, &record)
}

pub async fn cancel(client: &Client, common: &Common, id: &str) -> Result<Exit, Failure> {
    let record = client.post(&format!("cancel {id}"), &path(id, "/cancel"), Sent::json(&json!({}))).await?;
    acted(common, id, &record)
}

/// Rollback and retry make a new intent.
pub async fn anew(client: &Client, common: &Common, id: &str, what: &str) -> Result<Exit, Failure> {
    let doing = match what {
        "rollback" => format!("roll back {id}"),
        _ => format!("retry {id}"),
    };
    let made = client.post(&doing, &path(id, &format!("/{what}")), Sent::json(&json!({}))).await?;
    show::answer(common, &made, |_| {
        let new = escape(&show::field(&made, "/id"));
        format!("{new} accepted\nnext: nephoran watch {new}\n")
    })
}

pub async fn workers(client: &Client, common: &Common, what: &str) -> Result<Exit, Failure> {
    let doing = format!("{what} the workers");
    let answer = client.post(&doing, &format!("/api/v1/admin/{what}"), Sent::json(&json!({}))).await?;
    show::answer(common, &answer, |_| match what {
        "pause" => "workers are paused: what is accepted stays; nephoran resume goes on\n".to_owned(),
        _ => "workers go on\n".to_owned(),
    })
}
