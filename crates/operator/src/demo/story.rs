//! Sends intents as a client would and follows each to where it rests.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::claims::Claims;
use crate::cli::client::{Client, Sent};

/// Longest wait for one intent. Each takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at a record.
const LOOK: Duration = Duration::from_millis(10);

pub(super) struct Story {
    client: Client,
}

impl Story {
    pub(super) fn at(url: &str) -> anyhow::Result<Self> {
        Ok(Self { client: Client::new(url, None, None).map_err(told)? })
    }

    pub(super) async fn say(&self, claims: &mut Claims, words: &str, state: &str) -> anyhow::Result<Value> {
        claims.say(&format!("\"{words}\""));
        self.send(claims, "/api/v1/intents", &json!({"text": words}), state).await
    }

    pub(super) async fn send(
        &self,
        claims: &mut Claims,
        path: &str,
        body: &Value,
        state: &str,
    ) -> anyhow::Result<Value> {
        let accepted = self.client.post("send an intent", path, Sent::json(body)).await.map_err(told)?;
        let id =
            accepted["intent"].as_str().or(accepted["id"].as_str()).context("an answer without an id")?;
        self.rests(claims, id, state).await
    }

    pub(super) async fn file(
        &self,
        claims: &mut Claims,
        hot: &Path,
        name: &str,
        state: &str,
    ) -> anyhow::Result<Value> {
        let status = hot.join("status").join(format!("{name}.status"));
        let id = tokio::time::timeout(PATIENCE, async {
            loop {
                let text = tokio::fs::read(&status).await.unwrap_or_default();
                let value: Value = serde_json::from_slice(&text).unwrap_or_default();
                if let Some(id) = value["intent"].as_str() {
                    return id.to_owned();
                }
                tokio::time::sleep(LOOK).await;
            }
        })
        .await
        .with_context(|| format!("{name} was not taken from the hot folder"))?;
        self.rests(claims, &id, state).await
    }

    pub(super) async fn act(
        &self,
        claims: &mut Claims,
        intent: &Value,
        act: &str,
        body: &Value,
        state: &str,
    ) -> anyhow::Result<Value> {
        let id = id_of(intent)?;
        let path = format!("/api/v1/intents/{id}/{act}");
        self.client.post(act, &path, Sent::json(body)).await.map_err(told)?;
        self.rests(claims, id, state).await
    }

    /// An act that makes a new intent.
    pub(super) async fn follow(
        &self,
        claims: &mut Claims,
        intent: &Value,
        act: &str,
        state: &str,
    ) -> anyhow::Result<Value> {
        let path = format!("/api/v1/intents/{}/{act}", id_of(intent)?);
        let accepted = self.client.post(act, &path, Sent::json(&json!({}))).await.map_err(told)?;
        let id = accepted["id"].as_str().context("an answer without an id")?;
        self.rests(claims, id, state).await
    }

    pub(super) async fn report(&self, intent: &Value) -> anyhow::Result<String> {
        let path = format!("/api/v1/intents/{}/report", id_of(intent)?);
        let report = self.client.get("read the report", &path).await.map_err(told)?;
        let words = report["words"].as_array().context("a report without words")?;
        Ok(words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"))
    }

    /// The record once it is in `state`.
    pub(super) async fn until(&self, intent: &Value, state: &str) -> anyhow::Result<Value> {
        self.wait(id_of(intent)?, state).await
    }

    async fn rests(&self, claims: &mut Claims, id: &str, state: &str) -> anyhow::Result<Value> {
        let record = self.wait(id, state).await?;
        claims.shows_way(&record);
        Ok(record)
    }

    async fn wait(&self, id: &str, state: &str) -> anyhow::Result<Value> {
        let path = format!("/api/v1/intents/{id}");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let record = self.client.get("read an intent", &path).await.map_err(told)?;
            if record["state"] == state {
                return Ok(record);
            }
            if tokio::time::Instant::now() > deadline {
                bail!("intent {id} is {} and did not become {state}: {record}", record["state"]);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn id_of(intent: &Value) -> anyhow::Result<&str> {
    intent["id"].as_str().context("a record without an id")
}

fn told(failure: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{failure}")
}
