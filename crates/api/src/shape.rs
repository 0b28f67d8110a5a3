//! What a JSON value must look like. One table is both the gate and the published JSON Schema,
//! so the two cannot drift apart.
//!
//! The gate names every fault at once, each with its pointer.

use nephoran_model::proposal::is_dns_label;
use serde_json::{Map, Value, json};

use crate::json::escape;
use crate::problem::Fault;

/// Faults named in one answer.
const MAX_FAULTS: usize = 32;

/// The DNS labels of RFC 1123 as a regular expression, for schemas.
const LABEL: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";

pub enum Shape {
    /// A DNS label.
    Label,
    /// Plain text, its length in code points; without control and direction characters.
    Text {
        min: usize,
        max: usize,
    },
    /// Any string of at most so many code points.
    Raw {
        min: usize,
        max: usize,
    },
    /// A string of a form that a function judges; `form` says it in words, `pattern` to machines.
    Form {
        form: &'static str,
        pattern: &'static str,
        judge: fn(&str) -> bool,
    },
    /// RFC 3339 date and time.
    Instant,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number; `3.0` is one.
    Whole {
        min: i64,
        max: i64,
    },
    /// A number above `over` and up to `max`.
    Number {
        over: f64,
        max: f64,
    },
    /// A number from `min` to `max`.
    Between {
        min: f64,
        max: f64,
    },
    /// Only `true`.
    True,
    Flag,
    Object(&'static Object),
    /// An object whose key `tag` says which of the variants it is.
    Tagged {
        tag: &'static str,
        variants: &'static [(&'static str, &'static Object)],
    },
    List {
        of: &'static Shape,
        min: usize,
        max: usize,
    },
    /// Keys and values that are free, within bounds.
    Settings {
        max: usize,
    },
}

pub struct Object {
    pub fields: &'static [Field],
    pub rules: &'static [Rule],
    /// Keys beside the fields are let through unread.
    pub open: bool,
    /// Whether `null` reads as absent. The proposal says so, the drop-in schema does not.
    pub null_is_absent: bool,
}

pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    pub required: bool,
    /// For the schema's `description`; empty when the name says it.
    pub about: &'static str,
}

pub const fn need(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true, about: "" }
}

pub const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false, about: "" }
}

impl Field {
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }
}

/// What fields say only together.
pub enum Rule {
    AtLeastOne(&'static [&'static str]),
    ExactlyOne(&'static [&'static str]),
    /// When `field` is one of `words`, exactly `with` is there out of `with` and `without`.
    When {
        field: &'static str,
        is: bool,
        word: &'static str,
        with: &'static [&'static str],
        without: &'static [&'static str],
    },
}

/// Everything wrong with `value`; empty when it has the shape.
pub fn judge(value: &Value, shape: &Shape) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    faults.value(value, shape, String::new());
    faults.0
}

