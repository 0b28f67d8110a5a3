//! What was asked, taken apart.

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
    /// All messages, in their order, one after another.
    pub prompt: String,
    /// What the last message of the user asks for; without the frame around it where there is one.
    pub words: String,
    pub stream: bool,
    /// The schema that the answer must have.
    pub schema: Option<Value>,
}

impl Asked {
    pub(super) fn read(api: Api, headers: HeaderMap, body: Value) -> Self {
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
        Self { api, headers, prompt, words: words(&last), stream, schema, body }
    }

    pub fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or("none")
    }
}

/// The request inside the last message: the value of `request` where it is a document, what is
/// between `<request>` and `</request>`, else all of it.
fn words(message: &str) -> String {
    if let Ok(Value::Object(document)) = serde_json::from_str(message)
        && let Some(Value::String(words)) = document.get("request")
    {
        return words.clone();
    }
    let inside = message.split_once("<request>").and_then(|(_, rest)| rest.split_once("</request>"));
    inside.map_or(message, |(words, _)| words).trim().to_owned()
}
