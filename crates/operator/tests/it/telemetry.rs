//! What a running operator shows of itself: metrics, logs, readiness, and the command line that
//! reads them; and how it takes a changed configuration.

use serde_json::Value;

use crate::harness::{Options, Server};

fn value(server: &Server, series: &str) -> f64 {
    let text = server.get("/metrics").text();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is not in\n{text}")).parse().unwrap()
}

fn ran(server: &Server, words: &[&str]) -> (i32, String, String) {
    let output = server.cli(words);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_happens_is_counted() {
    let server = Server::start();
    server.submit_until("scale upf to 4 in ns ran-a", "applied");
    server.submit_until("scale upf in ran-a", "needs_answer");
    server.submit_until("scale nothing-there to 4 in ns ran-a", "refused");
    for (series, least) in [
        ("nephoran_intents_total{source=\"http\",outcome=\"applied\"}", 1.0),
        ("nephoran_intents_total{source=\"http\",outcome=\"needs_answer\"}", 1.0),
        ("nephoran_intents_total{source=\"http\",outcome=\"refused\"}", 1.0),
        ("nephoran_intent_seconds_count{stage=\"accept\"}", 3.0),
        ("nephoran_intent_seconds_count{stage=\"queue\"}", 3.0),
        ("nephoran_intent_seconds_count{stage=\"whole\"}", 3.0),
        ("nephoran_intent_seconds_count{stage=\"apply\"}", 1.0),
        ("nephoran_actuations_total{actuator=\"package\",result=\"committed\"}", 1.0),
        ("nephoran_store_commit_seconds_count", 3.0),
        ("nephoran_store_commit_batch_bucket{le=\"+Inf\"}", 3.0),
        ("worker_pool_queue_capacity", 2000.0),
        ("nephoran_runtime_tasks", 1.0),
        ("nephoran_intent_seconds_count{stage=\"guard\"}", 1.0),
        ("nephoran_intent_seconds_count{stage=\"verify\"}", 1.0),
        ("nephoran_process_resident_bytes", 1.0),
        ("nephoran_process_open_fds", 3.0),
        ("nephoran_process_threads", 1.0),
        ("nephoran_allocated_bytes", 10_000.0),
        ("nephoran_ready{condition=\"store\"}", 1.0),
    ] {
        assert!(value(&server, series) >= least, "{series}: {}", server.get("/metrics").text());
    }
    for stage in ["accept", "queue", "whole"] {
        let series = format!("nephoran_intent_seconds_count{{stage=\"{stage}\"}}");
        assert_eq!(value(&server, &series), 3.0, "{stage}: once for each intent");
    }
    server.until("fulfilment is counted", || {
        (value(&server, "nephoran_fulfilment{state=\"unknown\"}") >= 1.0).then_some(())
    });
    server.until("a tick was watched", || {
        (value(&server, "nephoran_runtime_stall_seconds_count") >= 1.0).then_some(())
    });
}

#[test]
fn the_log_is_one_json_object_a_line_whatever_a_client_sends() {
    let server = Server::with(Options { config: "telemetry: {log: trace}\n".into(), ..Options::default() });
    let hostile = "scale upf\n{\"level\":\"ERROR\"}\r\u{1b}[2J\u{202e} to 5";
    let sent = server.post("/api/v1/intents", "text/plain", hostile);
    server.intent_in(sent.json()["id"].as_str().unwrap(), "needs_answer");
    server.send("GET", "/api/v1/intents/a%0a%7b%22level%22", &[("x-request-id", "a\tb")], None);
    server.post("/intent", "application/json", "{\"intent_type\": \"\\n{\\u001b\"}");
    let (status, folder) = server.stop();
    assert!(status.success());
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let mut lines = 0;
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        assert!(event["level"].is_string() && event["message"].is_string(), "{line}");
        lines += 1;
    }
    assert!(lines > 2 && log.contains("An intent came to rest."), "{log}");
}

#[test]
fn a_hangup_takes_limits_and_log_and_refuses_the_rest() {
    const RATES: &str =
        "client: {per_second: 100000, burst: 100000}, global: {per_second: 100000, burst: 100000}";
    let config = format!("limits: {{{RATES}, live: 100}}\n");
    let server = Server::with(Options { config, ..Options::default() });
    let hang_up = || {
        let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    };
    server.submit_until("scale upf to 4 in ns ran-a", "applied");

    std::fs::write(
        server.path("config.yaml"),
        format!("limits: {{{RATES}, live: 1}}\nqueue: {{total: 50}}\n"),
    )
    .unwrap();
    hang_up();
    server.until("it refused", || server.log().contains("queue.total differs").then_some(()));
    assert!(server.log().contains("restart the operator"), "{}", server.log());
    server.submit_until("scale upf to 5 in ns ran-a", "applied");

    std::fs::write(
        server.path("config.yaml"),
        format!("limits: {{{RATES}, live: 1}}\ntelemetry: {{log: debug}}\n"),
    )
    .unwrap();
    hang_up();
    server.until("it reloaded", || server.log().contains("The configuration was reloaded.").then_some(()));
    let full = server.post("/api/v1/intents", "text/plain", "scale smf to 4 in ns core5g");
    assert_eq!(full.status, 503, "{}", full.text());
    assert!(full.header("retry-after").is_some());
    let (code, out, _) = ran(&server, &["audit", "--data", server.path("data").to_str().unwrap()]);
    assert_eq!((code, out.matches(" reload ").count()), (0, 1), "{out}");
}

