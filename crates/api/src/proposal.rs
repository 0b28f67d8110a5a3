//! A proposal that somebody sends in place of words. Untrusted like any other.
//!
//! Only the outcome `actions` is taken at the door: a question or a refusal is an answer of ours.

use nephoran_model::proposal::{Actions, MAX_ACTIONS, MAX_COUNT, Proposal};
use serde_json::{Value, json};

use crate::problem::Fault;
use crate::shape::{self, Object, Rule, Shape, may, need};

/// Reads a proposal, or says everything that is wrong with it.
pub fn read(value: &Value) -> Result<Proposal, Vec<Fault>> {
    if let Some(outcome @ ("clarify" | "refuse")) = value.get("outcome").and_then(Value::as_str) {
        return Err(vec![Fault::new(
            "/outcome",
            format!("only actions is accepted here; {outcome} is what the operator answers"),
        )]);
    }
    let faults = shape::judge(value, &PROPOSAL);
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut value = value.clone();
    shape::without_nulls(&mut value);
    settle_wholes(&mut value);
    if let Value::Object(map) = &mut value {
        map.remove("outcome");
    }
    serde_json::from_value::<Actions>(value)
        .map(Proposal::Actions)
        .map_err(|error| vec![Fault::new("", error.to_string())])
}

/// `3.0` is the whole number 3; the model's integers are read from integers only.
pub(crate) fn settle_wholes(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(settle_wholes),
        Value::Array(items) => items.iter_mut().for_each(settle_wholes),
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = shape::whole(value) {
                *value = json!(whole);
            }
        }
        _ => {}
    }
}

/// The JSON Schema of a proposal, for `schema proposal`.
pub fn schema() -> Value {
    let mut schema = shape::schema(&PROPOSAL);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Proposal");
    schema["description"] = json!("What a translator may say. Everywhere null reads as absent.");
    schema
}

const fn object(fields: &'static [shape::Field], rules: &'static [Rule]) -> Object {
    Object { fields, rules, open: false, null_is_absent: true }
}

const COUNT: Shape = Shape::Whole { min: 0, max: MAX_COUNT as i64 };
/// Sessions and subscribers: far beyond any network, and exact in a double.
const MANY: Shape = Shape::Whole { min: 0, max: 1_000_000_000_000 };
const WORD: Shape = Shape::Text { min: 1, max: 128 };
const CELLS: Shape = Shape::List { of: &WORD, min: 1, max: 64 };

const FUNCTION: Shape = Shape::Word(&[
    "amf",
    "smf",
    "upf",
    "nrf",
    "ausf",
    "udm",
    "udr",
    "pcf",
    "nssf",
    "nef",
    "af",
    "n3iwf",
    "chf",
    "bsf",
    "scp",
    "sepp",
    "nwdaf",
    "o-du",
    "o-cu-cp",
    "o-cu-up",
    "o-cu",
    "o-ru",
    "near-rt-ric",
    "non-rt-ric",
    "xapp",
    "rapp",
    "smo",
    "e2-simulator",
]);

pub(crate) static TARGET: Object = object(
    &[
        may("name", Shape::Label).about("the word as said, lower-cased"),
        may("function", FUNCTION).about("what the vocabulary folds the word to"),
        may("namespace", Shape::Label),
        may("cluster", Shape::Label),
        may("place", Shape::Label).about("a bare \"in X\": a namespace or a cluster"),
    ],
    &[Rule::AtLeastOne(&["name", "function"])],
);

static REPLICAS: Object = object(
    &[
        may("to", COUNT),
        may("by", Shape::Whole { min: -(MAX_COUNT as i64), max: MAX_COUNT as i64 }),
        may("factor", Shape::Number { over: 0.0, max: MAX_COUNT as f64 }),
        may("from", COUNT).about("a precondition: planning refuses when the world differs"),
        may("min", COUNT),
        may("max", COUNT),
        may("direction", Shape::Word(&["out", "in"])),
    ],
    &[Rule::ExactlyOne(&["to", "by", "factor"])],
);

static BIT_RATE: Object = object(
    &[
        need("value", Shape::Number { over: 0.0, max: 1e12 }),
        need("unit", Shape::Word(&["kbps", "Mbps", "Gbps"])),
    ],
    &[],
);
const RATE: Shape = Shape::Object(&BIT_RATE);

static TIME: Object = object(
    &[
        need("value", Shape::Between { min: 0.0, max: 1e12 }),
        need("unit", Shape::Word(&["ms", "s", "min", "h"])),
    ],
    &[],
);
const SPAN: Shape = Shape::Object(&TIME);

