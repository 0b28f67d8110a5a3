//! A browser under test: headless Chromium, driven by the WebDriver protocol (JSON over HTTP).

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{PATIENCE, send};

/// A browser takes some hundred megabytes and a core: one at a time.
static ONE: Mutex<()> = Mutex::new(());

pub struct Browser {
    driver: Child,
    /// Of the session, once there is one.
    url: String,
    /// Kept open: the driver must not get a broken pipe.
    _stdout: BufReader<std::process::ChildStdout>,
    _profile: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// How much of the page is seen, and in which light.
#[derive(Clone, Copy)]
pub struct View {
    pub width: u32,
    pub height: u32,
    pub phone: bool,
    pub dark: bool,
}

impl View {
    pub const DESK: Self = Self { width: 1280, height: 900, phone: false, dark: false };
    pub const PHONE: Self = Self { width: 360, height: 740, phone: true, dark: false };

    pub fn dark(self) -> Self {
        Self { dark: true, ..self }
    }
}

/// WebDriver's codes of keys that write nothing.
pub const ENTER: &str = "\u{E007}";
pub const CONTROL: &str = "\u{E009}";

impl Browser {
    /// `None`, said aloud, when this machine has no browser.
    pub fn start() -> Option<Self> {
        let driver = on_path(&["chromedriver"]);
        let chromium = on_path(&["chromium", "chromium-browser", "google-chrome", "chrome"]);
        let (Some(driver), Some(chromium)) = (driver, chromium) else {
            eprintln!(
                "SKIPPED: needs chromium and chromedriver on PATH (on Debian: apt-get install chromium chromium-driver)"
            );
            return None;
        };
        let turn = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let port = port(&mut stdout);
        let mut browser = Self {
            driver: child,
            url: format!("http://127.0.0.1:{port}"),
            _stdout: stdout,
            _profile: profile,
            _turn: turn,
        };
        let session = browser.call("POST", "/session", &capabilities(&chromium, browser._profile.path()));
        let id = session["sessionId"].as_str().unwrap().to_owned();
        browser.url = format!("{}/session/{id}", browser.url);
        browser.view(View::DESK);
        Some(browser)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let bytes = (method == "POST").then(|| body.to_string());
        let headers = [("content-type", "application/json")];
        let answer =
            send(&format!("{}{path}", self.url), method, &headers, bytes.as_deref().map(str::as_bytes));
        assert_eq!(answer.status, 200, "{method} {path} {body}: {}", answer.text());
        answer.json()["value"].take()
    }

    pub fn go(&self, url: &str) {
        self.call("POST", "/url", &json!({ "url": url }));
    }

    /// The path of the address that is shown.
    pub fn path(&self) -> String {
        self.run("return location.pathname").as_str().unwrap().to_owned()
    }

    /// The value that the script returns.
    pub fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until the script returns something that is true.
    pub fn until(&self, what: &str, script: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let value = self.run(script);
            if !matches!(value, Value::Null | Value::Bool(false)) {
                return value;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        panic!("waited in vain until {what}; the page shows: {}", self.text("body"));
    }

    /// Waits until an element matches `selector`.
    pub fn see(&self, selector: &str) {
        self.until(
            &format!("{selector} is there"),
            &format!("return !!document.querySelector({})", json!(selector)),
        );
    }

    pub fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({})?.innerText ?? ''", json!(selector));
        self.run(&script).as_str().unwrap_or_default().to_owned()
    }

    fn element(&self, selector: &str) -> String {
        let found = self.call("POST", "/element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str);
        id.unwrap().to_owned()
    }

    /// A click as a person's: the element must be seen and nothing may lie over it.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.call("POST", &format!("/element/{element}/click"), &json!({}));
    }

    pub fn type_in(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.call("POST", &format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Keys pressed wherever the focus is. Those of one call are held together, then let go.
    pub fn chord(&self, keys: &[&str]) {
        let down = keys.iter().map(|key| json!({ "type": "keyDown", "value": key }));
        let up = keys.iter().rev().map(|key| json!({ "type": "keyUp", "value": key }));
        let actions: Vec<Value> = down.chain(up).collect();
        self.call(
            "POST",
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }),
        );
    }

    /// Letters one after the other, wherever the focus is.
    pub fn keys(&self, text: &str) {
        let actions: Vec<Value> = text
            .chars()
            .flat_map(|c| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": c.to_string() })))
            .collect();
        self.call(
            "POST",
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }),
        );
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.call("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    pub fn view(&self, view: View) {
        let size = json!({
            "width": view.width, "height": view.height, "deviceScaleFactor": 1, "mobile": view.phone,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if view.dark { "dark" } else { "light" };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// What the console was told at its worst level: policy violations, faults of scripts.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", &json!({ "type": "browser" }));
        log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The page down to `height` at most, as a PNG in `docs/screenshots`. Only where
    /// `UPDATE_SCREENSHOTS` asks for it: pixels differ from machine to machine.
    pub fn screenshot(&self, name: &str) {
        if std::env::var_os("UPDATE_SCREENSHOTS").is_none() {
            return;
        }
        let size = self.run("return [innerWidth, Math.min(document.documentElement.scrollHeight, 1200)]");
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let shot = self.devtools(
            "Page.captureScreenshot",
            &json!({ "format": "png", "captureBeyondViewport": true, "clip": clip }),
        );
        let folder = crate::harness::root().join("docs/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), base64(shot["data"].as_str().unwrap())).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Not asserted: a test that failed may have no session any more.
        if self.url.contains("/session/") && !std::thread::panicking() {
            send(&self.url, "DELETE", &[], None);
        } else if self.url.contains("/session/") {
            let _ = std::panic::catch_unwind(|| send(&self.url, "DELETE", &[], None));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    })
}

/// The driver says on which port it listens.
fn port(stdout: &mut impl BufRead) -> u16 {
    let mut line = String::new();
    while stdout.read_line(&mut line).unwrap() > 0 {
        if let Some((_, port)) = line.trim().trim_end_matches('.').rsplit_once("on port ")
            && line.contains("started successfully")
        {
            return port.parse().unwrap();
        }
        line.clear();
    }
    panic!("chromedriver did not start");
}

fn capabilities(chromium: &Path, profile: &Path) -> Value {
    let mut args = vec![
        "--headless".to_owned(),
        "--disable-gpu".into(),
        "--disable-quic".into(),
        "--no-first-run".into(),
        "--disable-background-networking".into(),
        "--disable-component-update".into(),
        "--disable-sync".into(),
        "--hide-scrollbars".into(),
        // Containers give little of it, and a tab that cannot have it crashes.
        "--disable-dev-shm-usage".into(),
        format!("--user-data-dir={}", profile.display()),
    ];
    if rustix::process::geteuid().is_root() {
        // Chromium's sandbox does not start for root.
        args.push("--no-sandbox".into());
    }
    json!({ "capabilities": { "alwaysMatch": {
        "goog:chromeOptions": { "binary": chromium, "args": args },
        "goog:loggingPrefs": { "browser": "SEVERE" },
    } } })
}

/// RFC 4648, as the driver writes it: no line breaks, padded.
fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0u32, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        held = held << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
        }
    }
    out
}
