//! One run: an operator and a model of its own, the load, and what became of each request.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nephoran_sim::model::{Script, ScriptedModel};
use serde_json::{Value, json};

use super::generator::{Sent, generate};
use super::load::{self, Connection};
use super::operator::Operator;
use super::schedule::{Planned, Stream, plan};
use super::{CALL, DEADLINE, SLOTS, quantile};

pub struct Phase {
    pub streams: Vec<Stream>,
    /// Requests before it are not counted.
    pub counted_from: Duration,
    /// The model answers nothing between these.
    pub stall: Option<(Duration, Duration)>,
}

impl Phase {
    pub fn new(streams: Vec<Stream>, counted_from: Duration) -> Self {
        Self { streams, counted_from, stall: None }
    }
}

/// Long enough to open a thousand connections before the plan begins.
const LEAD: Duration = Duration::from_secs(7);

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Done,
    /// At rest, or ended, after its deadline or because of it.
    Late,
    Failed,
    /// 429 or 503, with a time to come back.
    Refused,
    /// Any other answer.
    Other,
    /// No answer at all.
    Silent,
}

pub struct Figures {
    /// By priority: what became of the requests that count.
    fates: BTreeMap<&'static str, BTreeMap<Fate, usize>>,
    /// Of the time that counts.
    lasted: Duration,
    refusals: Vec<Duration>,
    accepts: Vec<Duration>,
    statuses: BTreeMap<u16, usize>,
    /// Calls of the model, of all requests.
    pub calls: u64,
    accepted: usize,
    pub generator_cpu: f64,
    pub sent_late: Duration,
    operator_cpu: f64,
    /// Second by second: planned, done in time.
    seconds: Vec<(usize, usize)>,
    why_not: BTreeMap<String, usize>,
}

impl Figures {
    pub fn offered(&self, priority: &str) -> usize {
        self.fates.get(priority).map_or(0, |fates| fates.values().sum())
    }

    fn done(&self, priority: &str) -> usize {
        self.fates.get(priority).and_then(|fates| fates.get(&Fate::Done)).copied().unwrap_or_default()
    }

    /// Done in time, a second.
    pub fn goodput(&self, priority: &str) -> f64 {
        self.done(priority) as f64 / self.lasted.as_secs_f64()
    }

    /// Done in time, of those sent.
    pub fn share(&self, priority: &str) -> f64 {
        self.done(priority) as f64 / self.offered(priority).max(1) as f64
    }

    pub fn refusal(&self, share: f64) -> Duration {
        quantile(&mut self.refusals.clone(), share)
    }

    pub fn refused(&self) -> usize {
        self.refusals.len()
    }

    pub fn accepted(&self) -> usize {
        self.accepted
    }

    pub fn attempts(&self) -> f64 {
        self.calls as f64 / self.accepted.max(1) as f64
    }

