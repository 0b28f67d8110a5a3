//! doctor: what the operator stands on, one line each, with the remedy.

mod model;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::Access;
use serde::Serialize;

use super::args::{Common, Settings};
use super::client::Client;
use super::configure;
use super::exit::{Exit, Failure};
use super::show;
use super::text::table;
use crate::config::Config;
use crate::outgoing;
use crate::package::{Repository, RepositoryConfig};
use crate::store::Look;
use crate::translate::passages;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    check: String,
    status: Status,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    /// Works, but not as well as it could.
    Warning,
    Failed,
    /// There is nothing to check.
    NotConfigured,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::NotConfigured => "not configured",
        }
    }
}

fn ok(check: &str, detail: impl Into<String>) -> Check {
    Check { check: check.into(), status: Status::Ok, detail: detail.into(), remedy: None }
}

fn warning(check: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Check {
    Check { check: check.into(), status: Status::Warning, detail: detail.into(), remedy: Some(remedy.into()) }
}

fn failed(check: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Check {
    Check { check: check.into(), status: Status::Failed, detail: detail.into(), remedy: Some(remedy.into()) }
}

fn not_configured(check: &str, detail: impl Into<String>) -> Check {
    Check { check: check.into(), status: Status::NotConfigured, detail: detail.into(), remedy: None }
}

pub fn run(common: &Common, settings: &Settings) -> Result<Exit, Failure> {
    let config = configure::load(settings)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(super::no_runtime)?;
    let mut checks = vec![disk(&config.data), space(&config.data), store(&config.data), git()];
    checks.extend(runtime.block_on(repositories(&config)));
    checks.push(hot_folder(&config));
    checks.push(documents(&config));
    checks.push(runtime.block_on(embeddings(&config)));
    checks.push(clock());
    checks.push(outgoing(&config));
    checks.push(runtime.block_on(model::check(&config)));
    checks.push(not_configured("cluster", "intents are kept in SQLite, changes go to git"));
    checks.push(runtime.block_on(listen(config.listen)));
    runtime.shutdown_background();
    checks.extend(config.notes.iter().map(|note| warning("configuration", note, "nephoran config explain")));

    let value = serde_json::to_value(&checks).expect("checks are texts");
    show::answer(common, &value, |_| {
        let rows: Vec<Vec<String>> = checks
            .iter()
            .map(|check| {
                let said = match &check.remedy {
                    Some(remedy) => format!("{}; try: {remedy}", check.detail),
                    None => check.detail.clone(),
                };
                vec![check.check.clone(), check.status.as_str().to_owned(), said]
            })
            .collect();
        table(&["CHECK", "STATUS", "DETAIL"], &rows)
    })?;
    let failures = checks.iter().filter(|check| check.status == Status::Failed).count();
    if failures == 0 {
        return Ok(Exit::Done);
    }
    let mut failure =
        Failure::new(Exit::Environment, format!("{failures} of {} checks failed", checks.len()));
    for check in checks.iter().filter(|check| check.status == Status::Failed) {
        failure.causes.push(format!("{}: {}", check.check, check.detail));
        failure.tries.extend(check.remedy.clone());
    }
    Err(failure)
}

/// The folder itself, or the nearest one above it that is there: `up` makes the rest.
fn nearest(folder: &Path) -> &Path {
    let there = folder.ancestors().find(|folder| folder.is_dir());
    // Of a relative path that is not there, the last ancestor is empty: here.
    there.unwrap_or(Path::new("."))
}

/// Writes as the store does: 4 KiB over the same place, then fdatasync.
fn sync_times(folder: &Path, count: usize) -> std::io::Result<Vec<Duration>> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let page = [0x5a; 4096];
    // The first sync also writes the file's size, which no later one does.
    file.write_all(&page)?;
    file.sync_all()?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        file.seek(SeekFrom::Start(0))?;
        let began = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

fn disk(data: &Path) -> Check {
    // Slower than a laptop's disk by far: every accepted intent waits for one sync.
    const SLOW: Duration = Duration::from_millis(30);
    let folder = nearest(data);
    match sync_times(folder, 100) {
        Ok(times) => {
            let median = times[times.len() / 2];
            let slowest = times[times.len() - 1];
            let detail =
                format!("sync of 4 KiB in {}: p50 {median:.1?}, slowest {slowest:.1?}", folder.display());
            if median > SLOW {
                return warning("disk", detail, "keep the data on a local disk, SSD or better");
            }
            ok("disk", detail)
        }
        Err(source) => failed(
            "disk",
            format!("write and sync in {}: {source}", folder.display()),
            "give a folder that this user may write with --data",
        ),
    }
}

fn space(data: &Path) -> Check {
    const LEAST: u64 = 64 * 1024 * 1024;
    const LITTLE: u64 = 1024 * 1024 * 1024;
    match rustix::fs::statvfs(nearest(data)) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let detail = format!("{} MiB free", free / 1024 / 1024);
            match free {
                0..LEAST => failed("space", detail, "make room: without it nothing is accepted"),
                LEAST..LITTLE => warning("space", detail, "make room soon"),
                _ => ok("space", detail),
            }
        }
        Err(errno) => failed("space", errno.to_string(), "give another folder with --data"),
    }
}

