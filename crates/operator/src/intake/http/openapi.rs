//! `/openapi.json`: what the HTTP door takes and answers.
//!
//! One table of routes. The shapes of what is sent are the very tables that judge it.

use serde_json::{Map, Value, json};

/// One method of one address.
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    about: &'static str,
    /// Component of the JSON body, where one is read.
    body: Option<&'static str>,
    /// Words may be sent too.
    words: bool,
    query: &'static [(&'static str, &'static str)],
    /// Status, what it means, and the component of its body.
    answers: &'static [(u16, &'static str, Option<&'static str>)],
}

const fn get(
    path: &'static str,
    about: &'static str,
    answers: &'static [(u16, &'static str, Option<&'static str>)],
) -> Route {
    Route { method: "get", path, about, body: None, words: false, query: &[], answers }
}

const fn post(
    path: &'static str,
    about: &'static str,
    body: Option<&'static str>,
    answers: &'static [(u16, &'static str, Option<&'static str>)],
) -> Route {
    Route { method: "post", path, about, body, words: false, query: &[], answers }
}

const ACTED: &[(u16, &str, Option<&str>)] = &[
    (200, "The record after the act", Some("Record")),
    (403, "Not by this person", Some("Problem")),
    (404, "No such intent", Some("Problem")),
    (409, "The state does not allow it", Some("Problem")),
    (422, "The content is not valid", Some("Problem")),
];

const MADE_ANOTHER: &[(u16, &str, Option<&str>)] = &[
    (202, "A new intent with this one as its parent", Some("Admitted")),
    (404, "No such intent", Some("Problem")),
    (409, "The state does not allow it", Some("Problem")),
    (503, "Full, draining, or the store cannot write", Some("Problem")),
];