    pub fn json(&self) -> Value {
        let fates: serde_json::Map<String, Value> = self
            .fates
            .iter()
            .map(|(priority, fates)| {
                let fates: serde_json::Map<String, Value> = fates
                    .iter()
                    .map(|(fate, count)| (format!("{fate:?}").to_lowercase(), json!(count)))
                    .collect();
                ((*priority).to_owned(), fates.into())
            })
            .collect();
        json!({
            "fates": fates, "seconds_counted": self.lasted.as_secs_f64(), "model_calls": self.calls,
            "accepted": self.accepted, "generator_cpu": self.generator_cpu,
            "sent_late_p99_seconds": self.sent_late.as_secs_f64(), "operator_cpu": self.operator_cpu,
            "refusal_p50_seconds": self.refusal(0.5).as_secs_f64(),
            "refusal_p99_seconds": self.refusal(0.99).as_secs_f64(),
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (priority, fates) in &self.fates {
            writeln!(
                f,
                "  {priority}: {} offered, {:.1}/s done in time ({:.2} %): {fates:?}",
                self.offered(priority),
                self.goodput(priority),
                100.0 * self.share(priority)
            )?;
        }
        writeln!(f, "  answers by status, all requests: {:?}", self.statuses)?;
        writeln!(
            f,
            "  refusals p50 {:?} p99 {:?}; acceptances p50 {:?} p99 {:?}",
            self.refusal(0.5),
            self.refusal(0.99),
            quantile(&mut self.accepts.clone(), 0.5),
            quantile(&mut self.accepts.clone(), 0.99)
        )?;
        writeln!(
            f,
            "  model calls {} for {} accepted; operator {:.0} % of a core, generator {:.1} %, sent late p99 {:?}",
            self.calls,
            self.accepted,
            100.0 * self.operator_cpu,
            100.0 * self.generator_cpu,
            self.sent_late
        )?;
        writeln!(f, "  not done: {:?}", self.why_not)?;
        let seconds: Vec<String> =
            self.seconds.iter().map(|(planned, done)| format!("{done}/{planned}")).collect();
        write!(f, "  by second: {}", seconds.join(" "))
    }
}

fn config(model: &str) -> String {
    // Limits are measured elsewhere; here they must not hide what the queue and the deadlines do.
    format!(
        "limits: off\ntelemetry: {{log: warn}}\nhttp: {{allow: [127.0.0.1]}}\ntranslate:\n  order: [grammar, model]\n  \
         model: {{endpoint: \"{model}\", name: scripted, tokens_per_hour: null, cache_entries: 0}}\n"
    )
}

pub fn run(phase: &Phase) -> Figures {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs threads and nothing else");
    let folder = tempfile::tempdir().expect("a temporary folder");
    nephoran_sim::packages::repository(&folder.path().join("packages.git"), 10);
    let script = Script::honest().slots(SLOTS).delay(CALL).chunk(4096);
    let model = ScriptedModel::start(script);
    let operator = runtime.block_on(Operator::start(folder.path(), &config(&model.url())));
    let address = operator.address.parse().expect("an address and a port");

    let (start, started) = (Instant::now() + LEAD, Timestamp::now() + LEAD);
    let planned = plan(&phase.streams, started, DEADLINE);
    let lasting = planned.last().map_or(Duration::ZERO, |last| last.at);
    let cpu_before = operator.cpu();
    let generated = std::thread::scope(|scope| {
        if let Some((from, to)) = phase.stall {
            let model = &model;
            scope.spawn(move || {
                for (at, on) in [(from, true), (to, false)] {
                    std::thread::park_timeout((start + at).saturating_duration_since(Instant::now()));
                    model.stall(on);
                }
            });
        }
        let plan = &planned;
        scope.spawn(move || generate(address, plan, start)).join().expect("the generator comes to its end")
    });
    let operator_cpu = (operator.cpu() - cpu_before).as_secs_f64() / lasting.as_secs_f64();
    // Whatever was accepted is at rest or over after its deadline, and a moment for the record.
    std::thread::park_timeout(DEADLINE);
    let fates = runtime.block_on(fates(&operator, &planned, &generated.sent));
    let figures = figures(phase, &planned, &generated.sent, &fates, lasting);
    let (calls, accepted) =
        (model.requests(), generated.sent.iter().filter(|sent| sent.id.is_some()).count());
    operator.stop();
    Figures { calls, accepted, generator_cpu: generated.cpu, operator_cpu, ..figures }
}

/// What became of each, and in one word why it was not done.
async fn fates(operator: &Operator, planned: &[Planned], sent: &[Sent]) -> Vec<(Fate, String)> {
    let mut connection = Connection::open(&operator.address).await;
    let mut fates = Vec::with_capacity(sent.len());
    for (planned, sent) in planned.iter().zip(sent) {
        fates.push(match (&sent.id, sent.status) {
            (Some(id), _) => {
                let (status, body) = connection.send(&load::get(&format!("/api/v1/intents/{id}"))).await;
                assert_eq!(status, 200, "{body}");
                rest(&serde_json::from_str(&body).expect("a record is JSON"), planned.deadline)
            }
            (None, 429 | 503) => (Fate::Refused, sent.status.to_string()),
            (None, 0) => (Fate::Silent, "silent".into()),
            (None, status) => (Fate::Other, status.to_string()),
        });
    }
    fates
}

/// Whether the intent came to rest, as its author wanted to see it, before the deadline.
fn rest(record: &Value, deadline: Timestamp) -> (Fate, String) {
    const AT_REST: &[&str] = &[
        "needs_answer",
        "awaiting_approval",
        "awaiting_merge",
        "applied",
        "fulfilled",
        "degraded",
        "answered",
        "refused",
    ];
    let history = record["history"].as_array().expect("a record has a history");
    for entry in history {
        let state = entry["state"].as_str().unwrap_or_default();
        if AT_REST.contains(&state) {
            let at: Timestamp =
                entry["at"].as_str().and_then(|at| at.parse().ok()).expect("an entry has a time");
            let fate = if at <= deadline { Fate::Done } else { Fate::Late };
            return (fate, format!("{fate:?} {state}: {}", entry["cause"].as_str().unwrap_or_default()));
        }
    }
    let last = history.last().expect("a history has a beginning");
    let state = last["state"].as_str().unwrap_or_default();
    let fate = if state == "failed" { Fate::Failed } else { Fate::Late };
    (fate, format!("{state}: {}", last["cause"].as_str().unwrap_or_default()))
}

fn figures(
    phase: &Phase,
    planned: &[Planned],
    sent: &[Sent],
    fates: &[(Fate, String)],
    lasting: Duration,
) -> Figures {
    let mut figures = Figures {
        fates: BTreeMap::new(),
        lasted: lasting - phase.counted_from,
        refusals: Vec::new(),
        accepts: Vec::new(),
        statuses: BTreeMap::new(),
        calls: 0,
        accepted: 0,
        generator_cpu: 0.0,
        sent_late: quantile(&mut sent.iter().map(|sent| sent.late).collect::<Vec<_>>(), 0.99),
        operator_cpu: 0.0,
        seconds: vec![(0, 0); lasting.as_secs() as usize + 1],
        why_not: BTreeMap::new(),
    };
    for ((planned, sent), (fate, why)) in planned.iter().zip(sent).zip(fates) {
        *figures.statuses.entry(sent.status).or_default() += 1;
        let second = &mut figures.seconds[planned.at.as_secs() as usize];
        second.0 += 1;
        second.1 += usize::from(*fate == Fate::Done);
        if *fate != Fate::Done || std::env::var_os("NEPHORAN_WHY").is_some() {
            *figures.why_not.entry(why.clone()).or_default() += 1;
        }
        if planned.at < phase.counted_from {
            continue;
        }
        *figures.fates.entry(planned.priority).or_default().entry(*fate).or_default() += 1;
        match sent.status {
            429 | 503 => figures.refusals.push(sent.latency),
            202 => figures.accepts.push(sent.latency),
            _ => {}
        }
    }
    figures
}
