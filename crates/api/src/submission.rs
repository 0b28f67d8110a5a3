//! The body of `POST /api/v1/intents` as JSON.

use jiff::Timestamp;
use nephoran_model::intent::Change;
use nephoran_model::proposal::{Priority, Proposal};
use serde_json::Value;

use crate::intent_v1::{self, IntentV1, Sources};
use crate::problem::Fault;
use crate::proposal;
use crate::shape::{self, Object, Rule, Shape, may};

/// A body whose every part is valid in form.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    pub request: Request,
    pub priority: Option<Priority>,
    pub deadline: Option<Timestamp>,
    pub not_before: Option<Timestamp>,
    pub dry_run: bool,
    pub change: Change,
    pub idempotency_key: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Text(String),
    Proposal(Proposal),
    /// The drop-in intent, with its JSON as it will be kept.
    Intent {
        body: String,
        intent: Box<IntentV1>,
    },
}

/// Reads a body, or says everything that is wrong with it.
pub fn read(value: &Value, sources: Sources<'_>) -> Result<Body, Vec<Fault>> {
    let mut faults = shape::judge(value, &BODY);
    let member = |key: &str| value.get(key).filter(|value| !value.is_null());
    let mut request = None;
    if let Some(text) = member("text").and_then(Value::as_str) {
        if text.trim().is_empty() && !text.is_empty() {
            faults.push(Fault::new("/text", "says nothing"));
        }
        request = Some(Request::Text(text.to_owned()));
    }
    if let Some(said) = member("proposal") {
        match proposal::read(said) {
            Ok(proposal) => request = Some(Request::Proposal(proposal)),
            Err(found) => faults.extend(below("/proposal", found)),
        }
    }
    if let Some(said) = member("intent") {
        match intent_v1::read(said, sources) {
            Ok(intent) => {
                request = Some(Request::Intent { body: said.to_string(), intent: Box::new(intent) });
            }
            Err(intent_v1::Error::Invalid(found)) => faults.extend(below("/intent", found)),
            Err(error @ intent_v1::Error::Configuration) => {
                faults.push(Fault::new("/intent/intent_type", error.to_string()));
            }
        }
    }
    let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
    match request {
        Some(request) if faults.is_empty() => Ok(Body {
            request,
            priority: value["priority"].as_str().and_then(|word| word.parse().ok()),
            deadline: value["deadline"].as_str().and_then(shape::instant),
            not_before: value["not_before"].as_str().and_then(shape::instant),
            dry_run: value["dry_run"].as_bool().unwrap_or(false),
            change: Change {
                ticket: text(&value["change"], "ticket"),
                reason: text(&value["change"], "reason"),
            },
            idempotency_key: text(value, "idempotency_key"),
        }),
        _ => Err(faults),
    }
}

/// The JSON Schema of a body; what stands under `proposal` and `intent` has schemas of its own.
pub fn schema() -> Value {
    shape::schema(&BODY)
}

fn below(pointer: &str, faults: Vec<Fault>) -> impl Iterator<Item = Fault> {
    faults.into_iter().map(move |fault| Fault::new(format!("{pointer}{}", fault.pointer), fault.detail))
}

static CHANGE: Object = Object {
    fields: &[
        may(
            "ticket",
            Shape::Form {
                form: "1 to 128 of A-Z, a-z, 0-9 and @._:/+- (it stands in a commit's trailer)",
                pattern: "^[A-Za-z0-9@._:/+-]{1,128}$",
                judge: is_trailer_value,
            },
        ),
        may("reason", Shape::Text { min: 0, max: 512 }),
    ],
    rules: &[],
    open: false,
    null_is_absent: true,
};

/// What a commit's trailer may hold.
pub fn is_trailer_value(word: &str) -> bool {
    (1..=128).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@._:/+-".contains(&byte))
}

/// Anything that is an object; its own reader judges it.
static ANYTHING: Object = Object { fields: &[], rules: &[], open: true, null_is_absent: true };

