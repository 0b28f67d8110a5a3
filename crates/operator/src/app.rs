//! The wiring: what there is, what it is made of, in which order it starts and stops. Alone
//! names concrete adapters.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use nephoran_model::intent::{IntentId, State};
use nephoran_queue::Queue;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::actuate::package::PackageActuator;
use crate::admit::desk::{band, ready_at};
use crate::admit::id::Ids;
use crate::admit::{Desk, RequestRates};
use crate::config::{Config, FolderMode, UnknownTargets};
use crate::intake::{folder, http};
use crate::outgoing;
use crate::package::{Repository, RepositoryConfig};
use crate::plan::{Packages, Planner};
use crate::reconcile::drift::Drift;
use crate::reconcile::fields::Fields;
use crate::reconcile::{Acts, Flow, Records, deadlines, repair};
use crate::store::{Health, Store, retention};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::otlp::Exporter;
use crate::telemetry::readiness::Readiness;
use crate::telemetry::{gather, logs};
use crate::translate::model::Translator;
use crate::translate::passages;
use crate::web;

/// How long what runs may take to come to an end after a stop signal.
const GRACE: Duration = Duration::from_secs(10);

/// Who everybody is on a loopback-only server without tokens.
pub const LOCAL: &str = "local";

/// What `up` was asked for beyond its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Until a signal.
    Serve,
    /// What is in the hot folder, then exit.
    Once,
}

/// The operator with all its parts running.
pub struct Operator {
    pub address: SocketAddr,
    pub desk: Desk,
    pub acts: Acts,
    pub store: Store,
    pub packages: Packages,
    rates: RequestRates,
    readiness: Readiness,
    metrics: Metrics,
    spans: Option<Exporter>,
    tasks: TaskTracker,
    /// First the doors close, then the flow ends, then the rest.
    doors: CancellationToken,
    flow: CancellationToken,
}

/// Runs the operator to its end on a runtime of its own.
pub fn up(config: Config, mode: Mode) -> anyhow::Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    let ended = runtime.block_on(async {
        match mode {
            Mode::Serve => serve(&config).await,
            Mode::Once => once(&config).await,
        }
    });
    // A blocking read of a network folder must not hold the process up.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn serve(config: &Config) -> anyhow::Result<ExitCode> {
    let stop = signals()?;
    let operator = Operator::start(config).await?;
    // Before anybody knows where it is: a hang-up that nothing listens for ends the process.
    operator.reload_on_hangup(config)?;
    println!("listening on http://{}", operator.address);
    std::io::Write::flush(&mut std::io::stdout()).context("say where it listens")?;
    operator.watch_folder(config);
    stop.cancelled().await;
    info!("Stopping: nothing more is let in, what runs comes to its end.");
    operator.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn once(config: &Config) -> anyhow::Result<ExitCode> {
    let stop = signals()?;
    let operator = Operator::start(config).await?;
    let path = config
        .hot_folder
        .path
        .clone()
        .context("--once needs a hot folder: give one with --hot-folder DIR or hot_folder.path")?;
    let done = folder::once(operator.folder(config, &path), stop).await.context("read the hot folder");
    operator.stop().await;
    Ok(if done?.any_failed() { ExitCode::from(8) } else { ExitCode::SUCCESS })
}

/// Fires at the first SIGTERM or SIGINT.
fn signals() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let fired = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        fired.cancel();
    });
    Ok(stop)
}

impl Operator {
    /// Starts everything; returns when it listens.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        let metrics = Metrics::new();
        let readiness = Readiness::awaiting(["store", "repositories", "queue"]);
        metrics.show_readiness(&readiness);
        let spans = match &config.telemetry.otlp {
            Some(endpoint) => Some(Exporter::start(endpoint, &metrics)?),
            None => None,
        };
        let tasks = TaskTracker::new();
        let (doors, flow) = (CancellationToken::new(), CancellationToken::new());

        let listener = TcpListener::bind(config.listen).await.with_context(|| {
            format!("listen on {} (another operator there? choose another with --listen)", config.listen)
        })?;
        let address = listener.local_addr().context("ask for the own address")?;

        std::fs::create_dir_all(&config.data)
            .with_context(|| format!("make the data folder {}", config.data.display()))?;
        if let Some(handoff) = &config.handoff {
            std::fs::create_dir_all(handoff)
                .with_context(|| format!("make the hand-off folder {}", handoff.display()))?;
        }
        let store = Store::open(&config.data).context("open the store")?;
        store
            .audit_record("start", "operator", serde_json::json!({"configuration": config.hash()}))
            .await
            .context("write the first entry of this run to the audit trail")?;
        readiness.holds("store");

