//! The proposal's schema for a model's structured output, made from the tables of the gate.
//!
//! Strict servers want a root object, every property required and no others; what may be absent is
//! `null` there. Everything is bounded, since a grammar promises a valid beginning and no end. One
//! property more at the root is `evidence`: the words that each leaf rests on.
//!
//! It is text and not a `Value`: servers write the properties in the order of the schema, and the
//! outcome has to be decided first.

use std::fmt::Write;

use serde_json::Value;

use crate::json::escape;
use crate::proposal::{ACTION, ROOT, TARGET};
use crate::shape::{self, Object, Shape};

/// Longest free text of a leaf. A request has at most 1,000 code points in all.
const MAX_TEXT: usize = 128;
/// Longest list inside an action.
const MAX_ITEMS: usize = 32;
/// Free keys cannot be told apart strictly: settings are a list of pairs.
const MAX_SETTINGS: usize = 8;
const MAX_MOTIVE: usize = 256;
pub const MAX_EVIDENCE: usize = 64;
const MAX_QUOTE: usize = 200;
const MAX_POINTER: usize = 96;
/// A longer list of known words is no help to a small model, and costs every server a compilation.
const MAX_KNOWN: usize = 64;

/// What a model may be asked to give an answer for; `confirmation` is only the operator's.
pub const MISSING: [&str; 13] = [
    "action",
    "target",
    "place",
    "replicas",
    "value",
    "unit",
    "bound",
    "direction",
    "function",
    "cells",
    "slice",
    "five_qi",
    "schedule",
];
pub const REASONS: [&str; 4] = ["out_of_scope", "unsafe", "unsupported", "contradiction"];

/// Words that the inventory knows, offered as a closed choice beside `null`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    pub names: &'a [String],
    pub namespaces: &'a [String],
    pub clusters: &'a [String],
}

/// The schema as JSON text.
pub fn text(known: Known<'_>) -> String {
    let mut writer = Writer { out: String::with_capacity(16 * 1024), known, defined: Vec::new() };
    writer.root();
    writer.out
}

struct Writer<'a> {
    out: String,
    known: Known<'a>,
    /// Objects that are referred to, in the order of their numbers.
    defined: Vec<&'static Object>,
}