fn store(data: &Path) -> Check {
    let file = data.join("nephoran.db");
    if !file.exists() {
        return ok("store", format!("{} is not there yet: the first start makes it", file.display()));
    }
    let looked = Look::into_folder(data).and_then(|look| Ok((look.complaints()?, look.verify_audit(&[])?)));
    let backup = "stop the operator, keep a copy of the folder, and restore it from a backup";
    match looked {
        Ok((complaints, proof)) if complaints.is_empty() && proof.is_sound() => {
            ok("store", format!("every page is sound, {} audit entries in an unbroken chain", proof.entries))
        }
        Ok((complaints, proof)) => {
            let complaint = complaints.into_iter().next();
            let fault = proof
                .faults
                .into_iter()
                .next()
                .map(|fault| format!("entry {}: {}", fault.sequence, fault.what));
            failed(
                "store",
                format!("{} is broken: {}", file.display(), complaint.or(fault).unwrap_or_default()),
                backup,
            )
        }
        Err(error) => {
            let detail = chain(&error);
            // The store's own errors name the remedy after a semicolon.
            let remedy = detail.rsplit_once("; ").map_or(backup.to_owned(), |(_, remedy)| remedy.to_owned());
            failed("store", detail, remedy)
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        said.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    said
}

/// `core.fsync` and `cat-file --batch-command` came with this version.
const OLDEST_GIT: (u32, u32) = (2, 36);

fn git() -> Check {
    let remedy = format!("install git {}.{} or newer", OLDEST_GIT.0, OLDEST_GIT.1);
    let output = match std::process::Command::new("git").arg("--version").output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => return failed("git", format!("git --version ended with {}", output.status), remedy),
        Err(source) => return failed("git", format!("run git: {source}"), remedy),
    };
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match git_version(&said) {
        Some(version) if version >= OLDEST_GIT => ok("git", said),
        Some(_) => failed("git", format!("{said} is too old"), remedy),
        None => warning("git", format!("no version in {said:?}"), remedy),
    }
}

fn git_version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

async fn repositories(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    for repository in &config.packages.repositories {
        let name = format!("repository {}", repository.name);
        let path = match &repository.url {
            Some(url) => Path::new(url).to_owned(),
            None => config.data.join(format!("{}.git", repository.name)),
        };
        if repository.url.is_none() && !path.exists() {
            checks.push(ok(
                &name,
                format!("{} is not there yet: the first start makes it, empty", path.display()),
            ));
            continue;
        }
        let opened = Repository::open(RepositoryConfig {
            name: repository.name.clone(),
            path: path.clone(),
            branch: repository.branch.clone(),
            directory: repository.directory.clone(),
            cluster: repository.cluster.clone(),
        })
        .await;
        checks.push(match opened {
            Ok(opened) => {
                let status = opened.status();
                let detail = format!(
                    "{} on {}: {} packages, {} workloads",
                    path.display(),
                    repository.branch,
                    status.packages,
                    status.workloads
                );
                if rustix::fs::access(&path, Access::WRITE_OK).is_err() {
                    failed(
                        &name,
                        format!("{detail}; it cannot be written"),
                        "give the operator write access to it",
                    )
                } else if status.workloads == 0 {
                    warning(&name, detail, "push kpt packages to it: nothing can be planned without them")
                } else {
                    ok(&name, detail)
                }
            }
            Err(error) => failed(&name, error.to_string(), error.remedy()),
        });
    }
    checks
}

fn hot_folder(config: &Config) -> Check {
    let Some(folder) = &config.hot_folder.path else {
        return not_configured("hot folder", "files are not picked up");
    };
    let shown = folder.display();
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => {
            return failed("hot folder", format!("{shown} is no folder"), "name a folder with --hot-folder");
        }
        Err(source) => {
            return failed("hot folder", format!("{shown}: {source}"), format!("make it: mkdir -p {shown}"));
        }
    }
    if rustix::fs::access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let detail = format!("{shown} cannot be read and written, so no file could be moved out of it");
        return failed("hot folder", detail, "give this user read and write access to it");
    }
    match rustix::fs::statfs(folder) {
        Ok(found) => match remote(found.f_type) {
            Some(kind) => warning(
                "hot folder",
                format!("{shown} is on {kind}, which tells of no events: it is polled"),
                "use a local folder for pick-up at once",
            ),
            None => ok("hot folder", format!("{shown} is local and can be written")),
        },
        Err(errno) => {
            failed("hot folder", format!("{shown}: {errno}"), "name another folder with --hot-folder")
        }
    }
}

