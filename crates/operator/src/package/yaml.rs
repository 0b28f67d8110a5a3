//! YAML with the place of every scalar, so that one can be replaced byte for byte.
//!
//! Values are kept as written: aliases are never followed (nothing can blow up), tags
//! and anchors are only noticed. What makes an edit uncertain is an [`File::oddity`].

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use nephoran_model::plan::Scalar;

/// Deeper than any Kubernetes object; less than what a stack bears.
const DEEPEST: usize = 64;

/// Nodes of one file: 1 MiB of YAML cannot hold more that anybody wrote by hand.
const MOST_NODES: usize = 200_000;

#[derive(Debug)]
pub(super) struct File<'a> {
    pub(super) documents: Vec<Node<'a>>,
    /// The first thing that makes an edit uncertain: an anchor, a tag, a duplicate key.
    pub(super) oddity: Option<String>,
    /// Comments that speak to kpt, by the line they stand on.
    pub(super) comments: Vec<Comment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) line: usize,
    /// `${replicas}` of `# kpt-set: ${replicas}`.
    pub(super) pattern: String,
}

#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) value: Value<'a>,
    /// Bytes of a scalar in the file.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The line it ends on, from 1.
    pub(super) line: usize,
}

#[derive(Debug)]
pub(super) enum Value<'a> {
    Scalar {
        text: Cow<'a, str>,
        style: ScalarStyle,
    },
    Map(Vec<(Node<'a>, Node<'a>)>),
    Seq(Vec<Node<'a>>),
    /// `*name`, not followed.
    Alias(Cow<'a, str>),
}

/// What a plain scalar stands for (YAML 1.2 core schema).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Bool,
    Int,
    Float,
    Text,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(super) struct Error {
    pub(super) line: usize,
    pub(super) reason: String,
}

/// A collection that is being read.
struct Open<'a> {
    node: Node<'a>,
    /// The key that waits for its value.
    key: Option<Node<'a>>,
    /// Keys of a large map, so that a file of 100,000 keys takes no 100,000 squared looks.
    seen: HashSet<String>,
}

/// From here on a map's keys are looked up in a set.
const LARGE_MAP: usize = 24;

pub(super) fn parse(text: &str) -> Result<File<'_>, Error> {
    let options = granit_parser::options! {
        emit_unresolved_aliases: false,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut file = File { documents: Vec::new(), oddity: None, comments: Vec::new() };
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut root: Option<Node<'_>> = None;
    let mut nodes = 0_usize;

    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) =
            next.map_err(|error| Error { line: error.marker().line(), reason: printable(&error.info()) })?;
        let line = span.end.line();
        let fail = |reason: &str| Error { line, reason: reason.to_owned() };
        if event.is_node() {
            nodes += 1;
            if nodes > MOST_NODES {
                return Err(fail("more values than a package file may hold"));
            }
            if open.len() >= DEEPEST {
                return Err(fail("nested too deeply"));
            }
            if event.anchor_id().is_some() {
                file.odd(line, "an anchor");
            }
            if event.tag().is_some() {
                file.odd(line, "a tag");
            }
        }
        let node = match event {
            Event::Scalar(value, style, ..) => node(Value::Scalar { text: value, style }, &span, text),
            Event::Alias(_) => {
                file.odd(line, "an alias");
                let name = span.slice(text).unwrap_or("*").trim_start_matches('*');
                node(Value::Alias(Cow::Borrowed(name)), &span, text)
            }
            Event::UnresolvedAlias(_) => return Err(fail("an alias without its anchor")),
            Event::MappingStart(..) => {
                open.push(Open::new(node(Value::Map(Vec::new()), &span, text)));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(Open::new(node(Value::Seq(Vec::new()), &span, text)));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                let Some(mut closed) = open.pop() else {
                    return Err(fail("an end without a beginning"));
                };
                closed.node.end = span.end.byte_offset().unwrap_or(closed.node.end);
                closed.node.line = line;
                closed.node
            }
            Event::DocumentEnd => {
                file.documents.push(root.take().unwrap_or(Node {
                    value: Value::Scalar { text: Cow::Borrowed(""), style: ScalarStyle::Plain },
                    start: 0,
                    end: 0,
                    line,
                }));
                continue;
            }
            Event::Comment(comment, _) => {
                if let Some(pattern) = setter_pattern(&comment) {
                    file.comments.push(Comment { line: span.start.line(), pattern });
                }
                continue;
            }
            _ => continue,
        };
        match open.last_mut() {
            None => root = Some(node),
            Some(Open { node: Node { value: Value::Map(entries), .. }, key, seen }) => match key.take() {
                None => *key = Some(node),
                Some(name) => {
                    if let Some(oddity) = odd_key(entries, seen, &name) {
                        file.odd(name.line, oddity);
                    }
                    entries.push((name, node));
                }
            },
            Some(Open { node: Node { value: Value::Seq(items), .. }, .. }) => items.push(node),
            Some(_) => return Err(fail("a value inside a scalar")),
        }
    }
    Ok(file)
}

