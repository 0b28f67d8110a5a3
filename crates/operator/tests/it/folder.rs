//! The hot folder, row by row, and `up --once` with its exit codes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Options, PATIENCE, Server, binary, samples};

fn intent(target: &str, namespace: &str, replicas: u32) -> String {
    json!({"intent_type": "scaling", "target": target, "namespace": namespace, "replicas": replicas})
        .to_string()
}

/// Puts a whole file into the folder, as careful programs do.
fn rename_in(server: &Server, name: &str, content: &str) {
    let aside = server.path("aside");
    fs::write(&aside, content).unwrap();
    fs::rename(aside, server.path("hot").join(name)).unwrap();
}

fn status(server: &Server, name: &str) -> Option<Value> {
    let text = fs::read(server.path("hot/status").join(format!("{name}.status"))).ok()?;
    Some(serde_json::from_slice(&text).expect("a status file is whole whenever it is read"))
}

fn status_in(server: &Server, name: &str, state: &str) -> Value {
    server.until(&format!("{name} is {state}"), || {
        status(server, name).filter(|status| status["state"] == state)
    })
}

fn failed(server: &Server, name: &str) -> String {
    let log = server.path("hot/failed").join(format!("{name}.error.log"));
    server.until(&format!("{name} fails"), || {
        (log.exists() && server.path("hot/failed").join(name).symlink_metadata().is_ok()).then_some(())
    });
    assert!(server.path("hot").join(name).symlink_metadata().is_err(), "{name} moves, it is not copied");
    let text = fs::read_to_string(log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(lines[0], format!("File: {name}"));
    let at = lines[1].strip_prefix("Failed at: ").unwrap();
    assert!(at.parse::<jiff::Timestamp>().is_ok(), "{at}");
    lines[2].strip_prefix("Error: ").unwrap().to_owned()
}

fn count(server: &Server) -> usize {
    server.get("/api/v1/intents?limit=500").json()["items"].as_array().unwrap().len()
}

#[test]
fn files_become_commits_and_their_status_follows() {
    let server = Server::start();
    fs::write(server.path("hot/intent-words.txt"), "scale upf to 5 in ns ran-a\n").unwrap();
    rename_in(&server, "intent-json.json", &intent("amf", "core5g", 5));
    for (name, file) in [
        ("intent-words.txt", "ran-a/upf/deployment.yaml"),
        ("intent-json.json", "core5g/amf/deployment.yaml"),
    ] {
        let status = status_in(&server, name, "applied");
        assert_eq!(status["intent_file"], name);
        assert_eq!(status["status"], "success");
        assert!(status["message"].is_string());
        assert!(status["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
        let record = server.intent(status["intent"].as_str().unwrap());
        assert_eq!((&record["source"], &record["file"]), (&json!("folder"), &json!(name)));
        assert!(server.packaged(file).contains("replicas: 5"));
        assert!(server.path("hot/processed").join(name).exists());
        assert!(!server.path("hot").join(name).exists());
    }
}

#[test]
fn a_status_is_rewritten_as_the_intent_moves_on() {
    let server = Server::start();
    rename_in(&server, "intent-a.txt", "scale upf to 30 in ns ran-a");
    let waiting = status_in(&server, "intent-a.txt", "awaiting_approval");
    assert_eq!(waiting["status"], "pending");
    let id = waiting["intent"].as_str().unwrap();
    let hash = server.intent(id)["plan"]["hash"].clone();
    server.post_json(&format!("/api/v1/intents/{id}/approve"), &json!({"plan_hash": hash}));
    assert_eq!(status_in(&server, "intent-a.txt", "applied")["status"], "success");
    rename_in(&server, "intent-b.txt", "scale upf to 29 in ns ran-a");
    status_in(&server, "intent-b.txt", "applied");
    status_in(&server, "intent-a.txt", "superseded");
    // Refused by the guard after acceptance: processed, and the status says so.
    rename_in(&server, "intent-c.txt", "scale upf to 500 in ns ran-a");
    let refused = status_in(&server, "intent-c.txt", "refused");
    assert_eq!(refused["status"], "failed");
    assert!(server.path("hot/processed/intent-c.txt").exists());
}

#[test]
fn what_is_unreadable_invalid_or_asks_back_fails_with_the_reason() {
    let server = Server::start();
    let cases = [
        ("intent-a.json", "{", "JSON"),
        ("intent-b.json", r#"{"intent_type":"scaling"}"#, "validation failed"),
        ("intent-c.json", &intent("upf", "ran-a", 101), "Replicas must be between 1 and 100."),
        ("intent-d.json", &intent("../../etc/passwd", "ran-a", 1), "validation failed"),
        ("intent-e.json", r#"{"replicas":1,"replicas":2}"#, "duplicate"),
        ("intent-f.txt", "scale up the upf in ns ran-a", "?"),
        ("intent-g.txt", "delete everything", ""),
        ("intent-h.txt", "", "nothing"),
        ("intent-i.yaml", "kind: NetworkIntent\napiVersion: x/v1\n", "later"),
        ("intent-j.json", r#"{"apiVersion":"x/v1","kind":"NetworkIntent","spec":{}}"#, "later"),
        ("intent-k.yaml", "a: 1", "NetworkIntent"),
    ];
    for (name, content, _) in &cases {
        rename_in(&server, name, content);
    }
    for (name, _, says) in &cases {
        let why = failed(&server, name);
        assert!(why.contains(says), "{name}: {why}");
        let status = status(&server, name).unwrap();
        assert_eq!((&status["status"], &status["intent"]), (&json!("failed"), &Value::Null), "{name}");
    }
    assert_eq!(count(&server), 0);
}

#[test]
fn links_pipes_folders_and_large_files_are_refused_and_what_they_lead_to_is_left_alone() {
    let server = Server::start();
    let hot = |name: &str| server.path("hot").join(name);
    let secret = server.path("secret");
    fs::write(&secret, intent("upf", "ran-a", 9)).unwrap();
    symlink(&secret, hot("intent-a.json")).unwrap();
    fs::hard_link(&secret, hot("intent-b.json")).unwrap();
    assert!(Command::new("mkfifo").arg(hot("intent-c.json")).status().unwrap().success());
    fs::create_dir(hot("intent-d.json")).unwrap();
    fs::write(hot("intent-e.json"), vec![b' '; 256 * 1024 + 1]).unwrap();
    fs::write(hot("intent-\u{1b}.json"), intent("upf", "ran-a", 9)).unwrap();
    for (name, says) in [
        ("intent-a.json", "link"),
        ("intent-b.json", "hard link"),
        ("intent-c.json", "pipe"),
        ("intent-d.json", "folder"),
        ("intent-e.json", "256 KiB"),
    ] {
        let why = failed(&server, name);
        assert!(why.contains(says), "{name}: {why}");
    }
    server
        .until("the odd name fails", || server.path("hot/failed/intent-\u{1b}.json").exists().then_some(()));
    assert_eq!(fs::read_to_string(&secret).unwrap(), intent("upf", "ran-a", 9));
    assert_eq!(count(&server), 0);
    // Files that are no requests are left alone.
    fs::write(hot("notes.txt"), "scale upf to 5 in ns ran-a").unwrap();
    rename_in(&server, "intent-z.json", &intent("upf", "ran-a", 4));
    status_in(&server, "intent-z.json", "applied");
    assert!(hot("notes.txt").exists());
}

#[test]
fn a_namesake_keeps_both_files_and_two_files_of_one_content_are_two_requests() {
    let server = Server::start();
    let text = intent("upf", "ran-a", 4);
    rename_in(&server, "intent-a.json", &text);
    let first = status_in(&server, "intent-a.json", "applied");
    rename_in(&server, "intent-a.json", &text);
    let second = server.until("the second has its status", || {
        status(&server, "intent-a.json").filter(|status| status["intent"] != first["intent"])
    });
    server.intent_in(second["intent"].as_str().unwrap(), "applied");
    rename_in(&server, "intent-b.json", &text);
    status_in(&server, "intent-b.json", "applied");
    assert_eq!(count(&server), 3);
    let mut names: Vec<String> = fs::read_dir(server.path("hot/processed"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(names[0], "intent-a.json");
    assert!(names[1].starts_with("intent-a.json_2"), "{names:?}");
}

#[test]
fn files_of_one_look_are_let_in_by_name() {
    let server = Server::with(Options { config: "workers: {paused: true}\n".into(), ..Default::default() });
    let aside = server.path("aside");
    fs::create_dir(&aside).unwrap();
    let (_, folder) = server.stop();
    // All are there before anybody looks.
    for n in (0..200).rev() {
        fs::write(folder.path().join(format!("hot/intent-{n:03}.json")), intent("upf", "ran-a", 1 + n % 9))
            .unwrap();
    }
    let server =
        Server::on(folder, Options { config: "workers: {paused: true}\n".into(), ..Default::default() });
    server.until("all are accepted", || (count(&server) == 200).then_some(()));
    let items = server.get("/api/v1/intents?limit=500").json();
    let mut names: Vec<String> = items["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["file"].as_str().unwrap().to_owned())
        .collect();
    names.reverse();
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn a_full_queue_fails_no_file() {
    let config = "workers: {paused: true}\nqueue: {total: 10}\n";
    let server = Server::with(Options { config: config.into(), ..Default::default() });
    for n in 0..20 {
        rename_in(&server, &format!("intent-{n:02}.json"), &intent("upf", "ran-a", 1 + n % 9));
    }
    // 9 of 10: normal intents leave room for those that matter more.
    server.until("the queue is full", || (count(&server) == 9).then_some(()));
    assert_eq!(fs::read_dir(server.path("hot/failed")).unwrap().count(), 0);
    assert!(server.path("hot/intent-19.json").exists());
    server.post_json("/api/v1/admin/resume", &json!({}));
    server.until("all are accepted", || (count(&server) == 20).then_some(()));
    server.until("all are moved", || {
        (fs::read_dir(server.path("hot/processed")).unwrap().count() == 20).then_some(())
    });
    assert_eq!(fs::read_dir(server.path("hot/failed")).unwrap().count(), 0);
}

#[test]
fn a_writer_that_pauses_is_not_read_early() {
    use std::io::Write as _;
    let server = Server::start();
    let mut file = fs::File::create(server.path("hot/intent-a.txt")).unwrap();
    file.write_all(b"scale upf to 5").unwrap();
    file.sync_all().unwrap();
    // Others come and go meanwhile.
    rename_in(&server, "intent-b.json", &intent("amf", "core5g", 3));
    status_in(&server, "intent-b.json", "applied");
    assert!(status(&server, "intent-a.txt").is_none());
    file.write_all(b" in ns ran-a\n").unwrap();
    drop(file);
    let status = status_in(&server, "intent-a.txt", "applied");
    assert_eq!(
        server.intent(status["intent"].as_str().unwrap())["request"]["text"],
        "scale upf to 5 in ns ran-a"
    );
}

#[test]
fn a_file_that_no_event_told_of_is_found() {
    let server = Server::start();
    // The file stays open for writing: nothing is closed, nothing renamed. Its JSON is whole.
    use std::io::Write as _;
    let mut file = fs::File::create(server.path("hot/intent-a.json")).unwrap();
    file.write_all(intent("upf", "ran-a", 4).as_bytes()).unwrap();
    status_in(&server, "intent-a.json", "applied");
    // Words have no end of their own: they are taken when they are left alone for three seconds.
    let began = Instant::now();
    let mut words = fs::File::create(server.path("hot/intent-b.txt")).unwrap();
    words.write_all(b"scale upf to 5 in ns ran-a").unwrap();
    status_in(&server, "intent-b.txt", "applied");
    assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());
    drop((file, words));
}

#[test]
fn polling_takes_files_too() {
    let config = "hot_folder: {mode: poll}\n";
    let server = Server::with(Options { config: config.into(), ..Default::default() });
    fs::write(server.path("hot/intent-a.txt"), "scale upf to 5 in ns ran-a").unwrap();
    fs::write(server.path("hot/intent-b.json"), "{").unwrap();
    status_in(&server, "intent-a.txt", "applied");
    failed(&server, "intent-b.json");
}

#[test]
fn an_accepted_file_that_could_not_be_moved_is_one_intent_after_a_restart() {
    let inject = ["-D", "-f", "-qq", "-o", "/dev/null", "-e", "inject=renameat2:error=EIO"];
    let probe = Command::new("strace").args(inject).arg("true").stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: needs strace, and the right to trace, to stop the move of an accepted file");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    samples(&folder.path().join("packages.git"));
    fs::create_dir(folder.path().join("hot")).unwrap();
    // Every rename that must not overwrite fails: that is the move to processed/.
    // -D: the process that is killed is the operator, not its tracer.
    let wrapper = ["strace"].into_iter().chain(inject);
    let options = Options {
        config: "workers: {paused: true}\n".into(),
        wrapper: wrapper.map(str::to_owned).collect(),
        ..Default::default()
    };
    let server = Server::on(folder, options);
    fs::write(server.path("hot/intent-a.json"), intent("upf", "ran-a", 4)).unwrap();
    server.until("it is accepted", || (count(&server) == 1).then_some(()));
    assert!(server.path("hot/intent-a.json").exists());
    let folder = server.kill();
    assert!(folder.path().join("hot/intent-a.json").exists());
    let server = Server::on(folder, Options::default());
    server.until("it is moved", || server.path("hot/processed/intent-a.json").exists().then_some(()));
    status_in(&server, "intent-a.json", "applied");
    assert_eq!(count(&server), 1);
}

#[test]
fn a_status_left_behind_by_a_kill_is_made_true() {
    let server = Server::with(Options { config: "workers: {paused: true}\n".into(), ..Default::default() });
    rename_in(&server, "intent-a.txt", "scale upf to 5 in ns ran-a");
    let status = status_in(&server, "intent-a.txt", "received");
    let id = status["intent"].as_str().unwrap().to_owned();
    // The folder is not watched in this run: the intent moves on without it.
    let folder = server.kill();
    let hot = folder.path().join("hot");
    fs::rename(&hot, folder.path().join("elsewhere")).unwrap();
    let server = Server::on(folder, Options::default());
    server.intent_in(&id, "applied");
    let folder = server.kill();
    fs::rename(folder.path().join("elsewhere"), &hot).unwrap();
    let server = Server::on(folder, Options::default());
    status_in(&server, "intent-a.txt", "applied");
}

#[test]
fn a_folder_that_is_moved_away_is_reported_and_taken_up_again() {
    let server = Server::start();
    fs::rename(server.path("hot"), server.path("gone")).unwrap();
    server.until("it is reported", || {
        let answer = server.get("/readyz");
        (answer.status == 503 && answer.text().contains("hot folder")).then_some(())
    });
    fs::create_dir(server.path("hot")).unwrap();
    server.until("it is ready again", || (server.get("/readyz").status == 200).then_some(()));
    rename_in(&server, "intent-a.json", &intent("upf", "ran-a", 4));
    status_in(&server, "intent-a.json", "applied");
}

/// `up --once` on a folder of its own.
struct Once {
    folder: tempfile::TempDir,
}

impl Once {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        samples(&folder.path().join("packages.git"));
        fs::create_dir(folder.path().join("hot")).unwrap();
        Self { folder }
    }

    fn hot(&self, name: &str) -> PathBuf {
        self.folder.path().join("hot").join(name)
    }

    fn put(&self, name: &str, content: &str) {
        fs::write(self.hot(name), content).unwrap();
    }

    fn run(&self) -> Output {
        self.run_on(&self.folder.path().join("hot"))
    }

    fn run_on(&self, hot: &Path) -> Output {
        let path = |name: &str| self.folder.path().join(name);
        Command::new(binary())
            .args(["up", "--once", "--listen", "127.0.0.1:0", "--data"])
            .arg(path("data"))
            .arg("--packages")
            .arg(path("packages.git"))
            .arg("--hot-folder")
            .arg(hot)
            .env_remove("NEPHORAN_HOT_FOLDER__PATH")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn code(&self) -> i32 {
        let output = self.run();
        output.status.code().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn status(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.hot(&format!("status/{name}.status"))).unwrap()).unwrap()
    }
}

#[test]
fn once_on_an_empty_folder_is_done() {
    let began = Instant::now();
    assert_eq!(Once::new().code(), 0);
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn once_processes_what_is_there_and_tells_how_it_rests() {
    let once = Once::new();
    once.put("intent-a.json", &intent("upf", "ran-a", 4));
    once.put("intent-b.txt", "scale amf to 5 in ns core5g\n");
    // Refused by the guard after acceptance, and waiting for a person: both are processed.
    once.put("intent-c.json", &intent("nobody", "ran-a", 4));
    once.put("intent-d.txt", "scale o-du to 0 in ns ran-a");
    assert_eq!(once.code(), 0);
    assert_eq!(once.status("intent-a.json")["state"], "applied");
    assert_eq!(once.status("intent-b.txt")["state"], "applied");
    assert_eq!(once.status("intent-c.json")["state"], "refused");
    let waiting = once.status("intent-d.txt");
    assert!(["awaiting_approval", "refused"].contains(&waiting["state"].as_str().unwrap()), "{waiting}");
    assert_eq!(fs::read_dir(once.hot("processed")).unwrap().count(), 4);
    assert_eq!(fs::read_dir(once.hot("failed")).unwrap().count(), 0);
    // Again: nothing is left to do.
    assert_eq!(once.code(), 0);
}

#[test]
fn once_with_a_failed_file_exits_with_8() {
    let once = Once::new();
    once.put("intent-a.json", &intent("upf", "ran-a", 4));
    once.put("intent-b.json", "{");
    once.put("intent-c.txt", "scale up the upf");
    assert_eq!(once.code(), 8);
    assert_eq!(once.status("intent-a.json")["state"], "applied");
    assert!(once.hot("failed/intent-b.json.error.log").exists());
    assert!(once.hot("failed/intent-c.txt.error.log").exists());
    // The failed ones are out of the way.
    assert_eq!(once.code(), 0);
}

#[test]
fn once_without_its_folder_is_bad_configuration() {
    let once = Once::new();
    let output = once.run_on(&once.folder.path().join("missing"));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("error:") && said.contains("missing"), "{said}");
}
