//! The release binary under measure.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Operator {
    child: Child,
    pub address: String,
    /// From the start of the process to the first `ready`.
    pub ready_after: Duration,
    _stdout: BufReader<ChildStdout>,
}

pub fn command(folder: &Path, config: &str) -> Command {
    let file = folder.join("config.yaml");
    std::fs::write(&file, config).expect("the folder is writable");
    let mut command = Command::new(env!("CARGO_BIN_EXE_nephoran"));
    command
        .args(["up", "--listen", "127.0.0.1:0", "--config"])
        .arg(file)
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--packages")
        .arg(folder.join("packages.git"));
    if folder.join("hot").is_dir() {
        command.arg("--hot-folder").arg(folder.join("hot"));
    }
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .expect("the folder is writable");
    command.stdin(Stdio::null()).stderr(log);
    command
}

impl Operator {
    pub async fn start(folder: &Path, config: &str) -> Self {
        let begun = Instant::now();
        let mut child = command(folder, config).stdout(Stdio::piped()).spawn().expect("the binary was built");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it prints where it listens");
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| {
                panic!(
                    "it did not start: {}",
                    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
                )
            })
            .to_owned();
        let mut connection = super::load::Connection::open(&address).await;
        while connection.send(&super::load::get("/readyz")).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Self { child, address, ready_after: begun.elapsed(), _stdout: stdout }
    }

    /// Resident bytes of the process.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("the process is alive");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says VmRSS");
        line.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok()).expect("a number") * 1024
    }

    /// CPU time of all its threads so far.
    pub fn cpu(&self) -> Duration {
        let tasks =
            std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("the process is alive");
        let nanos = tasks.flatten().filter_map(|task| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// The sum over all samples of a metric whose line begins with `name`.
    pub async fn metric(&self, name: &str) -> f64 {
        let mut connection = super::load::Connection::open(&self.address).await;
        let (_, text) = connection.send(&super::load::get("/metrics")).await;
        text.lines()
            .filter(|line| line.starts_with(name))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// Stops it as a person would.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
