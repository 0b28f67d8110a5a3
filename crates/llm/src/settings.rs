//! How a model is asked.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What the endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Api {
    /// `/v1/chat/completions` with `response_format`.
    #[default]
    OpenAi,
    /// `/api/chat` with `format`.
    Ollama,
}

impl FromStr for Api {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "openai" => Ok(Self::OpenAi),
            "ollama" => Ok(Self::Ollama),
            _ => Err(()),
        }
    }
}

/// Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Without the white space that files end with.
    pub fn new(key: &str) -> Self {
        Self(key.trim().to_owned())
    }

    /// For the header `Authorization`; marked as sensitive.
    pub fn bearer(&self) -> Result<http::HeaderValue, http::header::InvalidHeaderValue> {
        let mut value = http::HeaderValue::try_from(format!("Bearer {}", self.0))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(set)")
    }
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// Base URL, with or without `/v1`.
    pub endpoint: String,
    pub model: String,
    pub api: Api,
    pub api_key: Option<ApiKey>,
    /// Calls at a time; the rest wait for their turn.
    pub max_in_flight: usize,
    /// Longest wait for a turn.
    pub max_wait: Duration,
    /// A whole call, from its first byte to its last.
    pub call_timeout: Duration,
    /// Until the answer begins. A model reads the whole prompt before.
    pub header_timeout: Duration,
    /// Tokens of an answer, at the most; short requests are allowed fewer.
    pub max_tokens: u32,
    /// Bytes of an answer.
    pub max_answer: usize,
    /// Tokens of an identity in any hour; unbounded when `None`.
    pub tokens_per_hour: Option<u64>,
    /// Identities whose budgets are told apart; the others share one.
    pub identities: usize,
    /// Answers kept; none when 0.
    pub cache_entries: usize,
    pub cache_life: Duration,
    /// Passages shown with a request, at the most.
    pub passages: usize,
    /// Identical requests in flight are asked once.
    pub share: bool,
    pub breaker: nephoran_http::BreakerSettings,
}

impl Settings {
    pub fn new(endpoint: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            model: model.into(),
            api: Api::OpenAi,
            api_key: None,
            max_in_flight: 16,
            max_wait: Duration::from_secs(10),
            call_timeout: Duration::from_secs(60),
            header_timeout: Duration::from_secs(30),
            max_tokens: 4096,
            max_answer: 64 * 1024,
            tokens_per_hour: Some(200_000),
            identities: 10_000,
            cache_entries: 1_000,
            cache_life: Duration::from_secs(600),
            passages: 3,
            share: true,
            breaker: nephoran_http::BreakerSettings::default(),
        }
    }

    /// Where chats go.
    pub(crate) fn url(&self) -> Result<http::Uri, http::uri::InvalidUri> {
        let base = self.endpoint.trim_end_matches('/');
        let url = match self.api {
            _ if base.ends_with("/chat/completions") || base.ends_with("/api/chat") => base.to_owned(),
            Api::OpenAi if base.ends_with("/v1") => format!("{base}/chat/completions"),
            Api::OpenAi => format!("{base}/v1/chat/completions"),
            Api::Ollama => format!("{base}/api/chat"),
        };
        url.parse()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_completed_however_much_of_it_was_written() {
        for (api, endpoint, expected) in [
            (Api::OpenAi, "http://m:8092", "http://m:8092/v1/chat/completions"),
            (Api::OpenAi, "http://m:8092/v1/", "http://m:8092/v1/chat/completions"),
            (Api::OpenAi, "https://m/gateway/v1", "https://m/gateway/v1/chat/completions"),
            (Api::OpenAi, "http://m/v1/chat/completions", "http://m/v1/chat/completions"),
            (Api::Ollama, "http://m:11434/", "http://m:11434/api/chat"),
        ] {
            let settings = Settings { api, ..Settings::new(endpoint, "m") };
            assert_eq!(settings.url().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn the_key_is_never_printed() {
        let settings = Settings { api_key: Some(ApiKey::new("k3y\n")), ..Settings::new("http://m", "m") };
        assert!(!format!("{settings:?}").contains("k3y"));
        assert_eq!(settings.api_key.unwrap().bearer().unwrap(), "Bearer k3y");
    }
}
