//! Starts the operator on a free port with a folder of its own, and speaks HTTP to it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait for something that should happen at once. Never reached when all is well.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An operator under test. Dropping it kills the process and removes its folder.
pub struct Server {
    child: Child,
    pub url: String,
    pub folder: tempfile::TempDir,
    /// Kept open: the operator must not get a broken pipe.
    _stdout: BufReader<std::process::ChildStdout>,
}

/// What a test wants of its operator.
#[derive(Default, Clone)]
pub struct Options {
    /// YAML of the configuration file, without `data`, `listen` and `packages`.
    pub config: String,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// Run before the binary: `strace ...`.
    pub wrapper: Vec<String>,
    /// Address to listen on; any free port when empty.
    pub listen: String,
}

/// An operator that came to its end by itself.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    /// What this run wrote to standard error.
    pub said: String,
    pub folder: tempfile::TempDir,
}

impl Ended {
    /// The text after `error:`, `cause:` or `try:` of the first such line.
    pub fn line(&self, word: &str) -> Option<&str> {
        line(&self.said, word)
    }
}

/// The text after `error:`, `cause:` or `try:` of the first such line.
pub fn line<'a>(said: &'a str, word: &str) -> Option<&'a str> {
    said.lines().find_map(|line| line.trim_start().strip_prefix(word)?.strip_prefix(':')).map(str::trim)
}

pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|fault| panic!("{fault} in {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

pub fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_nephoran")
}

/// The repository's root, and the corpora beside it when they are there.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The folder of corpora that nobody here wrote; a test that needs it says so when it is absent.
pub fn corpora() -> Option<PathBuf> {
    let folder = root().join("../shared/corpora");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: needs the corpora in ../shared/corpora beside the checkout");
    None
}

