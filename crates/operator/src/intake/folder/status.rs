//! What the status file of a request says.

use jiff::Timestamp;
use nephoran_model::intent::{HoldReason, Intent, IntentId, State};
use serde::{Deserialize, Serialize};

/// `status/NAME.status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub intent_file: String,
    pub status: Standing,
    pub state: String,
    pub message: String,
    pub timestamp: Timestamp,
    pub intent: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Pending,
    Success,
    Failed,
}

impl Status {
    /// Accepted: the record is on disk, nothing else has happened.
    pub fn accepted(file: &str, id: &IntentId, now: Timestamp) -> Self {
        Self {
            intent_file: file.to_owned(),
            status: Standing::Pending,
            state: State::Received.as_str().to_owned(),
            message: "accepted".to_owned(),
            timestamp: now,
            intent: Some(id.to_string()),
        }
    }

    /// Not accepted.
    pub fn turned_away(file: &str, why: &str, now: Timestamp) -> Self {
        Self {
            intent_file: file.to_owned(),
            status: Standing::Failed,
            state: State::Refused.as_str().to_owned(),
            message: why.to_owned(),
            timestamp: now,
            intent: None,
        }
    }

    pub fn of(file: &str, intent: &Intent) -> Self {
        Self {
            intent_file: file.to_owned(),
            status: standing(intent),
            state: intent.state.as_str().to_owned(),
            message: message(intent),
            timestamp: intent.history.last().map_or(intent.created_at, |last| last.at),
            intent: Some(intent.id.to_string()),
        }
    }
}

fn standing(intent: &Intent) -> Standing {
    match intent.state {
        State::Received
        | State::Translating
        | State::NeedsAnswer
        | State::Planned
        | State::AwaitingApproval
        | State::Applying
        | State::AwaitingMerge => Standing::Pending,
        // The change was made; what became of it since, `state` and `message` say.
        State::Applied | State::Fulfilled | State::Degraded | State::RolledBack | State::Answered => {
            Standing::Success
        }
        State::Superseded if !intent.outcomes.is_empty() => Standing::Success,
        State::Superseded | State::Refused | State::Failed | State::Cancelled | State::Expired => {
            Standing::Failed
        }
    }
}

fn message(intent: &Intent) -> String {
    if let Some(hold) = intent.hold {
        return match hold {
            HoldReason::Frozen => "planned; waits until the freeze is lifted".to_owned(),
            HoldReason::Window => "planned; waits for its change window".to_owned(),
        };
    }
    if let (State::NeedsAnswer, Some(question)) = (intent.state, &intent.question) {
        return question.text.clone();
    }
    if let (State::Answered, Some(answer)) = (intent.state, &intent.answer) {
        return answer.clone();
    }
    if intent.state == State::Refused && !intent.findings.is_empty() {
        let findings: Vec<String> = intent
            .findings
            .iter()
            .map(|finding| format!("{}: {} {}", finding.rule, finding.message, finding.remedy))
            .collect();
        return findings.join("; ");
    }
    let cause = intent.history.last().map(|last| last.cause.as_str()).unwrap_or_default();
    match (&intent.plan, intent.state.is_committed()) {
        (Some(plan), true) if !cause.contains(&plan.summary) => format!("{}: {cause}", plan.summary),
        _ => cause.to_owned(),
    }
}

/// `failed/NAME.error.log`. Each value stays on its line.
pub fn error_log(file: &str, why: &str, now: Timestamp) -> String {
    let why: String = why.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("File: {file}\nFailed at: {now}\nError: {why}\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-01-31T18:05:09Z".parse().unwrap()
    }

    #[test]
    fn an_error_log_has_its_three_lines() {
        assert_eq!(
            error_log("intent-a.json", "no\nFile: forged", now()),
            "File: intent-a.json\nFailed at: 2026-01-31T18:05:09Z\nError: no File: forged\n"
        );
    }

    #[test]
    fn a_status_has_the_fields_that_clients_know() {
        let id = IntentId::parse("i-1").unwrap();
        assert_eq!(
            serde_json::to_value(Status::accepted("intent-a.json", &id, now())).unwrap(),
            serde_json::json!({
                "intent_file": "intent-a.json", "status": "pending", "state": "received",
                "message": "accepted", "timestamp": "2026-01-31T18:05:09Z", "intent": "i-1",
            })
        );
        let away = serde_json::to_value(Status::turned_away("x", "why", now())).unwrap();
        assert_eq!(away["status"], "failed");
        assert_eq!(away["intent"], serde_json::Value::Null);
    }

    #[test]
    fn every_state_has_a_standing_that_agrees_with_whether_it_rests() {
        let intent: Intent = serde_json::from_value(serde_json::json!({
            "id": "i-1", "version": 1, "generation": 1, "state": "received", "priority": "normal",
            "source": "folder", "requester": "local", "created_at": "2026-01-31T18:05:09Z",
            "request": {"text": "x"}, "history": [],
        }))
        .unwrap();
        for state in State::ALL {
            let status = Status::of("f", &Intent { state, ..intent.clone() });
            assert_eq!(status.state, state.as_str());
            if state.is_end() || state.is_committed() {
                assert_ne!(status.status, Standing::Pending, "{state}");
            } else {
                assert_eq!(status.status, Standing::Pending, "{state}");
            }
        }
    }
}