pub const ROUTES: &[Route] = &[
    Route {
        method: "post",
        path: "/api/v1/intents",
        about: "Send an intent: words, a proposal or a drop-in intent",
        body: Some("Submission"),
        words: true,
        query: &[],
        answers: &[
            (200, "The same key and bytes came before; or the outcome of a dry run", None),
            (202, "Accepted: the record is on disk", Some("Admitted")),
            (400, "Not readable, or two different idempotency keys", Some("Problem")),
            (409, "The idempotency key was used with other content", Some("Problem")),
            (413, "Over 256 KiB", Some("Problem")),
            (415, "Neither text/plain nor application/json", Some("Problem")),
            (422, "The content is not valid; errors[] says where", Some("Problem")),
            (503, "Full, draining, or the store cannot write; Retry-After says when", Some("Problem")),
        ],
    },
    Route {
        method: "get",
        path: "/api/v1/intents",
        about: "List intents, newest first",
        body: None,
        words: false,
        query: &[
            ("state", "one state"),
            ("namespace", "intents that name this namespace"),
            ("priority", "urgent, high, normal or low"),
            ("source", "http, intent or folder"),
            ("limit", "1 to 500, 50 when absent"),
            ("cursor", "next_cursor of the page before"),
        ],
        answers: &[(200, "A page", Some("Page")), (400, "The query has a fault", Some("Problem"))],
    },
    get(
        "/api/v1/intents/{id}",
        "The record of an intent",
        &[(200, "The record", Some("Record")), (404, "No such intent", Some("Problem"))],
    ),
    get(
        "/api/v1/intents/{id}/plan",
        "Its plan",
        &[(200, "The plan", Some("Plan")), (404, "No such intent, or no plan", Some("Problem"))],
    ),
    get(
        "/api/v1/intents/{id}/report",
        "What became of it, in words",
        &[(200, "The report", Some("Report")), (404, "No such intent", Some("Problem"))],
    ),
    get(
        "/api/v1/intents/{id}/audit",
        "Its entries in the audit trail",
        &[(200, "The entries", Some("Audit")), (404, "No such intent", Some("Problem"))],
    ),
    post("/api/v1/intents/{id}/answer", "Answer its question", Some("Answer"), ACTED),
    post(
        "/api/v1/intents/{id}/approve",
        "Approve exactly one plan",
        Some("Approve"),
        &[
            (200, "The record after the approval", Some("Record")),
            (403, "Not by this person", Some("Problem")),
            (404, "No such intent", Some("Problem")),
            (409, "The state does not allow it", Some("Problem")),
            (412, "That is not the plan that would run", Some("Problem")),
            (422, "The content is not valid", Some("Problem")),
        ],
    ),
    post("/api/v1/intents/{id}/reject", "Turn its plan down", Some("Reject"), ACTED),
    post("/api/v1/intents/{id}/cancel", "Call it off", None, ACTED),
    post("/api/v1/intents/{id}/rollback", "Undo it by a new intent", None, MADE_ANOTHER),
    post("/api/v1/intents/{id}/retry", "Ask again for what failed", None, MADE_ANOTHER),
    post("/api/v1/admin/pause", "Workers claim nothing more", None, &[(200, "Paused", None)]),
    post("/api/v1/admin/resume", "Workers go on", None, &[(200, "Not paused", None)]),
    Route {
        method: "post",
        path: "/api/v1/admin/profile",
        about: "Samples where the processor's time goes, one at a time (builds with the feature `profile`)",
        body: None,
        words: false,
        query: &[("seconds", "how long, 1 to 25; 10 when absent")],
        answers: &[
            (200, "One stack a line with its count, as flame graphs are made of", None),
            (409, "Another profile is running", Some("Problem")),
            (422, "seconds is no number from 1 to 25", Some("Problem")),
            (501, "Built without the feature", Some("Problem")),
        ],
    },
    Route {
        method: "get",
        path: "/api/v1/events",
        about: "Server-sent events: state changes as they happen; Last-Event-ID resumes",
        body: None,
        words: false,
        query: &[("intent", "only this intent")],
        answers: &[
            (200, "event: state with {id, state, at}; event: reset when some were missed", None),
            (404, "No such intent", Some("Problem")),
            (429, "Too many streams are open", Some("Problem")),
        ],
    },
    get("/api/v1/queue", "The numbers behind the four bands", &[(200, "The numbers", None)]),
    get(
        "/api/v1/limits",
        "The numbers behind the two tiers of request rates",
        &[(200, "Rates, clients known, allowed and refused", None)],
    ),
    post(
        "/intent",
        "Send a drop-in intent, or words that scale one target",
        Some("Intent"),
        &[
            (202, "Accepted: the record is on disk", Some("Accepted")),
            (400, "The intent is not valid", Some("Problem")),
            (413, "Over 1 MiB", Some("Problem")),
            (415, "Unsupported content type", Some("Problem")),
            (503, "Full, draining, or the store cannot write; Retry-After says when", Some("Problem")),
        ],
    ),
    get("/healthz", "The process answers", &[(200, "ok", None)]),
    get("/livez", "The process answers", &[(200, "ok", None)]),
    get(
        "/readyz",
        "Intents can be accepted",
        &[(200, "ready", None), (503, "Not ready, and why", Some("Problem"))],
    ),
    get("/metrics", "Prometheus metrics", &[(200, "The metrics", None)]),
    get("/openapi.json", "This document", &[(200, "The document", None)]),
];

pub async fn openapi() -> axum::response::Response {
    super::intents::json_answer(http::StatusCode::OK, &document())
}

