//! One intent from its record to where it can rest: translate, plan, review, apply, read back.
//!
//! All moves up to the commit are written down in one go before it, and the outcome after it: a
//! crash between the two finds the plan's commit again by its hash.

use std::sync::Arc;

use jiff::Timestamp;
use nephoran_model::guard::{Effect, Finding, Verdict};
use nephoran_model::intent::{HoldReason, Intent, IntentId, Outcome, Question, Request, State};
use nephoran_model::plan::StepState;
use nephoran_model::proposal::Proposal;
use tokio::sync::Semaphore;
use tracing::debug;

use super::fields::Holder;
use super::records::Records;
use crate::actuate::{self, Actuator, Fence};
use crate::plan::{Planned, Planner};
use crate::store::{self, AuditHead};
use crate::telemetry::metrics::{Actuation, Details, Metrics, Stage};
use crate::translate;
use crate::translate::model::Translator;

/// A plan that the repository overtook is made anew this often before the intent fails.
const MAX_REPLANS: u32 = 3;

pub(super) const OPERATOR: &str = "operator";

/// What stopped the work on an intent for now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Halt {
    #[error("store")]
    Store(#[from] store::Error),
    #[error("plan")]
    Plan(#[from] crate::plan::Error),
    #[error("read back what was written")]
    Read(#[from] crate::package::Error),
    #[error("actuate")]
    Actuate(#[from] actuate::Error),
    #[error(transparent)]
    Move(#[from] nephoran_model::intent::IllegalMove),
}

/// What the stages work with.
pub(super) struct Stages {
    pub(super) records: Records,
    pub(super) planner: Planner,
    actuator: Arc<dyn Actuator>,
    /// Asked for the words that the grammar cannot account for.
    pub(super) model: Option<Arc<dyn Translator>>,
    /// Plans that may be drawn at a time.
    workers: Semaphore,
    pub(super) metrics: Metrics,
}

/// How far the work on an intent came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    /// To where it rests.
    ToRest,
    /// To words that only a language model may understand: they wait for one, elsewhere.
    ToTheModel,
}

impl Stages {
    pub(super) fn new(
        records: Records,
        planner: Planner,
        actuator: Arc<dyn Actuator>,
        model: Option<Arc<dyn Translator>>,
        workers: usize,
    ) -> Self {
        let metrics = records.metrics.clone();
        Self { records, planner, actuator, model, workers: Semaphore::new(workers), metrics }
    }

    /// From the record to where it can rest, or to where only a model can go on.
    pub(super) async fn work(&self, id: &IntentId, read: Option<Intent>) -> Result<Went, Halt> {
        let mut intent = match read {
            Some(intent) => intent,
            None => match self.records.get(id).await? {
                Some(intent) => intent,
                None => return Ok(Went::ToRest),
            },
        };
        let mut replans = 0;
        loop {
            if intent.state.is_resting(None) {
                return Ok(Went::ToRest);
            }
            if self.expire(&mut intent).await? {
                return Ok(Went::ToRest);
            }
            if matches!(intent.state, State::Received | State::Translating) {
                match self.translate(&mut intent).await? {
                    Translated::Goes => {}
                    Translated::Rests => return Ok(Went::ToRest),
                    Translated::NeedsModel => return Ok(Went::ToTheModel),
                }
            }
            if intent.state == State::Applying && self.resume_applying(&mut intent).await? {
                return Ok(Went::ToRest);
            }
            match self.plan_and_apply(&mut intent).await? {
                After::Rests => return Ok(Went::ToRest),
                After::Overtaken if replans < MAX_REPLANS => {
                    replans += 1;
                    intent.enter(
                        State::Planned,
                        "the repository changed under the plan: planned anew",
                        OPERATOR,
                        Timestamp::now(),
                    )?;
                }
                After::Overtaken => {
                    intent.enter(
                        State::Failed,
                        format!("the repository changed under the plan {} times", MAX_REPLANS + 1),
                        OPERATOR,
                        Timestamp::now(),
                    )?;
                    self.save(&mut intent).await?;
                    return Ok(Went::ToRest);
                }
            }
        }
    }
}

/// How translating ended.
enum Translated {
    /// There is a proposal to plan.
    Goes,
    /// The intent rests with a question or a refusal.
    Rests,
    /// The grammar cannot account for every word, and a model may be asked.
    NeedsModel,
}

/// How planning and applying ended.
enum After {
    Rests,
    /// The repository moved under the plan.
    Overtaken,
}

impl Stages {
    /// Ends an intent whose deadline passed before it was begun.
    pub(super) async fn expire(&self, intent: &mut Intent) -> Result<bool, Halt> {
        let now = Timestamp::now();
        let late = intent.deadline.is_some_and(|deadline| deadline <= now);
        if !late || !intent.state.may_become(State::Expired) {
            return Ok(false);
        }
        intent.enter(State::Expired, "its deadline passed before it was begun", OPERATOR, now)?;
        self.save(intent).await?;
        Ok(true)
    }

    /// Gives the intent its proposal, a question or a refusal.
    async fn translate(&self, intent: &mut Intent) -> Result<Translated, Halt> {
        let begun = std::time::Instant::now();
        // An answered intent already has the proposal that its answer completed.
        let answered = matches!(intent.proposal, Some(Proposal::Actions(_)));
        if !answered {
            let proposal = translate::proposal(intent, &self.planner.inventory());
            if self.model.is_some() && translate::is_beyond_the_grammar(intent, &proposal) {
                return Ok(Translated::NeedsModel);
            }
            intent.translator = match intent.request {
                Request::Text(_) => Some("grammar".into()),
                Request::Proposal(_) | Request::Intent { .. } => None,
            };
            intent.proposal = Some(proposal);
        }
        if intent.state == State::Received {
            intent.enter(State::Translating, "claimed", OPERATOR, Timestamp::now())?;
        }
        let by = [("nephoran.translator", "grammar")];
        self.metrics.staged(intent, Stage::Translate, begun.elapsed(), Details { of: &by, failed: None });
        match &intent.proposal {
            Some(Proposal::Actions(actions)) if intent.is_unconfirmed() => {
                let question = translate::read_back(actions);
                self.ask(intent, question).await?;
                Ok(Translated::Rests)
            }
            Some(Proposal::Actions(_)) | None => Ok(Translated::Goes),
            Some(Proposal::Clarify(clarify)) => {
                let question = translate::question(clarify);
                self.ask(intent, question).await?;
                Ok(Translated::Rests)
            }
            Some(Proposal::Refuse(refuse)) => {
                let finding = translate::refusal(refuse);
                self.refuse(intent, vec![finding]).await?;
                Ok(Translated::Rests)
            }
        }
    }

    pub(super) async fn ask(&self, intent: &mut Intent, question: Question) -> Result<(), Halt> {
        intent.enter(State::NeedsAnswer, question.text.clone(), OPERATOR, Timestamp::now())?;
        intent.question = Some(question);
        self.save(intent).await?;
        Ok(())
    }

    pub(super) async fn refuse(&self, intent: &mut Intent, findings: Vec<Finding>) -> Result<(), Halt> {
        let cause = findings
            .iter()
            .find(|finding| finding.effect == Effect::Refuse)
            .or(findings.first())
            .map_or_else(|| "refused".to_owned(), |finding| format!("{}: {}", finding.rule, finding.message));
        intent.enter(State::Refused, cause, OPERATOR, Timestamp::now())?;
        intent.findings = findings;
        self.save(intent).await?;
        Ok(())
    }

    async fn plan_and_apply(&self, intent: &mut Intent) -> Result<After, Halt> {
        let Some(Proposal::Actions(actions)) = intent.proposal.clone() else {
            // Only a record that was altered by hand comes here.
            intent.enter(State::Failed, "the record has no proposal to plan", OPERATOR, Timestamp::now())?;
            self.save(intent).await?;
            return Ok(After::Rests);
        };
        let begun = std::time::Instant::now();
        let planned = {
            // Waiting for a sync or a commit needs no worker; planning does.
            let _worker = self.workers.acquire().await.expect("the semaphore is never closed");
            // It may have waited for one.
            if self.expire(intent).await? {
                return Ok(After::Rests);
            }
            self.planner.plan(intent, &actions, Timestamp::now()).await?
        };
        self.metrics.staged(intent, Stage::Plan, begun.elapsed(), Details::default());
        if let Planned::Reviewed(reviewed) = &planned {
            self.metrics.staged(intent, Stage::Guard, reviewed.judged_in, Details::default());
        }
        if intent.state != State::Planned {
            let cause = planned.summary();
            intent.enter(State::Planned, cause, OPERATOR, Timestamp::now())?;
        }
        intent.question = None;
        intent.findings = planned.findings().to_vec();
        for finding in &intent.findings {
            self.metrics.finding(&finding.rule);
        }
        if let Some(plan) = planned.plan() {
            let parent =
                intent.plan.as_ref().map(|before| before.hash.clone()).filter(|hash| *hash != plan.hash);
            intent.plan = Some(nephoran_model::plan::Plan { parent, ..plan.clone() });
        }
        match planned {
            Planned::Ask(question) => {
                self.ask(intent, question).await?;
                Ok(After::Rests)
            }
            Planned::Refused(findings) => {
                self.refuse(intent, findings).await?;
                Ok(After::Rests)
            }
            Planned::Answer { text, .. } => {
                intent.answer = Some(text);
                intent.enter(State::Answered, "answered; nothing applied", OPERATOR, Timestamp::now())?;
                self.save(intent).await?;
                Ok(After::Rests)
            }
            Planned::Reviewed(reviewed) => {
                if let Some(undone) = reviewed.undoes
                    && intent.parent.is_none()
                {
                    intent.parent = Some(nephoran_model::intent::Parent {
                        id: undone,
                        relation: nephoran_model::intent::Relation::Rollback,
                    });
                }
                match reviewed.verdict {
                    Verdict::Refused { findings, .. } => {
                        self.refuse(intent, findings).await?;
                        Ok(After::Rests)
                    }
                    Verdict::Held { .. } => {
                        intent.enter(
                            State::Planned,
                            "held: the guard is frozen",
                            OPERATOR,
                            Timestamp::now(),
                        )?;
                        intent.hold = Some(HoldReason::Frozen);
                        self.save(intent).await?;
                        self.supersede_uncommitted(intent, &reviewed.rivals, false).await?;
                        Ok(After::Rests)
                    }
                    Verdict::NeedsApproval { findings, .. } => {
                        let mut cause = findings
                            .iter()
                            .filter(|finding| finding.effect == Effect::Approval)
                            .map(|finding| finding.rule.as_str())
                            .collect::<Vec<_>>()
                            .join(", ");
                        if intent.approval.take().is_some() {
                            cause.push_str("; the approval given before was for another plan and is void");
                        }
                        intent.enter(
                            State::AwaitingApproval,
                            format!("needs approval: {cause}"),
                            OPERATOR,
                            Timestamp::now(),
                        )?;
                        self.save(intent).await?;
                        self.supersede_uncommitted(intent, &reviewed.rivals, false).await?;
                        Ok(After::Rests)
                    }
                    Verdict::Approved(approved) => {
                        // From here on it is carried through, however late it gets.
                        if self.expire(intent).await? {
                            return Ok(After::Rests);
                        }
                        self.apply(intent, approved, reviewed.rivals, reviewed.reports).await
                    }
                }
            }
        }
    }

    async fn apply(
        &self,
        intent: &mut Intent,
        approved: nephoran_model::guard::ApprovedPlan,
        rivals: Vec<Holder>,
        reports: bool,
    ) -> Result<After, Halt> {
        if approved.plan().is_already_so() {
            let now = Timestamp::now();
            self.metrics.actuation(Actuation::AlreadySo);
            intent.enter(State::Applied, "already so: nothing to commit", OPERATOR, now)?;
            self.record_outcomes(intent, None, now).await?;
            if reports {
                intent.answer = intent.plan.as_ref().map(|plan| self.planner.report(plan));
            }
            self.save(intent).await?;
            self.undo_parent(intent).await?;
            return Ok(After::Rests);
        }
        intent.supersedes = rivals.iter().map(|rival| rival.id.clone()).collect();
        intent.enter(State::Applying, "approved by the guard", OPERATOR, Timestamp::now())?;
        let audit = self.save(intent).await?;
        self.supersede_uncommitted(intent, &rivals, true).await?;
        let fence = Fence {
            intent: intent.id.clone(),
            generation: intent.generation,
            requester: intent.requester.clone(),
            approved_by: approved.approved_by().map(str::to_owned),
            ticket: intent.change.ticket.clone(),
            audit,
        };
        let begun = std::time::Instant::now();
        let applied = self.actuator.apply(&approved, fence).await;
        match &applied {
            Ok(applied) => {
                let done =
                    [("nephoran.commit", &*applied.commit), ("nephoran.repository", &*applied.repository)];
                self.metrics.staged(
                    intent,
                    Stage::Apply,
                    begun.elapsed(),
                    Details { of: &done, failed: None },
                );
            }
            Err(cause) => {
                let failed = Some(cause.to_string());
                let details = Details { of: &[], failed: failed.as_deref() };
                self.metrics.staged(intent, Stage::Apply, begun.elapsed(), details);
            }
        }
        self.metrics.actuation(match &applied {
            Ok(_) => Actuation::Committed,
            Err(actuate::Error::Stale(_)) => Actuation::Stale,
            Err(actuate::Error::Passing(_) | actuate::Error::Lasting(_)) => Actuation::Failed,
        });
        match applied {
            Ok(applied) => {
                self.applied(intent, applied).await?;
                Ok(After::Rests)
            }
            Err(actuate::Error::Stale(_)) => Ok(After::Overtaken),
            Err(actuate::Error::Lasting(cause)) => {
                intent.enter(State::Failed, cause, OPERATOR, Timestamp::now())?;
                self.save(intent).await?;
                Ok(After::Rests)
            }
            Err(passing @ actuate::Error::Passing(_)) => Err(passing.into()),
        }
    }

    /// An intent that was being applied when the operator stopped, or whose try failed: its commit
    /// is looked for before anything is made again. True when it was found.
    async fn resume_applying(&self, intent: &mut Intent) -> Result<bool, Halt> {
        let found = match &intent.plan {
            Some(plan) => self.actuator.find(plan).await?,
            None => None,
        };
        match found {
            Some(applied) => {
                self.applied(intent, applied).await?;
                Ok(true)
            }
            None => {
                let cause = "its commit is not in the repository: planned anew";
                intent.enter(State::Planned, cause, OPERATOR, Timestamp::now())?;
                Ok(false)
            }
        }
    }

    async fn applied(&self, intent: &mut Intent, applied: actuate::Applied) -> Result<(), Halt> {
        let short = applied.commit.get(..12).unwrap_or(&applied.commit);
        let cause = format!("commit {short} in {}, read back", applied.repository);
        intent.enter(State::Applied, cause, OPERATOR, applied.at)?;
        self.record_outcomes(intent, Some(&applied), applied.at).await?;
        // The report is read after the other steps.
        intent.answer = intent
            .plan
            .as_ref()
            .filter(|plan| plan.steps.iter().any(|step| step.action == "report"))
            .map(|plan| self.planner.report(plan));
        intent.attempts = 0;
        intent.retry_at = None;
        self.save(intent).await?;
        debug!(intent = %intent.id, commit = %applied.commit, "Applied.");
        for rival in intent.supersedes.clone() {
            self.supersede(&rival, intent, "superseded by").await?;
        }
        self.undo_parent(intent).await
    }

    /// Writes down what was done for each step and what is read where it was written.
    async fn record_outcomes(
        &self,
        intent: &mut Intent,
        applied: Option<&actuate::Applied>,
        at: Timestamp,
    ) -> Result<(), Halt> {
        let Some(plan) = &mut intent.plan else { return Ok(()) };
        intent.outcomes = plan
            .steps
            .iter()
            .filter(|step| !step.edits.is_empty())
            .map(|step| Outcome {
                step: step.id.clone(),
                commit: applied.filter(|_| !step.is_already_so()).map(|applied| applied.commit.clone()),
                at,
                note: step
                    .is_already_so()
                    .then(|| format!("already so: {} is {}", step.edits[0].field, step.edits[0].after)),
            })
            .collect();
        for step in &mut plan.steps {
            step.state = if step.is_already_so() { StepState::AlreadySo } else { StepState::Done };
        }
        let begun = std::time::Instant::now();
        intent.fulfilment = self.planner.fulfilment(plan, at).await?;
        self.metrics.staged(intent, Stage::Verify, begun.elapsed(), Details::default());
        Ok(())
    }

    /// The intent that this one rolls back has come to its end.
    async fn undo_parent(&self, intent: &Intent) -> Result<(), Halt> {
        use nephoran_model::intent::{Parent, Relation};
        let Some(Parent { id, relation: Relation::Rollback }) = &intent.parent else { return Ok(()) };
        self.end_other(id, State::RolledBack, &format!("rolled back by {}", intent.id), |parent| {
            parent.superseded_by = Some(intent.id.clone());
        })
        .await
    }

    async fn supersede_uncommitted(
        &self,
        intent: &Intent,
        rivals: &[Holder],
        others_too: bool,
    ) -> Result<(), Halt> {
        for rival in rivals.iter().filter(|rival| !rival.committed) {
            if others_too || rival.requester == intent.requester {
                self.supersede(&rival.id, intent, "superseded before its commit by").await?;
            }
        }
        Ok(())
    }

    async fn supersede(&self, rival: &IntentId, by: &Intent, cause: &str) -> Result<(), Halt> {
        if by.parent.as_ref().is_some_and(|parent| parent.id == *rival) {
            return Ok(());
        }
        self.end_other(rival, State::Superseded, &format!("{cause} {}", by.id), |rival| {
            rival.superseded_by = Some(by.id.clone());
        })
        .await
    }

    /// Ends another intent that rests; one that has moved on meanwhile is left alone.
    async fn end_other(
        &self,
        id: &IntentId,
        state: State,
        cause: &str,
        mark: impl Fn(&mut Intent),
    ) -> Result<(), Halt> {
        // A person may act on it at the same moment: read again, as often as it takes, and it
        // soon rests or ends.
        loop {
            let Some(mut other) = self.records.get(id).await? else { return Ok(()) };
            if !other.state.is_resting(other.hold) || !other.state.may_become(state) {
                return Ok(());
            }
            other.enter(state, cause, OPERATOR, Timestamp::now())?;
            mark(&mut other);
            match self.save(&mut other).await {
                Ok(_) => return Ok(()),
                Err(Halt::Store(store::Error::Stale { .. })) => {}
                Err(halt) => return Err(halt),
            }
        }
    }

    pub(super) async fn save(&self, intent: &mut Intent) -> Result<AuditHead, Halt> {
        Ok(self.records.save(intent, Vec::new()).await?)
    }
}
