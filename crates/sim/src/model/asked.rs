//! What was asked, taken apart.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// In which API a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    OpenAi,
    Ollama,
}

/// A request to chat.
#[derive(Debug, Clone)]
pub struct Asked {
    pub api: Api,
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Value,
    /// As it came: the order of its keys means something to servers.
    pub bytes: Bytes,
    /// All messages, in their order, one after another.
    pub prompt: String,
    /// What the last message of the user asks for; without the frame around it where there is one.
    pub words: String,
    /// The author's answers so far, where the last message is a document that has them.
    pub answers: Vec<String>,
    /// Every other text in the last message: names, passages, errors; in their order.
    pub others: Vec<String>,
    /// The names that the last message says exist.
    pub names: Vec<String>,
    pub stream: bool,
    /// The schema that the answer must have.
    pub schema: Option<Value>,
}

impl Asked {
    pub(super) fn read(api: Api, headers: HeaderMap, body: Value, bytes: Bytes) -> Self {
        let said = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
        let none = Vec::new();
        let messages = body["messages"].as_array().unwrap_or(&none);
        let prompt = messages.iter().map(said).collect::<Vec<_>>().join("\n");
        let last =
            messages.iter().rev().find(|message| message["role"] == "user").map(said).unwrap_or_default();
        let schema = match api {
            Api::OpenAi => &body["response_format"]["json_schema"]["schema"],
            Api::Ollama => &body["format"],
        };
        let stream = body["stream"].as_bool().unwrap_or(api == Api::Ollama);
        let schema = schema.is_object().then(|| schema.clone());
        let document: Value = serde_json::from_str(&last).unwrap_or_default();
        let (mut answers, mut others, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in document.as_object().into_iter().flatten() {
            match key.as_str() {
                "request" => {}
                "answers" => texts(value, &mut answers),
                _ => texts(value, &mut others),
            }
        }
        texts(&document["known"]["names"], &mut names);
        let words = words(&last, &document);
        Self { api, headers, prompt, words, answers, others, names, stream, schema, body, bytes }
    }

    pub fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or("none")
    }
}

/// The request inside the last message: the value of `request` where it is a document, what is
/// between `<request>` and `</request>`, else all of it.
fn words(message: &str, document: &Value) -> String {
    if let Some(words) = document["request"].as_str() {
        return words.to_owned();
    }
    let inside = message.split_once("<request>").and_then(|(_, rest)| rest.split_once("</request>"));
    inside.map_or(message, |(words, _)| words).trim().to_owned()
}

/// Every text in it.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, out)),
        _ => {}
    }
}
