//! The way out by HTTP, and whoever is called over it.

use anyhow::Context;
use nephoran_http::{Clients, Profile, Proxies, Settings};
use nephoran_llm::{Api, ApiKey, ModelTranslator, Passages};
use std::sync::Arc;

use crate::config::{Config, Model, ModelApi};

/// The factory of clients, by the configuration and the proxies of the environment.
pub fn clients(config: &Config) -> anyhow::Result<Clients> {
    let http = &config.http;
    let (client_cert, client_key) = http.client.clone().unzip();
    let mut settings = Settings {
        allow: http.allow.clone(),
        proxies: Proxies::from_environment(|name| std::env::var(name).ok()),
        ca_file: http.ca_file.clone(),
        client_cert,
        client_key,
        danger_accept_invalid_certs: http.danger_accept_invalid_certs,
        default: http.default.clone(),
        high_throughput: http.high_throughput.clone(),
        model: http.high_throughput.clone(),
        resolve: None,
    };
    if let Some(model) = &config.translate.model {
        let numbers = settings.numbers_mut(Profile::Model);
        numbers.response_header = model.first_byte;
        numbers.body_pause = model.first_byte;
        numbers.request = numbers.request.max(model.first_byte);
    }
    Clients::new(settings).context("set up the HTTP client")
}

/// The configured language model; `None` when there is none.
pub fn model(
    config: &Config,
    clients: &Clients,
    passages: Option<Arc<dyn Passages>>,
) -> anyhow::Result<Option<ModelTranslator>> {
    let Some(model) = &config.translate.model else { return Ok(None) };
    let settings = nephoran_llm::Settings {
        api: match model.api {
            ModelApi::OpenAi => Api::OpenAi,
            ModelApi::Ollama => Api::Ollama,
        },
        api_key: api_key(model)?,
        max_in_flight: config.workers.max,
        header_timeout: model.first_byte,
        tokens_per_hour: model.tokens_per_hour,
        cache_entries: model.cache_entries,
        cache_life: model.cache_life,
        ..nephoran_llm::Settings::new(&model.endpoint, &model.name)
    };
    Ok(Some(ModelTranslator::new(settings, clients.get(Profile::Model), passages)))
}

/// The key that the model's server wants, from its file.
pub fn api_key(model: &Model) -> anyhow::Result<Option<ApiKey>> {
    let Some(file) = &model.api_key_file else { return Ok(None) };
    let key = std::fs::read_to_string(file).with_context(|| {
        format!("read the key of the language model (translate.model.api_key_file: {})", file.display())
    })?;
    anyhow::ensure!(
        !key.trim().is_empty() && !key.trim().chars().any(char::is_control),
        "the file {} holds no key: put the key alone on its first line",
        file.display()
    );
    Ok(Some(ApiKey::new(&key)))
}
