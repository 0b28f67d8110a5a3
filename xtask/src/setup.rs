//! What the tests need beside the toolchain: installed where that is possible, named with the
//! remedy where it is not.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

struct Tool {
    program: &'static str,
    package: &'static str,
    need: Need,
    why: &'static str,
}

#[derive(PartialEq)]
enum Need {
    Must,
    /// Tests that need it say that they are skipped.
    May,
}

const TOOLS: &[Tool] = &[
    Tool {
        program: "git",
        package: "git",
        need: Need::Must,
        why: "the package repositories are git repositories",
    },
    Tool { program: "cc", package: "gcc", need: Need::Must, why: "SQLite is compiled from C" },
    Tool {
        program: "strace",
        package: "strace",
        need: Need::May,
        why: "the tests of failing syncs inject faults with it",
    },
    Tool {
        program: "promtool",
        package: "prometheus",
        need: Need::May,
        why: "it tries the alert rules of deploy/prometheus",
    },
    Tool { program: "chromium", package: "chromium", need: Need::May, why: "the page is tested in it" },
    Tool {
        program: "chromedriver",
        package: "chromium-driver",
        need: Need::May,
        why: "the page's tests drive Chromium with it",
    },
];

pub fn run(root: &Path) -> Result<()> {
    tools()?;
    crate::model_server::run(root);
    Ok(())
}

fn tools() -> Result<()> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !is_there(tool.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    install(&packages);
    let mut fatal = false;
    for tool in missing.into_iter().filter(|tool| !is_there(tool.program)) {
        println!(
            "{}: {} is missing ({}). Remedy: install the package {}, on Debian: apt-get install {}",
            if tool.need == Need::Must { "error" } else { "note" },
            tool.program,
            tool.why,
            tool.package,
            tool.package,
        );
        fatal |= tool.need == Need::Must;
    }
    if fatal {
        bail!("something that the build cannot do without is missing");
    }
    Ok(())
}

/// Through apt, where there is one and it may; whether it worked shows in what is there afterwards.
pub fn install(packages: &[&str]) {
    if !is_there("apt-get") || !is_root() {
        return;
    }
    println!("Installing {}.", packages.join(", "));
    // Another program may hold the package lock for a while.
    let wait = ["-o", "DPkg::Lock::Timeout=300", "-qq"];
    let _ = Command::new("apt-get").args(wait).arg("update").status();
    let _ = Command::new("apt-get")
        .args(wait)
        .args(["install", "-y", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status();
}

pub fn is_there(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"))
}