/// One value of a file; none where it does not parse or has no such field.
pub(super) fn value(bytes: &[u8], document: usize, field: &str) -> Option<Scalar> {
    let path = Path::parse(field)?;
    let file = parse(std::str::from_utf8(bytes).ok()?).ok()?;
    file.documents.get(document)?.find(&path)?.scalar()
}

fn node<'a>(value: Value<'a>, span: &Span, text: &str) -> Node<'a> {
    let range = span.byte_range().unwrap_or(text.len()..text.len());
    Node { value, start: range.start, end: range.end, line: span.end.line() }
}

impl<'a> Open<'a> {
    fn new(node: Node<'a>) -> Self {
        Self { node, key: None, seen: HashSet::new() }
    }
}

/// Of the last key read: is it a merge key, a collection, or there already?
fn odd_key(
    entries: &[(Node<'_>, Node<'_>)],
    seen: &mut HashSet<String>,
    key: &Node<'_>,
) -> Option<&'static str> {
    let Some(name) = key.text() else { return Some("a key that is no text") };
    if name == "<<" {
        return Some("a merge key");
    }
    let twice = if entries.len() < LARGE_MAP {
        entries.iter().any(|(other, _)| other.text() == Some(name))
    } else {
        if seen.is_empty() {
            seen.extend(entries.iter().filter_map(|(other, _)| other.text().map(str::to_owned)));
        }
        !seen.insert(name.to_owned())
    };
    twice.then_some("a duplicate key")
}

/// `${replicas}` of ` kpt-set: ${replicas}`; the two older spellings keep their text, so that
/// they are seen as something we do not edit.
fn setter_pattern(comment: &str) -> Option<String> {
    let comment = comment.trim();
    if let Some(pattern) = comment.strip_prefix("kpt-set:") {
        return Some(pattern.trim().to_owned());
    }
    (comment.contains("kpt-set") || comment.contains("$openapi")).then(|| comment.to_owned())
}

impl File<'_> {
    fn odd(&mut self, line: usize, what: &str) {
        if self.oddity.is_none() {
            self.oddity = Some(format!("it has {what} in line {line}"));
        }
    }

    /// What `# kpt-set:` says beside a node.
    pub(super) fn pattern_at(&self, line: usize) -> Option<&str> {
        self.comments.iter().find(|comment| comment.line == line).map(|comment| comment.pattern.as_str())
    }
}

impl<'a> Node<'a> {
    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> &[(Node<'a>, Node<'a>)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Node<'a>] {
        match &self.value {
            Value::Seq(items) => items,
            _ => &[],
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.entries().iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// `get` through several maps.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Node<'a>> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    pub(super) fn text_at(&self, keys: &[&str]) -> Option<&str> {
        self.at(keys)?.text()
    }

    pub(super) fn find(&self, path: &Path) -> Option<&Node<'a>> {
        path.0.iter().try_fold(self, |node, segment| match segment {
            Segment::Key(key) => node.get(key),
            Segment::Index(index) => node.items().get(*index),
        })
    }

    pub(super) fn type_of(&self) -> Type {
        match &self.value {
            Value::Scalar { text, style: ScalarStyle::Plain } => type_of(text),
            _ => Type::Text,
        }
    }

    /// An integer as people write counts: no sign but minus, no leading zero, no underscore.
    pub(super) fn integer(&self) -> Option<i64> {
        match &self.value {
            Value::Scalar { text, style: ScalarStyle::Plain } => canonical_integer(text),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        self.type_of() == Type::Bool && self.text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// A scalar as a plan writes it.
    pub(super) fn scalar(&self) -> Option<Scalar> {
        let text = self.text()?;
        Some(self.integer().map_or_else(|| Scalar::Text(text.to_owned()), Scalar::Int))
    }
}

pub(super) fn canonical_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
        && text != "-0";
    canonical.then(|| text.parse().ok()).flatten()
}

/// YAML 1.2 core schema of a plain scalar, with the words of 1.1 that other tools read as
/// booleans counted as such: an edit must not turn a text into one for them.
pub(super) fn type_of(text: &str) -> Type {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Type::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return Type::Bool,
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "on" | "On" | "ON" | "off" | "Off" | "OFF" | "y"
        | "Y" | "n" | "N" => return Type::Bool,
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.is_empty() {
        return Type::Text;
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_' || byte == b':')
        && unsigned.starts_with(|c: char| c.is_ascii_digit())
    {
        return Type::Int;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = unsigned.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix) || c == '_')
        {
            return Type::Int;
        }
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Type::Float;
    }
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-_".contains(&byte))
        && unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && unsigned.replace('_', "").parse::<f64>().is_ok();
    if numeric { Type::Float } else { Type::Text }
}

