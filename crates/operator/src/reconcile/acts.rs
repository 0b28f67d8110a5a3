//! What people do to an intent: answer, approve, reject, cancel, roll back, retry.
//!
//! An act is a move in the record; the flow takes it from there. Each is tried again on the
//! new record when the intent moved at the same moment.

use std::sync::Arc;

use jiff::Timestamp;
use nephoran_model::guard::{Effect, Finding};
use nephoran_model::intent::{
    Answer, Approval, Change, Confirmation, Constraints, Intent, IntentId, Parent, Relation, Request, Source,
    State,
};
use nephoran_model::plan::PlanHash;
use nephoran_model::proposal::{Action, Actions, Missing, Priority, Proposal, Rollback};
use nephoran_queue::Queue;
use serde_json::json;

use super::records::Records;
use crate::admit::desk::band;
use crate::admit::{Admitted, Desk, Refusal, Submission};
use crate::plan::Planner;
use crate::store::{self, AuditNote};
use crate::translate;

/// Acts of people, with the identity of who acts.
#[derive(Clone)]
pub struct Acts {
    inner: Arc<Inner>,
}

struct Inner {
    records: Records,
    queue: Queue<IntentId>,
    desk: Desk,
    planner: Planner,
    /// A language model is asked what the grammar cannot account for.
    model_follows: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no intent has the id {0}")]
    Unknown(String),
    /// The state does not allow it (409).
    #[error("{detail}")]
    State { detail: String },
    /// The hash is not that of the plan that would run (412).
    #[error("{detail}")]
    OtherPlan { detail: String },
    /// The actor may not do it (403).
    #[error("{detail}")]
    Forbidden { detail: String },
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Both tries of a compare-and-swap and of reading are bounded: people wait for the answer.
const TRIES: usize = 8;

impl Acts {
    pub fn new(
        records: Records,
        queue: Queue<IntentId>,
        desk: Desk,
        planner: Planner,
        model_follows: bool,
    ) -> Self {
        Self { inner: Arc::new(Inner { records, queue, desk, planner, model_follows }) }
    }

    /// Fills the named missing fields and changes nothing else. Only the author may answer.
    pub async fn answer(&self, id: &IntentId, actor: &str, text: &str) -> Result<Intent, Error> {
        let answered = self
            .change(id, |intent| {
                expect(intent, State::NeedsAnswer, "answered")?;
                if intent.requester != actor {
                    return Err(Error::Forbidden {
                        detail: format!("only {} may answer this question", intent.requester),
                    });
                }
                let now = Timestamp::now();
                let missing =
                    intent.question.as_ref().map(|question| question.missing.clone()).unwrap_or_default();
                let answered = missing.clone();
                intent.answers.push(Answer {
                    at: now,
                    by: actor.to_owned(),
                    missing: answered,
                    text: text.to_owned(),
                });
                let said = note("answer", actor, json!({"text": text}));
                if missing == [Missing::Confirmation] {
                    return confirm(intent, actor, text, now);
                }
                match translate::answered(intent, |actions, text| self.inner.planner.complete(actions, text))
                {
                    Proposal::Actions(actions) => {
                        intent.proposal = Some(Proposal::Actions(actions));
                        intent.question = None;
                        enter(intent, State::Translating, "answered", actor, now)?;
                    }
                    // What the grammar still cannot account for, a model may with the answer beside it.
                    Proposal::Clarify(clarify)
                        if self.inner.model_follows && clarify.missing.contains(&Missing::Action) =>
                    {
                        intent.proposal = None;
                        intent.question = None;
                        enter(intent, State::Translating, "answered", actor, now)?;
                    }
                    Proposal::Clarify(clarify) => {
                        // Asked again: the intent stays where it is.
                        intent.question = Some(translate::question(&clarify));
                    }
                    Proposal::Refuse(refuse) => {
                        let finding = translate::refusal(&refuse);
                        let cause = format!("{}: {}", finding.rule, finding.message);
                        intent.findings = vec![finding];
                        intent.proposal = Some(Proposal::Refuse(refuse));
                        enter(intent, State::Translating, "answered", actor, now)?;
                        enter(intent, State::Refused, &cause, actor, now)?;
                    }
                }
                Ok(Some(said))
            })
            .await?;
        self.wake(&answered);
        Ok(answered)
    }