static ROOT: Object = Object {
    fields: &[
        may("text", Shape::Raw { min: 1, max: usize::MAX }).about("the request in words"),
        may("proposal", Shape::Object(&ANYTHING)),
        may("intent", Shape::Object(&ANYTHING)),
        may("priority", Shape::Word(&["urgent", "high", "normal", "low"])),
        may("deadline", Shape::Instant),
        may("not_before", Shape::Instant),
        may("dry_run", Shape::Flag),
        may("change", Shape::Object(&CHANGE)),
        may(
            "idempotency_key",
            Shape::Form {
                form: "1 to 128 of A-Z, a-z, 0-9 and ._:-",
                pattern: "^[A-Za-z0-9._:-]{1,128}$",
                judge: intent_v1::is_mark,
            },
        ),
    ],
    rules: &[Rule::ExactlyOne(&["text", "proposal", "intent"])],
    open: false,
    null_is_absent: true,
};

const BODY: Shape = Shape::Object(&ROOT);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointers(value: Value) -> Vec<String> {
        read(&value, &[]).unwrap_err().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn every_field_is_read() {
        let body = read(
            &json!({"text": "scale upf to 5 in ns ran-a", "priority": "high", "deadline": "2026-01-31T18:00:00Z",
                    "not_before": "2026-01-31T19:00:00+02:00", "dry_run": true,
                    "change": {"ticket": "CHG-1", "reason": "evening load"}, "idempotency_key": "k-1"}),
            &[],
        )
        .unwrap();
        assert_eq!(body.request, Request::Text("scale upf to 5 in ns ran-a".into()));
        assert_eq!(body.priority, Some(Priority::High));
        assert_eq!(body.deadline.unwrap().to_string(), "2026-01-31T18:00:00Z");
        assert_eq!(body.not_before.unwrap().to_string(), "2026-01-31T17:00:00Z");
        assert!(body.dry_run);
        assert_eq!(body.change.ticket.as_deref(), Some("CHG-1"));
        assert_eq!(body.change.reason.as_deref(), Some("evening load"));
        assert_eq!(body.idempotency_key.as_deref(), Some("k-1"));
    }

    #[test]
    fn null_reads_as_absent() {
        let body =
            read(&json!({"text": "x", "proposal": null, "priority": null, "change": null}), &[]).unwrap();
        assert_eq!(body.priority, None);
        assert_eq!(body.change, Change::default());
    }

    #[test]
    fn exactly_one_way_to_say_it() {
        assert_eq!(pointers(json!({})), [""]);
        let intent = json!({"intent_type": "scaling", "target": "upf", "namespace": "a", "replicas": 1});
        assert_eq!(pointers(json!({"text": "x", "intent": intent})), [""]);
        assert!(read(&json!({"intent": intent}), &[]).is_ok());
    }

    #[test]
    fn faults_point_to_their_place() {
        assert_eq!(pointers(json!({"text": ""})), ["/text"]);
        assert_eq!(pointers(json!({"text": "  "})), ["/text"]);
        assert_eq!(pointers(json!({"text": 5})), ["/text"]);
        assert_eq!(
            pointers(json!({"text": "x", "priority": "top", "deadline": "soon", "bogus": 1,
                            "change": {"ticket": "[skip ci]\nx", "who": 1}, "idempotency_key": "a b"})),
            ["/priority", "/deadline", "/change/ticket", "/change/who", "/idempotency_key", "/bogus"]
        );
        assert_eq!(
            pointers(json!({"proposal": {"outcome": "actions", "actions": [
                {"action": "retire", "target": {"name": "A"}}]}})),
            ["/proposal/actions/0/target/name"]
        );
        assert_eq!(
            pointers(
                json!({"intent": {"intent_type": "scaling", "target": "a", "namespace": "b", "replicas": 0}})
            ),
            ["/intent/replicas"]
        );
        assert_eq!(pointers(json!([])), [""]);
    }
}