        let packages = Packages::new(open_repositories(config).await?);
        readiness.holds("repositories");

        let queue: Queue<IntentId> = Queue::new(config.queue).context("make the queue")?;
        if config.workers.paused {
            queue.pause();
        }
        let fields = Arc::new(Fields::default());
        let patch = match config.packages.unknown_targets {
            UnknownTargets::Refuse => None,
            UnknownTargets::Patch => config
                .packages
                .repositories
                .first()
                .map(|repository| (repository.name.clone(), repository.directory.clone())),
        };
        let planner =
            Planner::new(packages.clone(), config.guard.clone(), patch, fields.clone(), store.clone());
        let records = Records { store: store.clone(), fields, metrics: metrics.clone() };

        let newest = resume(&records, &queue).await.context("take up what was accepted before")?;
        readiness.holds("queue");

        let clients = Arc::new(outgoing::clients(config)?);
        metrics.show_clients(clients.clone());
        let documents = passages::start(config, &clients, &tasks, &metrics, flow.clone());
        let model = outgoing::model(config, &clients, documents)?.map(Arc::new);
        if let Some(model) = &model {
            metrics.show_model(model);
        }
        let model = model.map(|model| model as Arc<dyn Translator>);
        let desk = Desk::new(
            store.clone(),
            queue.clone(),
            Ids::after(newest.as_ref()),
            planner.clone(),
            config.limits.live.unwrap_or(usize::MAX),
            metrics.clone(),
            model.clone(),
        );
        tasks.spawn(gather::run(metrics.clone(), queue.clone(), store.clone(), flow.clone()));
        let acts = Acts::new(records.clone(), queue.clone(), desk.clone(), planner.clone(), model.is_some());
        let actuator = Arc::new(PackageActuator::new(packages.repositories().to_vec()));
        let work = Flow::new(records.clone(), queue.clone(), planner, actuator, model, config.workers);
        tasks.spawn(work.run(flow.clone(), GRACE));
        for repository in packages.repositories() {
            let drift = Drift { records: records.clone(), packages: packages.clone() };
            tasks.spawn(drift.run(repository.clone(), flow.clone()));
        }
        tasks.spawn(retention::run(store.clone(), config.retention, flow.clone()));
        tasks.spawn(deadlines::run(records.clone(), queue.clone(), flow.clone()));
        tasks.spawn(follow_store(store.clone(), records, queue.clone(), readiness.clone(), flow.clone()));
        tasks.spawn(follow_repositories(packages.clone(), readiness.clone(), flow.clone()));

        let rates = RequestRates::new(config.limits.rates, config.limits.trusted_proxies.clone());
        tasks.spawn(rates.clone().sweep(flow.clone()));
        metrics.add(rates.clone());

        let pages = pages(&store, &desk, &acts, &queue);
        let state = http::Doors {
            desk: desk.clone(),
            acts: acts.clone(),
            store: store.clone(),
            readiness: readiness.clone(),
            queue: {
                let queue = queue.clone();
                Arc::new(move || queue.numbers())
            },
            metrics: metrics.clone(),
            rates: rates.clone(),
            translate: nephoran_grammar::translate,
            hosts: http::Hosts::new(config.hosts.iter().cloned()),
            sources: Vec::new(),
            handoff: config.handoff.clone(),
            requester: LOCAL.to_owned(),
            streams: http::streams(),
            stop: doors.clone(),
        };
        let router = http::router(state, web::router(pages));
        tasks.spawn(http::serve(listener, router, http::Limits::default(), doors.clone()));