impl Server {
    /// With the sample packages in `<folder>/packages.git`, the hot folder in `<folder>/hot`.
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        samples(&folder.path().join("packages.git"));
        std::fs::create_dir(folder.path().join("hot")).unwrap();
        Self::on(folder, options)
    }

    /// On a folder that was used before: a restart.
    pub fn on(folder: tempfile::TempDir, options: Options) -> Self {
        let server = Self::begin(folder, options).unwrap_or_else(|ended| {
            let Ended { status, stdout, said, .. } = ended;
            panic!("the operator did not start ({status}); it said {stdout:?}; its log: {said}")
        });
        server.until("the operator is ready", || (server.get("/readyz").status == 200).then_some(()));
        server
    }

    /// Returns when it listens, ready or not; or how it ended.
    pub fn begin(folder: tempfile::TempDir, options: Options) -> Result<Self, Ended> {
        let before = log(folder.path()).len();
        let (mut child, stdout) = spawn(folder.path(), &options);
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        if let Some(url) = line.trim().strip_prefix("listening on ") {
            let url = url.to_owned();
            return Ok(Self { child, url, folder, _stdout: stdout });
        }
        let status = within_patience("the operator ends", || child.try_wait().unwrap());
        let said = log(folder.path()).split_off(before);
        Err(Ended { status, stdout: line, said, folder })
    }

    /// An operator that must not come up, and how it ended.
    pub fn refused(folder: tempfile::TempDir, options: Options) -> Ended {
        match Self::begin(folder, options) {
            Ok(server) => panic!("the operator came up at {}", server.url),
            Err(ended) => ended,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        log(self.folder.path())
    }

    /// SIGKILL, and the folder it leaves behind.
    pub fn kill(mut self) -> tempfile::TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// SIGTERM, and how it ended.
    pub fn stop(mut self) -> (ExitStatus, tempfile::TempDir) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        (status, std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap()))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub fn post(&self, path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send("POST", path, &[("content-type", content_type)], Some(body.as_ref()))
    }

    pub fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.post(path, "application/json", body.to_string())
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        send(&format!("{}{path}", self.url), method, headers, body)
    }

    /// Words in; the id out.
    pub fn submit(&self, words: &str) -> String {
        let answer = self.post("/api/v1/intents", "text/plain", words);
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    pub fn intent(&self, id: &str) -> Value {
        let answer = self.get(&format!("/api/v1/intents/{id}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The record once it is in `state`.
    pub fn intent_in(&self, id: &str, state: &str) -> Value {
        let mut last = Value::Null;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            last = self.intent(id);
            if last["state"] == state {
                return last;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        panic!("{id} did not become {state}: {last:#}\n{}", self.log());
    }

    /// Words in; the record once it is in `state`.
    pub fn submit_until(&self, words: &str, state: &str) -> Value {
        let id = self.submit(words);
        self.intent_in(&id, state)
    }

    /// Waits until `look` sees it.
    pub fn until<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        poll(look).unwrap_or_else(|| panic!("waited in vain until {what}\n{}", self.log()))
    }

    /// As [`Server::send`] over connections that are kept: for many requests in a row.
    pub fn client(&self) -> Client {
        Client { agent: agent(), url: self.url.clone() }
    }

    /// The command line against this operator.
    pub fn cli(&self, args: &[&str]) -> std::process::Output {
        Command::new(binary())
            .args(args)
            .env("NEPHORAN_SERVER", &self.url)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// A file of the package repository at the tip of its branch.
    pub fn packaged(&self, file: &str) -> String {
        git(&self.path("packages.git"), &["show", &format!("main:{file}")])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until there is something to see, for as long as patience lasts.
pub fn poll<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

pub fn within_patience<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    poll(look).unwrap_or_else(|| panic!("waited in vain until {what}"))
}

/// Speaks to an operator over connections that it keeps.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    pub url: String,
}

impl Client {
    pub fn to(url: &str) -> Self {
        Self { agent: agent(), url: url.to_owned() }
    }

    /// The error is that of the connection: the operator may have gone.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        exchange(&self.agent, &format!("{}{path}", self.url), method, headers, body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).unwrap_or_else(|fault| panic!("GET {path}: {fault}"))
    }

    pub fn post(&self, path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send("POST", path, &[("content-type", content_type)], Some(body.as_ref()))
            .unwrap_or_else(|fault| panic!("POST {path}: {fault}"))
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .allow_non_standard_methods(true)
        // A redirect is an answer; nobody follows it here.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .into()
}

pub fn send(url: &str, method: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
    exchange(&agent(), url, method, headers, body).unwrap_or_else(|fault| panic!("{method} {url}: {fault}"))
}

fn exchange(
    agent: &ureq::Agent,
    url: &str,
    method: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Result<Answer, ureq::Error> {
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = match body {
        Some(body) => agent.run(request.body(body)?),
        None => agent.run(request.body(())?),
    };
    let (parts, body) = answer?.into_parts();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut body.into_reader(), &mut bytes)?;
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body: bytes })
}

fn spawn(folder: &Path, options: &Options) -> (Child, std::process::ChildStdout) {
    let config = folder.join("config.yaml");
    std::fs::write(&config, &options.config).unwrap();
    let mut words: Vec<String> = options.wrapper.clone();
    words.push(binary().into());
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .args([
            "up",
            "--listen",
            if options.listen.is_empty() { "127.0.0.1:0" } else { &options.listen },
            "--config",
        ])
        .arg(&config)
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--packages")
        .arg(folder.join("packages.git"));
    if folder.join("hot").is_dir() {
        command.arg("--hot-folder").arg(folder.join("hot"));
    }
    command.args(&options.args);
    // A test asks as often as it likes, all from one address, unless it is about limits.
    if !options.config.contains("limits") {
        command.env("NEPHORAN_LIMITS", "off");
    }
    command.envs(options.env.iter().cloned());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|fault| panic!("{words:?}: {fault}"));
    let stdout = child.stdout.take().unwrap();
    (child, stdout)
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// A bare repository with the sample packages of `examples/packages` on `main`.
pub fn samples(bare: &Path) {
    let work = tempfile::tempdir().unwrap();
    let packages = root().join("examples/packages");
    copy(&packages, work.path());
    git(work.path(), &["init", "-q", "-b", "main"]);
    git(work.path(), &["add", "-A"]);
    git(work.path(), &["commit", "-q", "-m", "sample packages"]);
    let output =
        Command::new("git").args(["clone", "-q", "--bare"]).arg(work.path()).arg(bare).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

pub fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Runs git in `folder` as a person would, with a name of its own.
pub fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=Alex Example", "-c", "user.email=alex@example.com", "-c", "safe.directory=*"])
        .args(args)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Somebody pushes `content` of `file` to the bare repository.
pub fn push(bare: &Path, file: &str, content: &str, message: &str) {
    let work = tempfile::tempdir().unwrap();
    let clone = work.path().join("clone");
    let output = Command::new("git").args(["clone", "-q"]).arg(bare).arg(&clone).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    if let Some(parent) = clone.join(file).parent() {
        std::fs::create_dir_all(parent).unwrap();
    }
    std::fs::write(clone.join(file), content).unwrap();
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-q", "-m", message]);
    git(&clone, &["push", "-q", "origin", "HEAD:main"]);
}
