//! Reads JSON strictly: RFC 8259 grammar, UTF-8, no duplicate keys, bounded depth.
//!
//! A duplicate key is JSON all the same (RFC 8259 clause 4 says SHOULD), so it is told apart from a
//! fault of syntax: the first is wrong content, the second is no content at all.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::problem::Fault;

/// Objects and arrays inside one another. Nothing that we read needs ten.
pub const MAX_DEPTH: usize = 64;

/// Duplicates named in one answer; a body of nothing else must not make a large one.
const MAX_FAULTS: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not JSON.
    #[error("not valid JSON at line {line} column {column}: {detail}")]
    Syntax { line: usize, column: usize, detail: String },
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// JSON, but a key occurs twice: which value was meant cannot be known.
    #[error("duplicate keys: {}", .0.first().map(|fault| fault.pointer.as_str()).unwrap_or_default())]
    Duplicate(Vec<Fault>),
}

/// Reads one JSON text. A UTF-8 byte order mark before it is skipped.
pub fn read(bytes: &[u8]) -> Result<Value, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let seen = Seen::default();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Seed { at: &At::Root, depth: 0, seen: &seen }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    let seen = seen.0.into_inner();
    match value {
        Ok(_) if !seen.duplicates.is_empty() => Err(Error::Duplicate(seen.duplicates)),
        Ok(value) => Ok(value),
        Err(_) if seen.too_deep => Err(Error::TooDeep),
        Err(error) => {
            // serde_json ends its message with the position, which we say ourselves.
            let text = error.to_string();
            let detail = text.split(" at line ").next().unwrap_or(&text).to_owned();
            Err(Error::Syntax { line: error.line(), column: error.column(), detail })
        }
    }
}

#[derive(Default)]
struct Notes {
    duplicates: Vec<Fault>,
    too_deep: bool,
}

/// What a reader found beside the value; serde's errors can carry only text.
#[derive(Default)]
struct Seen(RefCell<Notes>);

/// Where in the document, as a chain on the stack: no allocation until a fault needs the pointer.
enum At<'a> {
    Root,
    Key(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(parent, key) => write!(f, "{parent}/{}", escape(key)),
            Self::Index(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// One reference token of a JSON pointer (RFC 6901 clause 3), cut to what an answer can bear.
pub fn escape(key: &str) -> String {
    let short: String = key.chars().take(64).collect();
    short.replace('~', "~0").replace('/', "~1")
}

struct Seed<'a> {
    at: &'a At<'a>,
    depth: usize,
    seen: &'a Seen,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Seed<'_> {
    fn enter<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth == MAX_DEPTH {
            self.seen.0.borrow_mut().too_deep = true;
            return Err(E::custom("too deep"));
        }
        Ok(self.depth + 1)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let depth = self.enter()?;
        let mut list = Vec::new();
        while let Some(item) =
            items.next_element_seed(Seed { at: &At::Index(self.at, list.len()), depth, seen: self.seen })?
        {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let depth = self.enter()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let at = At::Key(self.at, &key);
            let value = entries.next_value_seed(Seed { at: &at, depth, seen: self.seen })?;
            if map.contains_key(&key) {
                let duplicates = &mut self.seen.0.borrow_mut().duplicates;
                if duplicates.len() < MAX_FAULTS {
                    duplicates.push(Fault::new(at.to_string(), "this key occurs twice; say it once"));
                }
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_read_as_it_is_written() {
        let text = br#" {"a": [1, -2, 3.5, true, null, "x\u00e9"], "b": {}} "#;
        assert_eq!(read(text).unwrap(), json!({"a": [1, -2, 3.5, true, null, "xé"], "b": {}}));
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(read(b"\xef\xbb\xbf{}").unwrap(), json!({}));
    }

    #[test]
    fn a_duplicate_key_is_named_by_its_pointer() {
        let error = read(br#"{"a/b": [{"x": 1, "x": 2}]}"#).unwrap_err();
        let Error::Duplicate(faults) = error else { panic!("{error:?}") };
        assert_eq!(faults[0].pointer, "/a~1b/0/x");
    }

    #[test]
    fn a_broken_text_is_a_syntax_fault_even_when_a_key_occurs_twice() {
        assert!(matches!(read(br#"{"a":1,"a":2"#), Err(Error::Syntax { line: 1, .. })));
    }

    #[test]
    fn depth_is_bounded_long_before_the_stack_is() {
        let levels = |n: usize| ["[".repeat(n), "]".repeat(n)].concat();
        assert!(read(levels(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(read(levels(MAX_DEPTH + 1).as_bytes()), Err(Error::TooDeep));
        assert_eq!(read("[".repeat(100_000).as_bytes()), Err(Error::TooDeep));
        assert_eq!(read(r#"{"a":"#.repeat(100_000).as_bytes()), Err(Error::TooDeep));
    }

    #[test]
    fn the_verdicts_of_the_json_test_suite_hold() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora/json-parsing");
        let Ok(entries) = std::fs::read_dir(folder) else {
            println!("skipped: no JSON test suite in ../shared/corpora/json-parsing");
            return;
        };
        let mut checked = 0;
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let verdict = read(&std::fs::read(&path).unwrap());
            match name.as_bytes()[0] {
                // A duplicate key is JSON: told apart, so that the door can call it wrong content.
                b'y' => assert!(
                    matches!(verdict, Ok(_) | Err(Error::Duplicate(_))),
                    "{name} must be read: {verdict:?}"
                ),
                b'n' => assert!(verdict.is_err(), "{name} must be refused"),
                _ => {}
            }
            checked += 1;
        }
        println!("{checked} files of the JSON test suite checked");
        assert!(checked > 0);
    }
}
