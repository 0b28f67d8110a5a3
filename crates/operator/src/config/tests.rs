#![allow(clippy::unwrap_used)]

use nephoran_http::{Numbers, Profile};

use super::*;

fn with_file(text: &str) -> Result<Config, Error> {
    parse(Sources { name: "nephoran.yaml".into(), text: text.into(), ..Sources::default() })
}

fn with_variable(name: &str, value: &str) -> Result<Config, Error> {
    load(&Flags::default(), [(name.to_owned(), value.to_owned())], None)
}

/// The faults of a file, as people read them.
fn faults(text: &str) -> String {
    with_file(text).unwrap_err().to_string()
}

/// The file of the contract, every key at its default.
const WHOLE: &str = r#"
listen: 127.0.0.1:8080
hosts: []                        # names accepted in Host besides loopback's own
tls: {cert: null, key: null, client_ca: null}
data: ./nephoran-data
hot_folder: {path: null, mode: auto, as: null}
handoff: null
store: sqlite
packages:
  repositories: [{name: default, url: null, branch: main, directory: "", cluster: null, deliver: commit, remote: null, credential_file: null}]
  on_drift: report               # or reapply
  unknown_targets: refuse        # or patch
limits:                          # or `limits: off`
  client: {per_second: 20, burst: 40}
  global: {per_second: 500, burst: 1000}
  trusted_proxies: []
  live: 100000                   # accepted and not ended
queue: {total: 2000, bands: null}
workers: {min: 1, max: 16, paused: false}
translate: {order: [grammar]}
retrieve: {folder: null}
guard: {namespaces: ["*"], protected: [], max_replicas: 100, settings: [], images: ["*"], freeze: false,
        approval: {to_zero: true, retire: true, step_over: 10, factor_over: 3, self: deny, ttl: 24h},
        budget: {changes_per_hour: null}, change: {ticket: optional}}
auth: {tokens_file: null}
retention: 90d
telemetry: {otlp: null, log: info}
"#;

