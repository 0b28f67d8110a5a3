//! Request rates, from outside: who is refused, what the refusal says, and who does not notice.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::Value;
use std::io::{Read, Write};

use crate::harness::{Answer, Options, PATIENCE, Server};

/// So slow that nothing comes back while a test runs.
fn limited(client: u32, global: u32, more: &str) -> Options {
    let config = format!(
        "limits: {{client: {{per_second: 0.01, burst: {client}}}, global: {{per_second: 0.01, burst: {global}}}{more}}}\n"
    );
    Options { config, ..Options::default() }
}

fn numbers(server: &Server) -> Value {
    // From an address of its own: to look must not use up what is looked at.
    let answer = from(server, Ipv4Addr::new(127, 9, 9, 9), "GET", "/api/v1/limits", &[]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// A request over a connection that comes from `source`: all of 127.0.0.0/8 is ours to use.
fn from(server: &Server, source: Ipv4Addr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None);
    let socket = socket.unwrap();
    rustix::net::bind(&socket, &SocketAddr::new(IpAddr::V4(source), 0)).unwrap();
    let address: SocketAddr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    rustix::net::connect(&socket, &address).unwrap();
    let mut stream = std::net::TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let body = bytes.split_off(end);
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap()[9..12].parse().unwrap();
    let mut said = http::HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        said.append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    Answer { status, headers: said, body }
}

const A: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

fn listed(server: &Server, source: Ipv4Addr, headers: &[(&str, &str)]) -> Answer {
    from(server, source, "GET", "/api/v1/intents", headers)
}

/// That it is a refusal of that tier, in every respect.
fn refused(answer: &Answer, scope: &str) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("x-ratelimit-scope"), Some(scope));
    assert_eq!(answer.header("x-ratelimit-limit"), Some("0.01"));
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    let after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((50..=100).contains(&after), "one comes back in 100 s, not in {after} s");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("x-request-id").is_some());
    let problem = answer.json();
    assert_eq!(problem["status"], 429);
    for key in ["type", "title", "detail", "instance"] {
        assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {problem}");
    }
}

