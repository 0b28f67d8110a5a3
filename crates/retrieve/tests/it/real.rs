//! A real server of a real model, where `cargo xtask setup` could install them. The model is no good at meaning:
//! what is tried is the protocol.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use nephoran_http::{Clients, Profile, Settings};
use nephoran_retrieve::Embeddings;

use crate::{Place, find, found, update};

/// As xtask serves it, with or without embeddings.
const SERVE: &str = "
import signal, sys, xllamacpp
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames = ['127.0.0.1']
params.port = 0
params.n_ctx = 2048
params.n_gpu_layers = 0
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.cache_ram_mib = 0
if sys.argv[2] == 'embeddings':
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
signal.sigwait({signal.SIGTERM})
";

struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(what: &str) -> Option<Server> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/model-server");
    let model = folder.join("model.gguf");
    if !model.exists() {
        println!("SKIPPED: {} is not there; to install it: cargo xtask setup", model.display());
        return None;
    }
    let mut child = Command::new(folder.join("venv/bin/python"))
        .args(["-c", SERVE])
        .arg(&model)
        .arg(what)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.find_map(|line| line.ok().filter(|line| line.starts_with("http://"))).unwrap();
    // Whatever else it says must find a reader.
    std::thread::spawn(move || lines.for_each(drop));
    Some(Server { child, url })
}

fn embeddings(server: &Server) -> Arc<Embeddings> {
    let settings = Settings { allow: vec!["127.0.0.1".parse().unwrap()], ..Settings::default() };
    let client = Clients::new(settings).unwrap().get(Profile::HighThroughput);
    Arc::new(Embeddings::new(client, &server.url, "smollm2-135m", None).unwrap())
}

/// It answers 503 until the model is loaded: a second or so.
async fn loaded(server: &Server) {
    use nephoran_retrieve::{Embed, EmbedError};
    let asked = embeddings(server);
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while let Err(EmbedError::Away(cause)) = asked.embed(vec!["word".into()]).await {
        assert!(std::time::Instant::now() < patience, "the model does not get ready: {cause}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_real_model_gives_vectors_and_a_text_of_too_many_tokens_harms_no_other() {
    let Some(server) = serve("embeddings") else { return };
    loaded(&server).await;
    // 1,600 bytes that make more tokens than such a server takes at once.
    let dense = format!("# Dense\n\n{}\n", "{x:y} 12 ".repeat(175));
    let place = Place::new(&[
        ("a.md", "# Links\n\nthroughput in downlink\n"),
        ("b.md", "# Cells\n\na radio\n"),
        ("dense.md", &dense),
    ]);
    let index = place.open_with(embeddings(&server));
    let began = std::time::Instant::now();
    let report = update(&index).await;
    assert_eq!(report.words_alone, None);
    assert_eq!((report.passages, report.embedded), (3, 3));
    // No word in common: found by the vector.
    assert_eq!(find(&index, "xyzzy").await.len(), 3);
    assert_eq!(found(&index, "radio").await[0], "b.md");
    println!(
        "a real server: 3 passages got vectors in {:.1?}, one of them by its beginning",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_real_server_without_embeddings_leaves_words() {
    let Some(server) = serve("chat") else { return };
    loaded(&server).await;
    let place = Place::new(&[("a.md", "porcupine")]);
    let index = place.open_with(embeddings(&server));
    let report = update(&index).await;
    let said = report.words_alone.unwrap_or_default();
    assert!(said.starts_with("there are no embeddings: 501"), "{said}");
    assert_eq!(found(&index, "porcupine").await, ["a.md"]);
}
