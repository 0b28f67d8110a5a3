//! Runs the `git` binary: argument vectors only, nobody's configuration but the
//! repository's format, no hooks, no prompt, no network, and no process left behind.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::Error;

/// Of one short command: a repack of a large repository is the longest.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a short command may print. A listing of 200,000 files is some 20 MiB.
const MOST_OUTPUT: usize = 64 << 20;

/// Set for every command, before anything that a repository says.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    // Objects, packs and references: git's default syncs neither loose objects nor references.
    "core.fsync=committed",
    "core.fsyncMethod=fsync",
    // Every batch becomes a pack: unpacking it would be a file and a sync per object.
    "fastimport.unpackLimit=1",
    // Programs that a repository's own configuration could name.
    "log.showSignature=false",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.quotePath=true",
    "gc.auto=0",
    "maintenance.auto=false",
    // Two cores are shared with the operator.
    "pack.threads=1",
    // Another user's repository is only read as objects, and none of its programs runs.
    "safe.directory=*",
];

/// One repository's git.
#[derive(Debug, Clone)]
pub(super) struct Git {
    dir: PathBuf,
}

impl Git {
    pub(super) fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// `git --git-dir=DIR ...` with nothing inherited but PATH.
    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
            .env("LC_ALL", "C")
            .env("HOME", "/nonexistent")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_LITERAL_PATHSPECS", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            // No transport at all: a partial clone must not fetch behind our back.
            .env("GIT_ALLOW_PROTOCOL", "none")
            .arg("--git-dir")
            .arg(&self.dir);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(args);
        command.process_group(0).kill_on_drop(true);
        command
    }

    /// A long-lived command with all three pipes.
    pub(super) fn spawn(&self, args: &[&str]) -> Result<Process, Error> {
        self.spawn_with(args, Stdio::piped())
    }

    pub(super) fn spawn_with(&self, args: &[&str], stderr: Stdio) -> Result<Process, Error> {
        let child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(|error| Error::NoGit { detail: error.to_string() })?;
        Ok(Process { child, ended: false })
    }

    /// A short command: its output, or why there is none.
    pub(super) async fn run(&self, args: &[&str]) -> Result<Vec<u8>, Error> {
        self.run_with_input(args, Vec::new()).await
    }

    pub(super) async fn run_with_input(&self, args: &[&str], input: Vec<u8>) -> Result<Vec<u8>, Error> {
        let doing = args.first().copied().unwrap_or("git").to_owned();
        let mut process = self.spawn(args)?;
        let mut stdin = process.child.stdin.take();
        let mut stdout = process.child.stdout.take();
        let mut stderr = process.child.stderr.take();
        let talk = async {
            let write = async {
                if let Some(stdin) = stdin.as_mut() {
                    // A command that ends early does not read everything: its status says why.
                    let _ = stdin.write_all(&input).await;
                }
                drop(stdin.take());
            };
            let mut output = Vec::new();
            let mut complaint = Vec::new();
            let read = async {
                if let Some(stdout) = stdout.as_mut() {
                    stdout.take(MOST_OUTPUT as u64 + 1).read_to_end(&mut output).await?;
                }
                Ok::<(), std::io::Error>(())
            };
            let listen = async {
                if let Some(stderr) = stderr.as_mut() {
                    let _ = stderr.take(64 << 10).read_to_end(&mut complaint).await;
                }
            };
            let ((), read, ()) = tokio::join!(write, read, listen);
            (read, output, complaint)
        };
        let finished = tokio::time::timeout(PATIENCE, async {
            let (read, output, complaint) = talk.await;
            if output.len() > MOST_OUTPUT {
                return Err(Error::TooLarge {
                    what: format!("the output of git {doing}"),
                    limit: MOST_OUTPUT,
                });
            }
            read.map_err(|error| Error::Git { doing: doing.clone(), detail: error.to_string() })?;
            let status = process
                .wait()
                .await
                .map_err(|error| Error::Git { doing: doing.clone(), detail: error.to_string() })?;
            if status.success() {
                Ok(output)
            } else {
                Err(self.explain(&doing, &String::from_utf8_lossy(&complaint)))
            }
        })
        .await;
        finished.unwrap_or_else(|_| Err(Error::Timeout { doing: doing.clone(), seconds: PATIENCE.as_secs() }))
    }

    /// The typed error behind a file of the repository that could not be used.
    pub(super) fn explain_file(&self, doing: &str, error: &std::io::Error) -> Error {
        let path = self.dir.display().to_string();
        match error.kind() {
            _ if !self.dir.exists() => Error::Missing { path },
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::DiskFull { path },
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Error::ReadOnly { path, detail: error.to_string() }
            }
            _ => Error::Git { doing: doing.to_owned(), detail: error.to_string() },
        }
    }

    /// Why nothing can be written here, when that is so.
    pub(super) fn try_to_write(&self, doing: &str) -> Result<(), Error> {
        let path = self.dir.join("nephoran-probe");
        // More than the blocks that a nearly full disk still finds for a name.
        let written = std::fs::write(&path, [0; 64 << 10]);
        let _ = std::fs::remove_file(&path);
        written.map_err(|error| self.explain_file(doing, &error))
    }

    /// The typed error behind what git printed.
    pub(super) fn explain(&self, doing: &str, complaint: &str) -> Error {
        let path = self.dir.display().to_string();
        let says = |what: &str| complaint.contains(what);
        if !self.dir.exists() {
            return Error::Missing { path };
        }
        if !self.dir.join("objects").is_dir() {
            return Error::NotARepository { path, detail: first_line(complaint) };
        }
        if says("No space left on device") || says("Disk quota exceeded") {
            return Error::DiskFull { path };
        }
        if says("Read-only file system") || says("Permission denied") {
            return Error::ReadOnly { path, detail: first_line(complaint) };
        }
        if says("not a git repository") || says("invalid gitfile format") {
            return Error::NotARepository { path, detail: first_line(complaint) };
        }
        if says(".lock': File exists") || says("another git process") {
            let reference = complaint
                .split_once("Unable to create '")
                .and_then(|(_, rest)| rest.split_once(".lock'"))
                .map_or_else(|| "the branch".to_owned(), |(reference, _)| reference.to_owned());
            return Error::Locked { reference };
        }
        Error::Git { doing: doing.to_owned(), detail: first_line(complaint) }
    }
}

