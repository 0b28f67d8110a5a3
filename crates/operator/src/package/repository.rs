//! The handle of a package repository.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use nephoran_model::inventory::Inventory;
use nephoran_model::plan::{PlanHash, Scalar, Step};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::editor::{self, Before};
use super::git::Git;
use super::inventory::Place;
use super::message::IDENTITY;
use super::owner::{Ask, Owner};
use super::patch;
use super::plans::{self, Recent};
use super::reader::Reader;
use super::state::State;
use super::watch::Moved;
use super::writer::{self, Writer};
use super::yaml;
use super::{Change, Committed, Error, Prepared, Preview};

/// Changes that wait for their commit: four full batches. Who comes then waits at the door.
const PLACES: usize = 256;

/// Moves that a slow listener may fall behind.
const MOVES: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryConfig {
    pub name: String,
    pub path: PathBuf,
    pub branch: String,
    /// From the repository's root; empty for the whole.
    pub directory: String,
    pub cluster: Option<String>,
}

/// A package repository. Handles are cheap to clone; the last one that goes ends its task.
#[derive(Clone)]
pub struct Repository {
    inner: Arc<Inner>,
}

struct Inner {
    config: RepositoryConfig,
    reference: String,
    git: Git,
    reader: Reader,
    published: Arc<Published>,
    asks: mpsc::Sender<Ask>,
    moves: broadcast::Sender<Arc<Moved>>,
    status: watch::Receiver<Status>,
}

/// Where the repository stands, and whether it can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub tip: String,
    pub packages: usize,
    pub workloads: usize,
    /// Why the last look or write failed, until one works. Reading goes on with what was read before.
    pub error: Option<Error>,
}

/// An inventory with the commit that it was read at.
#[derive(Debug)]
pub(super) struct Published(ArcSwap<(String, Arc<Inventory>)>);

impl Published {
    fn new(tip: String, inventory: Arc<Inventory>) -> Self {
        Self(ArcSwap::from_pointee((tip, inventory)))
    }

    pub(super) fn set(&self, tip: String, inventory: Arc<Inventory>) {
        self.0.store(Arc::new((tip, inventory)));
    }
}

impl Repository {
    /// Reads the whole branch once. What is wrong with a package puts that package out; what
    /// is wrong with the repository is an error.
    pub async fn open(config: RepositoryConfig) -> Result<Self, Error> {
        let directory = config.directory.trim_matches('/').to_owned();
        if !directory.is_empty() && !super::tree::is_plain(&directory) {
            return Err(Error::BadDirectory { directory });
        }
        let path = std::path::absolute(&config.path).unwrap_or(config.path);
        let config = RepositoryConfig { directory, path, ..config };
        let git = find_git(&config).await?;
        writer::wait_for_orphans(&git).await;
        let reference = format!("refs/heads/{}", config.branch);
        let reader = Reader::start(git.clone());
        let Some(tip) = reader.id(&reference).await? else {
            return Err(Error::NoBranch {
                path: config.path.display().to_string(),
                branch: config.branch.clone(),
            });
        };
        let place = Place { repository: config.name.clone(), cluster: config.cluster.clone() };
        let state = State::load(&git, &reader, place, &config.directory, tip.clone()).await?;
        let published = Arc::new(Published::new(tip.clone(), Arc::clone(&state.inventory)));
        let (moves, _) = broadcast::channel(MOVES);
        let (status_sender, status) = watch::channel(Status {
            tip,
            packages: state.packages(),
            workloads: state.inventory.workloads().len(),
            error: None,
        });
        let (asks, inbox) = mpsc::channel(PLACES);
        let owner = Owner {
            git: git.clone(),
            reader: reader.clone(),
            reference: reference.clone(),
            state,
            published: Arc::clone(&published),
            moves: moves.clone(),
            status: status_sender,
            writer: Writer::new(git.clone()),
            recent: Recent::default(),
            repack: None,
            trouble: None,
            last_batch: 0,
        };
        tokio::spawn(owner.run(inbox));
        Ok(Self { inner: Arc::new(Inner { config, reference, git, reader, published, asks, moves, status }) })
    }

    pub fn name(&self) -> &str {
        &self.inner.config.name
    }

    pub fn config(&self) -> &RepositoryConfig {
        &self.inner.config
    }

