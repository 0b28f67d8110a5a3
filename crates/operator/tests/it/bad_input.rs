//! Configurations, repositories and command lines that are wrong: each says what failed, why, and what to do.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::harness::{Options, Server, binary, git, line, push, samples};

/// The program in an empty folder, without a server to speak to.
fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(binary())
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("NEPHORAN_SERVER", "http://127.0.0.1:9")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Ends with `code`, says all three things, names each of `names`.
fn fails(output: &Output, code: i32, names: &[&str]) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{said}");
    for word in ["error", "cause", "try"] {
        let text = line(&said, word).unwrap_or_else(|| panic!("there is no `{word}:` line in: {said}"));
        assert!(!text.is_empty(), "`{word}:` says nothing in: {said}");
    }
    assert!(!said.contains("nothing more is known"), "the cause is not told: {said}");
    for name in names {
        assert!(said.contains(name), "{name} is not named in: {said}");
    }
    assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{said}");
}

#[test]
fn a_wrong_configuration_is_shown_with_a_caret_and_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    for (text, names) in [
        ("workerz: {min: 1}\n", &["workerz", "workers", "1:1", "^"][..]),
        ("listen: 127.0.0.1:99999\n", &["listen", "127.0.0.1:8080", "^"]),
        ("queue: {total: many}\n", &["queue.total", "many", "2000", "^"]),
        ("queue: {total: 0}\n", &["queue.total", "^"]),
        ("guard: {max_replicas: -1}\n", &["guard.max_replicas", "^"]),
        ("guard: {approval: {ttl: soon}}\n", &["guard.approval.ttl", "soon", "^"]),
        ("listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n", &["listen", "2:1", "^"]),
        ("listen: [\n", &["^"]),
        ("a: &a [*a]\n", &["^"]),
        ("listen: 0.0.0.0:8080\n", &["token"]),
        ("store: kubernetes\n", &["store", "kubernetes"]),
        ("hot_folder: {path: /does/not/exist}\n", &["/does/not/exist"]),
    ] {
        let file = folder.path().join("config.yaml");
        std::fs::write(&file, text).unwrap();
        let up = ["up", "--listen", "127.0.0.1:0", "--config", "config.yaml", "--data", "data"];
        // A flag would stand above the key.
        let up = if text.starts_with("listen") { [&up[..1], &up[3..]].concat() } else { up.to_vec() };
        fails(&run(folder.path(), &up), 1, names);
        assert!(!folder.path().join("data").exists(), "{text} began to make something");
        if !text.contains("hot_folder") {
            fails(&run(folder.path(), &["config", "check", "config.yaml"]), 1, names);
        }
    }
}

#[test]
fn a_secret_in_a_wrong_place_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "packages: {repositories: [{name: a, url: 'https://me:hunter2@forge.example/x.git'}]}\n",
        "packages: {repositories: [{name: a, url: 'https://me:hunter2@forge.example/x.git', remote: 5}]}\n",
    ] {
        std::fs::write(folder.path().join("config.yaml"), text).unwrap();
        for command in
            [&["config", "check", "config.yaml"][..], &["config", "explain", "--config", "config.yaml"]]
        {
            let output = run(folder.path(), command);
            let said = [output.stdout, output.stderr].concat();
            assert!(
                !String::from_utf8_lossy(&said).contains("hunter2"),
                "{}",
                String::from_utf8_lossy(&said)
            );
        }
    }
}