    /// A person's yes to exactly the plan that would run now.
    pub async fn approve(
        &self,
        id: &IntentId,
        actor: &str,
        hash: &PlanHash,
        comment: Option<String>,
    ) -> Result<Intent, Error> {
        let read = self.get(id).await?;
        expect(&read, State::AwaitingApproval, "approved")?;
        // The plan that would run is made from the repository as it is now. One that cannot be read
        // now is read before anything runs, and a plan that does not fit then is made anew.
        let _ = self.inner.planner.refresh().await;
        if let Some(Proposal::Actions(actions)) = &read.proposal {
            let now = self.inner.planner.plan(&read, actions, Timestamp::now()).await;
            if let Ok(planned) = now
                && let Some(plan) = planned.plan()
                && plan.hash != *hash
            {
                let stale = read.plan.as_ref().is_some_and(|stored| stored.hash == *hash);
                if stale {
                    // The stored plan was overtaken: let the flow make it anew.
                    self.replan(id).await?;
                }
                return Err(Error::OtherPlan {
                    detail: format!(
                        "the plan that would run has the hash {}; read it (nephoran plan {id}) and approve that one",
                        plan.hash
                    ),
                });
            }
        }
        let approved = self
            .change(id, |intent| {
                expect(intent, State::AwaitingApproval, "approved")?;
                match &intent.plan {
                    Some(plan) if plan.hash == *hash => {}
                    _ => {
                        return Err(Error::OtherPlan {
                            detail: format!(
                                "that is not the hash of this intent's plan; read it with: nephoran plan {id}"
                            ),
                        });
                    }
                }
                let waived = self
                    .inner
                    .planner
                    .may_approve(&intent.requester, actor)
                    .map_err(|detail| Error::Forbidden { detail })?;
                let now = Timestamp::now();
                intent.approval = Some(Approval {
                    plan: hash.clone(),
                    by: actor.to_owned(),
                    at: now,
                    until: self.inner.planner.bounds().approved_until(now),
                    comment: comment.clone(),
                    self_approved: waived,
                });
                let cause = if waived { "approved (self-approved, no authentication)" } else { "approved" };
                enter(intent, State::Planned, cause, actor, now)?;
                let waiver = waived.then_some("self-approved, no authentication");
                Ok(Some(note("approve", actor, json!({"plan": hash, "comment": comment, "waiver": waiver}))))
            })
            .await?;
        self.wake(&approved);
        Ok(approved)
    }

    pub async fn reject(&self, id: &IntentId, actor: &str, reason: &str) -> Result<Intent, Error> {
        self.change(id, |intent| {
            expect(intent, State::AwaitingApproval, "rejected")?;
            intent.findings.push(Finding {
                rule: "rejected".into(),
                message: format!("{actor} rejected the plan: {reason}"),
                remedy: "Ask for something else, or talk to whoever rejected it.".into(),
                effect: Effect::Refuse,
            });
            enter(intent, State::Refused, &format!("rejected: {reason}"), actor, Timestamp::now())?;
            Ok(Some(note("reject", actor, json!({"reason": reason}))))
        })
        .await
    }

    /// Ends an intent whose commit was not begun.
    pub async fn cancel(&self, id: &IntentId, actor: &str) -> Result<Intent, Error> {
        let cancelled = self
            .change(id, |intent| {
                if !intent.state.may_become(State::Cancelled) {
                    let detail = if intent.state.is_committed() {
                        format!(
                            "it is {}: cancelling would not take it back; use: nephoran rollback {id}",
                            intent.state
                        )
                    } else {
                        format!("it is {} and cannot be cancelled any more", intent.state)
                    };
                    return Err(Error::State { detail });
                }
                enter(intent, State::Cancelled, "cancelled", actor, Timestamp::now())?;
                Ok(None)
            })
            .await?;
        // Its place in the queue is free for others.
        self.inner.queue.remove(id);
        Ok(cancelled)
    }

    /// A new intent that undoes `id`.
    pub async fn rollback(&self, id: &IntentId, actor: &str) -> Result<Admitted, Error> {
        let intent = self.get(id).await?;
        if !intent.state.is_committed() {
            return Err(Error::State {
                detail: format!("it is {}: only what was applied can be rolled back", intent.state),
            });
        }
        let action = Action::Rollback(Rollback { intent: Some(id.to_string()), target: None });
        let request =
            Request::Proposal(Proposal::Actions(Actions { actions: vec![action], ..Actions::default() }));
        self.follow(&intent, actor, request, Relation::Rollback).await
    }

    /// A new intent that asks again for what `id` failed to do. It is planned anew; an old approval is void.
    pub async fn retry(&self, id: &IntentId, actor: &str) -> Result<Admitted, Error> {
        let intent = self.get(id).await?;
        if intent.state != State::Failed {
            return Err(Error::State {
                detail: format!("it is {}: only a failed intent can be sent again", intent.state),
            });
        }
        self.follow(&intent, actor, intent.request.clone(), Relation::Retry).await
    }

