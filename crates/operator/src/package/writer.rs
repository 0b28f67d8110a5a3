//! Makes commits through one long-lived `git fast-import`: whatever waits becomes one
//! commit each, and one `checkpoint` per batch writes, syncs and publishes them.
//!
//! A checkpoint moves the branch only from what it was read as; when somebody else moved
//! it, nothing is said on stdout. So the owner reads the branch again after each batch.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::process::Stdio;
use std::time::{Duration, Instant};

use ring::digest;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};

use super::git::{Git, Process};
use super::message::IDENTITY;
use super::reader::is_id;
use super::{Error, NewCommit};

/// Where fast-import complains, in the repository's folder. The process holds a shared lock on it for as long
/// as it lives, also when the operator that started it does not.
const LOG: &str = "nephoran-writer.log";

/// From here on the log begins again.
const LONGEST_LOG: u64 = 64 << 10;

/// For a batch to be on disk; slow disks under load take seconds for a sync.
const PATIENCE: Duration = Duration::from_secs(60);

/// For the process to end by itself, with its packs released.
const FAREWELL: Duration = Duration::from_secs(15);

/// How long a start waits for the writer of an operator that was killed: it ends by itself, in
/// milliseconds. The writer of one that lives does not.
const ORPHANS: Duration = Duration::from_secs(2);

pub(super) struct Writer {
    git: Git,
    live: Option<FastImport>,
}

struct FastImport {
    process: Process,
    pid: Option<u32>,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    complaints: Log,
    started: Instant,
    checkpoints: u32,
    /// Of the last mark, batch and commit; they only need to differ.
    last: u64,
}

impl Writer {
    pub(super) fn new(git: Git) -> Self {
        Self { git, live: None }
    }

    /// Checkpoints of the process that lives, which are packs that nobody may merge yet.
    pub(super) fn checkpoints(&self) -> u32 {
        self.live.as_ref().map_or(0, |live| live.checkpoints)
    }

    /// An idle process has an open file that a thorough `git gc` takes for left over.
    pub(super) fn age(&self) -> Duration {
        self.live.as_ref().map_or(Duration::ZERO, |live| live.started.elapsed())
    }

    /// Starts the process ahead of the first commit.
    pub(super) fn warm_up(&mut self) -> Result<(), Error> {
        if self.live.is_none() {
            self.live = Some(FastImport::start(&self.git)?);
        }
        Ok(())
    }

    /// One commit after the other on top of `tip`. Answers with their ids; the branch may
    /// nevertheless not have moved, which the caller reads, with what git says about it.
    pub(super) async fn import(
        &mut self,
        reference: &str,
        tip: &str,
        commits: &[&NewCommit],
    ) -> Result<(Vec<String>, String), Error> {
        self.warm_up()?;
        let Some(mut live) = self.live.take() else { return Err(Error::Closed) };
        let (stream, marks, token) = live.stream(reference, tip, commits);
        let talk = live.exchange(&stream, &marks, &token);
        match tokio::time::timeout(PATIENCE, talk).await {
            Ok(Ok(ids)) => {
                live.checkpoints += 1;
                let complaint = live.complaints.take();
                self.live = Some(live);
                Ok((ids, complaint))
            }
            Ok(Err(error)) => {
                let complaint = live.end(&self.git).await;
                if complaint.trim().is_empty() {
                    // A full disk holds no complaint about it either.
                    self.git.try_to_write("fast-import")?;
                    return Err(self.git.explain("fast-import", &error.to_string()));
                }
                Err(self.git.explain("fast-import", &complaint))
            }
            Err(_) => {
                live.end(&self.git).await;
                Err(Error::Timeout { doing: "fast-import".to_owned(), seconds: PATIENCE.as_secs() })
            }
        }
    }

    /// Ends the process, which releases its packs.
    pub(super) async fn rest(&mut self) {
        if let Some(live) = self.live.take() {
            live.end(&self.git).await;
        }
    }
}

