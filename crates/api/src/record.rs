//! The record of an intent as people and programs read it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nephoran_model::fulfilment::Fulfilment;
use nephoran_model::guard::Finding;
use nephoran_model::intent::{
    Answer, Approval, Change, Constraints, HoldReason, Intent, Move, Outcome, Parent, Question, Request,
    Understanding,
};
use nephoran_model::plan::{ActuatorKind, Edit, Plan, PlanHash, Resolved, Scalar, Step, StepState};
use nephoran_model::proposal::{Missing, Priority, Proposal};
use serde::Serialize;
use serde_json::{Value, json};

/// What of an intent is shown. Absent things are `null`, so that readers need not guess.
#[derive(Debug, Serialize)]
pub struct Record<'a> {
    pub id: &'a str,
    pub state: &'static str,
    /// Why a planned intent waits: `frozen` or `window`.
    pub reason: Option<HoldReason>,
    pub priority: Priority,
    pub source: &'static str,
    pub requester: &'a str,
    pub created_at: Timestamp,
    pub deadline: Option<Timestamp>,
    pub not_before: Option<Timestamp>,
    pub generation: u32,
    pub request: Value,
    pub change: &'a Change,
    #[serde(skip_serializing_if = "is_free")]
    pub constraints: &'a Constraints,
    pub correlation_id: Option<&'a str>,
    pub file: Option<&'a str>,
    pub parent: Option<&'a Parent>,
    pub history: &'a [Move],
    pub proposal: Option<&'a Proposal>,
    pub translator: Option<&'a str>,
    /// How a language model understood the words, when one did.
    pub understanding: Option<&'a Understanding>,
    pub plan: Option<PlanView<'a>>,
    pub findings: &'a [Finding],
    /// The sentence that asks, with what an answer must supply beside it.
    pub question: Option<&'a str>,
    pub missing: &'a [Missing],
    pub candidates: &'a [String],
    pub answers: &'a [Answer],
    pub approval: Option<&'a Approval>,
    pub outcomes: &'a [Outcome],
    pub fulfilment: &'a Fulfilment,
    pub answer: Option<&'a str>,
    pub superseded_by: Option<&'a str>,
    pub supersedes: Vec<&'a str>,
}

fn is_free(constraints: &&Constraints) -> bool {
    **constraints == Constraints::default()
}

/// A plan whose steps say their first edit in the open: that is what the step is about.
#[derive(Debug, Serialize)]
pub struct PlanView<'a> {
    pub hash: &'a PlanHash,
    pub parent: Option<&'a PlanHash>,
    pub summary: &'a str,
    pub base: &'a BTreeMap<String, String>,
    pub steps: Vec<StepView<'a>>,
    pub notes: &'a [String],
    pub diff: &'a str,
}

#[derive(Debug, Serialize)]
pub struct StepView<'a> {
    pub id: &'a str,
    pub action: &'a str,
    pub actuator: ActuatorKind,
    pub repository: &'a str,
    pub target: &'a Resolved,
    pub file: Option<&'a str>,
    pub field: Option<&'a str>,
    pub before: Option<&'a Scalar>,
    pub after: Option<&'a Scalar>,
    pub state: StepState,
    pub edits: &'a [Edit],
}

impl<'a> Record<'a> {
    pub fn of(intent: &'a Intent) -> Self {
        let question = intent.question.as_ref();
        Self {
            id: intent.id.as_str(),
            state: intent.state.as_str(),
            reason: intent.hold,
            priority: intent.priority,
            source: intent.source.as_str(),
            requester: &intent.requester,
            created_at: intent.created_at,
            deadline: intent.deadline,
            not_before: intent.not_before,
            generation: intent.generation,
            request: request(&intent.request),
            change: &intent.change,
            constraints: &intent.constraints,
            correlation_id: intent.correlation_id.as_deref(),
            file: intent.file.as_deref(),
            parent: intent.parent.as_ref(),
            history: &intent.history,
            proposal: intent.proposal.as_ref(),
            translator: intent.translator.as_deref(),
            understanding: intent.understanding.as_ref(),
            plan: intent.plan.as_ref().map(PlanView::of),
            findings: &intent.findings,
            question: question.map(|question| question.text.as_str()),
            missing: question.map(missing).unwrap_or_default(),
            candidates: question.map(|question| question.candidates.as_slice()).unwrap_or_default(),
            answers: &intent.answers,
            approval: intent.approval.as_ref(),
            outcomes: &intent.outcomes,
            fulfilment: &intent.fulfilment,
            answer: intent.answer.as_deref(),
            superseded_by: intent.superseded_by.as_ref().map(|id| id.as_str()),
            supersedes: intent.supersedes.iter().map(|id| id.as_str()).collect(),
        }
    }
}

fn missing(question: &Question) -> &[Missing] {
    &question.missing
}

