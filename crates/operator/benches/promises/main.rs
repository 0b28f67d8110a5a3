//! The promises about speed, measured on the release build in one run: a table on standard
//! output and `target/bench.json`.
//!
//! Absolute times depend on the disk, so they are held against `sync`: the p50 of 300 overwrites
//! of 4 KiB with fdatasync in the data folder, in the same run.

mod load;
mod operator;
mod rows;

use std::time::Duration;

use serde_json::{Value, json};

/// One promise, its measure, and whether it was kept.
pub struct Row {
    pub name: &'static str,
    pub promised: String,
    pub measured: String,
    pub kept: bool,
    pub figures: Value,
}

fn main() {
    // Cargo passes `--bench`; the rest filters rows by name.
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime needs threads and nothing else");
    let mut rows = Vec::new();
    for (name, measure) in rows::ALL {
        if !name.contains(&filter) {
            continue;
        }
        eprintln!("measuring: {name}");
        let sync = load::sync_p50(&std::env::temp_dir());
        let measured = measure(&runtime, sync);
        for row in &measured {
            print(row);
        }
        rows.extend(measured);
    }
    println!();
    println!("| what | promised | measured | kept |");
    println!("|---|---|---|---|");
    for row in &rows {
        println!(
            "| {} | {} | {} | {} |",
            row.name,
            row.promised,
            row.measured,
            if row.kept { "yes" } else { "NO" }
        );
    }
    let document = json!({
        "rows": rows.iter().map(|row| json!({
            "name": row.name, "promised": row.promised, "measured": row.measured, "kept": row.kept,
            "figures": row.figures,
        })).collect::<Vec<_>>(),
    });
    let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let file = target.join("bench.json");
    if let Err(cause) =
        std::fs::create_dir_all(&target).and_then(|()| std::fs::write(&file, format!("{document:#}\n")))
    {
        eprintln!("could not write {}: {cause}", file.display());
    }
}

fn print(row: &Row) {
    eprintln!("  {}: {} (promised {})", row.name, row.measured, row.promised);
}

/// The value at `share` of the sorted samples.
pub fn quantile(samples: &mut [Duration], share: f64) -> Duration {
    assert!(!samples.is_empty(), "nothing was measured");
    samples.sort_unstable();
    samples[((samples.len() - 1) as f64 * share).round() as usize]
}

pub fn millis(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}
