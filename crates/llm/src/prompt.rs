//! What a model is told. What came from outside is data: one JSON document, escaped so that no text
//! in it ends it, opens another message or spells a mark of a chat template.

use std::fmt::Write;
use std::sync::OnceLock;

use nephoran_api::{canonical, strict_schema};
use serde_json::{Value, json};

use crate::ask::{Ask, Known, Passage};
use crate::settings::{Api, Settings};

/// Raised when the prompt changes in meaning; its hash tells every change.
pub const PROMPT_VERSION: &str = "1";

const SYSTEM: &str = include_str!("system.txt");

/// Characters of a passage that are shown.
const MAX_PASSAGE: usize = 1_200;
const MAX_TITLE: usize = 120;
/// Known names shown. Beyond it they say more about the prompt's length than about the network.
const MAX_KNOWN: usize = 64;

/// Version and hash: what a record says of the prompt.
pub fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let text = format!("{SYSTEM}{}", examples_text(examples()));
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        format!("{PROMPT_VERSION}-{}", &canonical::hex(digest.as_ref())[..12])
    })
}

/// Requests with their right answers.
fn examples() -> &'static [(Value, String)] {
    static EXAMPLES: OnceLock<Vec<(Value, String)>> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        let evidence = |entries: &[(&str, &str)]| -> Value {
            entries
                .iter()
                .map(|(path, quote)| json!({"path": path, "quote": quote, "occurrence": 1}))
                .collect()
        };
        let full = |answer: Value| strict_schema::full(&answer);
        // Small models copy what they read last: the plainest order stands there.
        vec![
            (
                json!({"request": "what is the weather like tomorrow?"}),
                full(json!({"outcome": "refuse", "reason": "out_of_scope", "evidence": []})),
            ),
            (
                json!({"request": "scale up the smf"}),
                full(json!({"outcome": "clarify", "missing": ["replicas"], "evidence": []})),
            ),
            (
                json!({"request": "urgent: remove two old-amf replicas in edge-1"}),
                full(json!({
                    "outcome": "actions",
                    "priority": "urgent",
                    "actions": [{"action": "scale", "target": {"name": "old-amf", "place": "edge-1"},
                                 "replicas": {"by": -2}}],
                    "evidence": evidence(&[
                        ("/priority", "urgent"),
                        ("/actions/0/target/name", "old-amf"),
                        ("/actions/0/target/place", "edge-1"),
                        ("/actions/0/replicas/by", "two"),
                    ]),
                })),
            ),
            (
                json!({"request": "scale upf to 5 in ns ran-a"}),
                full(json!({
                    "outcome": "actions",
                    "actions": [{"action": "scale",
                                 "target": {"name": "upf", "function": "upf", "namespace": "ran-a"},
                                 "replicas": {"to": 5}}],
                    "evidence": evidence(&[
                        ("/actions/0/target/name", "upf"),
                        ("/actions/0/target/function", "upf"),
                        ("/actions/0/target/namespace", "ran-a"),
                        ("/actions/0/replicas/to", "5"),
                    ]),
                })),
            ),
        ]
    })
}

fn examples_text(examples: &[(Value, String)]) -> String {
    let mut out = String::new();
    for (request, answer) in examples {
        message(&mut out, "user", &request.to_string());
        message(&mut out, "assistant", answer);
    }
    out
}

/// One message of a chat, with the comma after it.
fn message(out: &mut String, role: &str, content: &str) {
    let _ = write!(out, r#"{{"role":"{role}","content":{}}},"#, Value::from(content));
}

/// The request bodies of one endpoint and model. All but the last message and the schema is the same
/// for every request, so it is written once (and servers keep what they made of it).
#[derive(Debug)]
pub(crate) struct Bodies {
    api: Api,
    head: String,
    /// Bytes of the messages that are always there.
    fixed: usize,
}

/// One request as a model is shown it.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The last message.
    document: String,
    max_tokens: u32,
}

