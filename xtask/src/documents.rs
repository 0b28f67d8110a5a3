//! The documents that are generated from the program: the command line's, the schemas, OpenAPI.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// Where each goes, and the words that make the program print it.
const DOCUMENTS: &[(&str, &[&str])] = &[
    ("docs/cli.md", &["markdown"]),
    ("docs/schemas/proposal.json", &["schema", "proposal"]),
    ("docs/schemas/intent.json", &["schema", "intent"]),
    ("docs/openapi.json", &["openapi"]),
];

pub fn run(root: &Path, check: bool) -> Result<()> {
    crate::run(crate::cargo(root).args(["build", "--quiet", "--package", "nephoran"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let program = target.join("debug/nephoran");
    for (path, words) in DOCUMENTS {
        let output =
            Command::new(&program).args(*words).output().with_context(|| format!("run {program:?}"))?;
        ensure!(output.status.success(), "nephoran {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        let file = root.join(path);
        if check {
            if std::fs::read(&file).unwrap_or_default() != output.stdout {
                bail!("{path} is not what the program prints; write it anew with: cargo xtask gen");
            }
        } else {
            std::fs::create_dir_all(file.parent().expect("each document lies in a folder"))?;
            std::fs::write(&file, output.stdout)?;
            println!("wrote {path}");
        }
    }
    Ok(())
}
