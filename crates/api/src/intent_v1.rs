//! The drop-in intent of `POST /intent` and the hot folder: JSON Schema draft-07 as clients of the
//! reference operator know it, read into what the model knows.

use nephoran_model::intent::Constraints;
use nephoran_model::proposal::{Action, Actions, Deploy, Priority, Proposal, Replicas, Scale, Target};
use serde_json::{Value, json};

use crate::problem::{Fault, sentence};
use crate::shape::{self, Object, Shape, may, need};

/// An intent that has the schema's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentV1 {
    pub proposal: Proposal,
    pub constraints: Constraints,
    pub priority: Priority,
    pub reason: Option<String>,
    pub correlation_id: Option<String>,
    pub kind: Kind,
    pub target: String,
    pub namespace: String,
    pub replicas: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Scaling,
    /// Scales the target when it exists, else deploys it; planning knows which.
    Deployment,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scaling => "scaling",
            Self::Deployment => "deployment",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("Intent validation failed: {}{}", sentence(.0), hint(.0))]
    Invalid(Vec<Fault>),
    #[error("Currently only scaling and deployment are supported here")]
    Configuration,
}

/// What a person should do, for the faults that clients of the reference operator know a hint for.
fn hint(faults: &[Fault]) -> String {
    let mut hints = String::new();
    for (pointer, hint) in [
        ("/intent_type", "Intent type must be scaling, deployment or configuration."),
        ("/target", "Target must be a DNS label."),
        ("/namespace", "Namespace must be a DNS label."),
        ("/replicas", "Replicas must be between 1 and 100."),
    ] {
        if faults.iter().any(|fault| fault.pointer == pointer) {
            hints.push_str(". ");
            hints.push_str(hint.trim_end_matches('.'));
        }
    }
    hints.push('.');
    hints
}

/// What configuration adds to the words that `source` may be.
pub type Sources<'a> = &'a [String];

/// Reads an intent. `sources` are the words that configuration adds to the field `source`.
pub fn read(value: &Value, sources: Sources<'_>) -> Result<IntentV1, Error> {
    let mut faults = shape::judge(value, &INTENT);
    faults.retain(|fault| {
        fault.pointer != "/source"
            || !value["source"].as_str().is_some_and(|said| sources.iter().any(|source| source == said))
    });
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    let replicas = shape::whole(&value["replicas"]).and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
    let (target, namespace) = (text("target").unwrap_or_default(), text("namespace").unwrap_or_default());
    let (kind, action) = match value["intent_type"].as_str() {
        Some("scaling") => (Kind::Scaling, scale(&target, &namespace, replicas)),
        Some("deployment") => (Kind::Deployment, deploy(&target, &namespace, replicas)),
        _ => return Err(Error::Configuration),
    };
    Ok(IntentV1 {
        proposal: Proposal::Actions(Actions { actions: vec![action], ..Actions::default() }),
        constraints: constraints(&value["constraints"]),
        priority: priority(shape::whole(&value["priority"]).unwrap_or(5)),
        reason: text("reason").filter(|reason| !reason.is_empty()),
        correlation_id: text("correlation_id").filter(|id| is_mark(id)),
        kind,
        target,
        namespace,
        replicas,
    })
}

/// Idempotency keys, request and correlation ids: `[A-Za-z0-9._:-]{1,128}`.
pub fn is_mark(word: &str) -> bool {
    (1..=128).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
}

