//! What can go wrong with a repository of packages, and what to do about it.

/// Cloned to every change of a batch that failed together, so it holds texts, not sources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the git program cannot be started: {detail}")]
    NoGit { detail: String },
    #[error("there is no package repository at {path}")]
    Missing { path: String },
    #[error("{directory:?} is no folder of a package repository")]
    BadDirectory { directory: String },
    #[error("{path} is no git repository: {detail}")]
    NotARepository { path: String, detail: String },
    #[error("the branch {branch} is checked out in the work tree of {path}")]
    CheckedOut { path: String, branch: String },
    #[error("the package repository {path} has no branch {branch}")]
    NoBranch { path: String, branch: String },
    #[error("the package repository {path} cannot be written: {detail}")]
    ReadOnly { path: String, detail: String },
    #[error("the disk that holds the package repository {path} is full")]
    DiskFull { path: String },
    #[error("another program holds the lock of {reference}")]
    Locked { reference: String },
    #[error("the branch moved {attempts} times while the change was written")]
    Moving { attempts: u32 },
    /// A file is no longer what the plan was made from.
    #[error("{file} changed after the plan was made")]
    Stale { file: String },
    /// The file could be edited, but not so that nothing else changes.
    #[error("{file} is not edited: {reason}")]
    CannotEdit { file: String, reason: String },
    /// What was read back is not what was written.
    #[error("{file} in commit {commit} is not what was written")]
    NotAsWritten { file: String, commit: String },
    #[error("git {doing}: {detail}")]
    Git { doing: String, detail: String },
    #[error("git {doing} took longer than {seconds} s")]
    Timeout { doing: String, seconds: u64 },
    #[error("{what} is larger than {limit} bytes")]
    TooLarge { what: String, limit: usize },
    #[error("the package writer has stopped")]
    Closed,
}

impl Error {
    /// The same change may succeed later without anybody planning anew.
    pub fn retry(&self) -> bool {
        match self {
            Self::NoGit { .. }
            | Self::Missing { .. }
            | Self::ReadOnly { .. }
            | Self::DiskFull { .. }
            | Self::Locked { .. }
            | Self::Moving { .. }
            | Self::Git { .. }
            | Self::Timeout { .. }
            | Self::NotARepository { .. }
            | Self::NoBranch { .. } => true,
            Self::CheckedOut { .. }
            | Self::BadDirectory { .. }
            | Self::Stale { .. }
            | Self::CannotEdit { .. }
            | Self::NotAsWritten { .. }
            | Self::TooLarge { .. }
            | Self::Closed => false,
        }
    }

    /// From a closed set, for metrics.
    pub fn category(&self) -> &'static str {
        match self {
            Self::NoGit { .. } => "no_git",
            Self::Missing { .. } => "missing",
            Self::BadDirectory { .. } => "bad_directory",
            Self::NotARepository { .. } => "not_a_repository",
            Self::CheckedOut { .. } => "checked_out",
            Self::NoBranch { .. } => "no_branch",
            Self::ReadOnly { .. } => "read_only",
            Self::DiskFull { .. } => "disk_full",
            Self::Locked { .. } => "locked",
            Self::Moving { .. } => "moving",
            Self::Stale { .. } => "stale",
            Self::CannotEdit { .. } => "cannot_edit",
            Self::NotAsWritten { .. } => "not_as_written",
            Self::Git { .. } => "git",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Closed => "closed",
        }
    }

    pub fn remedy(&self) -> String {
        match self {
            Self::NoGit { .. } => "install git 2.36 or newer, on the PATH of the operator".to_owned(),
            Self::BadDirectory { .. } => {
                "set packages.repositories[].directory to a path like `clusters/edge-1`, or leave it empty"
                    .to_owned()
            }
            Self::Missing { path } => format!(
                "bring the repository back to {path}, or make an empty one with `git init --bare {path}`; it is tried again by itself"
            ),
            Self::NotARepository { path, .. } => {
                format!("check the path in packages.repositories; `git -C {path} rev-parse` must succeed")
            }
            Self::CheckedOut { path, .. } => {
                format!("use a bare repository: `git clone --bare {path} {path}.git`, and name that one")
            }
            Self::NoBranch { branch, .. } => {
                format!("push a first commit to {branch}, or set packages.repositories[].branch")
            }
            Self::ReadOnly { path, .. } => {
                format!("give the operator write access to {path}; it is tried again by itself")
            }
            Self::DiskFull { .. } => "free some space; it is tried again by itself".to_owned(),
            Self::Locked { reference } => format!(
                "wait for the other git to end; when none runs, remove the left-over {reference}.lock"
            ),
            Self::Moving { .. } => "somebody pushes to the branch all the time; try again later".to_owned(),
            Self::Stale { .. } => "plan again against the repository as it is now".to_owned(),
            Self::CannotEdit { .. } => {
                "edit the package by hand, or write its value as a plain scalar".to_owned()
            }
            Self::NotAsWritten { .. } => "check the disk and run `git fsck --strict`".to_owned(),
            Self::Git { .. } => {
                "run `nephoran doctor`; see the repository with `git fsck --strict`".to_owned()
            }
            Self::Timeout { .. } => "check the disk and what else runs on the machine".to_owned(),
            Self::TooLarge { .. } => "keep large files out of the packages".to_owned(),
            Self::Closed => "start the operator again".to_owned(),
        }
    }
}
