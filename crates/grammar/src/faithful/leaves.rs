//! The leaves of a proposal: every value that words must account for.

use nephoran_model::proposal::Actions;
use serde_json::Value;

/// What kind of value a leaf holds: for whoever asks for its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// A name, an id or a setting, as said.
    Word,
    Number,
    /// One of the contract's own words.
    Choice,
    /// A clause that gives a reason, word for word.
    Reason,
}

/// Every value of the proposal by its JSON pointer, in document order. The
/// name of an action is none: what is said of it forces it (a quote of its verb
/// is accepted for `/actions/0/action`).
pub fn leaves(actions: &Actions) -> Vec<(String, Leaf)> {
    serde_json::to_value(actions).map(|document| of(&document)).unwrap_or_default()
}

pub(super) fn of(document: &Value) -> Vec<(String, Leaf)> {
    let mut out = Vec::new();
    walk(document, String::new(), &mut out);
    out
}

fn walk(value: &Value, path: String, out: &mut Vec<(String, Leaf)>) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (name, inner) in map {
                let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                if verb_of(&path).is_none() {
                    walk(inner, path, out);
                }
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                walk(inner, format!("{path}/{index}"), out);
            }
        }
        Value::Number(_) => out.push((path, Leaf::Number)),
        Value::Bool(_) => out.push((path, Leaf::Choice)),
        Value::String(_) => {
            let leaf = match path.rsplit('/').next().unwrap_or_default() {
                "motive" => Leaf::Reason,
                "purpose" | "priority" | "function" | "direction" | "service" | "preference" | "metric"
                | "statistic" | "is" | "unit" => Leaf::Choice,
                _ => Leaf::Word,
            };
            let leaf = if path.contains("/settings/") { Leaf::Word } else { leaf };
            out.push((path, leaf));
        }
    }
}

/// The index of the action whose name this path is.
pub(super) fn verb_of(path: &str) -> Option<usize> {
    path.strip_prefix("/actions/")?.strip_suffix("/action")?.parse().ok()
}

pub(super) fn is_verb(path: &str, actions: &Actions) -> bool {
    verb_of(path).is_some_and(|index| index < actions.actions.len())
}

/// Equal, with `cells` and `tacs` as sets.
pub(super) fn same_sets(a: &Actions, b: &Actions) -> bool {
    let sorted = |actions: &Actions| {
        let mut value = serde_json::to_value(actions).unwrap_or_default();
        sort(&mut value);
        value
    };
    sorted(a) == sorted(b)
}

fn sort(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                if matches!(name.as_str(), "cells" | "tacs")
                    && let Value::Array(items) = inner
                {
                    items.sort_by_key(ToString::to_string);
                }
                sort(inner);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(sort),
        Value::Number(number) => {
            if let Some(float) = number.as_f64() {
                *value = serde_json::json!(float);
            }
        }
        _ => {}
    }
}