/// `value` without the members that are `null`, all the way down.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// The number when it is whole, also written as `3.0` or `3e0`.
pub fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        // 2^53: beyond it an f64 no longer tells whole numbers apart.
        (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
    })
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, at: &str, detail: impl Into<String>) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(Fault::new(at, detail));
        }
    }

    fn value(&mut self, value: &Value, shape: &Shape, at: String) {
        match shape {
            Shape::Object(object) => self.object(value, object, &at, None),
            Shape::Tagged { tag, variants } => self.tagged(value, tag, variants, &at),
            Shape::List { of, min, max } => {
                let Some(items) = value.as_array() else {
                    return self.add(&at, format!("must be a list, not {}", kind(value)));
                };
                if items.len() < *min || items.len() > *max {
                    self.add(&at, format!("must hold {}, not {}", amount(*min, *max, "item"), items.len()));
                }
                for (index, item) in items.iter().enumerate().take(*max) {
                    self.value(item, of, format!("{at}/{index}"));
                }
            }
            Shape::Settings { max } => self.settings(value, *max, &at),
            _ => {
                if let Err(detail) = leaf(value, shape) {
                    self.add(&at, detail);
                }
            }
        }
    }

    fn object(&mut self, value: &Value, object: &Object, at: &str, tag: Option<&str>) {
        let Some(map) = value.as_object() else {
            return self.add(at, format!("must be an object, not {}", kind(value)));
        };
        let member = |name: &str| map.get(name).filter(|value| !(object.null_is_absent && value.is_null()));
        for field in object.fields {
            match member(field.name) {
                Some(value) => {
                    self.value(value, &field.shape, format!("{at}/{}", field.name));
                }
                None if field.required => {
                    self.add(&format!("{at}/{}", field.name), format!("is missing; {}", wants(&field.shape)));
                }
                None => {}
            }
        }
        if !object.open {
            for key in map.keys() {
                if tag != Some(key) && object.fields.iter().all(|field| field.name != key) {
                    let known: Vec<&str> =
                        tag.into_iter().chain(object.fields.iter().map(|f| f.name)).collect();
                    self.add(
                        &format!("{at}/{}", escape(key)),
                        format!("is not a field here; known are {}", known.join(", ")),
                    );
                }
            }
        }
        for rule in object.rules {
            if let Some(detail) = broken(rule, &member) {
                self.add(at, detail);
            }
        }
    }

    fn tagged(&mut self, value: &Value, tag: &str, variants: &[(&'static str, &'static Object)], at: &str) {
        let Some(map) = value.as_object() else {
            return self.add(at, format!("must be an object, not {}", kind(value)));
        };
        let names = || variants.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let here = format!("{at}/{tag}");
        match map.get(tag) {
            None | Some(Value::Null) => self.add(&here, format!("is missing; one of {}", names())),
            Some(Value::String(word)) => match variants.iter().find(|(name, _)| name == word) {
                Some((_, object)) => self.object(value, object, at, Some(tag)),
                None => self.add(&here, format!("must be one of {}, not {}", names(), quoted(word))),
            },
            Some(other) => self.add(&here, format!("must be one of {}, not {}", names(), kind(other))),
        }
    }

    fn settings(&mut self, value: &Value, max: usize, at: &str) {
        let Some(map) = value.as_object() else {
            return self.add(at, format!("must be an object, not {}", kind(value)));
        };
        let said = map.iter().filter(|(_, value)| !value.is_null());
        if said.clone().count() == 0 || map.len() > max {
            self.add(at, format!("must hold {}, not {}", amount(1, max, "setting"), map.len()));
        }
        for (key, value) in said.take(max) {
            let here = format!("{at}/{}", escape(key));
            if let Err(detail) = text(key, 1, 128) {
                self.add(&here, format!("the key {detail}"));
            }
            if let Err(detail) = leaf(value, &Shape::Text { min: 0, max: 1024 }) {
                self.add(&here, detail);
            }
        }
    }
}

fn broken<'v>(rule: &Rule, member: &impl Fn(&str) -> Option<&'v Value>) -> Option<String> {
    let there = |names: &[&str]| names.iter().filter(|name| member(name).is_some()).count();
    match rule {
        Rule::AtLeastOne(names) => {
            (there(names) == 0).then(|| format!("at least one of {} must be there", names.join(", ")))
        }
        Rule::ExactlyOne(names) => {
            (there(names) != 1).then(|| format!("exactly one of {} must be there", names.join(", ")))
        }
        Rule::When { field, is, word, with, without } => {
            let said = member(field).and_then(Value::as_str)?;
            if (said == *word) != *is || (there(with) == with.len() && there(without) == 0) {
                return None;
            }
            Some(format!(
                "with {field} {} exactly {} must be there, without {}",
                quoted(said),
                with.join(" and "),
                without.join(" and ")
            ))
        }
    }
}