/// The OpenAPI 3.1 document.
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "nephoran",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Intents for a 5G and O-RAN network: words, JSON or files in, reviewed commits out.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": schemas()},
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn operation(route: &Route) -> Value {
    let mut answers = Map::new();
    for (status, about, shape) in route.answers {
        let mut answer = json!({"description": about});
        if let Some(shape) = shape {
            let kind = if *shape == "Problem" { "application/problem+json" } else { "application/json" };
            answer["content"] = json!({kind: {"schema": reference(shape)}});
        }
        answers.insert(status.to_string(), answer);
    }
    let mut operation = json!({"summary": route.about, "responses": answers});
    let mut parameters: Vec<Value> = route
        .query
        .iter()
        .map(|(name, about)| {
            json!({"name": name, "in": "query", "description": about, "schema": {"type": "string"}})
        })
        .collect();
    if route.path.contains("{id}") {
        parameters.push(json!({"name": "id", "in": "path", "required": true,
            "schema": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 40}}));
    }
    if route.method == "post" && matches!(route.path, "/api/v1/intents" | "/intent") {
        parameters.push(json!({"name": "Idempotency-Key", "in": "header",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"}}));
    }
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if let Some(body) = route.body {
        let mut content = json!({"application/json": {"schema": reference(body)}});
        if route.words || route.path == "/intent" {
            content["text/plain"] = json!({"schema": {"type": "string"}});
        }
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation
}

fn schemas() -> Value {
    let text = json!({"type": "string"});
    let nullable = json!({"type": ["string", "null"]});
    let any = json!({});
    let list = |of: &Value| json!({"type": "array", "items": of});
    let with = |properties: Value, required: &[&str]| json!({"type": "object", "properties": properties, "required": required});
    json!({
        "Submission": nephoran_api::submission::schema(),
        "Proposal": nephoran_api::proposal::schema(),
        "Intent": nephoran_api::intent_v1::schema(&[]),
        "Answer": nephoran_api::shape::schema(&super::acts::ANSWER_SHAPE),
        "Approve": nephoran_api::shape::schema(&super::acts::APPROVE_SHAPE),
        "Reject": nephoran_api::shape::schema(&super::acts::REJECT_SHAPE),
        "Admitted": with(
            json!({"id": text, "state": text, "position": {"type": "integer"},
                   "links": {"type": "object", "additionalProperties": text}}),
            &["id", "state", "position", "links"],
        ),
        "Accepted": with(
            json!({"status": {"const": "accepted"}, "saved": text, "preview": {"type": "object"}, "intent": text}),
            &["status", "saved", "preview", "intent"],
        ),
        "Record": with(
            json!({
                "id": text, "state": text, "reason": nullable, "priority": text, "source": text,
                "requester": text, "created_at": {"type": "string", "format": "date-time"},
                "request": {"type": "object"}, "change": {"type": "object"},
                "history": list(&json!({"type": "object"})),
                "proposal": any, "translator": nullable, "understanding": any, "plan": any,
                "findings": list(&json!({"type": "object"})),
                "question": nullable, "missing": list(&text), "candidates": list(&text),
                "outcomes": list(&json!({"type": "object"})), "fulfilment": {"type": "object"},
                "answer": nullable,
            }),
            &["id", "state", "priority", "source", "requester", "created_at", "request", "history"],
        ),
        "Page": with(
            json!({"items": list(&reference("Record")), "next_cursor": nullable}),
            &["items", "next_cursor"],
        ),
        "Plan": with(
            json!({"hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"}, "parent": nullable, "summary": text,
                   "base": {"type": "object", "additionalProperties": text},
                   "steps": list(&json!({"type": "object"})), "notes": list(&text), "diff": text}),
            &["hash", "summary", "steps", "diff"],
        ),
        "Report": with(
            json!({"id": text, "state": text, "words": list(&text), "fulfilment": {"type": "object"}}),
            &["id", "state", "words", "fulfilment"],
        ),
        "Audit": with(json!({"items": list(&json!({"type": "object"}))}), &["items"]),
        "Problem": with(
            json!({
                "type": text, "title": text, "status": {"type": "integer"}, "detail": text, "instance": text,
                "errors": list(&with(json!({"pointer": text, "detail": text}), &["pointer", "detail"])),
            }),
            &["type", "title", "status", "detail", "instance"],
        ),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        let mut references = 0;
        for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
            references += 1;
        }
        assert!(references > 20);
    }
}
