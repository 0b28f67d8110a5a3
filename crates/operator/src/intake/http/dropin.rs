//! `POST /intent`, to the letter of what clients of the reference operator know.

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use nephoran_api::intent_v1::{self, IntentV1, is_mark};
use nephoran_model::intent::{Change, Constraints, Request, Source};
use nephoran_model::proposal::{Action, Actions, Proposal};
use serde_json::{Value, json};

use super::frame::RequestId;
use super::intents::{idempotency_key, json_answer, media_type};
use super::reject::Reject;
use super::{INTENT_BODY, Shared, body};
use crate::admit::{Key, Submission};
use crate::intake::handoff::{self, Handoff};
use crate::telemetry::trace;
use crate::translate;

/// Where everything can be sent that this route does not take.
const ELSEWHERE: &str = "/api/v1/intents takes every request";

pub async fn submit(
    State(doors): State<Shared>,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Reject> {
    let is_text = match headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or("?").trim()) {
        None | Some("") => false,
        Some(said) => match media_type(said) {
            Some(kind) => kind == "text/plain",
            None => {
                body::throw_away(sent);
                return Err(Reject::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "content_type",
                    "Unsupported content type",
                    "Unsupported content type: send application/json, text/json or text/plain",
                ));
            }
        },
    };
    let bytes = body::read(sent, INTENT_BODY).await?;
    let key = idempotency_key(&headers, None)?;
    let mut asked =
        if is_text { from_words(&bytes, doors.translate)? } else { from_json(&bytes, &doors.sources)? };
    if asked.correlation_id.as_deref().is_some_and(|mark| !is_mark(mark)) {
        asked.correlation_id = Some(request_id.as_str().to_owned());
    }

    let now = Timestamp::now();
    // The file's content is on disk before the intent is: what is then left is a rename.
    let prepared = match &doors.handoff {
        Some(folder) => Some(prepare(folder.clone(), asked.intent.clone(), now).await?),
        None => None,
    };
    let saved = prepared.as_ref().map_or_else(|| handoff::name(now), |file| file.name().to_owned());
    let admitted = doors
        .desk
        .admit(Submission {
            source: Source::Intent,
            requester: doors.requester.clone(),
            request: asked.request,
            priority: asked.priority,
            deadline: None,
            not_before: None,
            change: Change { ticket: None, reason: asked.reason },
            constraints: asked.constraints,
            key: key.map(|key| Key { key, digest: super::intents::digest(&bytes) }),
            parent: None,
            file: None,
            folder_key: prepared.as_ref().map(|file| file.key().to_owned()),
            correlation_id: asked.correlation_id.clone(),
            traceparent: trace::sent(&headers),
        })
        .await?;
    if let Some(file) = prepared
        && !admitted.repeated
    {
        let published = tokio::task::spawn_blocking(move || file.publish()).await;
        if let Ok(Err(error)) = published {
            // The intent is accepted and will be carried out: that is what the answer promises.
            tracing::error!(intent = %admitted.id, cause = %error, "The hand-off file could not be put in place.");
        }
    }
    let mut response = json_answer(
        StatusCode::ACCEPTED,
        &json!({
            "status": "accepted",
            "saved": saved,
            "preview": preview(admitted.id.as_str(), &asked.intent, asked.correlation_id.as_deref()),
            "intent": admitted.id,
        }),
    );
    admitted.trace.mark(response.headers_mut(), doors.metrics.is_traced());
    Ok(response)
}

/// What a body asks for, whichever way it said it.
struct Asked {
    /// The intent as the hand-off file and the preview show it.
    intent: Value,
    request: Request,
    priority: Option<nephoran_model::proposal::Priority>,
    reason: Option<String>,
    constraints: Constraints,
    correlation_id: Option<String>,
}

