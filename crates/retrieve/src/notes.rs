//! The project's own notes, in the binary: what a reader of a request about such a network should know.

macro_rules! notes {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../../docs/notes/", $name, ".md"))),)*]
    };
}

/// Name and Markdown.
pub const NOTES: &[(&str, &str)] = notes![
    "a1-policies",
    "free5gc-functions",
    "measurements",
    "o-ran-interfaces",
    "packages",
    "sample-packages",
    "slices",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;
    use crate::cut::{Kind, cut, title};

    #[test]
    fn every_note_is_in_the_binary_and_has_a_title() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/notes");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
            .collect();
        found.sort();
        assert_eq!(found, NOTES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        for (name, text) in NOTES {
            assert!(title(&cut(text, Kind::Markdown)).is_some(), "{name} has no heading");
        }
    }
}