#[test]
fn the_command_line_takes_an_intent_all_the_way() {
    let server = Server::start();
    let data = server.path("data").display().to_string();
    let packages = server.path("packages.git").display().to_string();
    let (code, out, err) =
        ran(&server, &["submit", "--wait", "--ticket", "CHG-17", "scale upf to 4 in ns ran-a"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("scale ran-a/upf 3 -> 4") && out.contains("CHG-17"), "{out}");

    let (code, out, _) = ran(&server, &["submit", "--wait", "scale amf to 0 in ns core5g"]);
    assert_eq!(code, 5, "{out}");
    let id = out.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let (code, _, err) = ran(&server, &["approve", &id]);
    assert_eq!(code, 2, "{err}");
    let (code, _, err) = ran(&server, &["approve", &id, "--plan", &"0".repeat(64)]);
    assert_eq!(code, 7, "{err}");
    let (_, out, _) = ran(&server, &["plan", &id]);
    assert!(out.contains("-  replicas: 2") && out.contains("+  replicas: 0"), "{out}");
    let hash = out.lines().find_map(|line| line.strip_prefix("hash       ")).unwrap().to_owned();
    let (code, out, err) = ran(&server, &["approve", &id, "--plan", &hash]);
    assert_eq!(code, 0, "{out}{err}");
    server.intent_in(&id, "applied");
    let (code, out, err) = ran(&server, &["rollback", &id]);
    assert_eq!(code, 0, "{out}{err}");
    let back = out.split_whitespace().next().unwrap().to_owned();
    server.intent_in(&back, "applied");
    let (code, out, _) = ran(&server, &["watch", &id]);
    assert_eq!(code, 0, "{out}");
    assert!(out.lines().last().unwrap().contains("rolled_back"), "{out}");

    let (code, out, err) = ran(&server, &["submit", "--wait", "scale upf in ran-a"]);
    assert_eq!(code, 4, "{out}{err}");
    let (code, out, err) = ran(&server, &["submit", "--wait", "scale upfx to 4 in ns ran-a"]);
    assert_eq!(code, 3, "{out}{err}");
    assert!(out.contains("finding "), "{out}");
    assert_eq!(ran(&server, &["get", "no-such-intent"]).0, 7);

    let (code, out, err) = ran(&server, &["audit", "--verify", "--data", &data, "--packages", &packages]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("sound") && out.contains(" 3 heads in git"), "{out}");
    let address = server.url.trim_start_matches("http://").to_owned();
    let (code, out, err) =
        ran(&server, &["doctor", "--data", &data, "--packages", &packages, "--listen", &address]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("an operator runs at"), "{out}");
}

#[test]
fn a_trail_whose_tail_was_cut_off_shows_against_git() {
    let server = Server::start();
    let before = tempfile::tempdir().unwrap();
    server.submit_until("scale upf to 4 in ns ran-a", "applied");
    let packages = server.path("packages.git").display().to_string();
    // The store as it is now, put back after more was done: a restore that hides something.
    let (status, folder) = server.stop();
    assert!(status.success());
    let database = folder.path().join("data/nephoran.db");
    std::fs::copy(&database, before.path().join("nephoran.db")).unwrap();
    let server = Server::on(folder, Options::default());
    server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let verify = |data: &str| ran(&server, &["audit", "--verify", "--data", data, "--packages", &packages]);
    let (code, out, err) = verify(server.path("data").to_str().unwrap());
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = verify(before.path().to_str().unwrap());
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("BROKEN") && err.contains("\ntry: "), "{out}{err}");
    // Alone, the cut chain would look whole.
    assert_eq!(ran(&server, &["audit", "--verify", "--data", before.path().to_str().unwrap()]).0, 0);
}

#[test]
fn a_profile_is_bounded_and_a_build_without_it_names_the_feature() {
    let server = Server::start();
    for wrong in ["0", "26", "-1", "x", "1.5", ""] {
        let answer = server.post(&format!("/api/v1/admin/profile?seconds={wrong}"), "text/plain", "");
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.text());
    }
    let answer = server.post("/api/v1/admin/profile?seconds=1", "text/plain", "");
    if cfg!(feature = "profile") {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let counted =
            |line: &str| line.rsplit_once(' ').is_some_and(|(_, count)| count.parse::<u64>().is_ok());
        assert!(answer.text().lines().all(counted), "{}", answer.text());
    } else {
        assert_eq!(answer.status, 501);
        assert!(answer.text().contains("feature `profile`"), "{}", answer.text());
    }
}
