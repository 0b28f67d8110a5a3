//! How long one sentence takes, in process: each one's median of 101 runs, then
//! p50 and p99 over sentences. No memory of sentences.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files: Vec<_> = std::fs::read_dir(root.join("crates/grammar/testdata"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.push(root.join("../shared/corpora/nl-sample.jsonl"));
    let mut sentences = Vec::new();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else {
            println!("SKIPPED: {} is not there", file.display());
            continue;
        };
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("the corpora are JSON lines");
            if let Some(words) = value["text"].as_str() {
                sentences.push(words.to_owned());
            }
        }
    }
    // The vocabulary is built at first use.
    black_box(nephoran_grammar::translate("scale upf to 5"));
    let mut medians: Vec<u128> = sentences
        .iter()
        .map(|words| {
            let mut runs: Vec<u128> = (0..101)
                .map(|_| {
                    let start = Instant::now();
                    black_box(nephoran_grammar::translate(black_box(words)));
                    start.elapsed().as_nanos()
                })
                .collect();
            runs.sort_unstable();
            runs[50]
        })
        .collect();
    medians.sort_unstable();
    let at = |share: f64| medians[((medians.len() - 1) as f64 * share) as usize] as f64 / 1e3;
    println!(
        "{} sentences: p50 {:.2} us, p99 {:.2} us, slowest {:.2} us",
        medians.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