impl Writer<'_> {
    fn root(&mut self) {
        self.out.push_str(r#"{"type":"object","properties":{"outcome":{"type":"string","enum":["actions","clarify","refuse"]}"#);
        let mut names = vec!["outcome"];
        let field = |name: &str| ROOT.fields.iter().find(|field| field.name == name);
        for name in ["purpose", "priority"] {
            if let Some(field) = field(name) {
                self.property(name, &mut names, |writer| writer.shape(&field.shape, None));
            }
        }
        self.property("actions", &mut names, |writer| {
            writer.out.push_str(r#"{"type":"array","items":"#);
            writer.shape(&ACTION, None);
            let max = nephoran_model::proposal::MAX_ACTIONS;
            let _ = write!(writer.out, r#","minItems":1,"maxItems":{max}}}"#);
        });
        self.property("missing", &mut names, |writer| {
            writer.out.push_str(r#"{"type":"array","items":"#);
            writer.words(&MISSING);
            let _ = write!(writer.out, r#","minItems":1,"maxItems":{}}}"#, MISSING.len());
        });
        self.property("reason", &mut names, |writer| writer.words(&REASONS));
        self.property("motive", &mut names, |writer| writer.string(1, MAX_MOTIVE));
        // People are never shown a model's own text: there is nothing to write here.
        for name in ["question", "explanation"] {
            let _ = write!(self.out, r#","{name}":{{"type":"null"}}"#);
            names.push(name);
        }
        self.property("evidence", &mut names, |writer| {
            let _ = write!(
                writer.out,
                concat!(
                    r#"{{"type":"array","items":{{"type":"object","properties":{{"#,
                    r#""path":{{"type":"string","maxLength":{}}},"#,
                    r#""quote":{{"type":"string","minLength":1,"maxLength":{}}},"#,
                    r#""occurrence":{{"anyOf":[{{"type":"integer","minimum":1,"maximum":99}},{{"type":"null"}}]}}}},"#,
                    r#""required":["path","quote","occurrence"],"additionalProperties":false}},"maxItems":{}}}"#
                ),
                MAX_POINTER, MAX_QUOTE, MAX_EVIDENCE
            );
        });
        self.close(&names);
        self.out.pop();
        self.out.push_str(r#","$defs":{"#);
        let mut next = 0;
        // A definition may refer to another one: the list grows while it is written.
        while let Some(object) = self.defined.get(next).copied() {
            if next > 0 {
                self.out.push(',');
            }
            let _ = write!(self.out, r#""d{next}":"#);
            self.object(object, None);
            next += 1;
        }
        self.out.push_str("}}");
    }

    /// `,"name":` and what `write` says of it, or null.
    fn property(&mut self, name: &'static str, names: &mut Vec<&'static str>, write: impl FnOnce(&mut Self)) {
        if !names.is_empty() {
            self.out.push(',');
        }
        names.push(name);
        let _ = write!(self.out, r#""{name}":{{"anyOf":["#);
        write(self);
        self.out.push_str(r#",{"type":"null"}]}"#);
    }

    fn close(&mut self, names: &[&'static str]) {
        self.out.push_str(r#"},"required":["#);
        for (index, name) in names.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(self.out, r#"{comma}"{name}""#);
        }
        self.out.push_str(r#"],"additionalProperties":false}"#);
    }

    fn object(&mut self, object: &'static Object, tag: Option<(&'static str, &'static str)>) {
        self.out.push_str(r#"{"type":"object","properties":{"#);
        let mut names = Vec::with_capacity(object.fields.len() + 1);
        if let Some((tag, name)) = tag {
            let _ = write!(self.out, r#""{tag}":{{"type":"string","enum":["{name}"]}}"#);
            names.push(tag);
        }
        for field in object.fields {
            let of = if std::ptr::eq(object, &raw const TARGET) { "target" } else { "" };
            let known = known_words(self.known, of, field.name);
            self.property(field.name, &mut names, |writer| writer.shape(&field.shape, known));
        }
        self.close(&names);
    }

    fn shape(&mut self, shape: &'static Shape, known: Option<Vec<&str>>) {
        match shape {
            Shape::Label => match known {
                Some(words) => self.words(&words),
                None => self.out.push_str(&shape::schema(shape).to_string()),
            },
            Shape::Text { min, max } | Shape::Raw { min, max } => self.string(*min, (*max).min(MAX_TEXT)),
            Shape::Word(words) => self.words(words),
            Shape::True => self.out.push_str(r#"{"type":"boolean","enum":[true]}"#),
            Shape::Instant => self.string(20, 40),
            Shape::Form { .. }
            | Shape::Whole { .. }
            | Shape::Number { .. }
            | Shape::Between { .. }
            | Shape::Flag => {
                self.out.push_str(&shape::schema(shape).to_string());
            }
            Shape::Object(object) => {
                let number = self.defined.iter().position(|one| std::ptr::eq(*one, *object));
                let number = number.unwrap_or_else(|| {
                    self.defined.push(object);
                    self.defined.len() - 1
                });
                let _ = write!(self.out, r##"{{"$ref":"#/$defs/d{number}"}}"##);
            }
            Shape::Tagged { tag, variants } => {
                self.out.push_str(r#"{"anyOf":["#);
                for (index, (name, object)) in variants.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.object(object, Some((tag, name)));
                }
                self.out.push_str("]}");
            }
            Shape::List { of, min, max } => {
                self.out.push_str(r#"{"type":"array","items":"#);
                self.shape(of, None);
                let _ = write!(self.out, r#","minItems":{min},"maxItems":{}}}"#, (*max).min(MAX_ITEMS));
            }
            Shape::Settings { .. } => {
                let _ = write!(
                    self.out,
                    concat!(
                        r#"{{"type":"array","items":{{"type":"object","properties":{{"#,
                        r#""key":{{"type":"string","minLength":1,"maxLength":64}},"#,
                        r#""value":{{"type":"string","maxLength":{}}}}},"#,
                        r#""required":["key","value"],"additionalProperties":false}},"minItems":1,"maxItems":{}}}"#
                    ),
                    MAX_TEXT, MAX_SETTINGS
                );
            }
        }
    }

    fn string(&mut self, min: usize, max: usize) {
        let _ = write!(self.out, r#"{{"type":"string","minLength":{min},"maxLength":{max}}}"#);
    }

    fn words(&mut self, words: &[&str]) {
        self.out.push_str(r#"{"type":"string","enum":["#);
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            let _ = write!(self.out, "{}", Value::from(*word));
        }
        self.out.push_str("]}");
    }
}

/// An answer as the strict form has it: every property, in the order of the schema, `null` where
/// nothing was said. For examples and for servers made for tests.
pub fn full(answer: &Value) -> String {
    let mut out = String::with_capacity(1024);
    let root = |name: &str| ROOT.fields.iter().find(|field| field.name == name).map(|field| &field.shape);
    out.push('{');
    for name in [
        "outcome",
        "purpose",
        "priority",
        "actions",
        "missing",
        "reason",
        "motive",
        "question",
        "explanation",
        "evidence",
    ] {
        let _ = write!(out, r#"{}"{name}":"#, if name == "outcome" { "" } else { "," });
        match root(name) {
            Some(shape) => fill(&mut out, shape, &answer[name]),
            None => out.push_str(&answer[name].to_string()),
        }
    }
    out.push('}');
    out
}

fn fill(out: &mut String, shape: &'static Shape, value: &Value) {
    match (shape, value) {
        (Shape::Object(object), Value::Object(_)) => fill_object(out, object, None, value),
        (Shape::Tagged { tag, variants }, Value::Object(_)) => {
            match variants.iter().find(|(name, _)| value[tag] == **name) {
                Some((name, object)) => fill_object(out, object, Some((tag, name)), value),
                None => out.push_str(&value.to_string()),
            }
        }
        (Shape::List { of, .. }, Value::Array(items)) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                fill(out, of, item);
            }
            out.push(']');
        }
        (Shape::Settings { .. }, Value::Object(map)) => {
            let pairs: Vec<Value> =
                map.iter().map(|(key, value)| serde_json::json!({"key": key, "value": value})).collect();
            out.push_str(&Value::from(pairs).to_string());
        }
        _ => out.push_str(&value.to_string()),
    }
}

fn fill_object(out: &mut String, object: &'static Object, tag: Option<(&str, &str)>, value: &Value) {
    out.push('{');
    if let Some((tag, name)) = tag {
        let _ = write!(out, r#""{tag}":"{name}""#);
    }
    for (index, field) in object.fields.iter().enumerate() {
        if index > 0 || tag.is_some() {
            out.push(',');
        }
        let _ = write!(out, r#""{}":"#, field.name);
        fill(out, &field.shape, &value[field.name]);
    }
    out.push('}');
}

/// The closed choice for a field, when there is one that is not too long.
fn known_words<'k>(known: Known<'k>, of: &str, field: &str) -> Option<Vec<&'k str>> {
    let mut words: Vec<&str> = match field {
        "name" if of == "target" => known.names.iter().map(String::as_str).collect(),
        "namespace" => known.namespaces.iter().map(String::as_str).collect(),
        "cluster" => known.clusters.iter().map(String::as_str).collect(),
        "place" => known.namespaces.iter().chain(known.clusters).map(String::as_str).collect(),
        _ => return None,
    };
    words.sort_unstable();
    words.dedup();
    (1..=MAX_KNOWN).contains(&words.len()).then_some(words)
}

/// Turns an answer of the strict form into a proposal as it is sent: pairs become settings, in
/// place. What is no list of pairs stays as it is, and the gate says so.
pub fn settle(value: &mut Value) -> Result<(), crate::problem::Fault> {
    let Some(actions) = value.get_mut("actions").and_then(Value::as_array_mut) else { return Ok(()) };
    for (index, action) in actions.iter_mut().enumerate() {
        let Some(Value::Array(pairs)) = action.get_mut("settings") else { continue };
        let mut map = serde_json::Map::new();
        for pair in std::mem::take(pairs) {
            let (Some(key), Some(said)) = (pair.get("key").and_then(Value::as_str), pair.get("value")) else {
                return Err(crate::problem::Fault::new(
                    format!("/actions/{index}/settings"),
                    "each setting must have a key and a value",
                ));
            };
            if map.insert(key.to_owned(), said.clone()).is_some() {
                return Err(crate::problem::Fault::new(
                    format!("/actions/{index}/settings/{}", escape(key)),
                    "this key occurs twice; say it once",
                ));
            }
        }
        action["settings"] = Value::Object(map);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(known: Known<'_>) -> Value {
        serde_json::from_str(&text(known)).unwrap()
    }

    /// Every schema inside `schema`, with where it stands.
    fn each(schema: &Value, at: String, visit: &mut impl FnMut(&str, &Value)) {
        visit(&at, schema);
        for key in ["properties", "$defs"] {
            for (name, inner) in schema[key].as_object().into_iter().flatten() {
                each(inner, format!("{at}/{key}/{name}"), visit);
            }
        }
        for (index, inner) in schema["anyOf"].as_array().into_iter().flatten().enumerate() {
            each(inner, format!("{at}/anyOf/{index}"), visit);
        }
        if schema["items"].is_object() {
            each(&schema["items"], format!("{at}/items"), visit);
        }
    }

    #[test]
    fn every_property_is_required_and_no_other_is_let_in() {
        let mut objects = 0;
        each(&schema(Known::default()), String::new(), &mut |at, schema| {
            if schema["type"] != "object" {
                return;
            }
            objects += 1;
            let mut names: Vec<&str> =
                schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let mut required: Vec<&str> =
                schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            names.sort_unstable();
            required.sort_unstable();
            assert_eq!(names, required, "{at}");
            assert_eq!(schema["additionalProperties"], false, "{at}");
        });
        assert!(objects > 20);
    }

    #[test]
    fn every_string_list_and_number_has_an_end() {
        each(&schema(Known::default()), String::new(), &mut |at, schema| {
            let has = |key: &str| !schema[key].is_null();
            match schema["type"].as_str() {
                Some("string") => {
                    assert!(has("enum") || has("maxLength") ^ has("pattern"), "{at}: {schema}");
                    if let Some(pattern) = schema["pattern"].as_str() {
                        assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{at}: {pattern}");
                        assert!(!pattern.contains(['*', '+']) && !pattern.contains(",}"), "{at}: {pattern}");
                    }
                }
                Some("array") => assert!(has("maxItems"), "{at}"),
                Some("integer" | "number") => {
                    assert!(has("maximum") && (has("minimum") || has("exclusiveMinimum")), "{at}");
                }
                Some("object" | "null" | "boolean") => {}
                None => assert!(has("anyOf") || has("$ref"), "{at}: {schema}"),
                Some(other) => panic!("{at}: {other}"),
            }
        });
    }

    #[test]
    fn whatever_the_gate_does_not_tell_apart_by_may_be_null() {
        each(&schema(Known::default()), String::new(), &mut |at, schema| {
            let property = at.rsplit('/').nth(1) == Some("properties");
            let tag = at.ends_with("/action") || at == "/properties/outcome" || at.contains("/settings/");
            let evidence = at.contains("/evidence/") && !at.ends_with("/occurrence");
            if property && !tag && !evidence {
                let null = schema["type"] == "null"
                    || schema["anyOf"].as_array().is_some_and(|any| any.contains(&json!({"type": "null"})));
                assert!(null, "{at}: {schema}");
            }
        });
    }

    #[test]
    fn the_outcome_comes_first_and_the_evidence_last() {
        let text = text(Known::default());
        let at = |name: &str| text.find(&format!("\"{name}\":")).unwrap();
        assert!(at("outcome") < at("actions"));
        assert!(at("actions") < at("evidence"));
    }

    #[test]
    fn known_words_are_a_choice_beside_null_unless_there_are_too_many() {
        let names = ["upf".to_owned(), "upf-edge".to_owned()];
        let namespaces: Vec<String> = (0..65).map(|index| format!("ns-{index}")).collect();
        let schema = text(Known { names: &names, namespaces: &namespaces, clusters: &[] });
        assert!(
            schema.contains(
                r#""name":{"anyOf":[{"type":"string","enum":["upf","upf-edge"]},{"type":"null"}]}"#
            )
        );
        assert!(!schema.contains("ns-1"));
        // The name of what is deployed is a new one.
        assert_eq!(schema.matches("upf-edge").count(), 1);
    }

    #[test]
    fn every_reference_is_defined() {
        let schema = schema(Known::default());
        each(&schema.clone(), String::new(), &mut |at, inner| {
            if let Some(to) = inner["$ref"].as_str() {
                assert!(schema.pointer(to.trim_start_matches('#')).is_some(), "{at}: {to}");
            }
        });
    }

    #[test]
    fn the_words_are_those_of_the_model() {
        use nephoran_model::proposal::{Missing, RefuseReason};
        for word in MISSING {
            assert_eq!(serde_json::from_value::<Missing>(json!(word)).unwrap().as_str(), word);
        }
        for word in REASONS {
            assert_eq!(serde_json::from_value::<RefuseReason>(json!(word)).unwrap().as_str(), word);
        }
    }

    #[test]
    fn a_full_answer_names_every_property_and_means_the_same() {
        let answer = json!({"outcome": "actions", "priority": "high", "evidence": [], "actions": [
            {"action": "scale", "target": {"name": "upf"}, "replicas": {"to": 5}},
            {"action": "configure", "target": {"name": "smf"}, "settings": {"dnn": "internet"}}]});
        let text = full(&answer);
        assert!(text.starts_with(r#"{"outcome":"actions","purpose":null,"priority":"high","actions":["#));
        assert!(text.contains(r#""replicas":{"to":5,"by":null,"factor":null,"#));
        let mut back: Value = serde_json::from_str(&text).unwrap();
        settle(&mut back).unwrap();
        shape::without_nulls(&mut back);
        assert_eq!(back, answer);
    }

    #[test]
    fn pairs_become_settings_and_a_key_said_twice_is_a_fault() {
        let mut value = json!({"actions": [{"action": "configure", "settings": [
            {"key": "dnn", "value": "internet"}, {"key": "mtu", "value": "1400"}]}]});
        settle(&mut value).unwrap();
        assert_eq!(value["actions"][0]["settings"], json!({"dnn": "internet", "mtu": "1400"}));
        let mut twice = json!({"actions": [{"action": "configure", "settings": [
            {"key": "dnn", "value": "a"}, {"key": "dnn", "value": "b"}]}]});
        assert_eq!(settle(&mut twice).unwrap_err().pointer, "/actions/0/settings/dnn");
    }
}
