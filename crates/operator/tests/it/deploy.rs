//! What `deploy/` ships: alert rules that fire when they should, and a dashboard that shows what there is.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Server, root};

fn deploy(name: &str) -> PathBuf {
    root().join("deploy").join(name)
}

fn read(name: &str) -> String {
    let path = deploy(name);
    std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// The alerts of rules.yml.
fn alerts() -> Vec<String> {
    let rules = read("prometheus/rules.yml");
    let named = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    named.map(str::to_owned).collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("grafana/nephoran.json")).unwrap()
}

/// The panels that show something, and the rows above them.
fn panels(dashboard: &Value) -> (Vec<Value>, Vec<Value>) {
    dashboard["panels"].as_array().unwrap().iter().cloned().partition(|panel| panel["type"] != "row")
}

/// The metrics that `text` asks for: words that begin as ours do.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let of_ours = ["nephoran_", "worker_pool_", "conductor_loop_", "http_client_", "process_"];
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
        .filter(|word| of_ours.iter().any(|begin| word.starts_with(begin)))
        .map(str::to_owned)
        .collect()
}

/// The lines of rules.yml that are expressions, not words for people.
fn expressions(rules: &str) -> String {
    let for_people = ["#", "summary:", "description:", "- alert:", "- record:", "- name:", "labels:"];
    rules
        .lines()
        .filter(|line| !for_people.iter().any(|begin| line.trim().starts_with(begin)))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn s11_each_alert_fires_where_it_is_provoked_and_stays_silent_elsewhere() {
    if Command::new("promtool").arg("--version").output().is_err() {
        eprintln!("SKIPPED: needs promtool; on Debian: apt-get install prometheus");
        return;
    }
    for task in [["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]] {
        let output = Command::new("promtool").args(task).current_dir(deploy("prometheus")).output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("SUCCESS"), "promtool {task:?}: {said}");
    }
}

#[test]
fn s11_the_audit_s_five_thresholds_are_alerts_and_every_alert_has_its_test() {
    let alerts = alerts();
    for five in [
        "NephoranTasksGrow",
        "NephoranMemoryGrows",
        "NephoranConnectionsNotReused",
        "NephoranQueueFillsUp",
        "NephoranRuntimeStalls",
    ] {
        assert!(alerts.iter().any(|alert| alert == five), "{five} is not in {alerts:?}");
    }
    let tests = read("prometheus/rules_test.yml");
    for alert in &alerts {
        assert!(
            tests.contains(&format!("alertname: {alert}\n"))
                || tests.contains(&format!("alertname=\"{alert}\"")),
            "no test provokes {alert}"
        );
    }
}

#[test]
fn s11_every_metric_of_rules_and_dashboard_exists_under_load() {
    let server = Server::start();
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let speaker = server.client();
            std::thread::spawn(move || {
                for replicas in 2..8 {
                    let words = format!("scale upf to {} in ns ran-a", replicas + client % 2);
                    speaker.post("/api/v1/intents", "text/plain", words);
                }
            })
        })
        .collect();
    let mut asked = metrics_in(&expressions(&read("prometheus/rules.yml")));
    let (shown, _) = panels(&dashboard());
    for panel in &shown {
        for target in panel["targets"].as_array().unwrap() {
            asked.extend(metrics_in(target["expr"].as_str().unwrap()));
        }
    }
    assert!(asked.len() > 30, "{asked:?}");
    let text = server.get("/metrics").text();
    for client in clients {
        client.join().unwrap();
    }
    let families: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let missing: Vec<&String> = asked
        .iter()
        .filter(|name| {
            let ends = ["", "_total", "_bucket", "_count", "_sum"];
            !ends.iter().any(|end| name.strip_suffix(end).is_some_and(|family| families.contains(family)))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?} are not in\n{text}");
}

#[test]
fn the_dashboard_explains_each_panel_and_has_a_row_for_each_area() {
    let (shown, rows) = panels(&dashboard());
    assert!(rows.len() >= 6, "{} rows", rows.len());
    let mut titles = BTreeSet::new();
    for panel in &shown {
        let title = panel["title"].as_str().unwrap();
        assert!(titles.insert(title.to_owned()), "{title} is there twice");
        assert!(panel["description"].as_str().is_some_and(|text| text.len() > 15), "{title}: no description");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}: no unit");
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{title} shows nothing");
    }
}
