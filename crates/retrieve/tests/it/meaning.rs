//! Passages found by what they mean: a small embedder that knows which words are near.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use nephoran_retrieve::{Embed, EmbedError};
use tokio_util::sync::CancellationToken;

use crate::{Place, find, found, update};

/// Deterministic: a word is a number, words of one meaning are the same number.
#[derive(Debug)]
struct Small {
    model: &'static str,
    dimension: usize,
    texts: AtomicUsize,
    fault: Mutex<Option<EmbedError>>,
}

const NEAR: &[&[&str]] =
    &[&["bandwidth", "throughput", "rate"], &["delay", "latency"], &["phone", "ue", "device"]];

impl Small {
    fn new(model: &'static str, dimension: usize) -> Arc<Self> {
        Arc::new(Self { model, dimension, texts: AtomicUsize::new(0), fault: Mutex::new(None) })
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0.001; self.dimension];
        for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
        {
            let near = NEAR.iter().find(|near| near.contains(&word)).map_or(word, |near| near[0]);
            // FNV-1a.
            let hash = near.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            });
            vector[(hash % self.dimension as u64) as usize] += 1.0;
        }
        vector
    }
}

impl Embed for Small {
    fn model(&self) -> &str {
        self.model
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        Box::pin(async move {
            if let Some(fault) = self.fault.lock().unwrap().clone() {
                return Err(fault);
            }
            self.texts.fetch_add(texts.len(), Ordering::SeqCst);
            Ok(texts.iter().map(|text| self.vector(text)).collect())
        })
    }
}

const DOCUMENTS: &[(&str, &str)] = &[
    ("rate.md", "# Links\n\nthroughput in downlink\n"),
    ("delay.md", "# Links\n\nlatency one way\n"),
    ("device.md", "# People\n\na device of somebody\n"),
];

#[tokio::test]
async fn another_word_of_the_same_meaning_finds_the_passage() {
    let place = Place::new(DOCUMENTS);
    let index = place.open();
    update(&index).await;
    assert_eq!(found(&index, "bandwidth").await, Vec::<String>::new());
    drop(index);

    let small = Small::new("small", 512);
    let index = place.open_with(small.clone());
    let report = update(&index).await;
    assert_eq!((report.changed, report.embedded, report.words_alone), (0, 3, None));
    assert_eq!(found(&index, "bandwidth").await[0], "rate.md");
    assert_eq!(found(&index, "delay").await[0], "delay.md");
    assert_eq!(index.progress().embedded, 3);
    // What both lists hold comes before what one of them holds.
    let both = find(&index, "throughput").await;
    assert_eq!(both[0].document, "rate.md");
    assert!(both[0].score > 1.9 * both[1].score, "{both:?}");
}

#[tokio::test]
async fn only_what_is_new_gets_a_vector() {
    let place = Place::new(DOCUMENTS);
    let small = Small::new("small", 512);
    let index = place.open_with(small.clone());
    update(&index).await;
    assert_eq!(small.texts.load(Ordering::SeqCst), 3);
    assert_eq!(update(&index).await.embedded, 0);
    place.write("rate.md", "# Links\n\nthroughput in downlink\n\n# More\n\nnumbers of a kind\n");
    assert_eq!(update(&index).await.embedded, 1);
    std::fs::remove_file(place.folder().join("rate.md")).unwrap();
    update(&index).await;
    assert_eq!(index.progress().embedded, 2);
    assert!(!found(&index, "bandwidth").await.contains(&"rate.md".to_owned()));
}

#[tokio::test]
async fn another_model_means_that_all_vectors_are_made_anew() {
    let place = Place::new(DOCUMENTS);
    let index = place.open_with(Small::new("small", 512));
    assert_eq!(update(&index).await.embedded, 3);
    drop(index);
    let other = Small::new("other", 256);
    let index = place.open_with(other.clone());
    // Before that, the vectors of the old model are not compared with those of the new.
    assert_eq!(found(&index, "bandwidth").await, Vec::<String>::new());
    assert_eq!(update(&index).await.embedded, 3);
    assert_eq!(found(&index, "bandwidth").await[0], "rate.md");
    drop(index);
    // The same name with another length is another model too.
    let index = place.open_with(Small::new("other", 128));
    place.write("new.md", "a new word");
    update(&index).await;
    assert_eq!(found(&index, "bandwidth").await[0], "rate.md");
    assert_eq!(index.progress().embedded, 4);
}