#[test]
fn s7_both_tiers_refuse_with_their_headers_and_the_numbers_show_it() {
    let server = Server::with(limited(3, 6, ""));
    for left in [2, 1, 0] {
        let answer = listed(&server, A, &[]);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-ratelimit-limit"), Some("0.01"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.to_string().as_str()));
        assert_eq!(answer.header("x-ratelimit-scope"), Some("client"));
    }
    refused(&listed(&server, A, &[]), "client");
    let before = numbers(&server);
    assert_eq!((&before["client"]["refused"], &before["global"]["refused"]), (&1.into(), &0.into()));
    assert_eq!(before["per_ip_stats"]["active_ips"], 2);
    // Three were A's, one was that look: two are left for all.
    for _ in 0..2 {
        assert_eq!(listed(&server, B, &[]).status, 200);
    }
    for _ in 0..5 {
        refused(&listed(&server, B, &[]), "global");
    }
    let metrics = from(&server, A, "GET", "/metrics", &[]).text();
    for line in [
        "nephoran_rate_limit_total{tier=\"client\",result=\"allowed\"} 11",
        "nephoran_rate_limit_total{tier=\"client\",result=\"refused\"} 1",
        "nephoran_rate_limit_total{tier=\"global\",result=\"allowed\"} 6",
        "nephoran_rate_limit_total{tier=\"global\",result=\"refused\"} 5",
        "nephoran_rate_limit_clients 3",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn s7_the_numbers_have_the_names_of_the_audit() {
    let server = Server::with(Options { config: "limits: {live: 100000}\n".into(), ..Options::default() });
    let numbers = numbers(&server);
    assert_eq!(numbers["enabled"], true);
    assert_eq!((&numbers["global_qps_limit"], &numbers["global_burst"]), (&500.into(), &1000.into()));
    let clients = &numbers["per_ip_stats"];
    assert_eq!((&clients["qps_limit"], &clients["burst_limit"]), (&20.into(), &40.into()));
    assert_eq!(clients["active_ips"], 1);
}

#[test]
fn s7_a_client_far_over_its_limit_costs_another_nothing() {
    let server = Server::with(limited(5, 12, ""));
    for _ in 0..5 {
        assert_eq!(listed(&server, A, &[]).status, 200);
    }
    for _ in 0..250 {
        refused(&listed(&server, A, &[]), "client");
    }
    for _ in 0..5 {
        assert_eq!(listed(&server, B, &[]).status, 200);
    }
    let told = server.log().matches("Requests are turned away").count();
    assert_eq!(told, 1, "one line for 250 refusals:\n{}", server.log());
    assert!(server.log().contains("127.0.0.1"));
}

#[test]
fn s7_what_is_no_api_is_never_limited() {
    let server = Server::with(limited(1, 1, ""));
    assert_eq!(listed(&server, A, &[]).status, 200);
    refused(&listed(&server, A, &[]), "client");
    for path in ["/healthz", "/livez", "/readyz", "/metrics", "/openapi.json", "/"] {
        for _ in 0..20 {
            let answer = from(&server, A, "GET", path, &[]);
            assert_eq!(answer.status, 200, "{path}");
            assert!(answer.header("x-ratelimit-limit").is_none(), "{path}");
        }
    }
    // The drop-in door and addresses under /api that do not exist do count.
    refused(&from(&server, A, "POST", "/intent", &[("content-length", "0")]), "client");
    refused(&from(&server, A, "GET", "/api/v1/nothing", &[]), "client");
}

#[test]
fn s7_an_open_event_stream_is_one_request_and_goes_on() {
    let server = Server::with(limited(2, 100, ""));
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /api/v1/events HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
    let mut seen = Vec::new();
    let mut read_until = |what: &str| {
        while !String::from_utf8_lossy(&seen).contains(what) {
            let mut chunk = [0; 1024];
            let read = stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the stream ended before {what}: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&chunk[..read]);
        }
    };
    read_until("200 OK");
    // The last that this client may send; from here on only the stream says how it goes.
    server.submit("scale upf to 4 in ns ran-a");
    read_until("\"applied\"");
    refused(&listed(&server, A, &[]), "client");
}

#[test]
fn s7_forged_headers_from_an_untrusted_peer_change_nothing() {
    let server = Server::with(limited(3, 100, ", trusted_proxies: [127.0.0.2]"));
    // A is no proxy of ours: whatever it says, it stays one client.
    for forged in ["198.51.100.1", "127.0.0.2", "198.51.100.2, 127.0.0.2"] {
        assert_eq!(listed(&server, A, &[("x-forwarded-for", forged)]).status, 200);
    }
    for forged in ["198.51.100.3", "", "unknown", "::1"] {
        refused(&listed(&server, A, &[("x-forwarded-for", forged)]), "client");
    }
    // B is: its clients are told apart, and what they claim of others is not believed.
    for _ in 0..3 {
        assert_eq!(listed(&server, B, &[("x-forwarded-for", "127.0.0.1, 198.51.100.7")]).status, 200);
    }
    refused(&listed(&server, B, &[("x-forwarded-for", "198.51.100.9, 198.51.100.7")]), "client");
    assert_eq!(listed(&server, B, &[("x-forwarded-for", "198.51.100.8")]).status, 200);
    // All of a /64 are one.
    for host in ["1", "2", "ffff:ffff:ffff:ffff"] {
        let address =
            if host.contains(':') { format!("2001:db8:1:2:{host}") } else { format!("2001:db8:1:2::{host}") };
        assert_eq!(listed(&server, B, &[("x-forwarded-for", &address)]).status, 200);
    }
    refused(&listed(&server, B, &[("x-forwarded-for", "2001:db8:1:2::9")]), "client");
    assert_eq!(listed(&server, B, &[("x-forwarded-for", "2001:db8:1:3::1")]).status, 200);
}

#[test]
fn s7_a_reload_changes_the_rates_and_forgets_no_client() {
    let server = Server::with(limited(2, 100, ""));
    let reload = |options: Options, nth: usize| {
        std::fs::write(server.path("config.yaml"), options.config).unwrap();
        let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
        let reloaded = || server.log().matches("The configuration was reloaded.").count() == nth;
        server.until("it reloaded", || reloaded().then_some(()));
    };
    for _ in 0..2 {
        assert_eq!(listed(&server, A, &[]).status, 200);
    }
    refused(&listed(&server, A, &[]), "client");
    reload(limited(3, 100, ""), 1);
    assert_eq!(listed(&server, A, &[]).status, 200, "one more than before");
    refused(&listed(&server, A, &[]), "client");
    reload(Options { config: "limits: off\n".into(), ..Options::default() }, 2);
    let free = listed(&server, A, &[]);
    assert_eq!((free.status, free.header("x-ratelimit-limit")), (200, None));
    assert_eq!(numbers(&server)["enabled"], false);
    assert_eq!(numbers(&server)["global_qps_limit"], Value::Null);
    reload(limited(3, 100, ""), 3);
    refused(&listed(&server, A, &[]), "client");
}

#[test]
fn s7_a_refusal_comes_before_the_body_and_asks_for_none() {
    let server = Server::with(limited(1, 100, ""));
    assert_eq!(listed(&server, A, &[]).status, 200);
    // The body never comes: an answer that waited for it would not come either.
    let headers = [("content-type", "text/plain"), ("content-length", "100000")];
    refused(&from_open(&server, "POST", "/api/v1/intents", &headers), "client");
    let asks_first =
        [("content-type", "text/plain"), ("content-length", "100000"), ("expect", "100-continue")];
    refused(&from(&server, A, "POST", "/api/v1/intents", &asks_first), "client");
}

/// As [`from`], but reads the answer alone: the operator waits for what the client still sends.
fn from_open(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let answer = loop {
        let mut chunk = [0; 1024];
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "closed after {}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && serde_json::from_str::<Value>(body).is_ok()
        {
            break (head.to_owned(), body.to_owned());
        }
    };
    let mut lines = answer.0.lines();
    let status = lines.next().unwrap()[9..12].parse().unwrap();
    let mut said = http::HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        said.append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    Answer { status, headers: said, body: answer.1.into_bytes() }
}

#[test]
fn s7_wrong_limits_are_refused_at_start_with_the_line_they_stand_on() {
    for (config, said) in [
        ("limits:\n  client: {per_second: 0}\n", "limits.client.per_second is 0"),
        ("limits:\n  client: {burst: 0}\n", "limits.client.burst is 0"),
        ("limits:\n  client: {per_second: 501}\n", "more than the 500"),
        ("limits:\n  trusted_proxies: [10.0.0.1/8]\n", "the network is 10.0.0.0/8"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        crate::harness::samples(&folder.path().join("packages.git"));
        let ended = Server::refused(folder, Options { config: config.into(), ..Options::default() });
        assert!(ended.said.contains(said), "{config}\n{}", ended.said);
        assert!(ended.said.contains("config.yaml:2:") && ended.said.contains('^'), "{}", ended.said);
    }
}

#[test]
fn the_command_line_follows_what_was_accepted_although_it_may_not_look_just_now() {
    let config = "limits: {client: {per_second: 1, burst: 1}}\n".to_owned();
    let server = Server::with(Options { config, ..Options::default() });
    // To send it takes the one request there is; the first look comes too early.
    let ran = server.cli(&["submit", "--wait", "scale upf to 4 in ns ran-a"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(String::from_utf8_lossy(&ran.stdout).contains("applied"));
    assert!(numbers(&server)["client"]["refused"].as_u64().unwrap() >= 1);
}
