//! Words that the grammar cannot account for, and what a language model makes of them.
//!
//! A model's answer is only ever a question to the author: the sentence that says it back. While the
//! model is away the intent waits; where it will not answer, the grammar's own question stands.

use std::time::Duration;

use jiff::Timestamp;
use nephoran_llm::Error;
use nephoran_model::intent::{Intent, IntentId, State};
use nephoran_model::proposal::Proposal;
use tracing::{debug, error, warn};

use super::stages::{Halt, OPERATOR, Stages};
use crate::telemetry::metrics::{Details, Stage};
use crate::translate::model::{self, Translator};
use crate::translate::{self, leaves_words_over};

/// Tries at an endpoint that does not answer, before the author is asked in the model's place. While
/// its breaker is open nothing is tried, so this does not count a long outage.
const MAX_TRIES: u32 = 6;

/// What becomes of an intent that waited for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It rests.
    ToRest,
    /// It rests, and no model was asked for it now.
    AtOnce,
    /// No model is needed for it any more.
    GoesOn,
    /// The model is to be asked again, not before this time.
    Later(Duration),
}

impl Stages {
    /// Asks `translator` about the words of an intent.
    pub(super) async fn understand(&self, id: &IntentId, translator: &dyn Translator) -> Result<Asked, Halt> {
        let Some(mut intent) = self.records.get(id).await? else { return Ok(Asked::ToRest) };
        // What waited may have been cancelled, or have come to an answer by another way.
        if !matches!(intent.state, State::Received | State::Translating)
            || matches!(intent.proposal, Some(Proposal::Actions(_)))
        {
            return Ok(if intent.state.is_resting(intent.hold) { Asked::ToRest } else { Asked::GoesOn });
        }
        if self.expire(&mut intent).await? {
            return Ok(Asked::AtOnce);
        }
        let begun = std::time::Instant::now();
        let answers = model::answers(&intent);
        let understood = {
            let inventory = self.planner.inventory();
            let Some(ask) = model::ask(&intent, &answers, &inventory) else { return Ok(Asked::GoesOn) };
            translator.translate(&ask).await
        };
        let understood = match understood {
            Ok(understood) => understood,
            Err(Error::Away { retry_after }) => return Ok(Asked::Later(retry_after)),
            Err(Error::Late) => {
                // Its own deadline, which is looked at again: a clock may have been set back.
                return Ok(if self.expire(&mut intent).await? {
                    Asked::ToRest
                } else {
                    Asked::Later(Duration::from_millis(100))
                });
            }
            Err(Error::Unreachable(cause)) => {
                intent.attempts += 1;
                if intent.attempts < MAX_TRIES {
                    debug!(intent = %intent.id, cause, tries = intent.attempts, "The model did not answer.");
                    let wait = super::flow::backoff(intent.attempts);
                    intent.retry_at = model::retry_at(wait);
                    self.save(&mut intent).await?;
                    return Ok(Asked::Later(wait));
                }
                warn!(intent = %intent.id, cause, "The model did not answer; its author is asked instead.");
                return self.without(&mut intent, "the language model did not answer").await;
            }
            Err(Error::Rejected(cause)) => {
                error!(intent = %intent.id, cause, "The model will not be asked; `nephoran doctor` says what to change.");
                return self.without(&mut intent, "the language model cannot be asked").await;
            }
            Err(Error::Budget { retry_after }) => {
                let said = format!(
                    "the budget of {} for the language model is spent for the next {} minutes",
                    intent.requester,
                    retry_after.as_secs().div_ceil(60)
                );
                return self.without(&mut intent, &said).await;
            }
        };
        let by = [("nephoran.translator", "model")];
        self.metrics.staged(&intent, Stage::Translate, begun.elapsed(), Details { of: &by, failed: None });
        intent.attempts = 0;
        intent.retry_at = None;
        intent.translator = Some("model".into());
        let at_once = understood.origin.calls == 0;
        intent.understanding = Some(model::understanding(understood.origin));
        self.begin(&mut intent)?;
        match model::confirmable(understood.proposal) {
            Proposal::Actions(actions) => {
                let question = translate::read_back(&actions);
                intent.proposal = Some(Proposal::Actions(actions));
                self.ask(&mut intent, question).await?;
            }
            Proposal::Clarify(clarify) => {
                let question = translate::question(&clarify);
                intent.proposal = Some(Proposal::Clarify(clarify));
                self.ask(&mut intent, question).await?;
            }
            Proposal::Refuse(refuse) => {
                let finding = translate::refusal(&refuse);
                intent.proposal = Some(Proposal::Refuse(refuse));
                self.refuse(&mut intent, vec![finding]).await?;
            }
        }
        Ok(if at_once { Asked::AtOnce } else { Asked::ToRest })
    }

    /// Comes to rest with what the grammar made of the words, and says why no model was asked.
    async fn without(&self, intent: &mut Intent, why: &str) -> Result<Asked, Halt> {
        let proposal = translate::proposal(intent, &self.planner.inventory());
        if !leaves_words_over(&proposal) {
            return Ok(Asked::GoesOn);
        }
        intent.attempts = 0;
        intent.retry_at = None;
        intent.translator = Some("grammar".into());
        self.begin(intent)?;
        if let Proposal::Clarify(clarify) = &proposal {
            let mut question = translate::question(clarify);
            question.text = format!("{} ({why})", question.text);
            intent.proposal = Some(proposal);
            self.ask(intent, question).await?;
        }
        Ok(Asked::ToRest)
    }

    fn begin(&self, intent: &mut Intent) -> Result<(), Halt> {
        if intent.state == State::Received {
            intent.enter(State::Translating, "claimed", OPERATOR, Timestamp::now())?;
        }
        Ok(())
    }
}
