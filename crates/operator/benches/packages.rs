//! Commits per second into a repository of 1,000 packages, at 1, 8, 64 and 128 in flight.
//!
//! `cargo bench -p nephoran --bench packages`; the first argument is the seconds per row.
//! Each commit is planned from the inventory, previewed, committed, synced and read back.
#![allow(clippy::unwrap_used)]

use std::io::{Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use nephoran::package::{Change, Repository, RepositoryConfig, import_files, init_bare};
use nephoran_model::inventory::Workload;
use nephoran_model::plan::{ActuatorKind, Edit, PlanHash, Resolved, Scalar, Step, StepState};

const NAMESPACES: usize = 25;
const EACH: usize = 40;

fn main() {
    let seconds = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(Duration::from_secs(seconds)));
}

async fn run(time: Duration) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let path = folder.path().join("packages.git");
    init_bare(&path, "main").await.unwrap();
    import_files(&path, "main", packages()).await.unwrap();
    println!("sync p50                {:>10.2} ms", millis(sync(folder.path())));
    let begin = Instant::now();
    let repository = Repository::open(RepositoryConfig {
        name: "default".into(),
        path: path.clone(),
        branch: "main".into(),
        directory: String::new(),
        cluster: None,
    })
    .await
    .unwrap();
    println!("open {} packages      {:>10.2} ms", repository.status().packages, millis(begin.elapsed()));
    preview(&repository).await;
    let mut plans = 0;
    for in_flight in [1, 8, 64, 128] {
        plans = commits(&repository, in_flight, time, plans, &path).await;
    }
    let begin = Instant::now();
    repository.close().await;
    println!("close                   {:>10.2} ms, {} packs", millis(begin.elapsed()), packs(&path));
    let sound =
        std::process::Command::new("git").current_dir(&path).args(["fsck", "--strict"]).status().unwrap();
    println!("fsck --strict           {:>10}", if sound.success() { "clean" } else { "NOT CLEAN" });
    println!("resident                {:>10}", resident());
}

async fn preview(repository: &Repository) {
    let inventory = repository.inventory();
    let mut times = Vec::new();
    for workload in inventory.workloads().iter().take(500) {
        let step = scale(workload, 9);
        let begin = Instant::now();
        repository.preview(&[step]).await.unwrap();
        times.push(begin.elapsed());
    }
    println!("preview p50             {:>10.3} ms", millis(quantile(&mut times, 0.5)));
}

async fn commits(repository: &Repository, in_flight: usize, time: Duration, from: u64, path: &Path) -> u64 {
    let before = packs(path);
    let begin = Instant::now();
    let mut most_packs = before;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..in_flight {
        let repository = repository.clone();
        tasks.spawn(async move {
            let mut times = Vec::new();
            let mut number = from + task as u64 * 1_000_000;
            while begin.elapsed() < time {
                // Each task has packages of its own: nothing is stale.
                let at = task + in_flight * (times.len() % (NAMESPACES * EACH / in_flight));
                let workload = repository.inventory().workloads()[at].clone();
                let now = workload.replicas.as_ref().unwrap().value;
                let step = scale(&workload, if now == 7 { 3 } else { now + 1 });
                let begin = Instant::now();
                let preview = repository.preview(std::slice::from_ref(&step)).await.unwrap();
                number += 1;
                let plan = PlanHash::parse(&format!("{number:064x}")).unwrap();
                let message = format!("{}\n\nNephoran-Plan: {plan}\n", step.line());
                repository.commit(Change { plan, files: preview.files, message }).await.unwrap();
                times.push(begin.elapsed());
            }
            times
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done.unwrap());
        most_packs = most_packs.max(packs(path));
    }
    let rate = times.len() as f64 / begin.elapsed().as_secs_f64();
    let (p50, p99) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    println!(
        "{in_flight:>4} in flight          {rate:>10.1} commits/s, p50 {:.2} ms, p99 {:.2} ms, {most_packs} packs",
        millis(p50),
        millis(p99)
    );
    from + in_flight as u64 * 1_000_000
}

fn packages() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for namespace in 0..NAMESPACES {
        for number in 0..EACH {
            let name = format!("nf-{number}");
            let namespace = format!("site-{namespace}");
            let folder = format!("{namespace}/{name}");
            let kptfile = format!(
                "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: {name}\ninfo:\n  description: A network function of {namespace}\npipeline:\n  mutators:\n    - image: ghcr.io/kptdev/krm-functions-catalog/apply-setters:v0.2.0\n      configMap:\n        replicas: \"3\"\n"
            );
            let context = format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kptfile.kpt.dev\n  annotations:\n    config.kubernetes.io/local-config: \"true\"\ndata:\n  name: {name}\n"
            );
            let deployment = format!(
                "# The function itself.\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: {namespace}\n  labels:\n    app.kubernetes.io/name: {name}\nspec:\n  replicas: 3 # kpt-set: ${{replicas}}\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: {name}\n  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: {name}\n    spec:\n      containers:\n        - name: main\n          image: registry.example.org/nf/main:1.0.{number}\n          ports:\n            - {{name: sbi, containerPort: 8080, protocol: TCP}}\n          resources:\n            requests: {{cpu: 500m, memory: 512Mi}}\n"
            );
            files.push((format!("{folder}/Kptfile"), kptfile.into_bytes()));
            files.push((format!("{folder}/README.md"), format!("# {name}\n").into_bytes()));
            files.push((format!("{folder}/deployment.yaml"), deployment.into_bytes()));
            files.push((format!("{folder}/package-context.yaml"), context.into_bytes()));
        }
    }
    files
}

fn scale(workload: &Workload, to: u32) -> Step {
    let field = workload.replicas.clone().unwrap();
    let setter = field.setter.unwrap();
    let edits = vec![
        Edit {
            file: field.file,
            document: field.document,
            field: field.field,
            before: Scalar::Int(i64::from(field.value)),
            after: Scalar::Int(i64::from(to)),
            blob: field.blob,
        },
        Edit {
            file: setter.file,
            document: setter.document,
            field: setter.field,
            before: Scalar::Text(setter.value),
            after: Scalar::Text(to.to_string()),
            blob: setter.blob,
        },
    ];
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

/// Median of 300 overwrites of 4 KiB with their sync.
fn sync(folder: &Path) -> Duration {
    let mut file = std::fs::File::create(folder.join("sync")).unwrap();
    file.write_all(&[1; 4096]).unwrap();
    file.sync_all().unwrap();
    let mut times: Vec<Duration> = (0..300)
        .map(|_| {
            let begin = Instant::now();
            file.rewind().unwrap();
            file.write_all(&[2; 4096]).unwrap();
            file.sync_data().unwrap();
            begin.elapsed()
        })
        .collect();
    quantile(&mut times, 0.5)
}

fn packs(path: &Path) -> usize {
    let folder = std::fs::read_dir(path.join("objects/pack")).unwrap();
    folder.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "pack")).count()
}

fn quantile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    let at = ((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1));
    times.get(at).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: unknown");
    line.trim_start_matches("VmRSS:").trim().to_owned()
}