        info!(address = %address, data = %config.data.display(), "Ready.");
        Ok(Self {
            address,
            desk,
            acts,
            store,
            packages,
            rates,
            readiness,
            metrics,
            spans,
            tasks,
            doors,
            flow,
        })
    }

    /// Begins to watch the hot folder, when one is configured.
    pub fn watch_folder(&self, config: &Config) {
        let Some(path) = &config.hot_folder.path else { return };
        self.tasks.spawn(folder::run(self.folder(config, path), self.doors.clone()));
    }

    /// SIGHUP reads the configuration again: the limits and the log change at once, anything else
    /// is refused and the restart named.
    fn reload_on_hangup(&self, config: &Config) -> anyhow::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup()).context("listen for SIGHUP")?;
        let (desk, store, stop) = (self.desk.clone(), self.store.clone(), self.doors.clone());
        let rates = self.rates.clone();
        let mut config = config.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    fired = hangup.recv() => if fired.is_none() { return },
                }
                let read = config.clone();
                let reloaded = match tokio::task::spawn_blocking(move || read.reloaded()).await {
                    Ok(reloaded) => reloaded,
                    Err(cause) => {
                        error!(%cause, "The configuration was not reloaded.");
                        continue;
                    }
                };
                let new = match reloaded {
                    Ok(new) => new,
                    Err(cause) => {
                        let remedy = cause.faults.iter().find_map(|fault| fault.remedy.as_deref());
                        error!(%cause, remedy, "The configuration was not reloaded; the old one stays.");
                        continue;
                    }
                };
                let entry = serde_json::json!({"configuration": new.hash()});
                if let Err(cause) = store.audit_record("reload", "operator", entry).await {
                    error!(%cause, "The configuration was not reloaded: the audit trail cannot be written.");
                    continue;
                }
                rates.set(new.limits.rates, new.limits.trusted_proxies.clone());
                desk.limit_live(new.limits.live.unwrap_or(usize::MAX));
                logs::set_filter(&new.telemetry.log);
                info!(configuration = new.hash(), "The configuration was reloaded.");
                config = new;
            }
        });
        Ok(())
    }

    fn folder(&self, config: &Config, path: &Path) -> folder::Folder {
        folder::Folder {
            path: path.to_owned(),
            mode: match config.hot_folder.mode {
                FolderMode::Auto => folder::Mode::Auto,
                FolderMode::Events => folder::Mode::Events,
                FolderMode::Poll => folder::Mode::Poll,
            },
            desk: self.desk.clone(),
            store: self.store.clone(),
            metrics: self.metrics.clone(),
            readiness: self.readiness.clone(),
            requester: config.hot_folder.as_.clone().unwrap_or_else(|| LOCAL.to_owned()),
            translate: nephoran_grammar::translate,
            model_follows: config.translate.model.is_some(),
            sources: Vec::new(),
        }
    }

    /// Lets nothing more in, lets what runs come to its end, closes the store.
    pub async fn stop(self) {
        self.readiness.lacks("draining", "the operator is shutting down");
        self.desk.drain();
        self.flow.cancel();
        self.doors.cancel();
        self.tasks.close();
        if tokio::time::timeout(GRACE * 2, self.tasks.wait()).await.is_err() {
            warn!("Some tasks did not end in time.");
        }
        for repository in self.packages.repositories() {
            repository.close().await;
        }
        self.store.close().await;
        // The last spans are those of what came to its end just now.
        if let Some(spans) = self.spans {
            spans.close().await;
        }
    }
}

/// The configured repositories; one without a URL is made in the data folder.
async fn open_repositories(config: &Config) -> anyhow::Result<Vec<Repository>> {
    let mut repositories = Vec::new();
    for repository in &config.packages.repositories {
        let path = match &repository.url {
            Some(url) => Path::new(url.strip_prefix("file://").unwrap_or(url)).to_owned(),
            None => {
                let path = config.data.join(format!("{}.git", repository.name));
                if !path.exists() {
                    crate::package::init_bare(&path, &repository.branch)
                        .await
                        .with_context(|| format!("make the package repository {}", path.display()))?;
                }
                path
            }
        };
        let opened = Repository::open(RepositoryConfig {
            name: repository.name.clone(),
            path: path.clone(),
            branch: repository.branch.clone(),
            directory: repository.directory.clone(),
            cluster: repository.cluster.clone(),
        })
        .await
        .map_err(|cause| anyhow::anyhow!("{cause}; remedy: {}", cause.remedy()))
        .with_context(|| format!("open the package repository {}", path.display()))?;
        repositories.push(opened);
    }
    Ok(repositories)
}

