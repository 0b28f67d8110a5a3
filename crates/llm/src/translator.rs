//! Words to a model and back: what is at hand is not asked for, what is asked is bounded, and what
//! comes back is believed only as far as the words carry it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use nephoran_api::strict_schema;
use nephoran_grammar::faithful::{self, Source, Why};
use nephoran_http::{Breaker, Client};
use nephoran_model::proposal::{Actions, MAX_WORDS, Missing, Proposal, RefuseReason};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::debug;

use crate::answer::{self, Reading};
use crate::ask::{Ask, Error, Known, Origin, Passage, Understood};
use crate::budget::{Budget, Repeats};
use crate::cache::{Cache, Flights, Key, Seat};
use crate::endpoint::{Answer, Endpoint, Failed};
use crate::prompt::{self, Bodies, Repair, Shown};
use crate::settings::Settings;
use crate::stats::{Counters, Ended, Stats, add};
use crate::stream::Usage;

/// Passages are a help; nobody waits long for them.
const PASSAGES_LIMIT: Duration = Duration::from_millis(250);
/// What who finds no free place in time is told.
const FULL_AWAY: Duration = Duration::from_secs(1);
/// Tokens of an answer, until the first answers were counted.
const USUAL_COMPLETION: u64 = 300;

/// Finds what documents say about words.
pub trait Passages: Send + Sync {
    fn find<'a>(&'a self, words: &'a str, most: usize) -> BoxFuture<'a, Vec<Passage>>;
}

/// Asks one model.
pub struct ModelTranslator {
    settings: Settings,
    endpoint: Endpoint,
    bodies: Bodies,
    passages: Option<Arc<dyn Passages>>,
    places: Semaphore,
    budget: Budget,
    repeats: Repeats,
    cache: Cache,
    flights: Flights,
    counters: Counters,
    weights: Mutex<Weights>,
    /// The schema of the inventory's slice that was shown last: it seldom changes.
    schema: Mutex<Option<(Known, Arc<str>)>>,
}

/// How many tokens things have, as far as this model told.
#[derive(Debug, Clone, Copy)]
struct Weights {
    /// Tokens of a prompt over our estimate of it.
    prompt: f64,
    completion: f64,
}

impl ModelTranslator {
    pub fn new(settings: Settings, client: Client, passages: Option<Arc<dyn Passages>>) -> Self {
        Self {
            endpoint: Endpoint::new(&settings, client),
            bodies: Bodies::new(&settings),
            passages,
            places: Semaphore::new(settings.max_in_flight.max(1)),
            budget: Budget::new(settings.tokens_per_hour, settings.identities),
            repeats: Repeats::default(),
            cache: Cache::new(settings.cache_entries, settings.cache_life),
            flights: Flights::default(),
            counters: Counters::default(),
            weights: Mutex::new(Weights { prompt: 1.0, completion: USUAL_COMPLETION as f64 }),
            schema: Mutex::default(),
            settings,
        }
    }

