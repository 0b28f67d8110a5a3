//! How long a question takes: 5,000 passages, by words alone and with vectors of 768 numbers.
//! `cargo bench -p nephoran-retrieve`.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use nephoran_retrieve::{Embed, EmbedError, Index, Settings};
use tokio_util::sync::CancellationToken;

const DOCUMENTS: usize = 500;
const PASSAGES: usize = 10;
const DIMENSION: usize = 768;
const QUESTIONS: usize = 400;

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Words as frequent as in a language: the n-th is some n times rarer than the first.
    fn word(&mut self) -> String {
        const WORDS: f64 = 8_000.0;
        let part = (self.next() % 1_000_000) as f64 / 1_000_000.0;
        format!("w{}", WORDS.powf(part) as u64)
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }
}

/// Answers at once: what is measured is the search, not a model.
#[derive(Debug)]
struct AtOnce;

impl Embed for AtOnce {
    fn model(&self) -> &str {
        "at-once"
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        let vector = |text: &String| {
            let mut numbers =
                Numbers(text.bytes().fold(7, |hash, byte| hash * 31 % 1_000_003 + u64::from(byte)));
            (0..DIMENSION).map(|_| (numbers.next() % 2_001) as f32 / 1_000.0 - 1.0).collect()
        };
        let vectors = texts.iter().map(vector).collect();
        Box::pin(async move { Ok(vectors) })
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("documents");
    std::fs::create_dir(&folder).unwrap();
    let mut numbers = Numbers(1);
    for document in 0..DOCUMENTS {
        let mut text = format!("# {}\n\n", numbers.words(4));
        for _ in 0..PASSAGES {
            text.push_str(&format!("## {}\n\n{}\n\n", numbers.words(3), numbers.words(140)));
        }
        std::fs::write(folder.join(format!("{document:04}.md")), text).unwrap();
    }
    let mut missed = false;
    for (what, embed) in
        [("by words alone", None), ("by words and vectors of 768", Some(Arc::new(AtOnce) as Arc<dyn Embed>))]
    {
        let settings = Settings { folder: Some(folder.clone()), embed, ..Settings::default() };
        let index = Index::open(&place.path().join("retrieval.db"), settings).unwrap();
        let began = Instant::now();
        let report = runtime.block_on(index.update(&CancellationToken::new())).unwrap();
        let built = began.elapsed();
        assert_eq!(report.passages, DOCUMENTS * PASSAGES);
        let questions: Vec<String> = (0..QUESTIONS).map(|_| numbers.words(10)).collect();
        let mut times: Vec<Duration> = Vec::with_capacity(QUESTIONS);
        runtime.block_on(async {
            for question in &questions {
                let began = Instant::now();
                let found = index.find(question, 6).await.unwrap();
                times.push(began.elapsed());
                assert_eq!(found.len(), 6);
            }
        });
        times.sort_unstable();
        let (median, late) = (times[QUESTIONS / 2], times[QUESTIONS * 99 / 100]);
        missed |= median > Duration::from_millis(5);
        println!(
            "retrieval, {} passages, {what}: p50 {median:.2?}, p99 {late:.2?} (to reach: p50 5 ms); {} documents taken in, {} passages given vectors in {built:.2?}",
            report.passages, report.changed, report.embedded
        );
    }
    assert!(!missed, "the median is over 5 ms");
}