fn from_json(bytes: &[u8], sources: &[String]) -> Result<Asked, Reject> {
    let value = nephoran_api::json::read(bytes)
        .map_err(|error| invalid(format!("Intent validation failed: the body is {error}")))?;
    let intent = intent_v1::read(&value, sources).map_err(|error| match &error {
        intent_v1::Error::Invalid(faults) => invalid(error.to_string()).with(faults.clone()),
        intent_v1::Error::Configuration => invalid(error.to_string()),
    })?;
    let said = value.get("correlation_id").and_then(Value::as_str).filter(|mark| !mark.is_empty());
    let correlation_id = said.map(str::to_owned);
    let IntentV1 { proposal, constraints, priority, reason, .. } = intent;
    Ok(Asked {
        request: Request::Intent { body: value.to_string(), proposal },
        intent: value,
        priority: Some(priority),
        reason,
        constraints,
        correlation_id,
    })
}

fn from_words(bytes: &[u8], translate: fn(&str) -> Proposal) -> Result<Asked, Reject> {
    let wrong = |detail: &str| invalid(format!("plain text: {detail}"));
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("the text is not UTF-8"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    let intent = as_intent(&translate(text)).map_err(|detail| wrong(&detail))?;
    // Words may name a number that an intent may not.
    intent_v1::read(&intent, &[]).map_err(|error| wrong(&error.to_string()))?;
    Ok(Asked {
        intent,
        request: Request::Text(text.to_owned()),
        priority: None,
        reason: None,
        constraints: Constraints::default(),
        correlation_id: None,
    })
}

/// The intent that words say, or why they say none: exactly one `scale` with `to` and a place.
fn as_intent(proposal: &Proposal) -> Result<Value, String> {
    let one_scale =
        || format!("only one scaling to a number in a named namespace is taken here; {ELSEWHERE}");
    let actions = match proposal {
        Proposal::Actions(actions) => actions,
        Proposal::Clarify(clarify) => return Err(format!("{} ({ELSEWHERE})", translate::said(clarify))),
        Proposal::Refuse(refuse) => {
            return Err(format!("{} ({ELSEWHERE})", translate::refusal(refuse).message));
        }
    };
    let Actions { purpose: None, actions, .. } = actions else { return Err(one_scale()) };
    let [Action::Scale(scale)] = actions.as_slice() else { return Err(one_scale()) };
    let Some(to) = scale.replicas.to else { return Err(one_scale()) };
    let target = scale.target.name.clone().or_else(|| scale.target.function.map(|f| f.to_string()));
    let namespace = scale.target.namespace.as_ref().or(scale.target.place.as_ref());
    let (Some(target), Some(namespace)) = (target, namespace) else { return Err(one_scale()) };
    Ok(json!({
        "intent_type": "scaling",
        "target": target,
        "namespace": namespace,
        "replicas": to,
        "source": "user",
    }))
}

fn invalid(detail: String) -> Reject {
    Reject::new(StatusCode::BAD_REQUEST, "invalid_intent", "The intent is not valid", detail)
}

fn preview(id: &str, intent: &Value, correlation_id: Option<&str>) -> Value {
    let mut intent = intent.clone();
    // `4.0` is the integer 4.
    for key in ["replicas", "priority"] {
        if let Some(whole) = nephoran_api::shape::whole(&intent[key]) {
            intent[key] = json!(whole);
        }
    }
    let word = |key: &str| intent[key].as_str().unwrap_or_default();
    let description = match word("description") {
        "" => format!(
            "{} {} to {} replicas in namespace {}",
            if word("intent_type") == "deployment" { "Deploy or scale" } else { "Scale" },
            word("target"),
            intent["replicas"],
            word("namespace"),
        ),
        said => said.to_owned(),
    };
    let mut preview = json!({
        "id": id,
        "type": word("intent_type"),
        "description": description,
        "status": "pending",
        "target_resources": [format!("deployment/{}", word("target"))],
        "parameters": intent,
    });
    if let Some(mark) = correlation_id {
        preview["correlation_id"] = json!(mark);
    }
    preview
}

async fn prepare(folder: PathBuf, intent: Value, now: Timestamp) -> Result<Handoff, Reject> {
    let prepared = tokio::task::spawn_blocking(move || write(&folder, &intent, now)).await;
    match prepared {
        Ok(Ok(file)) => Ok(file),
        Ok(Err(error)) => Err(cannot_hand_off(&error)),
        Err(error) => Err(cannot_hand_off(&error)),
    }
}

fn write(folder: &Path, intent: &Value, now: Timestamp) -> std::io::Result<Handoff> {
    let mut text = serde_json::to_vec_pretty(intent)?;
    text.push(b'\n');
    Handoff::prepare(folder, &text, now)
}

fn cannot_hand_off(error: &dyn std::fmt::Display) -> Reject {
    tracing::error!(cause = %error, "A hand-off file cannot be written.");
    Reject::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "handoff",
        "The hand-off folder cannot be written",
        "nothing was accepted; the log has the cause",
    )
    .retry_after(std::time::Duration::from_secs(5))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use nephoran_model::proposal::{Missing, RefuseReason};

    use super::*;

    fn scale(value: Value) -> Proposal {
        nephoran_api::proposal::read(&json!({"outcome": "actions", "actions": [value]})).unwrap()
    }

    #[test]
    fn one_scale_to_a_number_in_a_place_is_an_intent() {
        let said = |target: Value, replicas: Value| {
            as_intent(&scale(json!({"action": "scale", "target": target, "replicas": replicas})))
        };
        let intent =
            said(json!({"name": "upf", "function": "upf", "namespace": "ran-a"}), json!({"to": 5})).unwrap();
        assert_eq!(
            intent,
            json!({"intent_type": "scaling", "target": "upf", "namespace": "ran-a", "replicas": 5, "source": "user"})
        );
        assert_eq!(
            said(json!({"function": "o-du", "place": "x"}), json!({"to": 5})).unwrap()["namespace"],
            "x"
        );
        for (target, replicas) in [
            (json!({"name": "upf"}), json!({"to": 5})),
            (json!({"name": "upf", "namespace": "a"}), json!({"by": 5})),
            (json!({"name": "upf", "cluster": "a"}), json!({"to": 5})),
        ] {
            assert!(said(target, replicas).unwrap_err().contains("/api/v1/intents"));
        }
    }

    #[test]
    fn anything_else_names_the_route_that_takes_it() {
        for proposal in [
            Proposal::ask([Missing::Replicas]),
            Proposal::refuse(RefuseReason::Unsafe),
            scale(json!({"action": "report", "all": true})),
        ] {
            assert!(as_intent(&proposal).unwrap_err().contains("/api/v1/intents"));
        }
    }

    #[test]
    fn every_fault_of_a_json_body_says_that_validation_failed() {
        for body in
            ["", "{", "[]", r#"{"intent_type":"scaling","intent_type":"scaling"}"#, r#"{"replicas":0}"#]
        {
            let Err(reject) = from_json(body.as_bytes(), &[]) else { panic!("{body}") };
            assert_eq!(reject.problem.status, 400, "{body}");
            assert!(reject.problem.detail.contains("validation failed"), "{}", reject.problem.detail);
        }
    }

    #[test]
    fn the_preview_shows_the_intent_and_its_target() {
        let intent = json!({"intent_type": "scaling", "target": "upf", "namespace": "a", "replicas": 2});
        let preview = preview("x-1", &intent, Some("c-1"));
        assert_eq!(preview["id"], "x-1");
        assert_eq!(preview["type"], "scaling");
        assert_eq!(preview["status"], "pending");
        assert_eq!(preview["target_resources"], json!(["deployment/upf"]));
        assert_eq!(preview["parameters"], intent);
        assert_eq!(preview["correlation_id"], "c-1");
        assert_eq!(preview["description"], "Scale upf to 2 replicas in namespace a");
    }
}