    /// What the branch held when it was last read, our own commits included.
    pub fn inventory(&self) -> Arc<Inventory> {
        Arc::clone(&self.inner.published.0.load().1)
    }

    /// The commit that the inventory was read at.
    pub fn tip(&self) -> String {
        self.inner.published.0.load().0.clone()
    }

    /// Tip and inventory that belong together.
    pub fn snapshot(&self) -> (String, Arc<Inventory>) {
        let published = self.inner.published.0.load();
        (published.0.clone(), Arc::clone(&published.1))
    }

    pub fn status(&self) -> Status {
        self.inner.status.borrow().clone()
    }

    /// Changes whenever the tip, the number of packages or the error does.
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.inner.status.clone()
    }

    /// Moves of the branch by others, as they are seen.
    pub fn moves(&self) -> broadcast::Receiver<Arc<Moved>> {
        self.inner.moves.subscribe()
    }

    /// Looks at the branch now, not with the next tick.
    pub async fn refresh(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.inner.asks.send(Ask::Look(reply)).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// What `steps` would make of the files, and every value that would differ. Writes nothing.
    pub async fn preview(&self, steps: &[Step]) -> Result<Preview, Error> {
        let base = self.tip();
        let by_file = editor::edits_by_file(self.name(), steps);
        let names = by_file.keys().map(|path| format!("{base}:{path}")).collect();
        let objects = self.inner.reader.contents(names).await?;
        let mut preview = Preview { base, files: Vec::new(), diff: String::new(), differences: Vec::new() };
        for ((path, edits), object) in by_file.into_iter().zip(objects) {
            let Some(object) = object.filter(|object| object.kind == "blob") else {
                return Err(Error::Stale { file: path.to_owned() });
            };
            let before = Before { blob: object.id, bytes: object.bytes };
            let package = steps
                .iter()
                .find(|step| edits.iter().any(|(id, _)| *id == step.id))
                .map_or("", |step| step.target.package.as_str());
            let (file, differences) = editor::edit(self.name(), package, path, &before, &edits)?;
            preview.diff.push_str(&editor::unified(path, &before.bytes, &file.bytes));
            preview.differences.extend(differences);
            preview.files.push(file);
        }
        self.preview_new(steps, &mut preview).await?;
        Ok(preview)
    }

    /// Steps that make a package of their own.
    async fn preview_new(&self, steps: &[Step], preview: &mut Preview) -> Result<(), Error> {
        for step in steps.iter().filter(|step| step.creates() && step.repository == self.name()) {
            let (files, differences) = patch::files(step)?;
            let names = files.iter().map(|file| format!("{}:{}", preview.base, file.path)).collect();
            let there = self.inner.reader.contents(names).await?;
            for (file, object) in files.into_iter().zip(there) {
                if object.is_some() {
                    return Err(Error::Stale { file: file.path });
                }
                preview.diff.push_str(&editor::unified(&file.path, b"", &file.bytes));
                preview.files.push(file);
            }
            preview.differences.extend(differences);
        }
        Ok(())
    }

    /// One durable commit for one plan, read back. The same plan again gets the same commit.
    pub async fn commit(&self, change: Change) -> Result<Committed, Error> {
        let (reply, answer) = oneshot::channel();
        let prepared = Prepared::new(change, &self.tip());
        self.inner.asks.send(Ask::Commit(prepared, reply)).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// The value of a field in the branch as it is now, read from the repository.
    pub async fn value(&self, file: &str, document: usize, field: &str) -> Result<Option<Scalar>, Error> {
        let (_, values) = self.values(&[(file, document, field)]).await?;
        Ok(values.into_iter().next().flatten())
    }

    /// Values of fields (file, document, field) at one commit, the tip of the branch as it is now.
    pub async fn values(
        &self,
        fields: &[(&str, usize, &str)],
    ) -> Result<(String, Vec<Option<Scalar>>), Error> {
        let tip = self.inner.reader.id(&self.inner.reference).await?;
        let tip = tip.ok_or_else(|| Error::NoBranch {
            path: self.inner.config.path.display().to_string(),
            branch: self.inner.config.branch.clone(),
        })?;
        let names = fields.iter().map(|(file, ..)| format!("{tip}:{file}")).collect();
        let objects = self.inner.reader.contents(names).await?;
        let values = fields.iter().zip(objects).map(|((_, document, field), object)| {
            let object = object.filter(|object| object.kind == "blob")?;
            yaml::value(&object.bytes, *document, field)
        });
        let values = values.collect();
        Ok((tip, values))
    }

    /// The commits of plans, looked for in the history since a commit (or in the last 20,000).
    pub async fn find_plans(
        &self,
        since: Option<&str>,
        hashes: &[PlanHash],
    ) -> Result<HashMap<PlanHash, String>, Error> {
        plans::find(&self.inner.git, since, &self.inner.reference, hashes).await
    }

    /// Ends the writer with its packs merged. Handles that are left then say `Closed`.
    pub async fn close(&self) {
        let (reply, answer) = oneshot::channel();
        if self.inner.asks.send(Ask::Close(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }
}

/// The folder with the objects: the path itself, or `.git` in it.
async fn find_git(config: &RepositoryConfig) -> Result<Git, Error> {
    let path = config.path.display().to_string();
    if !config.path.exists() {
        return Err(Error::Missing { path });
    }
    let inside = config.path.join(".git");
    let git = Git::new(if inside.is_dir() { &inside } else { &config.path });
    match git.run(&["rev-parse", "--git-dir"]).await {
        Ok(_) => {}
        Err(Error::Git { detail, .. }) => return Err(Error::NotARepository { path, detail }),
        Err(other) => return Err(other),
    }
    if inside.is_dir() {
        // A commit under somebody's feet would look like that person's own change undone.
        let head = git.run(&["symbolic-ref", "-q", "HEAD"]).await.unwrap_or_default();
        if String::from_utf8_lossy(&head).trim() == format!("refs/heads/{}", config.branch) {
            return Err(Error::CheckedOut { path, branch: config.branch.clone() });
        }
    }
    Ok(git)
}

/// A bare repository with a first, empty commit on `branch`.
pub async fn init_bare(path: &Path, branch: &str) -> Result<(), Error> {
    let git = Git::new(path);
    std::fs::create_dir_all(path)
        .map_err(|error| Error::ReadOnly { path: path.display().to_string(), detail: error.to_string() })?;
    git.run(&["init", "--quiet", "--bare", "--template=", "--initial-branch", branch]).await?;
    import(&git, branch, "begin a repository of kpt packages\n", Vec::new()).await
}

/// One commit with these files on top of the branch.
pub async fn import_files(path: &Path, branch: &str, files: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
    import(&Git::new(path), branch, "bring in packages\n", files).await
}

/// One commit with the regular files below a folder.
pub async fn import_folder(path: &Path, branch: &str, folder: &Path) -> Result<(), Error> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    let unreadable = |error: std::io::Error| Error::Git {
        doing: "import".to_owned(),
        detail: format!("read {}: {error}", folder.display()),
    };
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let inside = entry.path();
                let inside = inside.strip_prefix(folder).unwrap_or(&inside).to_string_lossy().into_owned();
                files.push((inside, std::fs::read(entry.path()).map_err(unreadable)?));
            }
        }
    }
    files.sort();
    import_files(path, branch, files).await
}

async fn import(git: &Git, branch: &str, message: &str, files: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let mut stream = format!(
        "commit refs/heads/{branch}\ncommitter {IDENTITY} {now} +0000\ndata {}\n{message}\n",
        message.len()
    )
    .into_bytes();
    let reference = format!("refs/heads/{branch}");
    if let Ok(tip) = git.run(&["rev-parse", "--verify", "--quiet", &reference]).await {
        stream.extend_from_slice(format!("from {}\n", String::from_utf8_lossy(&tip).trim()).as_bytes());
    }
    for (path, bytes) in &files {
        if !super::tree::is_plain(path) {
            return Err(Error::CannotEdit {
                file: path.clone(),
                reason: "its name may not be in a package".to_owned(),
            });
        }
        stream.extend_from_slice(format!("M 100644 inline {path}\ndata {}\n", bytes.len()).as_bytes());
        stream.extend_from_slice(bytes);
        stream.push(b'\n');
    }
    git.run_with_input(&["fast-import", "--quiet", "--date-format=raw"], stream).await.map(drop)
}
