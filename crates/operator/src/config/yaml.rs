//! YAML as a tree that remembers where each value stands, so that every later
//! objection can point at it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// Line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub value: Value,
    pub place: Option<Place>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Name, Node)>),
}

/// A key of a map and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    pub text: String,
    pub place: Option<Place>,
}

/// What is wrong with a text that is no YAML, and where.
#[derive(Debug)]
pub struct Malformed {
    pub message: String,
    pub place: Option<Place>,
}

/// Reads one document. An empty one is `Null`.
pub fn parse(text: &str) -> Result<Node, Malformed> {
    // Words stay words: YAML 1.1 would read `no` as false and `1_000` as 1000.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options::<Option<Node>>(text, options)
        .map(|node| node.unwrap_or(Node { value: Value::Null, place: None }))
        .map_err(|error| {
            let place = error.location().and_then(place);
            let message = error.without_snippet().to_string();
            // The place is shown by the caret.
            let message = match message.rfind(" at line ").or_else(|| message.rfind(", line ")) {
                Some(cut) if place.is_some() => message[..cut].to_owned(),
                _ => message,
            };
            Malformed { message, place }
        })
}

fn place(location: serde_saphyr::Location) -> Option<Place> {
    let line = usize::try_from(location.line()).ok()?;
    let column = usize::try_from(location.column()).ok()?;
    (line > 0).then_some(Place { line, column: column.max(1) })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { place: place(spanned.referenced), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        // Beyond i64 no key has a use for the exact number: every range refuses it.
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Float(value as f64))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Float(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let name = Name { place: place(key.referenced), text: key.value };
            map.push((name, entries.next_value()?));
        }
        Ok(Value::Map(map))
    }
}

impl Value {
    /// What it is, for an objection: `the list [1, 2]` would be too long, so only its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Flow style on one line, as `config explain` shows it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => f.write_str(&quote(value)),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{}", item.value)?;
                }
                f.write_str("]")
            }
            Self::Map(entries) => {
                f.write_str("{")?;
                for (index, (name, item)) in entries.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{}: {}", name.text, item.value)?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Plain where YAML would read the same text back, quoted elsewhere.
fn quote(text: &str) -> String {
    let first_is_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/'));
    let plain = first_is_plain
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "./_-+@:".contains(c))
        && !text.ends_with(':')
        && matches!(parse(text), Ok(Node { value: Value::Text(_), .. }));
    if plain { text.to_owned() } else { format!("{text:?}") }
}

impl Value {
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(value) => value.as_str().into(),
            Self::List(items) => items.iter().map(|item| item.value.to_json()).collect(),
            Self::Map(entries) => serde_json::Value::Object(
                entries.iter().map(|(name, item)| (name.text.clone(), item.value.to_json())).collect(),
            ),
        }
    }
}

/// The line with a caret under the column, as compilers show it. Secrets are masked.
pub fn caret(text: &str, file: &str, place: Place) -> String {
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let line = mask(text.lines().nth(place.line - 1).unwrap_or_default());
    // A long line shows what stands around the fault only.
    let before = place.column.saturating_sub(1);
    let skip = before.saturating_sub(60);
    let shown: String = line.chars().skip(skip).take(100).map(|c| if c == '\t' { ' ' } else { c }).collect();
    let shown = crate::cli::escape(&shown);
    let pad = " ".repeat(before - skip);
    format!("{margin}--> {file}:{number}:{}\n{margin} |\n{number} | {shown}\n{margin} | {pad}^", place.column)
}

/// Blanks the value of a key that sounds like a secret and the password in an address,
/// character by character, so that columns stay where they are.
pub fn mask(line: &str) -> String {
    const SECRET: [&str; 6] = ["password", "passwd", "secret", "token", "api_key", "credential"];
    let lower = line.to_ascii_lowercase();
    let mut characters: Vec<char> = line.chars().collect();
    let index_of = |byte: usize| line[..byte].chars().count();
    for word in SECRET {
        for (at, _) in lower.match_indices(word) {
            let Some(colon) = line[at..].find([':', '=']).map(|offset| at + offset) else { continue };
            let key = lower[at..colon].trim_end_matches(['"', '\'', ' ']);
            // `tokens_file` and its like hold a path.
            if key.ends_with("_file") || key.contains([' ', ',', '{', '}']) {
                continue;
            }
            let end = line[colon..].find([',', '}', '#']).map_or(line.len(), |offset| colon + offset);
            let blank = index_of(colon) + 1..index_of(end);
            for character in &mut characters[blank] {
                if !character.is_whitespace() {
                    *character = '*';
                }
            }
        }
    }
    for (at, _) in line.match_indices("://") {
        let rest = &line[at + 3..];
        let authority = rest.find(['/', ' ', '"', '\'', ',', '}']).map_or(rest, |end| &rest[..end]);
        if let Some(sign) = authority.rfind('@') {
            for character in &mut characters[index_of(at + 3)..index_of(at + 3 + sign)] {
                *character = '*';
            }
        }
    }
    characters.into_iter().collect()
}
