//! The bytes of a file become a request, or the reason why they are none.

use nephoran_api::intent_v1::{self, is_mark};
use nephoran_api::json;
use nephoran_model::intent::{Constraints, Request};
use nephoran_model::proposal::{Priority, Proposal};

use super::name::Kind;
use crate::translate;

/// What a file asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub request: Request,
    pub priority: Option<Priority>,
    pub reason: Option<String>,
    pub constraints: Constraints,
    pub correlation_id: Option<String>,
}

impl Asked {
    /// The band it will stand in.
    pub fn band(&self) -> Priority {
        self.priority.unwrap_or(Priority::Normal)
    }
}

/// How files are read.
#[derive(Clone)]
pub struct Reader {
    pub translate: fn(&str) -> Proposal,
    /// Words that the intent schema's `source` may be besides its own.
    pub sources: Vec<String>,
    /// A model may understand what the grammar asks about: then its question is no failure.
    pub model_follows: bool,
}

/// Why a file is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The text breaks off or is no JSON: more of it may be on its way.
    Incomplete(String),
    Wrong(String),
}

impl Fault {
    pub fn text(&self) -> &str {
        match self {
            Self::Incomplete(text) | Self::Wrong(text) => text,
        }
    }
}

/// Until the version that brings them.
const LATER: &str = "NetworkIntent objects are not taken by this version, a later one brings them; \
                     send the intent as intent-*.json or as words in intent-*.txt";

impl Reader {
    pub fn read(&self, kind: Kind, bytes: &[u8]) -> Result<Asked, Fault> {
        match kind {
            Kind::Json => self.intent(bytes),
            Kind::Text => self.words(bytes),
            Kind::Yaml => Err(Fault::Wrong(match is_network_intent(bytes) {
                true => LATER.to_owned(),
                false => format!("a YAML file must hold a NetworkIntent object; {LATER}"),
            })),
        }
    }

    fn intent(&self, bytes: &[u8]) -> Result<Asked, Fault> {
        let value = json::read(bytes).map_err(|error| {
            let said = format!("Intent validation failed: the file is {error}");
            match error {
                json::Error::Syntax { .. } => Fault::Incomplete(said),
                json::Error::TooDeep => Fault::Wrong(said),
                json::Error::Duplicate(_) => {
                    Fault::Wrong(format!("Intent validation failed: the file has {error}"))
                }
            }
        })?;
        if value["kind"] == "NetworkIntent" || value.get("apiVersion").is_some() {
            return Err(Fault::Wrong(LATER.to_owned()));
        }
        let intent =
            intent_v1::read(&value, &self.sources).map_err(|error| Fault::Wrong(error.to_string()))?;
        Ok(Asked {
            request: Request::Intent { body: value.to_string(), proposal: intent.proposal },
            priority: Some(intent.priority),
            reason: intent.reason,
            constraints: intent.constraints,
            correlation_id: value["correlation_id"].as_str().filter(|mark| is_mark(mark)).map(str::to_owned),
        })
    }

    fn words(&self, bytes: &[u8]) -> Result<Asked, Fault> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let words =
            std::str::from_utf8(bytes).map_err(|_| Fault::Wrong("the text is not UTF-8".to_owned()))?;
        // The end of the line is how editors end a file; it is no word.
        let words = words.trim_end_matches(['\r', '\n']);
        if words.trim().is_empty() {
            return Err(Fault::Wrong("the file says nothing".to_owned()));
        }
        let mut priority = None;
        match (self.translate)(words) {
            Proposal::Actions(actions) => priority = actions.priority,
            Proposal::Clarify(_) if self.model_follows => {}
            Proposal::Clarify(clarify) => return Err(Fault::Wrong(translate::said(&clarify))),
            Proposal::Refuse(refuse) => return Err(Fault::Wrong(translate::refusal(&refuse).message)),
        }
        Ok(Asked {
            request: Request::Text(words.to_owned()),
            priority,
            reason: None,
            constraints: Constraints::default(),
            correlation_id: None,
        })
    }
}

/// Only the sign of one is looked for: the object itself is not taken.
fn is_network_intent(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| {
        let line = line.trim_ascii();
        line.strip_prefix(b"kind:").is_some_and(|kind| kind.trim_ascii().starts_with(b"NetworkIntent"))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use nephoran_model::proposal::{Missing, RefuseReason};

    use super::*;

    fn reader(translate: fn(&str) -> Proposal) -> Reader {
        Reader { translate, sources: Vec::new(), model_follows: false }
    }

    fn asks(_: &str) -> Proposal {
        Proposal::ask([Missing::Replicas])
    }

    fn refuses(_: &str) -> Proposal {
        Proposal::refuse(RefuseReason::Unsafe)
    }

    fn acts(_: &str) -> Proposal {
        Proposal::Actions(Default::default())
    }

    #[test]
    fn an_intent_is_read_with_all_that_it_says() {
        let text = br#"{"intent_type":"scaling","target":"upf","namespace":"ran-a","replicas":3,
            "priority":9,"reason":"evening","correlation_id":"c-1","constraints":{"max_replicas":4}}"#;
        let asked = reader(acts).read(Kind::Json, text).unwrap();
        assert_eq!(asked.priority, Some(Priority::Urgent));
        assert_eq!(asked.reason.as_deref(), Some("evening"));
        assert_eq!(asked.correlation_id.as_deref(), Some("c-1"));
        assert_eq!(asked.constraints.max_replicas, Some(4));
        assert!(matches!(asked.request, Request::Intent { .. }));
    }

    #[test]
    fn a_text_that_breaks_off_is_told_apart_from_one_that_is_wrong() {
        let read = |text: &[u8]| reader(acts).read(Kind::Json, text);
        for half in [&b""[..], b"{", br#"{"intent_type":"scal"#, b"\x00"] {
            assert!(matches!(read(half), Err(Fault::Incomplete(_))), "{half:?}");
        }
        for wrong in [&b"{}"[..], b"[]", b"7", br#"{"a":1,"a":2}"#] {
            let Err(Fault::Wrong(said)) = read(wrong) else { panic!("{wrong:?}") };
            assert!(said.contains("validation failed"), "{said}");
        }
    }

    #[test]
    fn words_that_the_grammar_asks_about_are_a_failure_unless_a_model_follows() {
        assert!(reader(acts).read(Kind::Text, b"scale upf to 3 in ns a\n").is_ok());
        assert!(reader(asks).read(Kind::Text, b"scale upf").is_err());
        assert!(reader(refuses).read(Kind::Text, b"delete everything").is_err());
        let with_model = Reader { model_follows: true, ..reader(asks) };
        assert!(with_model.read(Kind::Text, b"scale upf").is_ok());
        let with_model = Reader { model_follows: true, ..reader(refuses) };
        assert!(with_model.read(Kind::Text, b"delete everything").is_err());
    }

    #[test]
    fn nothing_said_and_no_utf_8_are_failures() {
        for text in [&b""[..], b" \n\n", b"\xff\xfe"] {
            assert!(reader(acts).read(Kind::Text, text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn network_intent_objects_are_named_as_coming_later() {
        let json = br#"{"apiVersion":"intent.nephoran.io/v1alpha1","kind":"NetworkIntent","spec":{}}"#;
        let yaml = b"apiVersion: x/v1\nkind: NetworkIntent\nspec: {}\n";
        for (kind, text) in [(Kind::Json, &json[..]), (Kind::Yaml, &yaml[..]), (Kind::Yaml, b"a: 1")] {
            let fault = reader(acts).read(kind, text).unwrap_err();
            assert!(fault.text().contains("a later one brings them"), "{}", fault.text());
        }
    }
}