/// The request as it was said: `{text}`, `{proposal}` or `{intent}`.
pub fn request(request: &Request) -> Value {
    match request {
        Request::Text(text) => json!({"text": text}),
        Request::Proposal(proposal) => json!({"proposal": proposal}),
        Request::Intent { body, .. } => {
            let intent = serde_json::from_str::<Value>(body).unwrap_or_else(|_| Value::String(body.clone()));
            json!({"intent": intent})
        }
    }
}

impl<'a> PlanView<'a> {
    pub fn of(plan: &'a Plan) -> Self {
        Self {
            hash: &plan.hash,
            parent: plan.parent.as_ref(),
            summary: &plan.summary,
            base: &plan.base,
            steps: plan.steps.iter().map(StepView::of).collect(),
            notes: &plan.notes,
            diff: &plan.diff,
        }
    }
}

impl<'a> StepView<'a> {
    fn of(step: &'a Step) -> Self {
        let first = step.edits.first();
        Self {
            id: &step.id,
            action: &step.action,
            actuator: step.actuator,
            repository: &step.repository,
            target: &step.target,
            file: first.map(|edit| edit.file.as_str()),
            field: first.map(|edit| edit.field.as_str()),
            before: step.before(),
            after: step.after(),
            state: step.state,
            edits: &step.edits,
        }
    }
}

/// What became of an intent, for people and programs that do not want the whole record.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    pub id: &'a str,
    pub state: &'static str,
    pub reason: Option<HoldReason>,
    /// The whole in sentences.
    pub words: Vec<String>,
    pub summary: Option<&'a str>,
    pub answer: Option<&'a str>,
    pub outcomes: &'a [Outcome],
    pub findings: &'a [Finding],
    pub fulfilment: &'a Fulfilment,
}

impl<'a> Report<'a> {
    pub fn of(intent: &'a Intent) -> Self {
        Self {
            id: intent.id.as_str(),
            state: intent.state.as_str(),
            reason: intent.hold,
            words: words(intent),
            summary: intent.plan.as_ref().map(|plan| plan.summary.as_str()),
            answer: intent.answer.as_deref(),
            outcomes: &intent.outcomes,
            findings: &intent.findings,
            fulfilment: &intent.fulfilment,
        }
    }
}

/// One sentence per thing that is known. Typed fields only, never a word of the requester.
fn words(intent: &Intent) -> Vec<String> {
    let mut said = vec![match intent.hold {
        Some(HoldReason::Frozen) => "The intent is planned and waits until the freeze is lifted.".to_owned(),
        Some(HoldReason::Window) => "The intent is planned and waits for its change window.".to_owned(),
        None => format!("The intent is {}.", intent.state.as_str().replace('_', " ")),
    }];
    if let Some(last) = intent.history.last() {
        said.push(format!("Since {}: {}.", last.at, last.cause.trim_end_matches('.')));
    }
    if let Some(question) = &intent.question {
        said.push(question.text.clone());
    }
    if let Some(plan) = &intent.plan {
        said.push(format!("Plan {}: {}.", &plan.hash.as_str()[..12], plan.summary));
        said.extend(plan.steps.iter().map(|step| format!("Step {}: {}.", step.id, step.line())));
        said.extend(plan.notes.iter().map(|note| format!("{}.", note.trim_end_matches('.'))));
    }
    for finding in &intent.findings {
        said.push(format!("{}: {}; {}.", finding.rule, finding.message, finding.remedy));
    }
    for outcome in &intent.outcomes {
        match (&outcome.commit, &outcome.note) {
            (Some(commit), _) => {
                said.push(format!("Step {} is in commit {commit} since {}.", outcome.step, outcome.at));
            }
            (None, Some(note)) => said.push(format!("Step {}: {note}.", outcome.step)),
            (None, None) => said.push(format!("Step {} needed no commit.", outcome.step)),
        }
    }
    if let Some(answer) = &intent.answer {
        said.push(answer.clone());
    }
    for target in &intent.fulfilment.targets {
        said.push(format!(
            "Step {} {}: wanted {}, seen {} at {} ({}).",
            target.step, target.field, target.wanted, target.seen, target.at, target.source
        ));
    }
    if intent.state.is_committed() {
        let status = match intent.fulfilment.status {
            nephoran_model::fulfilment::Status::Fulfilled => "fulfilled",
            nephoran_model::fulfilment::Status::NotFulfilled => "not fulfilled",
            nephoran_model::fulfilment::Status::Unknown => "unknown",
        };
        said.push(match intent.fulfilment.reason.as_deref() {
            Some("NoProbe") => {
                "Whether the network does it is unknown: no probe is configured (NoProbe).".to_owned()
            }
            Some(reason) => format!("Fulfilment is {status}: {reason}."),
            None => format!("Fulfilment is {status}."),
        });
    }
    if let Some(id) = &intent.superseded_by {
        said.push(format!("Superseded by {id}."));
    }
    said
}
