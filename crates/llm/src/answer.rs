//! A model's text into a proposal, whatever its server promised: strict JSON, the gate of every
//! proposal, and the words it says it rests on.

use nephoran_api::problem::Fault;
use nephoran_api::{json, proposal, shape, strict_schema};
use nephoran_grammar::faithful::Evidence;
use nephoran_model::proposal::{Actions, Missing, Proposal, RefuseReason};
use serde_json::{Map, Value};

/// An answer that has the right form. Nothing is believed yet.
#[derive(Debug)]
pub(crate) enum Reading {
    Actions(Actions, Vec<Evidence>),
    /// A question or a refusal, with the texts that we have for it.
    Other(Proposal),
}

/// Reads an answer, or says in our words what is wrong with it.
pub(crate) fn read(text: &str) -> Result<Reading, Vec<String>> {
    let value = json::read(text.as_bytes()).map_err(|error| vec![error.to_string()])?;
    let Value::Object(mut root) = value else {
        return Err(vec!["the answer must be a JSON object".to_owned()]);
    };
    root.retain(|_, value| !value.is_null());
    // Never shown to anybody, so never read.
    root.remove("question");
    root.remove("explanation");
    let evidence = root.remove("evidence");
    match root.get("outcome").and_then(Value::as_str) {
        Some("actions") => actions(root, evidence),
        Some("clarify") => clarify(root),
        Some("refuse") => refuse(root),
        _ => Err(vec!["/outcome: must be one of actions, clarify, refuse".to_owned()]),
    }
}

fn said(fault: &Fault) -> String {
    format!("{}: {}", fault.pointer, fault.detail)
}

fn actions(mut root: Map<String, Value>, evidence: Option<Value>) -> Result<Reading, Vec<String>> {
    let beside: Vec<String> = ["missing", "reason"]
        .into_iter()
        .filter(|name| root.remove(*name).is_some_and(|value| !is_empty(&value)))
        .map(|name| format!("/{name}: must be null when the outcome is actions"))
        .collect();
    if !beside.is_empty() {
        return Err(beside);
    }
    let mut value = Value::Object(root);
    strict_schema::settle(&mut value).map_err(|fault| vec![said(&fault)])?;
    let read = match proposal::read(&value) {
        Ok(Proposal::Actions(actions)) => actions,
        Ok(_) => return Err(vec!["/outcome: must be actions".to_owned()]),
        Err(faults) => {
            return match asked_by_null(&value, &faults) {
                Some(missing) => Ok(Reading::Other(Proposal::ask(missing))),
                None => Err(faults.iter().map(said).collect()),
            };
        }
    };
    Ok(Reading::Actions(read, quotes(evidence)?))
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn clarify(mut root: Map<String, Value>) -> Result<Reading, Vec<String>> {
    only(&mut root, "clarify", "missing")?;
    let Some(Value::Array(named)) = root.get("missing") else {
        return Ok(Reading::Other(Proposal::ask([Missing::Action])));
    };
    let mut missing = Vec::new();
    for (index, name) in named.iter().enumerate().take(strict_schema::MISSING.len()) {
        match serde_json::from_value::<Missing>(name.clone()) {
            // Only the operator itself asks for a confirmation.
            Ok(Missing::Confirmation) => missing.push(Missing::Action),
            Ok(one) => missing.push(one),
            Err(_) => {
                let known = strict_schema::MISSING.join(", ");
                return Err(vec![format!("/missing/{index}: must be one of {known}")]);
            }
        }
    }
    if missing.is_empty() {
        missing.push(Missing::Action);
    }
    Ok(Reading::Other(Proposal::ask(missing)))
}

fn refuse(mut root: Map<String, Value>) -> Result<Reading, Vec<String>> {
    only(&mut root, "refuse", "reason")?;
    let reason = root.remove("reason").and_then(|value| serde_json::from_value::<RefuseReason>(value).ok());
    match reason {
        Some(reason) => Ok(Reading::Other(Proposal::refuse(reason))),
        None => Err(vec![format!("/reason: must be one of {}", strict_schema::REASONS.join(", "))]),
    }
}

/// Two outcomes at once are none.
fn only(root: &mut Map<String, Value>, outcome: &str, own: &str) -> Result<(), Vec<String>> {
    for name in ["actions", "missing", "reason"] {
        if name != own && root.get(name).is_some_and(|value| !is_empty(value)) {
            return Err(vec![format!("/{name}: must be null when the outcome is {outcome}")]);
        }
    }
    Ok(())
}

fn quotes(evidence: Option<Value>) -> Result<Vec<Evidence>, Vec<String>> {
    let fault = |index: usize, detail: &str| vec![format!("/evidence/{index}: {detail}")];
    let items = match evidence {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(vec!["/evidence: must be a list".to_owned()]),
    };
    if items.len() > strict_schema::MAX_EVIDENCE {
        return Err(vec![format!("/evidence: must hold at most {} items", strict_schema::MAX_EVIDENCE)]);
    }
    let mut quotes = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let Value::Object(mut item) = item else { return Err(fault(index, "must be an object")) };
        let (Some(Value::String(path)), Some(Value::String(quote))) =
            (item.remove("path"), item.remove("quote"))
        else {
            return Err(fault(index, "must have a path and a quote"));
        };
        let occurrence = match item.remove("occurrence") {
            None | Some(Value::Null) => 1,
            Some(number) => match shape::whole(&number).and_then(|number| u32::try_from(number).ok()) {
                Some(number) if number > 0 => number,
                _ => return Err(fault(index, "the occurrence must be a whole number from 1")),
            },
        };
        if !item.is_empty() {
            return Err(fault(index, "must have nothing but path, quote and occurrence"));
        }
        quotes.push(Evidence { path, quote, occurrence });
    }
    Ok(quotes)
}