static CAPACITY: Object = object(
    &[
        may("max_downlink", RATE),
        may("max_uplink", RATE),
        may("max_sessions", MANY),
        may("max_subscribers", MANY),
    ],
    &[Rule::AtLeastOne(&["max_downlink", "max_uplink", "max_sessions", "max_subscribers"])],
);

static SCALE: Object =
    object(&[need("target", Shape::Object(&TARGET)), need("replicas", Shape::Object(&REPLICAS))], &[]);

static DEPLOY: Object = object(
    &[
        may("function", FUNCTION),
        may("blueprint", WORD),
        may("name", Shape::Label),
        may("namespace", Shape::Label),
        may("cluster", Shape::Label),
        may("place", Shape::Label),
        may("provider", WORD),
        may("version", WORD),
        may("replicas", COUNT),
        may("capacity", Shape::Object(&CAPACITY)),
    ],
    &[Rule::AtLeastOne(&["function", "blueprint"])],
);

static RETIRE: Object = object(&[need("target", Shape::Object(&TARGET))], &[]);

static UPGRADE: Object = object(&[need("target", Shape::Object(&TARGET)), need("version", WORD)], &[]);

static SET_CAPACITY: Object =
    object(&[need("target", Shape::Object(&TARGET)), need("capacity", Shape::Object(&CAPACITY))], &[]);

static CONFIGURE: Object =
    object(&[need("target", Shape::Object(&TARGET)), need("settings", Shape::Settings { max: 64 })], &[]);

const SST: Shape = Shape::Whole { min: 0, max: 255 };
const SD: Shape = Shape::Form {
    form: "six hexadecimal digits",
    pattern: "^[0-9A-Fa-f]{6}$",
    judge: |word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_hexdigit()),
};

