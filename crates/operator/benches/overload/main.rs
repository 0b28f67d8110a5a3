//! The operator under more load than its model can carry, and through a stall of the model.
//!
//! Capacity is the model's: 16 calls at a time of 40 ms each, 400 requests a second. The load does
//! not slow down when the operator does: what is sent when is fixed before anything is sent, by one
//! pinned thread over a thousand connections, each from an address of its own. What counts is
//! goodput: requests that came to rest before their deadline.

#[path = "../promises/load.rs"]
#[allow(dead_code, reason = "shared with the promises")]
mod load;
#[path = "../promises/operator.rs"]
#[allow(dead_code, reason = "shared with the promises")]
mod operator;

mod generator;
mod run;
mod schedule;

use std::time::Duration;

use serde_json::{Value, json};

use run::{Figures, Phase};
use schedule::Stream;

const SLOTS: usize = 16;
const CALL: Duration = Duration::from_millis(40);
/// Requests a second that the model can answer.
const CAPACITY: f64 = SLOTS as f64 / 0.040;
const DEADLINE: Duration = Duration::from_secs(2);
/// At the start of a run, not counted.
const WARM: Duration = Duration::from_secs(4);

struct Row {
    name: String,
    promised: &'static str,
    measured: String,
    kept: bool,
}

/// Used by the code shared with the promises.
pub fn quantile(samples: &mut [Duration], share: f64) -> Duration {
    if samples.is_empty() {
        return Duration::ZERO;
    }
    samples.sort_unstable();
    samples[((samples.len() - 1) as f64 * share).round() as usize]
}

fn main() {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let seconds: u64 =
        std::env::var("NEPHORAN_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(15);
    let lasting = Duration::from_secs(seconds);
    let mut rows = Vec::new();
    let mut document = Vec::new();
    let wanted = |name: &str| filter.is_empty() || name.contains(&filter);
    let mut tell = |name: &str, figures: &Figures| {
        eprintln!("{name}:\n{figures}");
        document.push(json!({"run": name, "figures": figures.json()}));
    };

    let mut base = None;
    for times in [1u32, 10, 20] {
        let name = format!("{times}x");
        if !(wanted("load") || wanted(&name)) {
            continue;
        }
        let rate = CAPACITY * f64::from(times);
        let phase = Phase::new(vec![Stream::steady("normal", rate, lasting + WARM)], WARM);
        let figures = run::run(&phase);
        tell(&name, &figures);
        let good = figures.goodput("normal");
        let base = *base.get_or_insert(good);
        let (promised, share) = match times {
            10 => (">= 95 % of 1x", 0.95),
            20 => (">= 90 % of 1x", 0.90),
            _ => ("the base", 0.0),
        };
        rows.push(Row {
            name: format!("goodput at {times} times capacity"),
            promised,
            measured: format!("{good:.0}/s of {CAPACITY:.0}/s, {:.1} % of 1x", 100.0 * good / base),
            kept: good >= share * base,
        });
        if times == 10 {
            let p99 = figures.refusal(0.99);
            rows.push(Row {
                name: "refusals at 10 times capacity".into(),
                promised: "p99 <= 10 ms",
                measured: format!(
                    "p50 {}, p99 {} over {} refusals",
                    millis(figures.refusal(0.5)),
                    millis(p99),
                    figures.refused()
                ),
                kept: p99 <= Duration::from_millis(10),
            });
        }
        rows.push(generator_row(&name, &figures));
    }

    if wanted("priority") {
        let phase = Phase::new(
            vec![
                Stream::steady("high", CAPACITY / 2.0, lasting + WARM),
                Stream::steady("low", CAPACITY * 12.0, lasting + WARM),
            ],
            WARM,
        );
        let figures = run::run(&phase);
        tell("priority", &figures);
        let share = figures.share("high");
        rows.push(Row {
            name: "high priority under a flood of low of twelve times capacity".into(),
            promised: ">= 99.4 % in time",
            measured: format!("{:.2} % of {} in time", 100.0 * share, figures.offered("high")),
            kept: share >= 0.994,
        });
        rows.push(generator_row("priority", &figures));
    }

    if wanted("stall") {
        let (before, stalled, after) = (WARM, Duration::from_secs(30), Duration::from_secs(20));
        let mut phase =
            Phase::new(vec![Stream::steady("normal", CAPACITY * 0.8, before + stalled + after)], WARM);
        phase.stall = Some((before, before + stalled));
        // Counted from five seconds after the model is back.
        phase.counted_from = before + stalled + Duration::from_secs(5);
        let figures = run::run(&phase);
        tell("stall", &figures);
        let share = figures.share("normal");
        rows.push(Row {
            name: "5 s after a stall of the model of 30 s at 0.8 of capacity".into(),
            promised: "goodput >= 99 %",
            measured: format!("{:.2} % of {} in time", 100.0 * share, figures.offered("normal")),
            kept: share >= 0.99,
        });
        rows.push(Row {
            name: "calls of the model through the stall".into(),
            promised: "<= 1.2 x requests",
            measured: format!(
                "{:.2} x the requests accepted ({} of {})",
                figures.attempts(),
                figures.calls,
                figures.accepted()
            ),
            kept: figures.attempts() <= 1.2,
        });
        rows.push(generator_row("stall", &figures));
    }

    println!();
    println!("| what | promised | measured | kept |");
    println!("|---|---|---|---|");
    for row in &rows {
        let kept = if row.kept { "yes" } else { "NO" };
        println!("| {} | {} | {} | {kept} |", row.name, row.promised, row.measured);
    }
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| json!({"name": row.name, "promised": row.promised, "measured": row.measured, "kept": row.kept}))
        .collect();
    let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let file = target.join("overload.json");
    let text = format!("{:#}\n", json!({"rows": rows, "runs": document}));
    if let Err(cause) = std::fs::create_dir_all(&target).and_then(|()| std::fs::write(&file, text)) {
        eprintln!("could not write {}: {cause}", file.display());
    }
}

/// A generator that is itself short of time measures itself.
fn generator_row(name: &str, figures: &Figures) -> Row {
    Row {
        name: format!("the generator itself, {name}"),
        promised: "<= 30 % of a core",
        measured: format!(
            "{:.1} % of a core, sent late p99 {}",
            100.0 * figures.generator_cpu,
            millis(figures.sent_late)
        ),
        kept: figures.generator_cpu <= 0.30,
    }
}

pub fn millis(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}