impl FastImport {
    fn start(git: &Git) -> Result<Self, Error> {
        let explain = |error: std::io::Error| git.explain_file("fast-import", &error);
        let (log, complaints) = Log::open(git).map_err(explain)?;
        let args = ["fast-import", "--quiet", "--date-format=raw"];
        let mut process = git.spawn_with(&args, Stdio::from(log))?;
        let pid = process.child.id();
        match (process.child.stdin.take(), process.child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok(Self {
                process,
                pid,
                stdin,
                stdout: BufReader::new(stdout),
                complaints,
                started: Instant::now(),
                checkpoints: 0,
                last: 0,
            }),
            _ => Err(Error::Git { doing: "fast-import".to_owned(), detail: "it has no pipes".to_owned() }),
        }
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn stream(&mut self, reference: &str, tip: &str, commits: &[&NewCommit]) -> (Vec<u8>, Vec<u64>, String) {
        let mut out = Vec::with_capacity(commits.iter().map(|commit| commit.size() + 1024).sum());
        let mut marks = Vec::with_capacity(commits.len());
        for (at, commit) in commits.iter().enumerate() {
            let mark = self.next();
            marks.push(mark);
            let time = commit.time;
            let head = format!(
                "commit {reference}\nmark :{mark}\nauthor {IDENTITY} {time} +0000\ncommitter {IDENTITY} {time} +0000\n"
            );
            out.extend_from_slice(head.as_bytes());
            data(&mut out, commit.message.as_bytes());
            if at == 0 && !tip.is_empty() {
                out.extend_from_slice(format!("from {tip}\n").as_bytes());
            }
            for file in &commit.files {
                out.extend_from_slice(format!("M {} inline {}\n", file.mode.as_str(), file.path).as_bytes());
                data(&mut out, &file.bytes);
            }
            out.extend_from_slice(format!("\nget-mark :{mark}\n").as_bytes());
        }
        let token = format!("batch-{}", self.next());
        out.extend_from_slice(format!("checkpoint\nprogress {token}\n").as_bytes());
        (out, marks, token)
    }

    async fn exchange(&mut self, stream: &[u8], marks: &[u64], token: &str) -> std::io::Result<Vec<String>> {
        let Self { stdin, stdout, .. } = self;
        // Written and read at once: a large batch must not wait for somebody to read ids.
        let write = async {
            stdin.write_all(stream).await?;
            stdin.flush().await
        };
        let read = async {
            let mut ids = Vec::with_capacity(marks.len());
            let mut line = String::new();
            loop {
                line.clear();
                if stdout.read_line(&mut line).await? == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                let word = line.trim_end();
                if is_id(word) {
                    ids.push(word.to_owned());
                } else if word.strip_prefix("progress ") == Some(token) {
                    break;
                }
            }
            if ids.len() == marks.len() { Ok(ids) } else { Err(std::io::ErrorKind::InvalidData.into()) }
        };
        let ((), ids) = tokio::try_join!(write, read)?;
        Ok(ids)
    }

    /// Closes its input and waits; killed only when it does not listen. Answers with its last words.
    async fn end(mut self, git: &Git) -> String {
        drop(self.stdin);
        let status = tokio::time::timeout(FAREWELL, self.process.wait()).await;
        let failed = !matches!(status, Ok(Ok(status)) if status.success());
        if let (true, Some(pid)) = (failed, self.pid) {
            // Git leaves a report for whoever drove it; that is us, and we have its last words.
            let _ = std::fs::remove_file(git.dir().join(format!("fast_import_crash_{pid}")));
        }
        self.complaints.take()
    }
}

/// What one process says, read from the shared log.
struct Log {
    file: File,
}

impl Log {
    /// The end that the process writes to and holds a lock on, and the end that is read.
    fn open(git: &Git) -> std::io::Result<(File, Self)> {
        let path = git.dir().join(LOG);
        let log = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
        // Held exclusively only for the moment in which a starting operator looks.
        for _ in 0..1000 {
            if log.try_lock_shared().is_ok() {
                break;
            }
            std::thread::yield_now();
        }
        if log.metadata()?.len() > LONGEST_LOG {
            log.set_len(0)?;
        }
        let mut file = File::open(&path)?;
        file.seek(SeekFrom::End(0))?;
        Ok((log, Self { file }))
    }

    /// What was said since the last look.
    fn take(&mut self) -> String {
        let mut said = Vec::new();
        let _ = (&mut self.file).take(LONGEST_LOG).read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    }
}

/// Waits until no fast-import of an operator writes here any more, within bounds. A killed
/// operator's last batch is then in the branch, or will never be.
pub(super) async fn wait_for_orphans(git: &Git) {
    let Ok(log) = File::open(git.dir().join(LOG)) else { return };
    let begin = Instant::now();
    while begin.elapsed() < ORPHANS {
        if log.try_lock().is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn data(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("data {}\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.push(b'\n');
}

/// The id that git gives to a file's content, in the form that `like` has.
pub(super) fn blob_id(bytes: &[u8], like: &str) -> String {
    let algorithm = if like.len() == 64 { &digest::SHA256 } else { &digest::SHA1_FOR_LEGACY_USE_ONLY };
    let mut context = digest::Context::new(algorithm);
    context.update(format!("blob {}\0", bytes.len()).as_bytes());
    context.update(bytes);
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_has_the_id_that_git_gives_it() {
        assert_eq!(blob_id(b"", &"0".repeat(40)), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(
            blob_id(b"", &"0".repeat(64)),
            "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"
        );
    }
}
