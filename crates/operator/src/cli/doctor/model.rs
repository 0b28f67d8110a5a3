//! Whether the configured language model can be asked.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use nephoran_http::{Call, Profile};
use serde_json::Value;
use tokio::time::Instant;

use super::{Check, failed, not_configured, ok, warning};
use crate::config::{Config, Model, ModelApi};
use crate::outgoing;

const CHECK: &str = "model endpoint";
const PATIENCE: Duration = Duration::from_secs(10);
/// A list of models is short; more is no such list.
const MOST: usize = 1 << 20;

pub(super) async fn check(config: &Config) -> Check {
    let Some(model) = &config.translate.model else {
        return not_configured(CHECK, "the grammar alone translates");
    };
    match asked(config, model).await {
        Ok(check) => check,
        Err(cause) => failed(CHECK, format!("{cause:#}"), "nephoran config explain"),
    }
}

async fn asked(config: &Config, model: &Model) -> anyhow::Result<Check> {
    let client = outgoing::clients(config)?.get(Profile::Model);
    let key = outgoing::api_key(model)?;
    let base = model.endpoint.trim_end_matches("/v1");
    let (path, list, field) = match model.api {
        ModelApi::OpenAi => ("/v1/models", "/data", "id"),
        ModelApi::Ollama => ("/api/tags", "/models", "name"),
    };
    let mut request = Request::get(format!("{base}{path}"));
    if let Some(key) = key {
        request = request.header(header::AUTHORIZATION, key.bearer()?);
    }
    let call = Call { deadline: Some(Instant::now() + PATIENCE), body_limit: MOST, ..Call::default() };
    let answer = match client.send(request.body(Bytes::new())?, call).await {
        Ok(answer) => answer,
        Err(error) => {
            return Ok(failed(CHECK, format!("{} cannot be asked: {error}", model.endpoint), error.remedy()));
        }
    };
    let status = answer.status();
    Ok(match status {
        StatusCode::OK => {
            let body = answer.into_body().collect().await;
            let names = body.ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
            let names = names.as_ref().and_then(|body| body.pointer(list)?.as_array());
            let Some(names) = names else {
                return Ok(warning(
                    CHECK,
                    format!("{} answers, but lists no models", model.endpoint),
                    "see that translate.model.endpoint and translate.model.api belong together",
                ));
            };
            let names: Vec<&str> = names.iter().take(50).filter_map(|one| one.get(field)?.as_str()).collect();
            let has = |name: &&str| {
                **name == model.name || name.strip_suffix(":latest").is_some_and(|bare| bare == model.name)
            };
            if names.iter().any(has) {
                ok(CHECK, format!("{} has {}", model.endpoint, model.name))
            } else {
                warning(
                    CHECK,
                    format!("{} does not list {}; it has {}", model.endpoint, model.name, names.join(", ")),
                    "set translate.model.name to one of these",
                )
            }
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => failed(
            CHECK,
            format!("{} answers {status}: it does not take the key", model.endpoint),
            "put a valid key into the file that translate.model.api_key_file names",
        ),
        StatusCode::NOT_FOUND => failed(
            CHECK,
            format!("{} has no {path}", model.endpoint),
            "give the server's base address, without /v1, and the api that it speaks: openai or ollama",
        ),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => warning(
            CHECK,
            format!("{} answers {status}: it is loading or has too much to do", model.endpoint),
            "wait and ask again; the grammar goes on meanwhile",
        ),
        other => warning(
            CHECK,
            format!("{} answers {other} to {path}", model.endpoint),
            "see the log of the model's server",
        ),
    })
}