    /// Host and port of the endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint.name
    }

    pub fn breaker(&self) -> &Breaker {
        &self.endpoint.breaker
    }

    /// Returns when the endpoint may be asked: nobody takes up work for it before.
    pub async fn ready(&self) {
        self.endpoint.breaker.may_pass().await;
    }

    pub fn stats(&self) -> Stats {
        self.counters.read()
    }

    /// What the model makes of the words, after every check of ours. Dropped, it closes its call.
    pub async fn translate(&self, ask: &Ask<'_>) -> Result<Understood, Error> {
        let outcome = self.seek(ask).await;
        self.counters.end(match &outcome {
            Ok((_, how @ (Ended::Cached | Ended::Shared))) => *how,
            Ok((understood, _)) => match understood.proposal {
                Proposal::Actions(_) => Ended::Actions,
                Proposal::Clarify(_) => Ended::Asked,
                Proposal::Refuse(_) => Ended::Refused,
            },
            Err(Error::Away { .. }) => Ended::Away,
            Err(Error::Budget { .. }) => Ended::Budget,
            Err(Error::Late) => Ended::Late,
            Err(Error::Unreachable(_)) => Ended::Unreachable,
            Err(Error::Rejected(_)) => Ended::Rejected,
        });
        outcome.map(|(understood, _)| understood)
    }

    /// From the cache, with somebody else, or by asking.
    async fn seek(&self, ask: &Ask<'_>) -> Result<(Understood, Ended), Error> {
        let long = |text: &str| text.len() > MAX_WORDS && text.chars().count() > MAX_WORDS;
        if ask.words.is_empty() || long(ask.words) || ask.answers.iter().any(|answer| long(answer)) {
            return Ok((self.understood(Proposal::refuse(RefuseReason::Unsupported), ask), Ended::Refused));
        }
        if self.cache.is_off() && !self.settings.share {
            return self.consult(ask).await.map(|understood| (understood, Ended::Actions));
        }
        let key = self.key(ask);
        loop {
            let now = Instant::now();
            if ask.deadline.is_some_and(|deadline| deadline <= now) {
                return Err(Error::Late);
            }
            if let Some(answer) = self.cache.get(&key, now) {
                return Ok((shared(&answer), Ended::Cached));
            }
            let pilot = match self.flights.board(key) {
                Seat::Passenger(mut waits) if self.settings.share => {
                    let landed = waits.wait_for(Option::is_some);
                    let landed = match ask.deadline {
                        None => landed.await,
                        Some(deadline) => {
                            tokio::time::timeout_at(deadline, landed).await.map_err(|_| Error::Late)?
                        }
                    };
                    match landed.as_deref() {
                        Ok(Some(Ok(answer))) => return Ok((shared(answer), Ended::Shared)),
                        // Its time and its budget were its own.
                        Ok(Some(Err(Error::Late | Error::Budget { .. })) | None) | Err(_) => continue,
                        Ok(Some(Err(error))) => return Err(error.clone()),
                    }
                }
                Seat::Passenger(_) => None,
                Seat::Pilot(pilot) => Some(pilot),
            };
            let outcome = self.consult(ask).await.map(Arc::new);
            if let Ok(answer) = &outcome
                && !matches!(answer.proposal, Proposal::Clarify(_))
            {
                self.cache.put(key, answer.clone(), Instant::now());
            }
            if let Some(pilot) = pilot {
                pilot.land(outcome.clone());
            }
            return outcome.map(|answer| ((*answer).clone(), Ended::Actions));
        }
    }

    /// Asks the model, twice at the most, and judges what it says.
    async fn consult(&self, ask: &Ask<'_>) -> Result<Understood, Error> {
        if ask.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(Error::Late);
        }
        let passages = self.passages(ask).await;
        let shown = Shown::new(ask, &passages, self.settings.max_tokens);
        let schema = self.schema(&ask.known);
        let prompt = self.bodies.prompt_bytes(&shown);
        let _place = self.place(ask.deadline).await?;
        let mut origin =
            Origin { passages: passages.into_iter().map(|passage| passage.id).collect(), ..self.origin() };
        self.repeats.request();
        let mut repair: Option<Repair> = None;
        loop {
            let first = repair.is_none();
            let body = Bytes::from(self.bodies.body(&shown, repair.as_ref(), &schema));
            let (text, faults) = match self.call(ask, body, prompt, &mut origin).await {
                Ok(answer) => match answer::read(&answer.text) {
                    Ok(reading) => match self.judge(ask, reading, first) {
                        Ok(proposal) => {
                            return Ok(Understood { proposal: with_texts(proposal, ask), origin });
                        }
                        Err(faults) => (answer.text, faults),
                    },
                    Err(faults) => {
                        add(&self.counters.invalid, 1);
                        (answer.text, faults)
                    }
                },
                Err(Failed::Invalid { text, fault, .. }) => {
                    add(&self.counters.invalid, 1);
                    (text, vec![fault.to_owned()])
                }
                Err(Failed::Broken(error) | Failed::Final(error)) => return Err(error),
            };
            debug!(
                endpoint = self.endpoint.name,
                ?faults,
                first,
                "The model's answer has not the right form."
            );
            if !first {
                let proposal = with_texts(Proposal::ask([Missing::Action]), ask);
                return Ok(Understood { proposal, origin });
            }
            add(&self.counters.repairs, 1);
            repair = Some(Repair::new(text, faults));
        }
    }

    /// One call, made a second time when the endpoint broke and repeats are left.
    async fn call(
        &self,
        ask: &Ask<'_>,
        body: Bytes,
        prompt: usize,
        origin: &mut Origin,
    ) -> Result<Answer, Failed> {
        let mut repeated = false;
        loop {
            let weights = *self.weights.lock().expect("no holder of the weights panics");
            let estimate = (prompt as f64 / 3.5 * weights.prompt) as u64;
            let reserved = self
                .budget
                .reserve(ask.identity, estimate + weights.completion as u64, Instant::now())
                .map_err(|retry_after| Failed::Final(Error::Budget { retry_after }))?;
            let begun = Instant::now();
            let asked = self.endpoint.call(body.clone(), ask.deadline).await;
            // What was not asked at all: the breaker is open, or the settings are wrong.
            let unasked = matches!(&asked, Err(Failed::Final(Error::Away { .. } | Error::Rejected(_))));
            if !unasked {
                self.counters.call(begun.elapsed());
                origin.calls += 1;
            }
            let (usage, length) = match &asked {
                Ok(answer) => (answer.usage, answer.text.len()),
                Err(Failed::Invalid { usage, text, .. }) => (*usage, text.len()),
                Err(_) => {
                    // What took too long was worked on: it keeps what was set aside.
                    if unasked || matches!(asked, Err(Failed::Broken(_))) {
                        self.budget.settle(ask.identity, reserved, 0);
                    }
                    match asked {
                        Err(Failed::Broken(error)) => {
                            if repeated || self.breaker_is_open() || !self.repeats.may_repeat() {
                                return Err(Failed::Broken(error));
                            }
                            debug!(endpoint = self.endpoint.name, %error, "The call is made again.");
                            add(&self.counters.repeats, 1);
                            repeated = true;
                            continue;
                        }
                        other => return other,
                    }
                }
            };
            let counted = usage.unwrap_or(Usage { prompt: estimate, completion: length.div_ceil(3) as u64 });
            if usage.is_some() {
                self.weigh(prompt, counted);
            }
            self.budget.settle(ask.identity, reserved, counted.prompt + counted.completion);
            origin.prompt_tokens += counted.prompt;
            origin.completion_tokens += counted.completion;
            add(&self.counters.prompt_tokens, counted.prompt);
            add(&self.counters.completion_tokens, counted.completion);
            return asked;
        }
    }

    fn breaker_is_open(&self) -> bool {
        self.endpoint.breaker.state() == nephoran_http::BreakerState::Open
    }

    fn weigh(&self, prompt: usize, usage: Usage) {
        let mut weights = self.weights.lock().expect("no holder of the weights panics");
        let seen = usage.prompt as f64 / (prompt as f64 / 3.5);
        // A server's count may be anything; ours stays near what texts have.
        weights.prompt = (weights.prompt * 0.9 + seen * 0.1).clamp(0.25, 4.0);
        weights.completion = (weights.completion * 0.9 + usage.completion as f64 * 0.1)
            .clamp(1.0, f64::from(self.settings.max_tokens));
    }

    /// Believes what the words carry, and asks about the rest. Errors are those of quotes alone, of a
    /// proposal that the words carry, when the model may still be shown them.
    fn judge(&self, ask: &Ask<'_>, reading: Reading, may_repair: bool) -> Result<Proposal, Vec<String>> {
        let (mut actions, evidence) = match reading {
            Reading::Other(proposal) => return Ok(proposal),
            Reading::Actions(actions, evidence) => (actions, evidence),
        };
        let source = Source { words: ask.words, answers: ask.answers };
        let misses = match faithful::check(&source, &actions, &evidence) {
            Ok(()) => {
                add_motive(&mut actions, ask.words);
                return Ok(Proposal::Actions(actions));
            }
            Err(misses) => misses,
        };
        add(&self.counters.unfaithful, 1);
        debug!(
            endpoint = self.endpoint.name,
            misses = misses.len(),
            first = misses.first().map(|miss| miss.why.to_string()).unwrap_or_default(),
            "The model's proposal does not rest on the words."
        );
        let quotes = |why| matches!(why, Why::NoEvidence | Why::NotQuoted | Why::WrongPlace | Why::NoLeaf);
        if may_repair && misses.iter().all(|miss| quotes(miss.why)) {
            return Err(misses
                .iter()
                .map(|miss| format!("the evidence is wrong: {}: {}", miss.path, miss.why))
                .collect());
        }
        Ok(Proposal::ask(misses.iter().map(|miss| asked_for(&miss.path, miss.why))))
    }

    async fn passages(&self, ask: &Ask<'_>) -> Vec<Passage> {
        let Some(passages) = &self.passages else { return Vec::new() };
        if self.settings.passages == 0 {
            return Vec::new();
        }
        let found = passages.find(ask.words, self.settings.passages);
        let mut found = tokio::time::timeout(PASSAGES_LIMIT, found).await.unwrap_or_default();
        found.truncate(self.settings.passages);
        found
    }

    async fn place(&self, deadline: Option<Instant>) -> Result<tokio::sync::SemaphorePermit<'_>, Error> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let limit = Instant::now() + self.settings.max_wait;
        let by = deadline.map_or(limit, |deadline| deadline.min(limit));
        match tokio::time::timeout_at(by, self.places.acquire()).await {
            Ok(place) => Ok(place.expect("the places are never closed")),
            Err(_) if by < limit => Err(Error::Late),
            Err(_) => Err(Error::Away { retry_after: FULL_AWAY }),
        }
    }

    fn schema(&self, known: &Known) -> Arc<str> {
        let mut kept = self.schema.lock().expect("no holder of the schema panics");
        if let Some((of, schema)) = &*kept
            && of == known
        {
            return schema.clone();
        }
        let schema: Arc<str> = strict_schema::text(strict_schema::Known {
            names: &known.names,
            namespaces: &known.namespaces,
            clusters: &known.clusters,
        })
        .into();
        *kept = Some((known.clone(), schema.clone()));
        schema
    }

    /// All that decides an answer.
    fn key(&self, ask: &Ask<'_>) -> Key {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        let mut part = |text: &str| {
            context.update(&(text.len() as u64).to_le_bytes());
            context.update(text.as_bytes());
        };
        part(&self.settings.model);
        part(prompt::version());
        part(ask.words);
        let known = &ask.known;
        for list in [ask.answers, &known.names, &known.namespaces, &known.clusters] {
            part(&list.len().to_string());
            list.iter().for_each(|text| part(text));
        }
        Key(context.finish().as_ref().try_into().expect("a SHA-256 digest has 32 bytes"))
    }

    fn origin(&self) -> Origin {
        Origin {
            endpoint: self.endpoint.name.clone(),
            model: self.settings.model.clone(),
            prompt_version: prompt::version().to_owned(),
            ..Origin::default()
        }
    }

    fn understood(&self, proposal: Proposal, ask: &Ask<'_>) -> Understood {
        Understood { proposal: with_texts(proposal, ask), origin: self.origin() }
    }
}