/// A place in a document: `spec.replicas`, `pipeline.mutators[0].configMap.replicas`,
/// `metadata.annotations["nephio.org/cluster-name"]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Path(pub(super) Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Key(String),
    Index(usize),
}

impl Path {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            if let Some(inside) = rest.strip_prefix("[\"") {
                let mut key = String::new();
                let mut chars = inside.char_indices();
                let end = loop {
                    match chars.next()? {
                        (_, '\\') => key.push(chars.next()?.1),
                        (at, '"') => break at,
                        (_, c) => key.push(c),
                    }
                };
                segments.push(Segment::Key(key));
                rest = inside[end + 1..].strip_prefix(']')?;
            } else if let Some(inside) = rest.strip_prefix('[') {
                let (index, after) = inside.split_once(']')?;
                segments.push(Segment::Index(index.parse().ok()?));
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return None;
                }
                segments.push(Segment::Key(rest[..end].to_owned()));
                rest = &rest[end..];
            }
            if rest.is_empty() {
                return Some(Self(segments));
            }
            if let Some(after) = rest.strip_prefix('.') {
                rest = after;
            } else if !rest.starts_with('[') {
                return None;
            }
        }
    }

    pub(super) fn key(mut self, key: &str) -> Self {
        self.0.push(Segment::Key(key.to_owned()));
        self
    }

    pub(super) fn index(mut self, index: usize) -> Self {
        self.0.push(Segment::Index(index));
        self
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key)
                    if !key.is_empty()
                        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') =>
                {
                    write!(f, "{}{key}", if at == 0 { "" } else { "." })?;
                }
                Segment::Key(key) => {
                    f.write_str("[\"")?;
                    for c in key.chars() {
                        if c == '"' || c == '\\' {
                            f.write_str("\\")?;
                        }
                        write!(f, "{c}")?;
                    }
                    f.write_str("\"]")?;
                }
            }
        }
        Ok(())
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_scalar_knows_its_bytes_its_line_and_the_comment_beside_it() {
        let text = "# top\r\nspec:\r\n  replicas: 3 # kpt-set: ${replicas}\r\n  name: 'a: #b'\r\n";
        let file = parse(text).unwrap();
        let replicas = file.documents[0].at(&["spec", "replicas"]).unwrap();
        assert_eq!(&text[replicas.start..replicas.end], "3");
        assert_eq!(file.pattern_at(replicas.line), Some("${replicas}"));
        let name = file.documents[0].at(&["spec", "name"]).unwrap();
        assert_eq!((name.text(), &text[name.start..name.end]), (Some("a: #b"), "'a: #b'"));
        assert_eq!(file.oddity, None);
    }

    #[test]
    fn what_makes_an_edit_uncertain_is_noticed() {
        for (text, oddity) in [
            ("a: &x 1\nb: *x\n", "it has an anchor in line 1"),
            ("a: !!str 1\n", "it has a tag in line 1"),
            ("a: 1\nb: 2\na: 3\n", "it has a duplicate key in line 3"),
            ("base: {a: 1}\nb:\n  <<: {c: 2}\n", "it has a merge key in line 3"),
            ("? [1, 2]\n: x\n", "it has a key that is no text in line 1"),
        ] {
            assert_eq!(parse(text).unwrap().oddity.as_deref(), Some(oddity), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        for text in ["[".repeat(10_000), "{a: ".repeat(10_000), "- ".repeat(10_000)] {
            assert!(parse(&text).is_err());
        }
    }

    #[test]
    fn a_path_is_read_as_it_is_written() {
        for text in [
            "spec.replicas",
            "pipeline.mutators[0].configMap.replicas",
            "metadata.annotations[\"a.b/c\"]",
            "[2].x",
            "data[\"a\\\"b\\\\\"].y",
        ] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        for text in ["", ".", "a.", "a..b", "a[", "a[x]", "a[\"", "a[0]b"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }

    #[test]
    fn plain_scalars_have_the_types_that_other_tools_see() {
        for (text, expected) in [
            ("3", Type::Int),
            ("007", Type::Int),
            ("1_000", Type::Int),
            ("0x1f", Type::Int),
            ("1.5", Type::Float),
            ("1e3", Type::Float),
            (".5", Type::Float),
            ("no", Type::Bool),
            ("~", Type::Null),
            ("5G", Type::Text),
            ("v1.2.3", Type::Text),
            ("1.2.3", Type::Text),
            ("-", Type::Text),
        ] {
            assert_eq!(type_of(text), expected, "{text}");
        }
        assert_eq!(canonical_integer("12"), Some(12));
        for text in ["012", "-0", "+1", "1_0", "", "99999999999999999999"] {
            assert_eq!(canonical_integer(text), None, "{text}");
        }
    }
}