fn leaf(value: &Value, shape: &Shape) -> Result<(), String> {
    let string = || value.as_str().ok_or_else(|| format!("{}, not {}", wants(shape), kind(value)));
    match shape {
        Shape::Label => match string()? {
            word if is_dns_label(word) => Ok(()),
            word => Err(format!("{}, not {}", wants(shape), quoted(word))),
        },
        Shape::Text { min, max } => text(string()?, *min, *max),
        Shape::Raw { min, max } => {
            let count = string()?.chars().count();
            if count < *min || count > *max {
                return Err(format!("must have {}, not {count}", amount(*min, *max, "character")));
            }
            Ok(())
        }
        Shape::Form { judge, .. } => match string()? {
            word if judge(word) => Ok(()),
            word => Err(format!("{}, not {}", wants(shape), quoted(word))),
        },
        Shape::Instant => match string()? {
            word if instant(word).is_some() => Ok(()),
            word => Err(format!("{}, not {}", wants(shape), quoted(word))),
        },
        Shape::Word(words) => match string()? {
            word if words.contains(&word) => Ok(()),
            word => Err(format!("{}, not {}", wants(shape), quoted(word))),
        },
        Shape::Whole { min, max } => match whole(value) {
            Some(number) if (*min..=*max).contains(&number) => Ok(()),
            _ => Err(format!("{}, not {}", wants(shape), shown(value))),
        },
        Shape::Number { over, max } => match value.as_f64() {
            Some(number) if number > *over && number <= *max => Ok(()),
            _ => Err(format!("{}, not {}", wants(shape), shown(value))),
        },
        Shape::Between { min, max } => match value.as_f64() {
            Some(number) if (*min..=*max).contains(&number) => Ok(()),
            _ => Err(format!("{}, not {}", wants(shape), shown(value))),
        },
        Shape::True => match value {
            Value::Bool(true) => Ok(()),
            _ => Err(format!("{}, not {}", wants(shape), shown(value))),
        },
        Shape::Flag => match value {
            Value::Bool(_) => Ok(()),
            _ => Err(format!("{}, not {}", wants(shape), kind(value))),
        },
        Shape::Object(_) | Shape::Tagged { .. } | Shape::List { .. } | Shape::Settings { .. } => Ok(()),
    }
}

fn text(word: &str, min: usize, max: usize) -> Result<(), String> {
    let count = word.chars().count();
    if count < min || count > max {
        return Err(format!("must have {}, not {count}", amount(min, max, "character")));
    }
    match word.chars().find(|c| is_hidden(*c)) {
        Some(hidden) => {
            Err(format!("must not hold the control or direction character U+{:04X}", u32::from(hidden)))
        }
        None => Ok(()),
    }
}