#[test]
fn wrong_command_lines_say_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let hash = "0".repeat(64);
    let cases: &[(&[&str], i32, &[&str])] = &[
        (&["frobnicate"], 2, &["frobnicate", "--help"]),
        (&["submti", "x"], 2, &["submit"]),
        (&["up", "--listen"], 2, &["--listen"]),
        (&["up", "--nothing"], 2, &["--nothing"]),
        (&["up", "--listen", "nowhere"], 1, &["nowhere", "listen"]),
        (&["up", "--config", "missing.yaml"], 1, &["missing.yaml"]),
        (&["up", "--hot-folder", "missing", "--data", "data"], 1, &["missing"]),
        (&["up", "--once", "--data", "data"], 1, &["--hot-folder"]),
        (&["up", "--store", "kubernetes", "--data", "data"], 1, &["kubernetes"]),
        (&["get", "01aaaaaaaaaaaaaaaaaaaaaaaa"], 6, &["http://127.0.0.1:9", "nephoran up", "--server"]),
        (&["get"], 2, &["ID"]),
        (&["list", "--server", "not a url"], 2, &["not a url"]),
        (&["list", "-o", "xml"], 2, &["xml", "json"]),
        (&["submit", "scale upf to 5", "--priority", "extreme"], 2, &["extreme", "urgent"]),
        (&["submit", "-f", "missing.txt"], 2, &["missing.txt"]),
        (&["approve", "01aaaaaaaaaaaaaaaaaaaaaaaa", "--plan", "abc"], 2, &["64"]),
        (&["approve", "01aaaaaaaaaaaaaaaaaaaaaaaa", "--plan", &hash], 6, &["nephoran up"]),
        (&["translate", "--file", "missing.txt"], 2, &["missing.txt"]),
        (&["audit", "--verify", "--data", "missing"], 1, &["missing", "--data"]),
        (&["token", "new"], 2, &["NAME"]),
        (&["crd"], 1, &["NetworkIntent"]),
        (&["get", "x", "--token-file", "missing"], 1, &["missing"]),
    ];
    for (args, code, names) in cases {
        let output = run(folder.path(), args);
        assert_eq!(
            output.status.code(),
            Some(*code),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        fails(&output, *code, names);
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "wrong command lines made {left:?}");
}

#[test]
fn every_command_tells_how_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        "demo",
        "up",
        "submit",
        "get",
        "list",
        "watch",
        "plan",
        "report",
        "audit",
        "answer",
        "approve",
        "reject",
        "cancel",
        "rollback",
        "retry",
        "pause",
        "resume",
        "translate",
        "token",
        "crd",
        "openapi",
        "schema",
        "config",
        "doctor",
        "completions",
    ] {
        let output = run(folder.path(), &[command, "--help"]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(&format!("Usage: nephoran {command}")), "{text}");
        assert!(
            text.lines().next().is_some_and(|line| line.len() > 10),
            "{command} does not say what it does"
        );
    }
}

// ---- Package repositories ----------------------------------------------------------------------

fn with_packages(make: impl FnOnce(&Path)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    make(&folder.path().join("packages.git"));
    folder
}