/// The folder that a model may be shown passages of.
fn documents(config: &Config) -> Check {
    let name = "documents";
    let Some(folder) = &config.retrieve.folder else {
        return not_configured(name, "a model is shown passages of our own notes alone");
    };
    let shown = folder.display();
    match nephoran_retrieve::survey(folder, &nephoran_retrieve::Limits::default()) {
        Ok(found) if found.documents == 0 => {
            let detail = format!("{shown} holds no .md or .txt file that can be taken");
            warning(name, detail, "put documents there as UTF-8 text, or set retrieve.folder to another one")
        }
        Ok(found) if found.skipped > 0 => {
            let detail =
                format!("{} documents in {shown}, and {} that are not taken", found.documents, found.skipped);
            warning(name, detail, "the log of `nephoran up` names each with its reason")
        }
        Ok(found) => {
            ok(name, format!("{} documents in {shown}, {} KiB", found.documents, found.bytes.div_ceil(1024)))
        }
        Err(source) => {
            failed(name, format!("{shown}: {source}"), "set retrieve.folder to a folder that can be read")
        }
    }
}

/// Whether a text gets its vector.
async fn embeddings(config: &Config) -> Check {
    let name = "embeddings";
    let Some(configured) = &config.retrieve.embeddings else {
        return not_configured(name, "passages are found by words alone");
    };
    let clients = match outgoing::clients(config) {
        Ok(clients) => clients,
        Err(cause) => return failed(name, format!("{cause:#}"), "nephoran config explain"),
    };
    let embed = passages::embedder(configured, &clients);
    let asked = tokio::time::timeout(Duration::from_secs(10), embed.embed(vec!["upf".into()])).await;
    let shown = format!("{} at {}", configured.name, configured.endpoint);
    match asked {
        Ok(Ok(vectors)) if vectors.first().is_some_and(|vector| !vector.is_empty()) => {
            ok(name, format!("{shown} gives vectors of {} numbers", vectors[0].len()))
        }
        Ok(Ok(_)) => failed(name, format!("{shown} gives no vectors"), "name a model for embeddings"),
        Ok(Err(cause)) => failed(
            name,
            format!("{shown}: {cause}"),
            "set retrieve.embeddings.endpoint to a server with /v1/embeddings; without it words alone are used",
        ),
        Err(_) => failed(
            name,
            format!("{shown} gives no answer within 10 s"),
            "relieve it, or give it a smaller model",
        ),
    }
}

/// File systems without events, by the numbers of statfs(2).
fn remote(magic: rustix::fs::FsWord) -> Option<&'static str> {
    match magic as u32 {
        0x6969 => Some("nfs"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("cifs"),
        0x0102_1997 => Some("9p"),
        0x6573_5546 => Some("fuse"),
        _ => None,
    }
}

/// Whether other servers can be called at all, and how carelessly.
fn outgoing(config: &Config) -> Check {
    match outgoing::clients(config) {
        Err(error) => failed(
            "outgoing http",
            format!("{error:#}"),
            "correct http.ca_file, http.client_cert and http.client_key: PEM files that this user may read",
        ),
        Ok(_) if config.http.danger_accept_invalid_certs => warning(
            "outgoing http",
            "http.danger_accept_invalid_certs is set: anyone can stand in for every https:// endpoint",
            "set it to false, and http.ca_file to the authority of the endpoints",
        ),
        Ok(_) => {
            let trust = match &config.http.ca_file {
                Some(file) => format!("trusts {}", file.display()),
                None => "trusts the machine's authorities".to_owned(),
            };
            ok("outgoing http", trust)
        }
    }
}