/// The same answer for somebody who did not ask for it: it cost nothing more.
fn shared(answer: &Understood) -> Understood {
    let origin =
        Origin { prompt_tokens: 0, completion_tokens: 0, calls: 0, shared: true, ..answer.origin.clone() };
    Understood { proposal: answer.proposal.clone(), origin }
}

/// A reason changes nothing and is taken from the words alone.
fn add_motive(actions: &mut Actions, words: &str) {
    if actions.motive.is_none() {
        actions.motive = faithful::motive(words);
    }
}

/// What people are shown is ours.
pub(crate) fn with_texts(proposal: Proposal, ask: &Ask<'_>) -> Proposal {
    match proposal {
        Proposal::Clarify(mut clarify) => {
            clarify.question = Some(nephoran_grammar::question(&clarify.missing, Some(ask.words)));
            Proposal::Clarify(clarify)
        }
        Proposal::Refuse(mut refuse) => {
            refuse.explanation = Some(nephoran_grammar::refusal(refuse.reason));
            Proposal::Refuse(refuse)
        }
        actions @ Proposal::Actions(_) => actions,
    }
}

/// What to ask when a leaf was not said: the leaf. Anything else is asked about as a whole.
fn asked_for(path: &str, why: Why) -> Missing {
    if why != Why::NotSaid {
        return Missing::Action;
    }
    let has = |name: &str| path.split('/').any(|part| part == name);
    if has("replicas") {
        Missing::Replicas
    } else if has("namespace") || has("cluster") || has("place") {
        Missing::Place
    } else if has("target") {
        Missing::Target
    } else {
        Missing::Action
    }
}