    async fn follow(
        &self,
        parent: &Intent,
        actor: &str,
        request: Request,
        relation: Relation,
    ) -> Result<Admitted, Error> {
        let (change, constraints) = match relation {
            Relation::Retry => (parent.change.clone(), parent.constraints.clone()),
            Relation::Rollback => (Change::default(), Constraints::default()),
        };
        let submission = Submission {
            source: Source::Http,
            requester: actor.to_owned(),
            request,
            priority: Some(parent.priority),
            deadline: None,
            not_before: None,
            change,
            constraints,
            key: None,
            folder_key: None,
            parent: Some(Parent { id: parent.id.clone(), relation }),
            file: None,
            correlation_id: parent.correlation_id.clone(),
            traceparent: None,
        };
        Ok(self.inner.desk.admit(submission).await?)
    }

    /// Workers claim nothing more; what is accepted stays.
    pub async fn pause(&self, actor: &str) -> Result<(), Error> {
        self.inner.queue.pause();
        self.inner.records.store.audit_record("pause", actor, json!({})).await.map_err(unavailable)?;
        Ok(())
    }

    pub async fn resume(&self, actor: &str) -> Result<(), Error> {
        self.inner.records.store.audit_record("resume", actor, json!({})).await.map_err(unavailable)?;
        self.inner.queue.resume_claims();
        Ok(())
    }

    pub fn is_paused(&self) -> bool {
        self.inner.queue.is_paused()
    }

    async fn replan(&self, id: &IntentId) -> Result<(), Error> {
        let replanned = self
            .change(id, |intent| {
                expect(intent, State::AwaitingApproval, "planned anew")?;
                enter(
                    intent,
                    State::Planned,
                    "the repository changed under the plan: planned anew",
                    "operator",
                    Timestamp::now(),
                )?;
                Ok(None)
            })
            .await?;
        self.wake(&replanned);
        Ok(())
    }

    async fn get(&self, id: &IntentId) -> Result<Intent, Error> {
        self.inner.records.get(id).await.map_err(unavailable)?.ok_or_else(|| Error::Unknown(id.to_string()))
    }

    /// Applies `act` to the newest record and makes it durable.
    async fn change(
        &self,
        id: &IntentId,
        act: impl Fn(&mut Intent) -> Result<Option<AuditNote>, Error>,
    ) -> Result<Intent, Error> {
        for _ in 0..TRIES {
            let mut intent = self.get(id).await?;
            let note = act(&mut intent)?;
            match self.inner.records.save(&mut intent, note.into_iter().collect()).await {
                Ok(_) => return Ok(intent),
                Err(store::Error::Stale { .. }) => {}
                Err(cause) => return Err(unavailable(cause)),
            }
        }
        Err(Error::State { detail: "it is changing too fast; try again".into() })
    }

    fn wake(&self, intent: &Intent) {
        if !intent.state.is_resting(intent.hold) {
            self.inner.queue.resume(intent.id.clone(), band(intent.priority));
        }
    }
}

/// The author's yes or no to the sentence that says back what a model understood.
fn confirm(intent: &mut Intent, actor: &str, text: &str, now: Timestamp) -> Result<Option<AuditNote>, Error> {
    let Some(sentence) = intent.question.as_ref().map(|question| question.text.clone()) else {
        return Err(Error::State { detail: "it asks nothing".into() });
    };
    if !translate::is_yes(text) {
        // Asked again: the intent stays where it is.
        return Ok(Some(note("answer", actor, json!({"text": text}))));
    }
    if let Some(understanding) = &mut intent.understanding {
        understanding.confirmed =
            Some(Confirmation { by: actor.to_owned(), at: now, sentence: sentence.clone() });
    }
    // What the author said of priority is known only now.
    if let Some(Proposal::Actions(Actions { priority: Some(said), .. })) = &intent.proposal
        && intent.priority == Priority::Normal
    {
        intent.priority = *said;
    }
    intent.question = None;
    enter(intent, State::Translating, "confirmed what was understood", actor, now)?;
    Ok(Some(note("confirm", actor, json!({"sentence": sentence}))))
}

fn note(kind: &'static str, actor: &str, body: serde_json::Value) -> AuditNote {
    AuditNote { kind, actor: actor.to_owned(), body }
}

fn expect(intent: &Intent, state: State, act: &str) -> Result<(), Error> {
    if intent.state == state {
        return Ok(());
    }
    Err(Error::State { detail: format!("it is {}; only what is {state} can be {act}", intent.state) })
}

fn enter(intent: &mut Intent, state: State, cause: &str, actor: &str, now: Timestamp) -> Result<(), Error> {
    intent.enter(state, cause, actor, now).map_err(|illegal| Error::State { detail: illegal.to_string() })
}

fn unavailable(cause: store::Error) -> Error {
    Error::Refused(Refusal::Store {
        reason: super::chain(&cause),
        retry_after: std::time::Duration::from_secs(2),
    })
}
