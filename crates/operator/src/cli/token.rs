//! token new: 256 random bits, of which only the hash is kept.

use nephoran_model::proposal::is_dns_label;
use ring::rand::SecureRandom;
use serde_json::{Value, json};

use super::args::NewToken;
use super::exit::{Exit, Failure};
use super::{note, out};

pub fn new(options: &NewToken) -> Result<Exit, Failure> {
    let entry = entry(options)?;
    let mut bits = [0u8; 32];
    ring::rand::SystemRandom::new().fill(&mut bits).map_err(|_| {
        Failure::new(Exit::Environment, "make a token")
            .cause("the system gives no random bits")
            .try_("again later")
    })?;
    let token = hex(&bits);
    note(
        "This is the only time that the token is shown. This version does not check tokens yet: keep the line for one that does.",
    );
    out(&format!("token: {token}\nline for tokens_file:\n- {}\n", line(entry, &token)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn line(mut entry: Value, token: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    entry["sha256"] = json!(hex(digest.as_ref()));
    entry.to_string()
}

/// The entry without its hash; unbounded where nothing was said.
fn entry(options: &NewToken) -> Result<Value, Failure> {
    let wrong = |what: &str, value: &str, must: &str| {
        Failure::new(Exit::Usage, "make a token")
            .cause(format!("{what} is {value:?}; it must be {must}"))
            .try_("nephoran token new --help")
    };
    let fits = !options.name.is_empty()
        && options.name.len() <= 128
        && options.name.chars().all(|c| c.is_ascii_alphanumeric() || "@._:/+-".contains(c));
    if !fits {
        return Err(wrong("the name", &options.name, "1 to 128 of A-Z a-z 0-9 @ . _ : / + -"));
    }
    for (what, values) in [("a cluster", &options.clusters), ("a namespace", &options.namespaces)] {
        if let Some(value) = values.iter().find(|value| !is_dns_label(value)) {
            return Err(wrong(what, value, "a DNS label"));
        }
    }
    const ACTIONS: [&str; 12] = [
        "scale",
        "deploy",
        "retire",
        "upgrade",
        "set_capacity",
        "configure",
        "slice",
        "steer",
        "qos",
        "ensure",
        "rollback",
        "report",
    ];
    if let Some(action) = options.actions.iter().find(|action| !ACTIONS.contains(&action.as_str())) {
        return Err(wrong("an action", action, &format!("one of {}", ACTIONS.join(", "))));
    }
    let mut roles: Vec<&str> = options.roles.iter().map(|role| role.as_str()).collect();
    roles.dedup();
    let bound = |values: &[String]| if values.is_empty() { Value::Null } else { json!(values) };
    Ok(json!({
        "name": options.name,
        "roles": roles,
        "clusters": bound(&options.clusters),
        "namespaces": bound(&options.namespaces),
        "actions": bound(&options.actions),
        "max_priority": options.max_priority.map(|priority| priority.as_str()),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::cli::args::Role;

    fn options() -> NewToken {
        NewToken {
            name: "alice".into(),
            roles: vec![Role::Submitter, Role::Approver],
            clusters: Vec::new(),
            namespaces: vec!["ran-a".into()],
            actions: Vec::new(),
            max_priority: None,
        }
    }

    #[test]
    fn the_line_holds_the_hash_and_never_the_token() {
        let token = "ab".repeat(32);
        let line = line(entry(&options()).unwrap(), &token);
        assert!(!line.contains(&token));
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["roles"], json!(["submitter", "approver"]));
        // As `printf %s TOKEN | sha256sum` says it.
        assert_eq!(read["sha256"], "271a413bd339c5709fdceaec41f14f11e9fbfb5042d72d331c65f32b284cd09a");
    }

    #[test]
    fn a_name_that_no_commit_could_carry_is_refused() {
        for name in ["", "a b", "a\nb", "ü"] {
            let failure = entry(&NewToken { name: name.into(), ..options() }).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
        }
        let failure = entry(&NewToken { actions: vec!["destroy".into()], ..options() }).unwrap_err();
        assert!(failure.causes[0].contains("set_capacity"));
    }
}