/// Rebuilds what is in memory from what is on disk: the index of fields, the queue, half-done
/// supersedings. Returns the newest id on record.
async fn resume(records: &Records, queue: &Queue<IntentId>) -> anyhow::Result<Option<IntentId>> {
    let resting =
        [State::AwaitingApproval, State::Planned, State::Applied, State::Fulfilled, State::Degraded];
    let mut after = 0;
    loop {
        // A few at a time: ten thousand whole records would be tens of megabytes.
        let (intents, next) = records.store.in_states(&resting, after, 256).await?;
        if intents.is_empty() {
            break;
        }
        for intent in &intents {
            records.fields.note(intent);
            repair::supersedings(records, intent).await?;
        }
        after = next;
    }
    // After a failure of the store most of it is still in the queue.
    let queued: HashSet<IntentId> = queue.keys().into_iter().collect();
    let mut newest = None;
    for live in records.store.live().await? {
        // A plan that was held is looked at again: the freeze may be lifted.
        let held = live.state == State::Planned;
        if (held || !live.state.is_resting(live.hold)) && !queued.contains(&live.id) {
            let at = live.not_before.into_iter().chain(live.retry_at).max();
            let at = at.filter(|at| *at > Timestamp::now()).map(ready_at);
            queue.resume_at(live.id.clone(), band(live.priority), at, live.deadline.map(ready_at));
        }
        newest = newest.max(Some(live.id));
    }
    let page = records.store.list(Default::default(), None, 1).await?;
    Ok(page.items.into_iter().map(|intent| intent.id).chain(newest).max())
}

/// Says in readiness whether the store can write; after it could not, takes up what was told as
/// failed but is on disk all the same.
async fn follow_store(
    store: Store,
    records: Records,
    queue: Queue<IntentId>,
    readiness: Readiness,
    stop: CancellationToken,
) {
    let mut health = store.health();
    let mut was_away = false;
    loop {
        let now = health.borrow_and_update().clone();
        match now {
            Health::Ready => {
                if std::mem::take(&mut was_away)
                    && let Err(cause) = resume(&records, &queue).await
                {
                    warn!(%cause, "What the store holds could not be taken up; tried again in a second.");
                    was_away = true;
                }
                readiness.holds("store");
            }
            Health::Unavailable { reason } => {
                was_away = true;
                readiness.lacks("store", reason);
            }
            Health::Closed => return,
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = health.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(Duration::from_secs(1)), if was_away => {}
        }
    }
}

/// A repository that cannot be read makes the operator not ready, until it can be again. Who asks may
/// not learn where it lies: the log says that, with the remedy.
async fn follow_repositories(packages: Packages, readiness: Readiness, stop: CancellationToken) {
    let mut followed: Vec<_> =
        packages.repositories().iter().map(|repository| repository.watch_status()).collect();
    let mut told = Vec::new();
    loop {
        let mut lacking = Vec::new();
        for (repository, status) in packages.repositories().iter().zip(&mut followed) {
            let Some(cause) = status.borrow_and_update().error.clone() else { continue };
            lacking.push(format!("{} ({})", repository.name(), cause.category()));
            if !told.contains(&cause) {
                error!(repository = repository.name(), %cause, remedy = cause.remedy(), "A package repository cannot be read.");
                told.push(cause);
            }
        }
        if lacking.is_empty() {
            if !told.is_empty() {
                info!("All package repositories can be read again.");
                told.clear();
            }
            readiness.holds("repositories");
        } else {
            readiness.lacks("repositories", format!("cannot be read now: {}", lacking.join(", ")));
        }
        let changed =
            futures_util::future::select_all(followed.iter_mut().map(|status| Box::pin(status.changed())));
        tokio::select! {
            () = stop.cancelled() => return,
            (changed, ..) = changed => if changed.is_err() { return },
        }
    }
}

fn pages(store: &Store, desk: &Desk, acts: &Acts, queue: &Queue<IntentId>) -> web::Pages {
    let (get, list) = (store.clone(), store.clone());
    let (queue, glanced) = (queue.clone(), acts.clone());
    web::Pages {
        desk: desk.clone(),
        acts: acts.clone(),
        get: Arc::new(move |id| {
            let store = get.clone();
            Box::pin(async move { store.get(&id).await.map_err(|cause| cause.to_string()) })
        }),
        list: Arc::new(move |states, cursor| {
            let store = list.clone();
            Box::pin(async move {
                let filter = crate::store::Filter { states, ..Default::default() };
                let page = store.list(filter, cursor, 50).await.map_err(|cause| cause.to_string())?;
                Ok(web::Listed { intents: page.items, next: page.next_cursor })
            })
        }),
        glance: Arc::new(move || {
            let numbers = queue.numbers();
            web::Glance {
                queued: numbers.waiting,
                total: numbers.limits.total,
                claimed: numbers.claimed,
                paused: glanced.is_paused(),
            }
        }),
    }
}
