//! The whole of it against real git repositories in temporary folders.
#![allow(clippy::unwrap_used)]

mod commits;
mod edits;
mod pushes;
mod reading;
mod trouble;

use std::path::{Path, PathBuf};
use std::process::Command;

use nephoran_model::inventory::Workload;
use nephoran_model::plan::{ActuatorKind, Edit, PlanHash, Resolved, Scalar, Step, StepState};
use tempfile::TempDir;

use super::{Change, Error, Repository, RepositoryConfig};

/// A bare repository, its folder, and a clone that other people work in.
struct World {
    folder: TempDir,
}

impl World {
    async fn new(files: &[(&str, &str)]) -> Self {
        Self::new_in(tempfile::tempdir().unwrap(), files).await
    }

    async fn new_in(folder: TempDir, files: &[(&str, &str)]) -> Self {
        let world = Self { folder };
        super::init_bare(&world.bare(), "main").await.unwrap();
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        super::import_files(&world.bare(), "main", files).await.unwrap();
        world
    }

    fn bare(&self) -> PathBuf {
        self.folder.path().join("packages.git")
    }

    fn config(&self) -> RepositoryConfig {
        RepositoryConfig {
            name: "default".into(),
            path: self.bare(),
            branch: "main".into(),
            directory: String::new(),
            cluster: None,
        }
    }

    async fn open(&self) -> Repository {
        Repository::open(self.config()).await.unwrap()
    }

    /// Somebody else's git, with their own name.
    fn git(&self, args: &[&str]) -> String {
        git(&self.bare(), args)
    }

    fn show(&self, path: &str) -> String {
        self.git(&["show", &format!("main:{path}")])
    }

    fn is_sound(&self) {
        self.git(&["fsck", "--strict", "--full"]);
    }

    fn commits(&self) -> usize {
        self.git(&["rev-list", "--count", "main"]).trim().parse().unwrap()
    }

    /// A clone in which other people edit, commit and push.
    fn people(&self) -> People {
        let place = self.folder.path().join("people");
        git(self.folder.path(), &["clone", "-q", "packages.git", "people"]);
        People { place }
    }
}

struct People {
    place: PathBuf,
}

impl People {
    fn write(&self, path: &str, text: &str) {
        let path = self.place.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.place, args)
    }

    /// Commits everything and pushes it, after taking in what is there.
    fn push(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["pull", "-q", "--rebase"]);
        self.git(&["push", "-q"]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }
}

fn git(place: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(place)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Some Engineer")
        .env("GIT_AUTHOR_EMAIL", "engineer@example.org")
        .env("GIT_COMMITTER_NAME", "Some Engineer")
        .env("GIT_COMMITTER_EMAIL", "engineer@example.org")
        .args(args)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {args:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const KPTFILE: &str = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: upf\n";

fn kptfile_with_setter(value: &str) -> String {
    format!(
        "{KPTFILE}pipeline:\n  mutators:\n    - image: ghcr.io/kptdev/krm-functions-catalog/apply-setters:v0.2.0\n      configMap:\n        replicas: {value} # how many\n"
    )
}

fn deployment(namespace: &str, name: &str, replicas: &str) -> String {
    format!(
        "# what it is\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  replicas: {replicas}\n  template:\n    spec:\n      containers:\n        - name: main\n          image: 'registry.example/x:#1'\n"
    )
}

/// A package with one Deployment, `ran-a/upf` at 3 with a setter.
async fn one_package() -> World {
    World::new(&[
        ("ran-a/upf/Kptfile", &kptfile_with_setter("\"3\"")),
        ("ran-a/upf/deployment.yaml", &deployment("ran-a", "upf", "3 # kpt-set: ${replicas}")),
    ])
    .await
}

fn named(repository: &Repository, name: &str) -> Workload {
    let inventory = repository.inventory();
    let found = inventory.named(name).next().cloned();
    Workload::clone(&found.unwrap_or_else(|| panic!("{name} is not in {inventory:?}")))
}

/// The step that planning draws for a count.
fn scale(workload: &Workload, to: u32) -> Step {
    let field = workload.replicas.clone().expect("it has replicas");
    let mut edits = vec![Edit {
        file: field.file.clone(),
        document: field.document,
        field: field.field.clone(),
        before: Scalar::Int(i64::from(field.value)),
        after: Scalar::Int(i64::from(to)),
        blob: field.blob,
    }];
    edits.extend(field.setter.map(|setter| Edit {
        file: setter.file,
        document: setter.document,
        field: setter.field,
        before: Scalar::Text(setter.value),
        after: Scalar::Text(to.to_string()),
        blob: setter.blob,
    }));
    Step {
        id: "1".into(),
        action: "scale".into(),
        actuator: ActuatorKind::Package,
        repository: "default".into(),
        target: Resolved::of(workload),
        edits,
        state: StepState::Pending,
    }
}

/// A hash for a plan that no test looks into.
fn plan_hash(number: u64) -> PlanHash {
    PlanHash::parse(&format!("{number:064x}")).unwrap()
}

async fn change(repository: &Repository, number: u64, name: &str, to: u32) -> Change {
    let step = scale(&named(repository, name), to);
    let preview = repository.preview(std::slice::from_ref(&step)).await.unwrap();
    let plan = plan_hash(number);
    let message = format!("{}\n\n{}\n\nNephoran-Plan: {plan}\n", step.line(), step.line());
    Change { plan, files: preview.files, message }
}