#[tokio::test]
async fn without_embeddings_words_alone_go_on_and_it_is_said() {
    let place = Place::new(DOCUMENTS);
    let small = Small::new("small", 512);
    for fault in [
        EmbedError::Rejected("501 not supported".into()),
        EmbedError::Away("connection refused".into()),
        EmbedError::Unusable("2 vectors for 3 texts".into()),
    ] {
        *small.fault.lock().unwrap() = Some(fault.clone());
        let index = place.open_with(small.clone());
        let report = update(&index).await;
        assert_eq!((report.documents, report.embedded), (3, 0));
        assert_eq!(report.words_alone, Some(fault.to_string()));
        assert_eq!(index.progress().words_alone, Some(fault.to_string()));
        assert_eq!(found(&index, "throughput").await, ["rate.md"]);
        // It is not asked again at once: the fault would be gone, and nobody would know.
        *small.fault.lock().unwrap() = None;
        assert_eq!(update(&index).await.words_alone, Some(fault.to_string()));
        assert_eq!(small.texts.load(Ordering::SeqCst), 0);
    }
}

/// Answers what nobody can use.
#[derive(Debug)]
struct Odd(fn(usize) -> Vec<Vec<f32>>);

impl Embed for Odd {
    fn model(&self) -> &str {
        "odd"
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        let answer = (self.0)(texts.len());
        Box::pin(async move { Ok(answer) })
    }
}

#[tokio::test]
async fn unusable_vectors_are_not_kept() {
    let place = Place::new(DOCUMENTS);
    type Answer = fn(usize) -> Vec<Vec<f32>>;
    let cases: [Answer; 5] = [
        |_| Vec::new(),
        |count| vec![vec![1.0; 3]; count + 1],
        |count| (0..count).map(|number| vec![1.0; number + 1]).collect(),
        |count| vec![vec![f32::NAN; 3]; count],
        |count| vec![Vec::new(); count],
    ];
    for case in cases {
        let index = place.open_with(Arc::new(Odd(case)));
        let report = index.update(&CancellationToken::new()).await.unwrap();
        assert!(report.words_alone.is_some(), "{report:?}");
        assert_eq!(index.progress().embedded, 0);
        assert_eq!(found(&index, "latency").await, ["delay.md"]);
    }
}

/// Never answers.
#[derive(Debug)]
struct Silent;

impl Embed for Silent {
    fn model(&self) -> &str {
        "silent"
    }

    fn embed(&self, _: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn finding_waits_neither_for_an_update_nor_for_a_model_that_is_silent() {
    let place = Place::new(DOCUMENTS);
    let index = place.open_with(Arc::new(Silent));
    let stop = CancellationToken::new();
    let updating = tokio::spawn({
        let (index, stop) = (index.clone(), stop.clone());
        async move { index.update(&stop).await }
    });
    // The update hangs on its vectors; the documents are found meanwhile.
    loop {
        let progress = index.progress();
        if progress.documents == 3 && progress.done == 3 {
            break;
        }
        tokio::task::yield_now().await;
    }
    let began = std::time::Instant::now();
    assert_eq!(found(&index, "latency").await, ["delay.md"]);
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_secs(4), "{took:?}");
    assert!(index.progress().words_alone.is_some());
    stop.cancel();
    assert!(updating.await.unwrap().unwrap().stopped);
}

/// As a real server: a text of too many bytes fails the whole batch with a 500, and some texts always do.
#[derive(Debug)]
struct Picky {
    small: Arc<Small>,
    asked: AtomicUsize,
}

impl Embed for Picky {
    fn model(&self) -> &str {
        "picky"
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if texts.iter().any(|text| text.len() > 500 || text.contains("poison")) {
            return Box::pin(async { Err(EmbedError::Away("500: input is too large to process".into())) });
        }
        self.small.embed(texts)
    }
}

#[tokio::test]
async fn one_text_that_a_model_refuses_takes_the_vector_of_no_other() {
    let long = format!("# Long\n\nthroughput {}\n", "and more of it ".repeat(60));
    let mut documents = DOCUMENTS.to_vec();
    let poison = "poison ".repeat(20);
    documents.extend([("long.md", long.as_str()), ("poison.md", poison.as_str())]);
    let place = Place::new(&documents);
    let picky = Arc::new(Picky { small: Small::new("small", 512), asked: AtomicUsize::new(0) });
    let index = place.open_with(picky.clone());
    let report = update(&index).await;
    // The long one by its beginning; the poisoned one is found by words alone.
    assert_eq!((report.embedded, report.words_alone), (4, None));
    let near = found(&index, "bandwidth").await;
    assert_eq!(near.iter().take(2).filter(|name| ["long.md", "rate.md"].contains(&name.as_str())).count(), 2);
    assert_eq!(found(&index, "poison").await[0], "poison.md");
    let asked = picky.asked.load(Ordering::SeqCst);
    update(&index).await;
    assert_eq!(picky.asked.load(Ordering::SeqCst), asked, "what was refused is not asked for again");
}

#[tokio::test]
async fn a_very_long_question_is_asked_by_its_beginning() {
    let place = Place::new(DOCUMENTS);
    let small = Small::new("small", 512);
    let index = place.open_with(Arc::new(Picky { small, asked: AtomicUsize::new(0) }));
    update(&index).await;
    assert_eq!(found(&index, &format!("bandwidth {}", "ö".repeat(4_000))).await[0], "rate.md");
    assert_eq!(index.progress().words_alone, None);
}