impl Bodies {
    pub(crate) fn new(settings: &Settings) -> Self {
        let model = Value::from(settings.model.as_str());
        let mut head = match settings.api {
            Api::OpenAi => format!(
                r#"{{"model":{model},"temperature":0,"stream":true,"stream_options":{{"include_usage":true}},"messages":["#
            ),
            Api::Ollama => format!(r#"{{"model":{model},"stream":true,"messages":["#),
        };
        let before = head.len();
        message(&mut head, "system", SYSTEM);
        head.push_str(&examples_text(examples()));
        let fixed = head.len() - before;
        Self { api: settings.api, head, fixed }
    }

    /// Bytes that a model reads for it, without the schema.
    pub(crate) fn prompt_bytes(&self, shown: &Shown) -> usize {
        self.fixed + shown.document.len()
    }

    pub(crate) fn body(&self, shown: &Shown, repair: Option<&Repair>, schema: &str) -> String {
        let mut out = String::with_capacity(self.head.len() + schema.len() + shown.document.len() * 2 + 512);
        out.push_str(&self.head);
        message(&mut out, "user", &shown.document);
        if let Some(repair) = repair {
            message(&mut out, "assistant", &repair.answer);
            message(&mut out, "user", &repair.message(&shown.document));
        }
        out.pop();
        let max = shown.max_tokens;
        let _ = match self.api {
            Api::OpenAi => write!(
                out,
                r#"],"max_tokens":{max},"response_format":{{"type":"json_schema","json_schema":{{"name":"proposal","strict":true,"schema":{schema}}}}}}}"#
            ),
            Api::Ollama => {
                write!(out, r#"],"options":{{"temperature":0,"num_predict":{max}}},"format":{schema}}}"#)
            }
        };
        out
    }
}

/// A second try: its own answer, and what is wrong with it in our words.
#[derive(Debug)]
pub(crate) struct Repair {
    answer: String,
    faults: Vec<String>,
}

impl Repair {
    pub(crate) fn new(mut answer: String, mut faults: Vec<String>) -> Self {
        // What was cut off or endless need not be read again to its end.
        let end = answer.floor_char_boundary(2_048.min(answer.len()));
        answer.truncate(end);
        faults.truncate(8);
        Self { answer, faults }
    }

    /// The request again, with the errors beside it: one document, as before.
    fn message(&self, document: &str) -> String {
        let mut out = document.trim_end_matches('}').to_owned();
        out.push_str(r#","errors":["#);
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            data(&mut out, fault, 200);
        }
        out.push_str(
            r#"],"task":"Your answer has these errors. Answer once more, with the whole document."}"#,
        );
        out
    }
}

impl Shown {
    pub(crate) fn new(ask: &Ask<'_>, passages: &[Passage], most: u32) -> Self {
        let mut out = String::with_capacity(ask.words.len() + 256);
        out.push('{');
        known(&mut out, &ask.known);
        if !passages.is_empty() {
            out.push_str(r#""documents":["#);
            for (index, passage) in passages.iter().enumerate() {
                out.push_str(if index == 0 { r#"{"title":"# } else { r#",{"title":"# });
                data(&mut out, &passage.title, MAX_TITLE);
                out.push_str(r#","text":"#);
                data(&mut out, &passage.text, MAX_PASSAGE);
                out.push('}');
            }
            out.push_str("],");
        }
        out.push_str(r#""request":"#);
        data(&mut out, ask.words, usize::MAX);
        if !ask.answers.is_empty() {
            out.push_str(r#","answers":"#);
            list(&mut out, ask.answers, usize::MAX);
        }
        out.push('}');
        let said = ask.words.len() + ask.answers.iter().map(String::len).sum::<usize>();
        Self { document: out, max_tokens: most_tokens(said).min(most) }
    }
}

/// The longest answer for so many bytes of words: a frame of nulls for each action that fits into
/// them, and for each word a value and the evidence for it.
fn most_tokens(said: usize) -> u32 {
    u32::try_from(said).unwrap_or(u32::MAX).saturating_mul(8).saturating_add(768)
}

fn known(out: &mut String, known: &Known) {
    let lists = [("names", &known.names), ("namespaces", &known.namespaces), ("clusters", &known.clusters)];
    let mut said = lists.iter().filter(|(_, words)| !words.is_empty()).peekable();
    if said.peek().is_none() {
        return;
    }
    out.push_str(r#""known":{"#);
    for (index, (name, words)) in said.enumerate() {
        if index > 0 {
            out.push(',');
        }
        let _ = write!(out, r#""{name}":"#);
        list(out, words, MAX_KNOWN);
    }
    out.push_str("},");
}

fn list(out: &mut String, words: &[String], most: usize) {
    out.push('[');
    for (index, word) in words.iter().take(most).enumerate() {
        if index > 0 {
            out.push(',');
        }
        data(out, word, usize::MAX);
    }
    out.push(']');
}

/// A text from outside as a JSON string of at most `most` characters. Escaped is also what chat
/// templates and markup are made of: `<|im_start|>` in a request must not begin a message.
fn data(out: &mut String, text: &str, most: usize) {
    out.push('"');
    for character in text.chars().take(most) {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '<' | '>' | '|' | '[' | ']' | '{' | '}' | '`' | '#' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ if character.is_control() || nephoran_api::shape::is_hidden(character) => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask(words: &str) -> Ask<'_> {
        Ask { words, answers: &[], identity: "ana", deadline: None, known: Known::default() }
    }

    fn body(api: Api, words: &str, repair: Option<&Repair>) -> Value {
        let bodies = Bodies::new(&Settings { api, ..Settings::new("http://m", "mo\"del") });
        let shown = Shown::new(&ask(words), &[], 4096);
        let schema = strict_schema::text(strict_schema::Known::default());
        serde_json::from_str(&bodies.body(&shown, repair, &schema)).unwrap()
    }

    #[test]
    fn both_protocols_get_temperature_bound_and_schema() {
        let openai = body(Api::OpenAi, "scale upf to 5", None);
        assert_eq!(openai["temperature"], 0);
        assert_eq!(openai["max_tokens"], 768 + 8 * 14);
        assert_eq!(openai["stream_options"]["include_usage"], true);
        assert_eq!(openai["response_format"]["json_schema"]["strict"], true);
        assert!(openai["response_format"]["json_schema"]["schema"]["properties"]["evidence"].is_object());
        let ollama = body(Api::Ollama, "scale upf to 5", None);
        assert_eq!(ollama["options"]["temperature"], 0);
        assert_eq!(ollama["options"]["num_predict"], 768 + 8 * 14);
        assert!(ollama["format"]["properties"]["evidence"].is_object());
    }

    #[test]
    fn a_repair_shows_the_answer_and_our_errors_and_the_request_again() {
        let repair = Repair::new("{\"outcome\"".to_owned(), vec!["the answer is not <|JSON|>".to_owned()]);
        let body = body(Api::OpenAi, "scale upf to 5", Some(&repair));
        let messages = body["messages"].as_array().unwrap();
        assert_eq!(messages[messages.len() - 2]["content"], "{\"outcome\"");
        let last = messages[messages.len() - 1]["content"].as_str().unwrap();
        assert!(!last.contains("<|"));
        let document: Value = serde_json::from_str(last).unwrap();
        assert_eq!(document["request"], "scale upf to 5");
        assert_eq!(document["errors"][0], "the answer is not <|JSON|>");
    }

    #[test]
    fn the_version_has_the_hash_of_the_text() {
        assert!(version().starts_with("1-"));
        assert_eq!(version().len(), 14);
    }

    #[test]
    fn every_example_would_pass_the_checks_that_its_answer_meets() {
        for (request, answer) in examples() {
            let words = request["request"].as_str().unwrap();
            let read = crate::answer::read(answer).unwrap();
            let expected = nephoran_grammar::translate(words);
            match read {
                crate::answer::Reading::Actions(actions, evidence) => {
                    let source = nephoran_grammar::faithful::Source { words, answers: &[] };
                    nephoran_grammar::faithful::check(&source, &actions, &evidence).unwrap();
                    assert_eq!(nephoran_model::proposal::Proposal::Actions(actions), expected);
                }
                crate::answer::Reading::Other(other) => {
                    assert_eq!(crate::translator::with_texts(other, &ask(words)), expected, "{words}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_the_document_holds_it_and_nothing_else(
            words in "\\PC{0,40}|.{0,40}|[\"\\\\{}<>|,:a-z\\n]{0,40}", title in ".{0,10}", text in ".{0,40}"
        ) {
            let passages = [Passage { id: "1".to_owned(), title: title.clone(), text: text.clone() }];
            let known = Known { names: vec![text.clone()], ..Known::default() };
            let answers = [title.clone()];
            let ask = Ask { answers: &answers, known, ..ask(&words) };
            let shown = Shown::new(&ask, &passages, 4096);
            let document: Value = serde_json::from_str(&shown.document).unwrap();
            prop_assert_eq!(document, json!({
                "request": words, "answers": [title.clone()], "known": {"names": [text.clone()]},
                "documents": [{"title": title, "text": text}],
            }));
            prop_assert!(!shown.document.contains("<|"));
            prop_assert!(!shown.document.contains('\n'));
        }
    }
}