fn is_digits(word: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

static PLMN: Object = object(
    &[
        need(
            "mcc",
            Shape::Form {
                form: "three digits as a text (leading zeros count)",
                pattern: "^[0-9]{3}$",
                judge: |word| is_digits(word, 3, 3),
            },
        ),
        need(
            "mnc",
            Shape::Form {
                form: "two or three digits as a text (leading zeros count)",
                pattern: "^[0-9]{2,3}$",
                judge: |word| is_digits(word, 2, 3),
            },
        ),
    ],
    &[],
);

static SLICE_OBJECTIVES: Object = object(
    &[
        may("gua_dl_thpt", RATE),
        may("max_dl_thpt", RATE),
        may("gua_ul_thpt", RATE),
        may("max_ul_thpt", RATE),
        may("max_dl_thpt_ue", RATE),
        may("max_ul_thpt_ue", RATE),
        may("delay", SPAN),
        may("dl_delay", SPAN),
        may("ul_delay", SPAN),
        may("reliability", Shape::Between { min: 0.0, max: 100.0 }).about("per cent"),
        may("max_ues", MANY),
        may("max_pdu_sessions", MANY),
    ],
    &[],
);

static SLICE: Object = object(
    &[
        may("name", Shape::Label),
        may("service", Shape::Word(&["embb", "urllc", "miot", "v2x"])),
        may("sst", SST),
        may("sd", SD),
        may("plmn", Shape::Object(&PLMN)),
        may("namespace", Shape::Label),
        may("place", Shape::Label),
        may("objectives", Shape::Object(&SLICE_OBJECTIVES)),
        may("cells", CELLS),
        may("tacs", CELLS),
    ],
    &[],
);

static SLICE_REF: Object = object(
    &[may("name", Shape::Label), may("sst", SST), may("sd", SD)],
    &[Rule::AtLeastOne(&["name", "sst", "sd"])],
);

static STEER: Object = object(
    &[
        need("preference", Shape::Word(&["prefer", "avoid", "forbid", "shall"])),
        need("cells", CELLS),
        may("slice", Shape::Object(&SLICE_REF)),
        may("ue", WORD),
    ],
    &[Rule::ExactlyOne(&["slice", "ue"])],
);

static QOS_SCOPE: Object = object(
    &[
        need("five_qi", Shape::Whole { min: 0, max: 255 }),
        may("slice", Shape::Object(&SLICE_REF)),
        may("ue", WORD),
        may("group", WORD),
    ],
    &[],
);

static QOS_OBJECTIVES: Object = object(
    &[
        may("gfbr", RATE),
        may("mfbr", RATE),
        may("priority_level", Shape::Whole { min: 1, max: 127 }),
        may("delay_budget", SPAN),
    ],
    &[Rule::AtLeastOne(&["gfbr", "mfbr", "priority_level", "delay_budget"])],
);

const LINK: Shape = Shape::Word(&["downlink", "uplink"]);

static QOS: Object = object(
    &[
        need("scope", Shape::Object(&QOS_SCOPE)),
        need("objectives", Shape::Object(&QOS_OBJECTIVES)),
        may("direction", LINK),
    ],
    &[],
);

/// Any size a metric may have; negative ones are measured nowhere.
const LEVEL: Shape = Shape::Between { min: 0.0, max: 1e15 };

static CONDITION: Object = object(
    &[
        need(
            "metric",
            Shape::Word(&[
                "prb_usage",
                "cpu",
                "memory",
                "latency",
                "throughput",
                "sessions",
                "ues",
                "packet_loss",
                "availability",
                "energy",
            ]),
        ),
        may("direction", LINK),
        may("statistic", Shape::Word(&["mean", "max", "p95"])),
        need("is", Shape::Word(&["less_than", "at_most", "greater_than", "at_least", "within"]))
            .about("the state to keep"),
        may("value", LEVEL),
        may("from", LEVEL),
        may("to", LEVEL),
        need(
            "unit",
            Shape::Word(&[
                "%", "count", "ms", "s", "min", "h", "kbps", "Mbps", "Gbps", "W", "kW", "Wh", "kWh",
            ]),
        ),
        may("for", SPAN),
    ],
    &[
        Rule::When { field: "is", is: true, word: "within", with: &["from", "to"], without: &["value"] },
        Rule::When { field: "is", is: false, word: "within", with: &["value"], without: &["from", "to"] },
    ],
);

static ENSURE_SCALE: Object = object(
    &[
        may("direction", Shape::Word(&["out", "in", "both"])),
        may("min", COUNT),
        may("max", COUNT),
        may("step", COUNT),
    ],
    &[],
);

static ENSURE_BY: Object = object(&[need("scale", Shape::Object(&ENSURE_SCALE))], &[]);

static ENSURE: Object = object(
    &[
        may("target", Shape::Object(&TARGET)),
        may("cells", CELLS),
        need("condition", Shape::Object(&CONDITION)),
        may("by", Shape::Object(&ENSURE_BY)),
    ],
    &[Rule::AtLeastOne(&["target", "cells"])],
);

static ROLLBACK: Object = object(
    &[may("target", Shape::Object(&TARGET)), may("intent", Shape::Label)],
    &[Rule::ExactlyOne(&["target", "intent"])],
);

static REPORT: Object = object(
    &[may("target", Shape::Object(&TARGET)), may("all", Shape::True)],
    &[Rule::ExactlyOne(&["target", "all"])],
);

pub(crate) static ACTION: Shape = Shape::Tagged {
    tag: "action",
    variants: &[
        ("scale", &SCALE),
        ("deploy", &DEPLOY),
        ("retire", &RETIRE),
        ("upgrade", &UPGRADE),
        ("set_capacity", &SET_CAPACITY),
        ("configure", &CONFIGURE),
        ("slice", &SLICE),
        ("steer", &STEER),
        ("qos", &QOS),
        ("ensure", &ENSURE),
        ("rollback", &ROLLBACK),
        ("report", &REPORT),
    ],
};

pub(crate) static ROOT: Object = object(
    &[
        need("outcome", Shape::Word(&["actions"])),
        may("purpose", Shape::Word(&["check"])).about("feasibility: plan, never apply"),
        may("priority", Shape::Word(&["urgent", "high", "normal", "low"])),
        need("actions", Shape::List { of: &ACTION, min: 1, max: MAX_ACTIONS }).about("in the order said"),
        may("motive", Shape::Text { min: 1, max: 1000 }).about("a reason, word for word; changes nothing"),
    ],
    &[],
);

const PROPOSAL: Shape = Shape::Object(&ROOT);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn faults(value: Value) -> Vec<String> {
        read(&value).unwrap_err().into_iter().map(|f| format!("{}: {}", f.pointer, f.detail)).collect()
    }

    #[test]
    fn a_scale_is_read_and_null_reads_as_absent() {
        let proposal = read(&json!({
            "outcome": "actions", "purpose": null, "motive": null,
            "actions": [{"action": "scale",
                         "target": {"name": "upf", "function": "upf", "namespace": "ran-a", "place": null},
                         "replicas": {"to": 5.0, "by": null}}],
        }))
        .unwrap();
        assert_eq!(
            serde_json::to_value(&proposal).unwrap(),
            json!({"outcome": "actions",
                   "actions": [{"action": "scale",
                                "target": {"name": "upf", "function": "upf", "namespace": "ran-a"},
                                "replicas": {"to": 5}}]})
        );
    }

    #[test]
    fn every_fault_is_named_with_its_pointer() {
        let said = faults(json!({
            "outcome": "actions", "mood": "good",
            "actions": [
                {"action": "scale", "target": {"name": "../../etc/passwd"}, "replicas": {"to": "5"}},
                {"action": "scale", "target": {"namespace": "a"}, "replicas": {"to": 5, "by": 1}},
                {"action": "explode"},
                {"action": "slice", "sst": 256, "sd": "12345", "bogus/key": 1},
            ],
        }));
        for expected in [
            "/actions/0/target/name: must be a DNS label",
            "/actions/0/replicas/to: must be a whole number from 0 to 10000",
            "/actions/1/target: at least one of name, function must be there",
            "/actions/1/replicas: exactly one of to, by, factor must be there",
            "/actions/2/action: must be one of scale, deploy",
            "/actions/3/sst: must be a whole number from 0 to 255",
            "/actions/3/sd: must be six hexadecimal digits",
            "/actions/3/bogus~1key: is not a field here",
            "/mood: is not a field here",
        ] {
            assert!(said.iter().any(|fault| fault.starts_with(expected)), "{expected} not in {said:#?}");
        }
        assert_eq!(said.len(), 9, "{said:#?}");
    }

    #[test]
    fn only_actions_are_taken_at_the_door() {
        for outcome in ["clarify", "refuse"] {
            let said = faults(json!({"outcome": outcome, "missing": ["target"]}));
            assert!(said[0].starts_with("/outcome: only actions is accepted here"), "{said:?}");
        }
    }

    #[test]
    fn one_to_eight_actions() {
        let report = json!({"action": "report", "all": true});
        assert!(read(&json!({"outcome": "actions", "actions": vec![report.clone(); 8]})).is_ok());
        for count in [0, 9] {
            let said = faults(json!({"outcome": "actions", "actions": vec![report.clone(); count]}));
            assert!(said[0].starts_with("/actions: must hold 1 to 8 items"), "{said:?}");
        }
    }

    #[test]
    fn a_condition_has_a_value_or_a_range() {
        let ensure = |condition: Value| {
            read(&json!({"outcome": "actions", "actions": [
                {"action": "ensure", "cells": ["17"], "condition": condition}]}))
        };
        assert!(ensure(json!({"metric": "cpu", "is": "less_than", "value": 70, "unit": "%"})).is_ok());
        assert!(ensure(json!({"metric": "cpu", "is": "within", "from": 20, "to": 70, "unit": "%"})).is_ok());
        assert!(ensure(json!({"metric": "cpu", "is": "within", "value": 70, "unit": "%"})).is_err());
        assert!(ensure(json!({"metric": "cpu", "is": "at_most", "from": 1, "to": 2, "unit": "%"})).is_err());
    }

    #[test]
    fn the_table_knows_every_function_of_the_vocabulary() {
        let Shape::Word(words) = FUNCTION else { panic!("functions are words") };
        let known: Vec<&str> = nephoran_model::proposal::Function::ALL.iter().map(|f| f.as_str()).collect();
        assert_eq!(words, known);
    }

    /// What the grammar may say must pass the gate unchanged.
    #[test]
    fn proposals_of_the_corpus_pass_and_come_out_as_they_went_in() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora/nl-sample.jsonl");
        let Ok(lines) = std::fs::read_to_string(file) else {
            println!("skipped: no ../shared/corpora/nl-sample.jsonl");
            return;
        };
        let mut checked = 0;
        for line in lines.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let also = case["also"].as_array().into_iter().flatten();
            for proposal in also.chain([&case["gold"]]) {
                if proposal["outcome"] != "actions" {
                    continue;
                }
                let read = read(proposal).unwrap_or_else(|faults| panic!("{line}\n{faults:#?}"));
                let mut sent = proposal.clone();
                shape::without_nulls(&mut sent);
                settle_wholes(&mut sent);
                let mut back = serde_json::to_value(&read).unwrap();
                settle_wholes(&mut back);
                assert_eq!(back, sent, "{line}");
                checked += 1;
            }
        }
        println!("{checked} proposals checked");
        assert!(checked > 0);
    }
}
