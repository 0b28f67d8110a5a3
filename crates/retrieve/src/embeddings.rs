//! Vectors from a server with `/v1/embeddings`, as OpenAI-compatible ones have it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Uri};
use nephoran_http::{Call, Client};
use serde::{Deserialize, Serialize};

use crate::clean::clean;
use crate::meaning::{Embed, EmbedError};

/// Bytes of one answer: a batch of 32 vectors of 4,096 numbers takes some 3 MB as text.
const ANSWER: usize = 16 * 1024 * 1024;

/// Numbers of one vector.
const DIMENSION: usize = 8_192;

/// A batch on a machine without an accelerator takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, and the model to ask it for.
pub struct Embeddings {
    client: Client,
    uri: Uri,
    model: String,
    /// Marked as sensitive: it is shown nowhere.
    key: Option<HeaderValue>,
}

impl fmt::Debug for Embeddings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Embeddings").field("model", &self.model).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Question<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Fault {
    error: FaultInside,
}

#[derive(Deserialize)]
struct FaultInside {
    message: String,
}

impl Embeddings {
    /// `endpoint` is the server's base address, with or without the `/v1` at its end.
    pub fn new(client: Client, endpoint: &str, model: &str, key: Option<&str>) -> Result<Self, EmbedError> {
        let base = endpoint.trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base);
        let uri = format!("{base}/v1/embeddings")
            .parse()
            .map_err(|_| EmbedError::Rejected("the endpoint is no address".to_owned()))?;
        let key = key
            .map(|key| {
                let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
                    .map_err(|_| EmbedError::Rejected("the key holds what no header can carry".to_owned()))?;
                value.set_sensitive(true);
                Ok(value)
            })
            .transpose()?;
        Ok(Self { client, uri, model: model.to_owned(), key })
    }

    async fn ask(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let question = Question { model: &self.model, input: texts, encoding_format: "float" };
        let body = serde_json::to_vec(&question).map_err(|cause| EmbedError::Rejected(cause.to_string()))?;
        let mut request = Request::post(self.uri.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.clone());
        }
        let request =
            request.body(Bytes::from(body)).map_err(|cause| EmbedError::Rejected(cause.to_string()))?;
        let call = Call {
            header_limit: Some(PATIENCE),
            total_limit: Some(PATIENCE),
            body_limit: ANSWER,
            ..Call::default()
        };
        let answer = self.client.send(request, call).await.map_err(away)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(away)?;
        if status.is_success() {
            return vectors(&body, texts.len());
        }
        let said =
            serde_json::from_slice::<Fault>(&body).map(|fault| fault.error.message).unwrap_or_default();
        let said: String = clean(&said).text.replace('\n', " ").chars().take(200).collect();
        let told = format!("{status}{}{said}", if said.is_empty() { "" } else { ": " });
        // 501: the server was started without embeddings. 408 and 429 pass.
        Err(match status.as_u16() {
            408 | 429 => EmbedError::Away(told),
            400..=499 | 501 => EmbedError::Rejected(told),
            _ => EmbedError::Away(told),
        })
    }
}

fn away(cause: nephoran_http::Error) -> EmbedError {
    match cause.is_passing() {
        true => EmbedError::Away(cause.to_string()),
        false => EmbedError::Rejected(format!("{cause}; {}", cause.remedy())),
    }
}

/// One vector for each text, whatever the order of the answer.
fn vectors(body: &[u8], count: usize) -> Result<Vec<Vec<f32>>, EmbedError> {
    let unusable = |said: String| EmbedError::Unusable(said);
    let answer: Answer =
        serde_json::from_slice(body).map_err(|cause| unusable(format!("no list of vectors: {cause}")))?;
    if answer.data.len() != count {
        return Err(unusable(format!("{} vectors for {count} texts", answer.data.len())));
    }
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; count];
    for item in answer.data {
        if item.embedding.len() > DIMENSION {
            return Err(unusable(format!("a vector of {} numbers", item.embedding.len())));
        }
        match vectors.get_mut(item.index) {
            Some(place) if place.is_none() => *place = Some(item.embedding),
            _ => return Err(unusable(format!("a vector for text {} twice or too many", item.index))),
        }
    }
    vectors.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| unusable("a vector is missing".to_owned()))
}

impl Embed for Embeddings {
    fn model(&self) -> &str {
        &self.model
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        Box::pin(async move { self.ask(&texts).await })
    }
}
