//! What a file's name says: whether it is a request, and the names that follow from it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Longest name of a file on the file systems we know.
const LONGEST: usize = 255;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The drop-in intent, or a `NetworkIntent` object.
    Json,
    /// One request in words.
    Text,
    /// A `NetworkIntent` object.
    Yaml,
}

/// What a file of that name holds; `None` for a file that is no request and is left alone.
pub fn kind(name: &OsStr) -> Option<Kind> {
    let name = name.as_bytes().strip_prefix(b"intent-")?;
    if name.ends_with(b".json") {
        Some(Kind::Json)
    } else if name.ends_with(b".txt") {
        Some(Kind::Text)
    } else if name.ends_with(b".yaml") || name.ends_with(b".yml") {
        Some(Kind::Yaml)
    } else {
        None
    }
}

/// Why a request may not have that name.
pub fn fault(name: &OsStr) -> Option<&'static str> {
    match name.to_str() {
        None => Some("the file's name is not UTF-8"),
        Some(name) if name.chars().any(|c| c.is_control() || nephoran_api::shape::is_hidden(c)) => {
            Some("the file's name holds control or direction characters")
        }
        Some(_) => None,
    }
}

/// The name as it can be shown: one line, whatever it holds.
pub fn shown(name: &OsStr) -> String {
    name.to_string_lossy()
        .chars()
        .map(|c| {
            if c.is_control() || nephoran_api::shape::is_hidden(c) {
                c.escape_unicode().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// `NAME` and a suffix; a name that would be too long is cut, and kept apart from others by a hash.
pub fn beside(name: &OsStr, suffix: &str) -> OsString {
    let mut made = name.as_bytes().to_vec();
    if made.len() + suffix.len() > LONGEST {
        let digest = ring::digest::digest(&ring::digest::SHA256, &made);
        let mark: String = digest.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        made.truncate(LONGEST - suffix.len() - mark.len() - 1);
        made.push(b'~');
        made.extend_from_slice(mark.as_bytes());
    }
    made.extend_from_slice(suffix.as_bytes());
    OsString::from_vec(made)
}

/// The name beside a namesake: `NAME_<timestamp>`.
pub fn another(name: &OsStr, now: Timestamp) -> OsString {
    let time = now.to_zoned(TimeZone::UTC);
    let stamp = format!(
        "_{:04}{:02}{:02}T{:02}{:02}{:02}.{:09}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.subsec_nanosecond()
    );
    beside(name, &stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_intents_are_requests() {
        for (name, expected) in [
            ("intent-1.json", Some(Kind::Json)),
            ("intent-.json", Some(Kind::Json)),
            ("intent-a b.txt", Some(Kind::Text)),
            ("intent-x.yaml", Some(Kind::Yaml)),
            ("intent-x.yml", Some(Kind::Yaml)),
            ("intent.json", None),
            ("intent-1.json.tmp", None),
            (".intent-1.json", None),
            ("other-intent-1.json", None),
            ("INTENT-1.JSON", None),
            ("processed", None),
            ("", None),
        ] {
            assert_eq!(kind(OsStr::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn names_that_hide_something_are_faults() {
        assert_eq!(fault(OsStr::new("intent-größe.json")), None);
        for name in ["intent-\n.json", "intent-\u{1b}[2J.json", "intent-\u{202e}txt.json"] {
            assert!(fault(OsStr::new(name)).is_some(), "{name:?}");
            assert!(!shown(OsStr::new(name)).chars().any(char::is_control));
        }
        assert!(fault(OsStr::from_bytes(b"intent-\xff.json")).is_some());
    }

    #[test]
    fn a_long_name_keeps_within_the_file_systems_bound() {
        let long = format!("intent-{}.json", "x".repeat(243));
        assert_eq!(long.len(), 255);
        let other = format!("intent-{}y.json", "x".repeat(242));
        let (one, two) = (beside(OsStr::new(&long), ".error.log"), beside(OsStr::new(&other), ".error.log"));
        assert!(one.len() <= 255 && one.as_bytes().ends_with(b".error.log"));
        assert_ne!(one, two);
        assert_eq!(beside(OsStr::new("intent-a.json"), ".status"), "intent-a.json.status");
    }

    #[test]
    fn a_namesake_is_told_apart_by_the_time() {
        let now = "2026-01-31T18:05:09.000000042Z".parse().expect("a time");
        assert_eq!(another(OsStr::new("intent-a.json"), now), "intent-a.json_20260131T180509.000000042Z");
    }
}