fn scale(target: &str, namespace: &str, replicas: u32) -> Action {
    Action::Scale(Scale {
        target: Target {
            name: Some(target.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..Target::default()
        },
        replicas: Replicas { to: Some(replicas), ..Replicas::default() },
    })
}

fn deploy(target: &str, namespace: &str, replicas: u32) -> Action {
    Action::Deploy(Deploy {
        blueprint: Some(target.to_owned()),
        name: Some(target.to_owned()),
        namespace: Some(namespace.to_owned()),
        replicas: Some(replicas),
        ..Deploy::default()
    })
}

fn constraints(value: &Value) -> Constraints {
    let count = |key: &str| shape::whole(&value[key]).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    Constraints {
        max_replicas: count("max_replicas"),
        min_replicas: count("min_replicas"),
        allowed_namespaces: value["allowed_namespaces"]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        kpt_package_name: text("kpt_package_name"),
        porch_repository: text("porch_repository"),
    }
}

fn priority(number: i64) -> Priority {
    match number {
        ..=2 => Priority::Low,
        3..=6 => Priority::Normal,
        7..=8 => Priority::High,
        _ => Priority::Urgent,
    }
}

/// The JSON Schema of the intent, draft-07, for `schema intent`.
pub fn schema(sources: Sources<'_>) -> Value {
    let mut schema = shape::schema(&INTENT);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("Intent");
    schema["properties"]["priority"]["default"] = json!(5);
    if let Some(words) = schema["properties"]["source"]["enum"].as_array_mut() {
        words.extend(sources.iter().map(|source| json!(source)));
    }
    schema
}

static CONSTRAINTS: Object = Object {
    fields: &[
        may("max_replicas", Shape::Whole { min: 1, max: i64::MAX }),
        may("min_replicas", Shape::Whole { min: 0, max: i64::MAX }),
        may(
            "allowed_namespaces",
            Shape::List { of: &Shape::Raw { min: 0, max: usize::MAX }, min: 0, max: usize::MAX },
        ),
        may("kpt_package_name", Shape::Label),
        may("porch_repository", Shape::Label),
    ],
    rules: &[],
    open: true,
    null_is_absent: false,
};

static NEPHIO_CONTEXT: Object = Object {
    fields: &[
        may("package_revision", Shape::Raw { min: 0, max: usize::MAX }),
        may("workload_cluster", Shape::Raw { min: 0, max: usize::MAX }),
        may("blueprint_name", Shape::Raw { min: 0, max: usize::MAX }),
    ],
    rules: &[],
    open: true,
    null_is_absent: false,
};

static ROOT: Object = Object {
    fields: &[
        need("intent_type", Shape::Word(&["scaling", "deployment", "configuration"])),
        need("target", Shape::Label),
        need("namespace", Shape::Label),
        need("replicas", Shape::Whole { min: 1, max: 100 }),
        may("reason", Shape::Raw { min: 0, max: 512 }),
        may("source", Shape::Word(&["user", "planner", "test", ""])).about("a claim, never an identity"),
        may("correlation_id", Shape::Raw { min: 0, max: usize::MAX }),
        may("priority", Shape::Whole { min: 0, max: 10 }).about("0-2 low, 3-6 normal, 7-8 high, 9-10 urgent"),
        may("constraints", Shape::Object(&CONSTRAINTS)).about("enforced by the guard"),
        may("created_at", Shape::Instant),
        may("updated_at", Shape::Instant),
        may("status", Shape::Word(&["pending", "processing", "completed", "failed"])),
        may(
            "target_resources",
            Shape::List { of: &Shape::Raw { min: 1, max: usize::MAX }, min: 0, max: usize::MAX },
        ),
        may("description", Shape::Raw { min: 0, max: 1024 }),
        may("nephio_context", Shape::Object(&NEPHIO_CONTEXT)),
    ],
    rules: &[],
    open: false,
    null_is_absent: false,
};

const INTENT: Shape = Shape::Object(&ROOT);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn valid() -> Value {
        json!({"intent_type": "scaling", "target": "upf", "namespace": "ran-a", "replicas": 3})
    }

    fn with(key: &str, value: Value) -> Value {
        let mut intent = valid();
        intent[key] = value;
        intent
    }

    #[test]
    fn a_scaling_intent_scales_to_its_replicas() {
        let intent = read(&with("replicas", json!(3.0)), &[]).unwrap();
        assert_eq!(
            serde_json::to_value(&intent.proposal).unwrap(),
            json!({"outcome": "actions", "actions": [
                {"action": "scale", "target": {"name": "upf", "namespace": "ran-a"}, "replicas": {"to": 3}}]})
        );
        assert_eq!(intent.priority, Priority::Normal);
    }

    #[test]
    fn the_limits_of_every_field_hold() {
        let long = |n: usize| json!("x".repeat(n));
        let cases: &[(&str, &[Value], &[Value])] = &[
            (
                "intent_type",
                &[json!("scaling"), json!("deployment")],
                &[json!("scale"), json!(1), json!(null)],
            ),
            (
                "target",
                &[json!("a"), json!("upf-1")],
                &[
                    json!(""),
                    json!("UPF"),
                    json!("../../etc/passwd"),
                    json!("$(rm -rf /)"),
                    json!("a.b"),
                    long(64),
                ],
            ),
            ("namespace", &[json!("ran-a")], &[json!("-a"), json!("a-"), json!("a b"), json!(7)]),
            (
                "replicas",
                &[json!(1), json!(100), json!(3.0)],
                &[json!(0), json!(101), json!(-1), json!(2.5), json!("3"), json!(null), json!(1e300)],
            ),
            ("reason", &[json!(""), long(512)], &[long(513), json!(1), json!(null)]),
            ("source", &[json!("user"), json!("planner"), json!("test"), json!("")], &[json!("root")]),
            ("correlation_id", &[json!("x"), json!("")], &[json!(1)]),
            ("priority", &[json!(0), json!(10)], &[json!(11), json!(-1), json!("high"), json!(1.5)]),
            (
                "constraints",
                &[json!({}), json!({"max_replicas": 1, "other": [1]}), json!({"allowed_namespaces": []})],
                &[
                    json!([]),
                    json!({"max_replicas": 0}),
                    json!({"min_replicas": -1}),
                    json!({"allowed_namespaces": "a"}),
                    json!({"kpt_package_name": "A/b"}),
                ],
            ),
            (
                "created_at",
                &[json!("2026-01-31T18:00:00Z"), json!("2026-01-31T18:00:00.5+02:00")],
                &[json!("yesterday"), json!("2026-01-31"), json!("2026-01-31T18:00:00"), json!(1)],
            ),
            ("updated_at", &[json!("2026-01-31T18:00:00Z")], &[json!("2026-13-31T18:00:00Z")]),
            ("status", &[json!("pending"), json!("failed")], &[json!("done")]),
            (
                "target_resources",
                &[json!([]), json!(["deployment/upf"])],
                &[json!([""]), json!("x"), json!([1])],
            ),
            ("description", &[long(1024)], &[long(1025)]),
            (
                "nephio_context",
                &[json!({"blueprint_name": "x", "y": 1})],
                &[json!({"blueprint_name": 1}), json!("x")],
            ),
            ("unheard_of", &[], &[json!(1), json!(null)]),
        ];
        for (key, good, bad) in cases {
            for value in *good {
                assert!(read(&with(key, value.clone()), &[]).is_ok(), "{key}: {value} must be valid");
            }
            for value in *bad {
                let error = read(&with(key, value.clone()), &[]).unwrap_err().to_string();
                assert!(error.contains("validation failed"), "{key}: {value}: {error}");
                assert!(error.contains(&format!("/{key}")), "{key}: {value}: {error}");
            }
        }
    }

    #[test]
    fn what_is_required_must_be_there() {
        for key in ["intent_type", "target", "namespace", "replicas"] {
            let mut intent = valid();
            intent.as_object_mut().unwrap().remove(key);
            let error = read(&intent, &[]).unwrap_err().to_string();
            assert!(error.contains(&format!("/{key}: is missing")), "{error}");
        }
        for value in [json!([]), json!("x"), json!(null), json!(1)] {
            assert!(read(&value, &[]).unwrap_err().to_string().contains("validation failed"));
        }
    }

    #[test]
    fn the_hint_for_replicas_is_the_one_that_clients_know() {
        for value in [json!(0), json!(101), json!("many")] {
            let error = read(&with("replicas", value), &[]).unwrap_err().to_string();
            assert!(error.contains("validation failed"), "{error}");
            assert!(error.contains("Replicas must be between 1 and 100."), "{error}");
        }
    }

    #[test]
    fn configuration_is_valid_but_not_supported() {
        let error = read(&with("intent_type", json!("configuration")), &[]).unwrap_err();
        assert_eq!(error.to_string(), "Currently only scaling and deployment are supported here");
    }

    #[test]
    fn configuration_of_the_operator_adds_sources() {
        let sources = ["scheduler".to_owned()];
        assert!(read(&with("source", json!("scheduler")), &sources).is_ok());
        assert!(read(&with("source", json!("other")), &sources).is_err());
        let words = &schema(&sources)["properties"]["source"]["enum"];
        assert_eq!(words, &json!(["user", "planner", "test", "", "scheduler"]));
    }

    #[test]
    fn a_priority_number_names_its_band() {
        for (number, band) in [
            (0, Priority::Low),
            (2, Priority::Low),
            (3, Priority::Normal),
            (6, Priority::Normal),
            (7, Priority::High),
            (8, Priority::High),
            (9, Priority::Urgent),
            (10, Priority::Urgent),
        ] {
            assert_eq!(read(&with("priority", json!(number)), &[]).unwrap().priority, band, "{number}");
        }
    }

    #[test]
    fn the_schema_says_what_the_gate_does() {
        let schema = schema(&[]);
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["required"], json!(["intent_type", "target", "namespace", "replicas"]));
        assert_eq!(
            schema["properties"]["replicas"],
            json!({"type": "integer", "minimum": 1, "maximum": 100})
        );
        assert_eq!(schema["properties"]["constraints"]["additionalProperties"], json!(true));
        assert_eq!(schema["properties"].as_object().unwrap().len(), 15);
    }
}