/// What a person reads first in git's complaint, printable and short.
fn first_line(complaint: &str) -> String {
    let line = complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// A child in a process group of its own, ended with it.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) child: Child,
    /// Waited for: its group id may belong to somebody else by now.
    ended: bool,
}

impl Process {
    /// What a long-lived child says on stderr, kept as it comes (the last 4 KiB).
    pub(super) fn listen(&mut self) -> Complaints {
        let complaints = Complaints::default();
        if let Some(mut stderr) = self.child.stderr.take() {
            let kept = complaints.clone();
            tokio::spawn(async move {
                let mut buffer = [0_u8; 1024];
                while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
                    kept.add(&String::from_utf8_lossy(&buffer[..count]));
                }
            });
        }
        complaints
    }

    /// Waits for its end, so that nothing of it is left.
    pub(super) async fn wait(&mut self) -> std::io::Result<std::process::ExitStatus> {
        let status = self.child.wait().await?;
        self.ended = true;
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // `id` is none once the child was reaped, so the group is still ours.
        if let Some(group) = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Complaints(Arc<Mutex<String>>);

impl Complaints {
    fn add(&self, text: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_str(text);
        let too_many = kept.len().saturating_sub(4096);
        let cut = (too_many..kept.len()).find(|at| kept.is_char_boundary(*at)).unwrap_or(0);
        kept.drain(..cut);
    }

    /// What was said since the last look.
    pub(super) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
