//! Every value of a package file that differs before and after, whoever meant it.

use nephoran_model::plan::Scalar;

use super::yaml::{Node, Path, Segment, Type, Value};

/// One value that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) document: usize,
    pub(super) field: String,
    pub(super) before: Option<Scalar>,
    pub(super) after: Option<Scalar>,
}

pub(super) fn documents(before: &[Node<'_>], after: &[Node<'_>]) -> Vec<Changed> {
    let mut changed = Vec::new();
    for document in 0..before.len().max(after.len()) {
        let mut walk = Walk { document, path: Path::default(), changed: &mut changed };
        walk.pair(before.get(document), after.get(document));
    }
    changed
}

struct Walk<'w> {
    document: usize,
    path: Path,
    changed: &'w mut Vec<Changed>,
}

impl Walk<'_> {
    fn pair(&mut self, before: Option<&Node<'_>>, after: Option<&Node<'_>>) {
        match (before, after) {
            (None, None) => {}
            (Some(only), None) => self.leaves(only, true),
            (None, Some(only)) => self.leaves(only, false),
            (Some(before), Some(after)) => match (&before.value, &after.value) {
                (Value::Map(one), Value::Map(other)) if one.is_empty() == other.is_empty() => {
                    self.maps(one, other);
                }
                (Value::Seq(one), Value::Seq(other)) if one.is_empty() == other.is_empty() => {
                    for at in 0..one.len().max(other.len()) {
                        self.within(Segment::Index(at), one.get(at), other.get(at));
                    }
                }
                (Value::Alias(one), Value::Alias(other)) if one == other => {}
                (Value::Scalar { text: one, .. }, Value::Scalar { text: other, .. })
                    if one == other && kind(before) == kind(after) => {}
                (Value::Scalar { .. } | Value::Alias(_), Value::Scalar { .. } | Value::Alias(_)) => {
                    self.push(Some(shown(before)), Some(shown(after)));
                }
                _ => {
                    self.leaves(before, true);
                    self.leaves(after, false);
                }
            },
        }
    }

    fn maps(&mut self, before: &[(Node<'_>, Node<'_>)], after: &[(Node<'_>, Node<'_>)]) {
        for (at, (key, value)) in before.iter().enumerate() {
            let name = key_text(key);
            // The same place holds the same key unless somebody moved it.
            let other = after
                .get(at)
                .filter(|(other, _)| key_text(other) == name)
                .or_else(|| after.iter().find(|(other, _)| key_text(other) == name));
            self.within(Segment::Key(name), Some(value), other.map(|(_, value)| value));
        }
        for (at, (key, value)) in after.iter().enumerate() {
            let name = key_text(key);
            let was_there = before.get(at).is_some_and(|(other, _)| key_text(other) == name)
                || before.iter().any(|(other, _)| key_text(other) == name);
            if !was_there {
                self.within(Segment::Key(name), None, Some(value));
            }
        }
    }

    fn within(&mut self, segment: Segment, before: Option<&Node<'_>>, after: Option<&Node<'_>>) {
        self.path.0.push(segment);
        self.pair(before, after);
        self.path.0.pop();
    }

    /// All scalars below a node that is only on one side.
    fn leaves(&mut self, node: &Node<'_>, was: bool) {
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    self.path.0.push(Segment::Key(key_text(key)));
                    self.leaves(value, was);
                    self.path.0.pop();
                }
            }
            Value::Seq(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    self.path.0.push(Segment::Index(at));
                    self.leaves(item, was);
                    self.path.0.pop();
                }
            }
            _ if was => self.push(Some(shown(node)), None),
            _ => self.push(None, Some(shown(node))),
        }
    }

    fn push(&mut self, before: Option<Scalar>, after: Option<Scalar>) {
        self.changed.push(Changed { document: self.document, field: self.path.to_string(), before, after });
    }
}

/// Types that a reader of the file would tell apart.
fn kind(node: &Node<'_>) -> Type {
    node.type_of()
}

/// A key that is no text is odd enough that its file is never edited; any stable word will do.
fn key_text(key: &Node<'_>) -> String {
    key.text().unwrap_or("?").to_owned()
}

fn shown(node: &Node<'_>) -> Scalar {
    match &node.value {
        Value::Map(_) => Scalar::Text("{}".to_owned()),
        Value::Seq(_) => Scalar::Text("[]".to_owned()),
        Value::Alias(name) => Scalar::Text(format!("*{name}")),
        Value::Scalar { .. } => node.scalar().unwrap_or(Scalar::Text(String::new())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::package::yaml;

    fn fields(before: &str, after: &str) -> Vec<String> {
        let (before, after) = (yaml::parse(before).unwrap(), yaml::parse(after).unwrap());
        documents(&before.documents, &after.documents)
            .into_iter()
            .map(|c| {
                let side = |s: Option<Scalar>| s.map_or("-".to_owned(), |s| s.to_string());
                format!("{}:{} {} -> {}", c.document, c.field, side(c.before), side(c.after))
            })
            .collect()
    }

    #[test]
    fn every_value_that_differs_is_named_once() {
        for (before, after, expected) in [
            ("a: 1\n", "a: 1 # more\n", vec![]),
            ("a: 1\n", "a: 2\n", vec!["0:a 1 -> 2"]),
            ("a: 1\n", "a: '1'\n", vec!["0:a 1 -> 1"]),
            ("a: {b: 1, c: 2}\n", "a: {c: 2, b: 1}\n", vec![]),
            ("a: [1, 2]\n", "a: [1, 3, 4]\n", vec!["0:a[1] 2 -> 3", "0:a[2] - -> 4"]),
            ("a: 1\n", "b: 1\n", vec!["0:a 1 -> -", "0:b - -> 1"]),
            ("a: {}\n", "a: {b: {c: 1}}\n", vec!["0:a {} -> -", "0:a.b.c - -> 1"]),
            ("a: 1\n", "a: 1\n---\nb: 2\n", vec!["1:b - -> 2"]),
            ("a: x\n", "a:\n", vec!["0:a x -> ~"]),
        ] {
            assert_eq!(fields(before, after), expected, "{before} {after}");
        }
    }
}