/// What is `null` where the gate needs a value: the model's way of saying that it was not told.
/// `None` when anything else is wrong too.
fn asked_by_null(value: &Value, faults: &[Fault]) -> Option<Vec<Missing>> {
    let mut missing = Vec::new();
    for fault in faults {
        let name = fault.pointer.rsplit('/').next().unwrap_or_default();
        let absent = fault.detail.starts_with("is missing");
        let empty = fault.detail.starts_with("at least one of") || fault.detail.starts_with("exactly one of");
        let all_null = || match value.pointer(&fault.pointer) {
            Some(Value::Object(map)) => {
                let named = |name: &str| map.get(name).is_some_and(|value| !value.is_null());
                fault
                    .detail
                    .split(" of ")
                    .nth(1)
                    .and_then(|rest| rest.split(" must").next())
                    .is_some_and(|names| names.split(", ").all(|name| !named(name)))
            }
            _ => false,
        };
        if !(absent || empty && all_null()) {
            return None;
        }
        missing.push(match name {
            "target" => Missing::Target,
            "replicas" => Missing::Replicas,
            "cells" => Missing::Cells,
            "five_qi" | "scope" => Missing::FiveQi,
            "unit" => Missing::Unit,
            "capacity" | "objectives" | "value" | "version" | "settings" | "condition" => Missing::Value,
            _ => match value.pointer(&fault.pointer).and_then(|action| action["action"].as_str()) {
                Some("deploy") => Missing::Function,
                Some("steer") => Missing::Slice,
                Some("ensure" | "rollback" | "report") => Missing::Target,
                _ => Missing::Action,
            },
        });
    }
    (!missing.is_empty()).then_some(missing)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn other(value: Value) -> Value {
        match read(&value.to_string()) {
            Ok(Reading::Other(proposal)) => serde_json::to_value(proposal).unwrap(),
            other => panic!("{value}: {other:?}"),
        }
    }

    fn scale(target: Value, replicas: Value) -> Value {
        json!({"outcome": "actions", "actions": [{"action": "scale", "target": target, "replicas": replicas}]})
    }

    #[test]
    fn an_answer_of_the_strict_form_is_read_with_its_evidence() {
        let mut value = scale(json!({"name": "upf", "place": null}), json!({"to": 5, "by": null}));
        value["evidence"] = json!([{"path": "/actions/0/replicas/to", "quote": "5", "occurrence": null}]);
        value["missing"] = Value::Null;
        value["question"] = json!("Shall I also delete everything?");
        let Ok(Reading::Actions(actions, evidence)) = read(&value.to_string()) else { panic!("it is read") };
        assert_eq!(actions.actions.len(), 1);
        assert_eq!(
            evidence,
            [Evidence { path: "/actions/0/replicas/to".to_owned(), quote: "5".to_owned(), occurrence: 1 }]
        );
    }

    #[test]
    fn null_where_a_value_is_needed_is_a_question() {
        let upf = json!({"name": "upf"});
        assert_eq!(other(scale(upf.clone(), json!({"to": null})))["missing"], json!(["replicas"]));
        assert_eq!(other(scale(upf.clone(), Value::Null))["missing"], json!(["replicas"]));
        assert_eq!(
            other(scale(json!({"name": null}), Value::Null))["missing"],
            json!(["target", "replicas"])
        );
        // Two values are a fault and no question.
        assert!(read(&scale(upf, json!({"to": 1, "by": 2})).to_string()).is_err());
    }

    #[test]
    fn questions_and_refusals_are_read_and_their_texts_are_not() {
        assert_eq!(
            other(json!({"outcome": "clarify", "missing": ["target", "confirmation"], "question": "<b>"})),
            json!({"outcome": "clarify", "missing": ["action", "target"]})
        );
        assert_eq!(
            other(json!({"outcome": "clarify", "missing": null})),
            json!({"outcome": "clarify", "missing": ["action"]})
        );
        assert_eq!(
            other(json!({"outcome": "refuse", "reason": "unsafe", "explanation": "go to http://x"})),
            json!({"outcome": "refuse", "reason": "unsafe"})
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_our_words() {
        for (text, expected) in [
            ("{", "not valid JSON"),
            ("[]", "the answer must be a JSON object"),
            (r#"{"outcome":"clarify","outcome":"refuse"}"#, "duplicate keys"),
            (r#"{"outcome":"shout"}"#, "/outcome: must be one of"),
            (r#"{"outcome":"refuse"}"#, "/reason: must be one of"),
            (r#"{"outcome":"clarify","missing":["money"]}"#, "/missing/0: must be one of"),
            (
                r#"{"outcome":"refuse","reason":"unsafe","actions":[{"action":"report","all":true}]}"#,
                "/actions: must be null",
            ),
            (
                r#"{"outcome":"actions","actions":[{"action":"explode"}]}"#,
                "/actions/0/action: must be one of",
            ),
            (
                r#"{"outcome":"actions","actions":[{"action":"report","all":true}],"mood":1}"#,
                "/mood: is not a field",
            ),
            (
                r#"{"outcome":"actions","actions":[{"action":"report","all":true}],"evidence":[{"path":"/a"}]}"#,
                "/evidence/0",
            ),
            (
                r#"{"outcome":"actions","actions":[{"action":"report","all":true}],"reason":"unsafe"}"#,
                "/reason: must be null",
            ),
        ] {
            let faults = read(text).unwrap_err();
            assert!(faults[0].starts_with(expected), "{text}: {faults:?}");
        }
    }
}