#[test]
fn a_package_repository_that_is_none_is_named() {
    type Case = (&'static str, fn(&Path));
    let cases: [Case; 5] = [
        ("missing", |_| {}),
        ("a file", |path| std::fs::write(path, "packages").unwrap()),
        ("an empty folder", |path| std::fs::create_dir(path).unwrap()),
        ("another branch", |path| {
            samples(path);
            git(path, &["branch", "-m", "main", "trunk"]);
        }),
        ("checked out", |path| {
            let bare = path.with_extension("bare");
            samples(&bare);
            assert!(
                Command::new("git").args(["clone", "-q"]).arg(&bare).arg(path).status().unwrap().success()
            );
        }),
    ];
    for (what, make) in cases {
        let folder = with_packages(make);
        let path = folder.path().join("packages.git");
        let ended = Server::refused(folder, Options::default());
        assert_eq!(ended.status.code(), Some(1), "{what}: {}", ended.said);
        for word in ["error", "cause", "try"] {
            let text =
                ended.line(word).unwrap_or_else(|| panic!("{what}: no `{word}:` line in {}", ended.said));
            assert!(!text.is_empty());
        }
        assert!(ended.said.contains(path.to_str().unwrap()), "{what}: {}", ended.said);
    }
}

#[test]
fn a_repository_that_is_gone_for_a_while_delays_and_loses_nothing() {
    let server = Server::start();
    server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let (here, away) = (server.path("packages.git"), server.path("packages.away"));
    std::fs::rename(&here, &away).unwrap();
    let reason = server.until("it says that it is not ready", || {
        let answer = server.get("/readyz");
        (answer.status == 503).then(|| answer.text())
    });
    assert!(reason.contains("repositor"), "{reason}");
    assert!(!reason.contains("/tmp"), "names a path of the host: {reason}");
    let id = server.submit("scale upf to 6 in ns ran-a");
    std::fs::rename(&away, &here).unwrap();
    server.until("it is ready again", || (server.get("/readyz").status == 200).then_some(()));
    server.intent_in(&id, "applied");
    git(&here, &["fsck", "--strict"]);
}

#[test]
fn a_locked_branch_delays_the_commit_until_it_is_free() {
    let server = Server::start();
    let lock = server.path("packages.git/refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    let id = server.submit("scale upf to 5 in ns ran-a");
    server.until("it met the lock", || {
        let record = server.intent(&id);
        let tried = record["state"] == "applying" || record["history"].to_string().contains("lock");
        (tried || server.log().contains("lock")).then_some(())
    });
    assert_ne!(server.intent(&id)["state"], "applied");
    std::fs::remove_file(&lock).unwrap();
    server.intent_in(&id, "applied");
}

#[test]
fn a_history_that_somebody_rewrote_is_taken_as_it_is() {
    let server = Server::start();
    let first = server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let bare = server.path("packages.git");
    let root = git(&bare, &["rev-list", "--max-parents=0", "main"]);
    git(&bare, &["update-ref", "refs/heads/main", root.trim()]);
    // Its change is gone: that is drift, not a reason to stop.
    server.intent_in(first["id"].as_str().unwrap(), "degraded");
    let second = server.submit_until("scale amf to 4 in ns core5g", "applied");
    let tip = git(&bare, &["rev-parse", "main"]);
    assert_eq!(second["outcomes"][0]["commit"], tip.trim());
    assert_eq!(git(&bare, &["rev-parse", "main~1"]), root);
    git(&bare, &["fsck", "--strict"]);
}

#[test]
fn a_package_that_does_not_parse_is_out_with_the_reason_and_comes_back_when_mended() {
    let server = Server::start();
    let bare = server.path("packages.git");
    let whole = server.packaged("core5g/amf/deployment.yaml");
    push(&bare, "core5g/amf/deployment.yaml", "spec: [\n  unclosed: {\n", "break it");
    let ids: Vec<String> = (0..1).map(|_| server.submit("scale amf to 4 in ns core5g")).collect();
    let refused = server.intent_in(&ids[0], "refused");
    let findings = refused["findings"].to_string();
    assert!(findings.contains("core5g/amf"), "the broken package is not named: {findings}");
    server.submit_until("scale upf to 5 in ns ran-a", "applied");
    push(&bare, "core5g/amf/deployment.yaml", &whole, "mend it");
    server.until("it scales again", || {
        let id = server.submit("scale amf to 4 in ns core5g");
        let ended = server.until("it rests", || {
            let state = server.intent(&id)["state"].as_str().unwrap().to_owned();
            ["applied", "refused"].contains(&state.as_str()).then_some(state)
        });
        (ended == "applied").then_some(())
    });
}

#[test]
fn signals_end_it_cleanly_and_what_is_accepted_waits_for_the_next_start() {
    let server = Server::with(Options { config: "workers: {paused: true}\n".into(), ..Options::default() });
    let ids: Vec<String> =
        (4..8).map(|number| server.submit(&format!("scale upf to {number} in ns ran-a"))).collect();
    let (status, folder) = server.stop();
    assert_eq!(status.code(), Some(0));
    assert!(!folder.path().join("data/nephoran.db-wal").exists(), "the journal was not taken in");
    let server = Server::on(folder, Options::default());
    server.intent_in(ids.last().unwrap(), "applied");
}