fn clock() -> Check {
    // Released in 2026: an earlier clock is one that was never set.
    let earliest = Timestamp::from_second(1_767_225_600).expect("the start of 2026 is a time");
    let latest = Timestamp::from_second(4_102_444_800).expect("the start of 2100 is a time");
    let (wall, began) = (Timestamp::now(), Instant::now());
    // Some work in between, so that both clocks must move.
    let spun = (0..200_000u64)
        .fold(0u64, |sum, number| std::hint::black_box(sum.wrapping_mul(31).wrapping_add(number)));
    std::hint::black_box(spun);
    let (passed, steady) = (Timestamp::now().duration_since(wall).unsigned_abs(), began.elapsed());
    let apart = passed.abs_diff(steady);
    if wall < earliest || wall > latest {
        return failed("clock", format!("it says {wall}"), "set the clock; NTP keeps it right");
    }
    if apart > Duration::from_millis(500) {
        return warning("clock", format!("it jumped by {apart:.1?} while it was watched"), "let NTP slew it");
    }
    ok("clock", format!("{wall:.0}"))
}

async fn listen(address: SocketAddr) -> Check {
    match TcpListener::bind(address) {
        Ok(_) => ok("listen", format!("{address} is free")),
        Err(source) if source.kind() == std::io::ErrorKind::AddrInUse => {
            let ours = match Client::new(&format!("http://{address}"), None, None) {
                Ok(client) => client
                    .get("ask who listens", "/api/v1/queue")
                    .await
                    .is_ok_and(|answer| answer["bands"].is_object()),
                Err(_) => false,
            };
            if ours {
                ok("listen", format!("an operator runs at {address}"))
            } else {
                failed(
                    "listen",
                    format!("another program listens at {address}"),
                    "stop it, or choose another address with --listen",
                )
            }
        }
        Err(source) => {
            failed("listen", format!("{address}: {source}"), "choose another address with --listen")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn gits_version_is_read_however_a_distribution_writes_it() {
        assert_eq!(git_version("git version 2.39.5"), Some((2, 39)));
        assert_eq!(git_version("git version 2.50.1 (Apple Git-155)"), Some((2, 50)));
        assert_eq!(git_version("2.1"), None);
    }

    #[test]
    fn a_broken_store_fails_and_a_missing_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(store(folder.path()).status, Status::Ok);
        std::fs::write(
            folder.path().join("nephoran.db"),
            "this is no database, and long enough to be looked at",
        )
        .unwrap();
        let check = store(folder.path());
        assert_eq!(check.status, Status::Failed, "{check:?}");
        assert!(check.remedy.is_some());
    }

    #[test]
    fn the_disk_is_measured_where_the_data_will_be() {
        let folder = tempfile::tempdir().unwrap();
        let check = disk(&folder.path().join("not/there/yet"));
        assert_ne!(check.status, Status::Failed, "{check:?}");
        assert!(check.detail.contains(&folder.path().display().to_string()), "{check:?}");
        assert_eq!(sync_times(folder.path(), 5).unwrap().len(), 5);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[tokio::test]
    async fn an_address_that_another_program_holds_fails() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        // Answers nothing that an operator would.
        let answering = std::thread::spawn(move || {
            for connection in held.incoming().take(1).flatten() {
                let mut connection = connection;
                let _ = connection.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
            }
        });
        assert_eq!(listen(address).await.status, Status::Failed);
        answering.join().unwrap();
        assert_eq!(listen("127.0.0.1:0".parse().unwrap()).await.status, Status::Ok);
    }

    #[test]
    fn the_clock_of_a_machine_that_runs_tests_is_sane() {
        assert_eq!(clock().status, Status::Ok, "{:?}", clock());
    }

    #[test]
    fn trusting_anyone_is_a_warning_and_an_unreadable_authority_a_failure() {
        let with = |name: &str, value: &str| {
            let variable = (name.to_owned(), value.to_owned());
            outgoing(&crate::config::load(&Default::default(), [variable], None).unwrap())
        };
        let careless = with("NEPHORAN_HTTP__DANGER_ACCEPT_INVALID_CERTS", "true");
        assert_eq!(careless.status, Status::Warning, "{careless:?}");
        assert!(careless.remedy.is_some_and(|remedy| remedy.contains("http.ca_file")));
        let blind = with("NEPHORAN_HTTP__CA_FILE", "/does/not/exist.pem");
        assert_eq!(blind.status, Status::Failed, "{blind:?}");
        assert!(blind.detail.contains("/does/not/exist.pem"), "{blind:?}");
        assert_eq!(outgoing(&Config::defaults()).status, Status::Ok);
    }

    #[test]
    fn a_missing_hot_folder_fails_with_the_command_that_makes_it() {
        let flags = crate::config::Flags { hot_folder: Some("/does/not/exist".into()), ..Default::default() };
        let config = crate::config::load(&flags, [], None).unwrap();
        let check = hot_folder(&config);
        assert_eq!(
            (check.status, check.remedy.as_deref()),
            (Status::Failed, Some("make it: mkdir -p /does/not/exist"))
        );
    }
}
