//! Replaces single scalars of a file, byte for byte, and proves that nothing else changed.
//!
//! Comments, order, quotes and line ends stay because they are never written again. See
//! docs/adr/0003-editing-yaml.md for why this is no printing of a parsed document.

use std::collections::BTreeMap;

use granit_parser::ScalarStyle;
use nephoran_model::guard::Difference;
use nephoran_model::plan::{ActuatorKind, Edit, Scalar, Step};

use super::compare;
use super::yaml::{self, Node, Path, Value};
use super::{EditedFile, Error};

/// A file as it is before the edits.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) blob: String,
    pub(super) bytes: Vec<u8>,
}

/// Files with their edits, in the order of the steps.
pub(super) fn edits_by_file<'s>(
    repository: &str,
    steps: &'s [Step],
) -> BTreeMap<&'s str, Vec<(&'s str, &'s Edit)>> {
    let mut files: BTreeMap<&str, Vec<(&str, &Edit)>> = BTreeMap::new();
    let ours = |step: &&Step| {
        step.actuator == ActuatorKind::Package && step.repository == repository && !step.creates()
    };
    for step in steps.iter().filter(ours) {
        for edit in step.edits.iter().filter(|edit| edit.before != edit.after) {
            files.entry(&edit.file).or_default().push((&step.id, edit));
        }
    }
    files
}

/// One file after its edits, and every value of it that differs.
pub(super) fn edit(
    repository: &str,
    package: &str,
    path: &str,
    before: &Before,
    edits: &[(&str, &Edit)],
) -> Result<(EditedFile, Vec<Difference>), Error> {
    let cannot = |reason: String| Error::CannotEdit { file: path.to_owned(), reason };
    // First: whether a file can be edited that is no longer the one of the plan, is the next plan's question.
    if edits.iter().any(|(_, edit)| edit.blob != before.blob) {
        return Err(Error::Stale { file: path.to_owned() });
    }
    let original = std::str::from_utf8(&before.bytes).map_err(|_| cannot("it is no UTF-8".to_owned()))?;
    let file = yaml::parse(original).map_err(|error| cannot(error.to_string()))?;
    if let Some(oddity) = &file.oddity {
        return Err(cannot(oddity.clone()));
    }
    let mut text: Option<String> = None;
    for (_, edit) in edits {
        text = Some(match &text {
            None => replace(original, &file, edit).map_err(&cannot)?,
            // The places are others now.
            Some(text) => {
                let file = yaml::parse(text).map_err(|error| cannot(error.to_string()))?;
                replace(text, &file, edit).map_err(&cannot)?
            }
        });
    }
    let text = text.unwrap_or_else(|| original.to_owned());
    let after = yaml::parse(&text).map_err(|error| cannot(format!("after the edit, {error}")))?;
    for (_, edit) in edits {
        let is_last =
            edits.iter().rev().find(|(_, other)| is_same_field(other, edit)).is_some_and(|(_, o)| o == edit);
        let written = field(&after.documents, edit).map_err(&cannot)?;
        if is_last && written.text() != Some(edit.after.to_string().as_str()) {
            return Err(cannot(format!("{} does not read as {} after the edit", edit.field, edit.after)));
        }
    }
    let differences = compare::documents(&file.documents, &after.documents)
        .into_iter()
        .map(|changed| {
            // As the step writes it: a setter's value is text to a plan, whatever its quotes.
            let mut named = edits
                .iter()
                .filter(|(_, edit)| edit.document == changed.document && edit.field == changed.field);
            let first = named.clone().next();
            let last = named.next_back();
            let is_so = |edit: &Scalar, read: &Option<Scalar>| {
                read.as_ref().is_some_and(|read| read.to_string() == edit.to_string())
            };
            let as_meant = first.zip(last).filter(|((_, first), (_, last))| {
                is_so(&first.before, &changed.before) && is_so(&last.after, &changed.after)
            });
            let root = after.documents.get(changed.document).or(file.documents.get(changed.document));
            let word = |keys: &[&str]| root.and_then(|root| root.text_at(keys)).map(str::to_owned);
            Difference {
                step: as_meant.map(|(_, (step, _))| (*step).to_owned()),
                repository: repository.to_owned(),
                package: package.to_owned(),
                file: path.to_owned(),
                document: changed.document,
                kind: word(&["kind"]).unwrap_or_default(),
                name: word(&["metadata", "name"]).unwrap_or_default(),
                namespace: word(&["metadata", "namespace"]),
                field: changed.field,
                before: as_meant.map(|((_, edit), _)| edit.before.clone()).or(changed.before),
                after: as_meant.map(|(_, (_, edit))| edit.after.clone()).or(changed.after),
            }
        })
        .collect();
    let edited = EditedFile {
        path: path.to_owned(),
        blob_before: Some(before.blob.clone()),
        bytes: text.into_bytes(),
    };
    Ok((edited, differences))
}

fn is_same_field(one: &Edit, other: &Edit) -> bool {
    one.document == other.document && one.field == other.field
}

fn field<'n, 't>(documents: &'n [Node<'t>], edit: &Edit) -> Result<&'n Node<'t>, String> {
    let path = Path::parse(&edit.field).ok_or_else(|| format!("{} is no field", edit.field))?;
    documents
        .get(edit.document)
        .and_then(|root| root.find(&path))
        .ok_or_else(|| format!("document {} has no {}; a field is never inserted", edit.document, edit.field))
}

/// The text with one scalar replaced.
fn replace(text: &str, file: &yaml::File<'_>, edit: &Edit) -> Result<String, String> {
    let node = field(&file.documents, edit)?;
    let Value::Scalar { text: now, style } = &node.value else {
        return Err(format!("{} is no single value", edit.field));
    };
    if *now != edit.before.to_string() {
        return Err(format!("{} is {} and not {}", edit.field, printable(now), edit.before));
    }
    let wanted = edit.after.to_string();
    let replacement = match style {
        ScalarStyle::Plain => {
            if !is_plain(&wanted) || yaml::type_of(&wanted) != yaml::type_of(now) {
                return Err(format!(
                    "{wanted:?} cannot stand where {} stands without quotes",
                    printable(now)
                ));
            }
            wanted
        }
        ScalarStyle::DoubleQuoted if is_quotable(&wanted) => format!("\"{wanted}\""),
        ScalarStyle::SingleQuoted if is_quotable(&wanted) => format!("'{wanted}'"),
        _ => return Err(format!("{} is written as a block or cannot be quoted as it is", edit.field)),
    };
    let range = node.start..node.end;
    if text.get(range.clone()).is_none() {
        return Err(format!("{} has no place in the file", edit.field));
    }
    let mut edited = text.to_owned();
    edited.replace_range(range, &replacement);
    Ok(edited)
}

/// Words that mean themselves without quotes wherever a scalar may stand.
fn is_plain(text: &str) -> bool {
    let canonical = yaml::canonical_integer(text).is_some();
    canonical
        || (text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/')))
}

/// Printable, and without anything that quotes would change.
fn is_quotable(text: &str) -> bool {
    text.bytes().all(|b| (b.is_ascii_graphic() || b == b' ') && !matches!(b, b'"' | b'\'' | b'\\'))
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// The change of one file as people review it.
pub(super) fn unified(path: &str, before: &[u8], after: &[u8]) -> String {
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let old = if before.is_empty() { "/dev/null".to_owned() } else { format!("a/{path}") };
    similar::TextDiff::from_lines(before.as_ref(), after.as_ref())
        .unified_diff()
        .context_radius(3)
        .header(&old, &format!("b/{path}"))
        .to_string()
}
