//! The bodies of answers in the shapes of real servers.

use serde_json::{Value, json};

use super::asked::{Api, Asked};
use super::{Reply, Script};

const CREATED: u64 = 1_700_000_000;

/// How an answer came to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Stop,
    Length,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// Roughly what a tokenizer would count.
fn tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4)
}

fn usage(asked: &Asked, text: &str) -> Value {
    let (prompt, completion) = (tokens(&asked.prompt), tokens(text));
    json!({"completion_tokens": completion, "prompt_tokens": prompt, "total_tokens": prompt + completion})
}

/// A whole answer.
pub(super) fn whole(asked: &Asked, text: &str, end: End, script: &Script) -> String {
    match asked.api {
        Api::OpenAi => {
            let mut body = json!({
                "id": "chatcmpl-scripted", "object": "chat.completion", "created": CREATED,
                "model": asked.model(),
                "choices": [{"index": 0, "finish_reason": end.as_str(),
                             "message": {"role": "assistant", "content": text}}],
            });
            if script.usage {
                body["usage"] = usage(asked, text);
            }
            body.to_string()
        }
        Api::Ollama => {
            let mut body = json!({
                "model": asked.model(), "created_at": "2026-01-01T00:00:00Z",
                "message": {"role": "assistant", "content": text}, "done": true, "done_reason": end.as_str(),
            });
            if script.usage {
                body["prompt_eval_count"] = tokens(&asked.prompt).into();
                body["eval_count"] = tokens(text).into();
            }
            body.to_string()
        }
    }
}

/// The pieces of a streamed answer.
pub(super) fn events(asked: &Asked, text: &str, end: End, script: &Script) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let pieces = characters.chunks(script.chunk).map(|piece| piece.iter().collect::<String>());
    match asked.api {
        Api::OpenAi => {
            let event = |choices: Value, usage: Option<Value>| {
                let mut body = json!({
                    "id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": CREATED,
                    "model": asked.model(), "choices": choices,
                });
                if let Some(usage) = usage {
                    body["usage"] = usage;
                }
                format!("data: {body}\n\n")
            };
            let delta = |delta: Value| json!([{"index": 0, "finish_reason": null, "delta": delta}]);
            let nulls = (0..script.null_deltas)
                .map(|_| event(delta(json!({"role": "assistant", "content": null})), None));
            let mut events: Vec<String> =
                nulls.chain(pieces.map(|piece| event(delta(json!({"content": piece})), None))).collect();
            events.push(event(json!([{"index": 0, "finish_reason": end.as_str(), "delta": {}}]), None));
            if script.usage && asked.body["stream_options"]["include_usage"] == true {
                events.push(event(json!([]), Some(usage(asked, text))));
            }
            events.push("data: [DONE]\n\n".into());
            events
        }
        Api::Ollama => {
            let line = |piece: &str| {
                let body = json!({
                    "model": asked.model(), "created_at": "2026-01-01T00:00:00Z",
                    "message": {"role": "assistant", "content": piece}, "done": false,
                });
                format!("{body}\n")
            };
            let mut lines: Vec<String> = pieces.map(|piece| line(&piece)).collect();
            let mut last = json!({
                "model": asked.model(), "created_at": "2026-01-01T00:00:00Z",
                "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": end.as_str(),
            });
            if script.usage {
                last["prompt_eval_count"] = tokens(&asked.prompt).into();
                last["eval_count"] = tokens(text).into();
            }
            lines.push(format!("{last}\n"));
            lines
        }
    }
}

/// An error as the API of the request has it.
pub(super) fn error(api: Api, status: u16, kind: &str, message: &str) -> String {
    match api {
        Api::OpenAi => json!({"error": {"code": status, "message": message, "type": kind}}).to_string(),
        Api::Ollama => json!({"error": message}).to_string(),
    }
}

/// What llama.cpp's server says with that status.
pub(super) fn usual_error(status: u16, asked: &Asked) -> Reply {
    if status == 413 || (status == 400 && asked.prompt.len() > 16 * 1024) {
        let tokens = tokens(&asked.prompt);
        let body = json!({"error": {
            "code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": tokens, "n_ctx": 4096,
            "message": format!("request ({tokens} tokens) exceeds the available context size (4096 tokens), try increasing it"),
        }});
        return Reply::Raw(400, "application/json; charset=utf-8", body.to_string().into_bytes());
    }
    let (kind, message) = match status {
        400 => (
            "invalid_request_error",
            "Unable to generate parser for this template. Automatic parser generation failed: JSON schema error at #: unrecognized type bogus",
        ),
        401 => ("authentication_error", "Invalid API Key"),
        403 => ("permission_error", "This key may not use the model"),
        404 => ("not_found_error", "File Not Found"),
        429 => ("rate_limit_error", "Too many requests"),
        501 => ("not_supported_error", "This server does not support it"),
        503 => ("unavailable_error", "Loading model"),
        _ => ("server_error", "Internal Server Error"),
    };
    Reply::Error(status, kind, message.to_owned())
}

/// As servers say it that have `param`, a string or null as code, and text for what broke.
pub(super) fn odd_error(status: u16) -> String {
    json!({"error": {"message": "[{'type': 'missing', 'loc': ('body', 'messages')}]", "type": "internal_server_error",
                     "param": null, "code": if status == 400 { json!("context_length_exceeded") } else { Value::Null }}})
    .to_string()
}

/// A vector for a text: the same words, whatever their order, give the same; for retrieval's tests.
pub(super) fn embedding(text: &str) -> Vec<f32> {
    let mut vector = vec![0f32; 64];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        });
        vector[(hash >> 32) as usize % 64] += if hash & 1 == 0 { 1.0 } else { -1.0 };
    }
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}