/// Characters that make a text read otherwise than it is: controls (a line feed and a tab read as
/// they are), zero-width and direction marks.
pub fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// RFC 3339 with an offset; a time without one names no instant.
pub fn instant(word: &str) -> Option<jiff::Timestamp> {
    let bytes = word.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let is = |at: usize, allowed: &[u8]| bytes.get(at).is_some_and(|byte| allowed.contains(byte));
    // jiff reads more than RFC 3339: the form is checked first.
    let form = digits(0..4)
        && is(4, b"-")
        && digits(5..7)
        && is(7, b"-")
        && digits(8..10)
        && is(10, b"Tt ")
        && digits(11..13)
        && is(13, b":")
        && digits(14..16)
        && is(16, b":")
        && digits(17..19);
    if !form {
        return None;
    }
    let mut rest = &bytes[19..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        rest = &fraction[length..];
    }
    let offset = match rest {
        b"Z" | b"z" => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    if !offset {
        return None;
    }
    word.to_ascii_uppercase().replacen(' ', "T", 1).parse().ok()
}

fn wants(shape: &Shape) -> String {
    match shape {
        Shape::Label => "must be a DNS label (1 to 63 of a-z, 0-9 and -, no - at either end)".to_owned(),
        Shape::Text { min, max } | Shape::Raw { min, max } => {
            format!("must be a text of {}", amount(*min, *max, "character"))
        }
        Shape::Form { form, .. } => format!("must be {form}"),
        Shape::Instant => "must be a time as in RFC 3339, like 2026-01-31T18:00:00Z".to_owned(),
        Shape::Word(words) => {
            let words: Vec<&str> =
                words.iter().map(|word| if word.is_empty() { "\"\"" } else { word }).collect();
            format!("must be one of {}", words.join(", "))
        }
        Shape::Whole { min, max } if *max == i64::MAX => format!("must be a whole number of at least {min}"),
        Shape::Whole { min, max } => format!("must be a whole number from {min} to {max}"),
        Shape::Number { over, max } if *max == f64::MAX => format!("must be a number above {over}"),
        Shape::Number { over, max } => format!("must be a number above {over}, at most {max}"),
        Shape::Between { min, max } => format!("must be a number from {min} to {max}"),
        Shape::True => "must be true".to_owned(),
        Shape::Flag => "must be true or false".to_owned(),
        Shape::Object(_) | Shape::Tagged { .. } => "must be an object".to_owned(),
        Shape::List { min, max, .. } => format!("must be a list of {}", amount(*min, *max, "item")),
        Shape::Settings { .. } => "must be an object of settings, each value a text".to_owned(),
    }
}

fn amount(min: usize, max: usize, noun: &str) -> String {
    match (min, max) {
        (0, max) if max == usize::MAX => format!("any number of {noun}s"),
        (0, max) => format!("at most {max} {noun}s"),
        (min, max) if max == usize::MAX => format!("at least {min} {noun}s"),
        (min, max) if min == max => format!("{min} {noun}s"),
        (min, max) => format!("{min} to {max} {noun}s"),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What was sent, when it is short enough to be shown back.
fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::String(word) => quoted(word),
        Value::Bool(flag) => flag.to_string(),
        other => kind(other).to_owned(),
    }
}

fn quoted(word: &str) -> String {
    let mut short: String =
        word.chars().take(48).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
    if short.len() < word.len() && word.chars().count() > 48 {
        short.push_str("...");
    }
    format!("{short:?}")
}

/// The JSON Schema of a shape.
pub fn schema(shape: &Shape) -> Value {
    match shape {
        Shape::Label => json!({"type": "string", "pattern": LABEL}),
        Shape::Text { min, max } | Shape::Raw { min, max } => {
            let mut schema = json!({"type": "string"});
            if *min > 0 {
                schema["minLength"] = json!(min);
            }
            if *max < usize::MAX {
                schema["maxLength"] = json!(max);
            }
            schema
        }
        Shape::Form { pattern, .. } => json!({"type": "string", "pattern": pattern}),
        Shape::Instant => json!({"type": "string", "format": "date-time"}),
        Shape::Word(words) => json!({"type": "string", "enum": words}),
        Shape::Whole { min, max } => {
            let mut schema = json!({"type": "integer", "minimum": min});
            if *max < i64::MAX {
                schema["maximum"] = json!(max);
            }
            schema
        }
        Shape::Number { over, max } => {
            let mut schema = json!({"type": "number", "exclusiveMinimum": over});
            if *max < f64::MAX {
                schema["maximum"] = json!(max);
            }
            schema
        }
        Shape::Between { min, max } => json!({"type": "number", "minimum": min, "maximum": max}),
        Shape::True => json!({"const": true}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Object(object) => object_schema(object, None),
        Shape::Tagged { tag, variants } => {
            let variants: Vec<Value> =
                variants.iter().map(|(name, object)| object_schema(object, Some((tag, name)))).collect();
            json!({"oneOf": variants})
        }
        Shape::List { of, min, max } => {
            let mut list = json!({"type": "array", "items": schema(of)});
            if *min > 0 {
                list["minItems"] = json!(min);
            }
            if *max < usize::MAX {
                list["maxItems"] = json!(max);
            }
            list
        }
        Shape::Settings { max } => json!({
            "type": "object",
            "minProperties": 1,
            "maxProperties": max,
            "propertyNames": {"minLength": 1, "maxLength": 128},
            "additionalProperties": {"type": "string", "maxLength": 1024},
        }),
    }
}

fn object_schema(object: &Object, tag: Option<(&str, &str)>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    if let Some((tag, name)) = tag {
        properties.insert(tag.to_owned(), json!({"const": name}));
        required.push(tag.to_owned());
    }
    for field in object.fields {
        let mut property = schema(&field.shape);
        if !field.about.is_empty() {
            property["description"] = json!(field.about);
        }
        properties.insert(field.name.to_owned(), property);
        if field.required {
            required.push(field.name.to_owned());
        }
    }
    let mut made = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": object.open,
    });
    if !required.is_empty() {
        made["required"] = json!(required);
    }
    let rules: Vec<Value> = object.rules.iter().map(rule_schema).collect();
    if !rules.is_empty() {
        made["allOf"] = json!(rules);
    }
    made
}

fn rule_schema(rule: &Rule) -> Value {
    let each = |names: &[&str]| names.iter().map(|name| json!({"required": [name]})).collect::<Vec<_>>();
    match rule {
        Rule::AtLeastOne(names) => json!({"anyOf": each(names)}),
        Rule::ExactlyOne(names) => json!({"oneOf": each(names)}),
        Rule::When { field, is, word, with, without } => {
            let said = if *is { json!({"const": word}) } else { json!({"not": {"const": word}}) };
            json!({
                "if": {"properties": {*field: said}, "required": [field]},
                "then": {"required": with, "not": {"anyOf": each(without)}},
            })
        }
    }
}
