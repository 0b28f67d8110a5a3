//! A git repository with as many small kpt packages as wanted, made in one go.

use std::path::Path;
use std::process::{Command, Stdio};

/// What every package has at first.
pub const REPLICAS: u32 = 4;

/// Name and namespace of the n-th package.
pub fn name(n: usize) -> (String, String) {
    (format!("app-{n}"), format!("bench-{}", n / 50))
}

/// A bare repository with `count` packages on `main`.
pub fn repository(bare: &Path, count: usize) {
    git(bare, &["init", "-q", "--bare", "-b", "main", "."]);
    let mut stream =
        String::from("commit refs/heads/main\ncommitter bench <bench@localhost> 0 +0000\ndata 5\nbench\n");
    for n in 0..count {
        let (name, namespace) = name(n);
        let kptfile = format!(
            "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: {name}\npipeline:\n  mutators:\n  - image: ghcr.io/kptdev/krm-functions-catalog/apply-setters:v0.2\n    configMap:\n      replicas: \"{REPLICAS}\"\n"
        );
        let deployment = format!(
            "# Made for measuring.\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  replicas: {REPLICAS} # kpt-set: ${{replicas}}\n  selector:\n    matchLabels: {{app: {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n      containers:\n      - name: main\n        image: registry.example/app:1.0 # pinned\n        resources:\n          requests: {{cpu: 500m, memory: 512Mi}}\n"
        );
        for (file, content) in [("Kptfile", kptfile), ("deployment.yaml", deployment)] {
            stream.push_str(&format!(
                "M 100644 inline {namespace}/{name}/{file}\ndata {}\n{content}\n",
                content.len()
            ));
        }
    }
    let mut import = Command::new("git")
        .arg("-C")
        .arg(bare)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git is installed");
    std::io::Write::write_all(&mut import.stdin.take().expect("piped"), stream.as_bytes())
        .expect("git reads the stream");
    assert!(import.wait().expect("git ends").success());
}

/// Runs git in `folder`, made when missing, and returns what it prints; panics when git fails.
pub fn git(folder: &Path, args: &[&str]) -> String {
    std::fs::create_dir_all(folder).expect("a folder for the repository");
    let output = Command::new("git").arg("-C").arg(folder).args(args).output().expect("git is installed");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("git prints UTF-8 here")
}