#[test]
fn every_key_may_be_written_at_its_default_and_changes_nothing() {
    let written = with_file(WHOLE).unwrap();
    let defaults = Config::defaults();
    assert_eq!(written.hash(), defaults.hash());
    assert_eq!(written.queue, nephoran_queue::Limits::default());
    assert_eq!(written.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(written.guard, Bounds::default());
    assert_eq!(written.retention, Duration::from_secs(90 * 86400));
    assert_eq!(written.packages.repositories.len(), 1);
    assert!(written.notes.is_empty());
    assert!(written.explain().iter().all(|row| row.origin == "file"
        || row.key.starts_with("danger_")
        || row.key.starts_with("http.")
        || row.key.starts_with("translate.model.")
        || row.key.starts_with("retrieve.embeddings.")));
    assert!(defaults.explain().iter().all(|row| row.origin == "default"));
}

#[test]
fn an_empty_file_and_empty_sections_are_the_defaults() {
    for text in ["", "\n", "# only a comment\n", "guard:\nqueue:\n", "---\n", "\u{feff}queue: {}\n"] {
        assert_eq!(with_file(text).unwrap().hash(), Config::defaults().hash(), "{text:?}");
    }
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_defaults() {
    let file = "listen: 127.0.0.1:1\ndata: /file\nqueue: {total: 10}\nworkers: {max: 3}\n";
    let environment = [
        ("NEPHORAN_LISTEN".to_owned(), "127.0.0.1:2".to_owned()),
        ("NEPHORAN_DATA".to_owned(), "/variable".to_owned()),
        ("NEPHORAN_QUEUE__TOTAL".to_owned(), "20".to_owned()),
        ("HOME".to_owned(), "/root".to_owned()),
    ];
    let flags = Flags { listen: Some("127.0.0.1:3".into()), ..Flags::default() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nephoran.yaml");
    std::fs::write(&path, file).unwrap();
    let config = load(&flags, environment, Some(&path)).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.data, PathBuf::from("/variable"));
    assert_eq!(config.queue.total, 20);
    assert_eq!(config.workers, Workers { min: 1, max: 3, paused: false });

    let rows = config.explain();
    let origin = |key: &str| {
        let row = rows.iter().find(|row| row.key == key).unwrap();
        (row.origin, row.set_by.clone().unwrap_or_default())
    };
    assert_eq!(origin("listen"), ("flag", "--listen".into()));
    assert_eq!(origin("data"), ("environment", "NEPHORAN_DATA".into()));
    assert_eq!(origin("workers.max"), ("file", format!("{}:4", path.display())));
    assert_eq!(origin("workers.min"), ("default", String::new()));
}

#[test]
fn an_unknown_key_is_shown_with_a_caret_and_the_key_that_was_meant() {
    let error = with_file("queue:\n  totl: 5\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown key queue.totl\n \
         --> nephoran.yaml:2:3\n  |\n2 |   totl: 5\n  |   ^"
    );
    assert_eq!(
        error.faults[0].remedy.as_deref(),
        Some("did you mean queue.total? `nephoran config explain` lists every key")
    );
    assert!(
        faults("packages: {repositories: [{name: a, urll: /x}]}")
            .contains("unknown key packages.repositories[0].urll")
    );
    assert!(faults("queue: {bands: {urgnt: 5}}").contains("unknown key queue.bands.urgnt"));
}

#[test]
fn a_wrong_value_is_shown_with_a_caret_under_it() {
    let cases = [
        ("queue: {total: 0}", "queue.total is 0", 16),
        ("queue: {total: -3}", "queue.total is -3", 16),
        ("queue: {total: many}", "queue.total is \"many\"", 16),
        ("queue: {total: 2.5}", "queue.total is 2.5", 16),
        ("queue: {total: 99999999999999999999}", "queue.total is", 16),
        ("queue: {total: 10, bands: {low: 6, high: 5}}", "add up to 11, and queue.total is 10", 27),
        ("queue: {bands: {low: 0}}", "queue.bands.low is 0", 22),
        ("workers: {min: 5, max: 2}", "workers.min is 5 and workers.max is 2", 24),
        ("workers: {min: 0}", "workers.min is 0", 16),
        ("workers: {max: 0}", "workers.max is 0", 16),
        ("workers: {max: 257}", "workers.max is 257", 16),
        ("workers: {paused: maybe}", "workers.paused is \"maybe\"; it must be true or false", 19),
        ("listen: 8080", "listen is 8080; it must be text", 9),
        ("listen: somewhere", "listen is \"somewhere\"", 9),
        ("listen: 0.0.0.0:8080", "beyond loopback", 9),
        ("hosts: [ok.example, 'a b']", "hosts[1] is \"a b\"", 21),
        ("guard: {namespaces: [RAN]}", "guard.namespaces[0] is \"RAN\"", 22),
        ("guard: {max_replicas: 0}", "guard.max_replicas is 0", 23),
        ("guard: {approval: {ttl: 24}}", "guard.approval.ttl is 24; it must be a time with its unit", 25),
        ("guard: {approval: {factor_over: 0.5}}", "guard.approval.factor_over is 0.5", 33),
        ("retention: soon", "retention is \"soon\"", 12),
        ("telemetry: {log: '=x='}", "telemetry.log is \"=x=\"", 18),
        ("hot_folder: {mode: fast}", "hot_folder.mode is \"fast\"; it must be auto or events or poll", 20),
        ("packages: {repositories: []}", "packages.repositories is empty", 26),
        ("packages: {repositories: [{name: A}]}", "repositories[0].name is \"A\"", 34),
        ("packages: {repositories: [{name: a, branch: a..b}]}", "repositories[0].branch is \"a..b\"", 45),
        ("packages: {repositories: [{name: a, directory: ../x}]}", "repositories[0].directory", 48),
        ("limits: {client: {per_second: 0}}", "limits.client.per_second is 0", 31),
        ("limits: {client: {burst: 0}}", "limits.client.burst is 0", 26),
        ("limits: {global: {per_second: -1}}", "limits.global.per_second is -1", 31),
        ("limits: {global: {burst: 0.5}}", "limits.global.burst is 0.5", 26),
        ("limits: {client: {per_second: 501}}", "more than the 500 that all clients have together", 31),
        ("limits: {global: {burst: 39}}", "limits.client.burst is 40, more than the 39", 26),
        (
            "limits: {trusted_proxies: [10.0.0.0/8, proxy]}",
            "trusted_proxies[1], \"proxy\", is no address",
            40,
        ),
        ("limits: {trusted_proxies: [10.0.0.0/33]}", "a prefix longer than its 32 bits", 28),
        ("limits: {trusted_proxies: [10.1.2.3/8]}", "the network is 10.0.0.0/8", 28),
        ("limits: {trusted_proxies: 10.0.0.0/8}", "limits.trusted_proxies must be a list", 27),
        ("guard: none", "guard is text; it must be a map of keys", 8),
    ];
    for (text, message, column) in cases {
        let shown = faults(text);
        assert!(shown.contains(message), "{text}\n{shown}");
        assert!(shown.contains(&format!("--> nephoran.yaml:1:{column}\n")), "{text}\n{shown}");
        let caret = shown.lines().last().unwrap();
        assert_eq!(caret.find('^').unwrap(), "1 | ".len() + column - 1, "{shown}");
    }
}

#[test]
fn what_is_no_yaml_is_shown_with_a_caret() {
    let cases = [
        "queue: {total: 5",
        "a: b: c",
        "queue:\n\t- x",
        "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2",
        "[1, 2]",
        "words",
    ];
    for text in cases {
        let error = with_file(text).unwrap_err();
        assert!(error.to_string().contains("--> nephoran.yaml:"), "{text:?}: {error}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let error = with_file("queue: {total: 0}\nworkers: {max: 0}\nlisten: x\n").unwrap_err();
    assert_eq!(error.faults.len(), 3, "{error}");
}

#[test]
fn what_this_version_lacks_is_refused_and_named() {
    let cases = [
        ("tls: {cert: /a.pem}", "does not have TLS yet"),
        ("store: kubernetes", "does not have the store `kubernetes` yet"),
        ("auth: {tokens_file: /t}", "does not have access tokens yet"),
        ("packages: {on_drift: reapply}", "does not have `reapply` yet"),
        ("packages: {repositories: [{name: a, deliver: branch}]}", "does not have delivery by branch yet"),
        ("packages: {repositories: [{name: a, remote: origin}]}", "does not have remote repositories yet"),
        (
            "packages: {repositories: [{name: a, url: 'https://forge.example/x'}]}",
            "does not have remote repositories yet",
        ),
        (
            "packages: {repositories: [{name: a, url: 'git@forge.example:x'}]}",
            "does not have remote repositories yet",
        ),
        ("guard: {budget: {changes_per_hour: 5}}", "does not have budgets yet"),
        ("guard: {change: {ticket: required}}", "does not have required tickets yet"),
        ("listen: '[::]:80'", "does not have yet"),
    ];
    for (text, message) in cases {
        let error = with_file(text).unwrap_err();
        assert!(error.to_string().contains(message), "{text}: {error}");
        assert!(error.faults.iter().all(|fault| fault.remedy.is_some()), "{text}: {error:?}");
        assert!(error.to_string().contains("--> nephoran.yaml:1:"), "{text}: {error}");
    }
}

#[test]
fn a_model_needs_its_address_and_its_name_and_comes_after_the_grammar() {
    let model = "model: {endpoint: 'http://127.0.0.1:8092/', name: tiny, tokens_per_hour: null}";
    let config = with_file(&format!("translate: {{order: [grammar, model], {model}}}")).unwrap();
    let model = config.translate.model.unwrap();
    assert_eq!((model.endpoint.as_str(), model.tokens_per_hour), ("http://127.0.0.1:8092", None));
    // Named, but not in the order: nobody asks it.
    let unused = with_file("translate: {model: {endpoint: 'http://127.0.0.1:1', name: tiny}}").unwrap();
    assert_eq!(unused.translate.model, None);
    let cases = [
        ("translate: {order: [grammar, model]}", "translate.model.endpoint is null"),
        ("translate: {order: [model]}", "the grammar goes first"),
        ("translate: {order: []}", "the grammar goes first"),
        ("translate: {order: [grammar, gramma]}", "must be grammar or model"),
        ("translate: {model: {endpoint: 'ftp://m'}}", "without credentials"),
        ("translate: {model: {endpoint: 'http://u:secret@m'}}", "an address with credentials"),
        ("translate: {model: {api: rest}}", "must be openai or ollama"),
        ("translate: {model: {tokens_per_hour: 0}}", "must be a whole number between 1000"),
        ("http: {allow: ['http://m']}", "must be a host name, an address or a network"),
    ];
    for (text, message) in cases {
        let error = with_file(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
        assert!(error.contains("--> nephoran.yaml:1:"), "{text}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn limits_can_be_switched_off_and_a_higher_layer_can_switch_them_on() {
    for text in ["limits: off", "limits: false", "limits: 'off'"] {
        assert_eq!(
            with_file(text).unwrap().limits,
            Limits { rates: None, trusted_proxies: Vec::new(), live: None },
            "{text}"
        );
    }
    assert_eq!(with_variable("NEPHORAN_LIMITS", "off").unwrap().limits.live, None);
    let environment = vec![("NEPHORAN_LIMITS__LIVE".to_owned(), "7".to_owned())];
    let config = parse(Sources { text: "limits: off".into(), environment, ..Sources::default() }).unwrap();
    assert_eq!(config.limits.live, Some(7));
    let off = with_file("limits: off").unwrap();
    let row = off.explain().into_iter().find(|row| row.key == "limits.live").unwrap();
    assert_eq!((row.shown.as_str(), row.origin), ("off", "file"));
}

#[test]
fn what_is_not_done_yet_is_said() {
    let config = with_file("limits: {client: {per_second: 5}}\nretention: 1d").unwrap();
    assert_eq!(config.notes.len(), 1, "{:?}", config.notes);
}

#[test]
fn s7_both_rates_and_the_trusted_proxies_are_read() {
    let text = "limits: {client: {per_second: 0.5, burst: 3}, global: {per_second: 7, burst: 9}, \
                trusted_proxies: [10.0.0.0/8, '::1', 192.0.2.7]}";
    let limits = with_file(text).unwrap().limits;
    let rates = limits.rates.unwrap();
    assert_eq!((rates.client.per_second(), rates.client.burst()), (0.5, 3));
    assert_eq!((rates.global.per_second(), rates.global.burst()), (7.0, 9));
    let proxies: Vec<String> = limits.trusted_proxies.iter().map(|network| network.to_string()).collect();
    assert_eq!(proxies, ["10.0.0.0/8", "::1/128", "192.0.2.7/32"]);
    assert_eq!(Config::defaults().limits.rates, Some(nephoran_limit::Rates::default()));
    let given = with_variable("NEPHORAN_LIMITS__TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.0/24").unwrap();
    assert_eq!(given.limits.trusted_proxies.len(), 2);
}

#[test]
fn the_environment_gives_lists_and_trees_too() {
    let hosts = |text| with_variable("NEPHORAN_HOSTS", text).unwrap().hosts;
    assert_eq!(hosts("a.example, B.example"), ["a.example", "b.example"]);
    assert_eq!(hosts("[a.example]"), ["a.example"]);
    let config =
        with_variable("NEPHORAN_PACKAGES__REPOSITORIES", "[{name: ran, url: /srv/ran.git, branch: live}]")
            .unwrap();
    assert_eq!(config.packages.repositories[0].url.as_deref(), Some("/srv/ran.git"));
    assert_eq!(config.packages.repositories[0].branch, "live");
    let config = with_variable("NEPHORAN_DATA", "/a: b").unwrap();
    assert_eq!(config.data, PathBuf::from("/a: b"));
}

#[test]
fn a_misspelt_variable_is_refused_and_a_foreign_one_left_alone() {
    let error = with_variable("NEPHORAN_QUEUE__TOTALS", "5").unwrap_err();
    assert_eq!(error.faults[0].remedy.as_deref(), Some("did you mean NEPHORAN_QUEUE__TOTAL?"));
    assert!(with_variable("NEPHORAN_SERVICE_PORT_HTTP", "80").is_ok());
    assert!(with_variable("NEPHORAN_TOKEN", "abc").unwrap().notes.is_empty());
    let error = with_variable("NEPHORAN_QUEUE__TOTAL", "0").unwrap_err();
    assert_eq!(error.faults[0].origin.as_deref(), Some("from NEPHORAN_QUEUE__TOTAL"));
}

#[test]
fn packages_on_the_command_line_are_one_repository_named_default() {
    let flags = Flags { packages: Some("/srv/packages.git".into()), ..Flags::default() };
    let config = load(&flags, [], None).unwrap();
    let repository = &config.packages.repositories[0];
    assert_eq!((repository.name.as_str(), repository.url.as_deref()), ("default", Some("/srv/packages.git")));
    let flags = Flags { packages: Some("https://me:hunter2@forge.example/x".into()), ..Flags::default() };
    let error = load(&flags, [], None).unwrap_err().to_string();
    assert!(error.contains("from --packages") && !error.contains("hunter2"), "{error}");
}

#[test]
fn no_secret_is_printed() {
    let texts = [
        "api_key: hunter2\n",
        "auth: {token: hunter2}\n",
        "translate: {model: {password: \"hunter2\"}}\n",
        "packages:\n  repositories: [{name: a, url: 'https://me:hunter2@forge.example/x.git'}]\n",
        "listen: \"http://me:hunter2@x\"\n",
        "secret: [hunter2]\nqueue: {total: 0}\n",
    ];
    for text in texts {
        let error = with_file(text).unwrap_err();
        assert!(!format!("{error}").contains("hunter2"), "{error}");
        assert!(!error.faults.iter().any(|fault| format!("{fault:?}").contains("hunter2")), "{error:?}");
    }
}

#[test]
fn s4_explain_shows_the_sizes_of_channels_and_the_one_that_is_capped() {
    for (text, said) in [
        ("{}", "channels of results: 1000 places, for the model 64"),
        ("workers: {max: 4}", "channels of results: 1000 places, for the model 64"),
        ("workers: {max: 100}", "channels of results: 1000 places, for the model 400"),
        ("workers: {max: 256}", "channels of results: 1000 places, for the model 1000, capped from 1024"),
    ] {
        let rows = with_file(text).unwrap().explain();
        let implies = rows.iter().find(|row| row.key == "workers.max").unwrap().implies.clone().unwrap();
        assert!(implies.ends_with(said), "{text}: {implies}");
    }
}

#[test]
fn explain_says_what_a_value_implies() {
    let config = with_file("queue: {total: 100000}").unwrap();
    let rows = config.explain();
    let row = rows.iter().find(|row| row.key == "queue.total").unwrap();
    assert!(row.implies.as_ref().unwrap().starts_with("about 24 MiB of memory when full"), "{row:?}");
    assert_eq!(row.variable, "NEPHORAN_QUEUE__TOTAL");
    assert_eq!(rows.len(), KEYS.len());
    for row in &rows {
        assert!(row.meaning.len() > 8 && row.meaning.ends_with('.'), "{row:?}");
    }
}

#[test]
fn a_hot_folder_must_exist_on_the_machine_but_not_for_a_check_of_the_file() {
    let config = with_file("hot_folder: {path: /does/not/exist}").unwrap();
    let error = config.check_machine().unwrap_err();
    assert!(error.to_string().starts_with("the hot folder /does/not/exist does not exist\n"), "{error}");
    assert!(error.to_string().contains("nephoran.yaml:1:20"), "{error}");
}

#[test]
fn a_missing_file_and_one_that_is_no_text_are_told_with_their_name() {
    let error = load(&Flags::default(), [], Some(Path::new("/does/not/exist.yaml"))).unwrap_err();
    assert!(error.to_string().contains("/does/not/exist.yaml"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bytes.yaml");
    std::fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
    let error = load(&Flags::default(), [], Some(&file)).unwrap_err();
    assert!(error.to_string().contains("bytes.yaml"), "{error}");
}

#[test]
fn the_hash_changes_with_a_value_and_not_with_its_layout() {
    let one = with_file("queue: {total: 7}\n").unwrap().hash();
    assert_eq!(one, with_file("# words\nqueue:\n  total: 7\n").unwrap().hash());
    assert_eq!(one, with_variable("NEPHORAN_QUEUE__TOTAL", "7").unwrap().hash());
    assert_ne!(one, Config::defaults().hash());
    assert_eq!(one.len(), 64);
}

#[test]
fn a_reload_takes_limits_and_the_log_and_names_what_needs_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nephoran.yaml");
    std::fs::write(&path, "queue: {total: 7}\n").unwrap();
    let config = load(&Flags::default(), [], Some(&path)).unwrap();
    std::fs::write(&path, "queue: {total: 7}\nlimits: {live: 3}\ntelemetry: {log: debug}\n").unwrap();
    let new = config.reloaded().unwrap();
    assert_eq!((new.limits.live, new.telemetry.log.as_str()), (Some(3), "debug"));
    std::fs::write(&path, "queue: {total: 8}\nlimits: off\n").unwrap();
    let error = new.reloaded().unwrap_err();
    assert_eq!(error.faults.len(), 1, "{error}");
    assert!(error.to_string().starts_with("queue.total differs"), "{error}");
    std::fs::write(&path, "queue: {total: x}\n").unwrap();
    assert!(new.reloaded().is_err());
}

#[test]
fn s2_both_profiles_numbers_of_the_http_clients_read_back() {
    let rows = Config::defaults().explain();
    let row = |key: &str| rows.iter().find(|row| row.key == key).unwrap_or_else(|| panic!("{key}"));
    for (name, default, high_throughput) in [
        ("idle", "100", "200"),
        ("idle_per_host", "20", "50"),
        ("connections_per_host", "100", "200"),
        ("idle_timeout", "90s", "120s"),
        ("request", "30s", "60s"),
        ("tls_handshake", "10s", "15s"),
        ("dial", "5s", "5s"),
        ("keep_alive", "30s", "30s"),
        ("response_header", "10s", "10s"),
    ] {
        assert_eq!(row(&format!("http.default.{name}")).shown, default, "{name}");
        assert_eq!(row(&format!("http.high_throughput.{name}")).shown, high_throughput, "{name}");
    }
    let implied = |key: &str| row(key).implies.clone().unwrap();
    assert!(implied("http.default.response_header").contains("expect-continue: n/a"));
    assert!(implied("http.default.idle").contains("no configured host"));

    // What is read is what the clients are made of.
    let config = Config::defaults();
    assert_eq!(config.http.default, Numbers::of(Profile::Default));
    assert_eq!(config.http.high_throughput, Numbers::of(Profile::HighThroughput));
}

#[test]
fn the_idle_connections_of_a_configured_model_are_summed_up() {
    let text = "translate: {order: [grammar, model], model: {endpoint: 'http://127.0.0.1:1', name: m}}\n\
                http: {high_throughput: {connections_per_host: 8}}";
    let rows = with_file(text).unwrap().explain();
    let implied = |key: &str| rows.iter().find(|row| row.key == key).unwrap().implies.clone().unwrap();
    assert_eq!(implied("http.high_throughput.idle"), "1 configured host keeps up to 8 of 200");
    assert!(implied("http.high_throughput.idle_per_host").contains('8'));
}

#[test]
fn wrong_numbers_of_the_http_clients_are_refused_where_they_stand() {
    for (text, said) in [
        ("http: {default: {connections_per_host: 0}}", "between 1 and"),
        ("http: {default: {idle_per_host: 101}}", "http.default.connections_per_host is 100"),
        ("http: {high_throughput: {response_header: 2m}}", "http.high_throughput.request is 60s"),
        ("http: {default: {dial: 0s}}", "not 0"),
        ("http: {client_cert: /c.pem}", "http.client_key is not"),
        ("http: {allow: ['http://model']}", "http.allow[0]"),
        ("http: {danger_accept_invalid_certs: 1}", "true or false"),
    ] {
        let faults = faults(text);
        assert!(faults.contains(said) && faults.contains('^'), "{text}: {faults}");
    }
}
