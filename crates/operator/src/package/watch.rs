//! What somebody else did to the branch: which commits, by whom, on which files.

use nephoran_model::plan::PlanHash;

use super::Error;
use super::git::Git;
use super::tree::printable;

/// Commits that are told one by one; of a larger push the newest.
const MOST_COMMITS: &str = "256";

/// The branch moved without us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub old: String,
    pub new: String,
    /// The old tip is no longer part of the history.
    pub rewritten: bool,
    /// Newest first. A rewritten history names what is new in it.
    pub commits: Vec<MovedCommit>,
    /// Files of the configured directory that differ between the two tips.
    pub files: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedCommit {
    pub commit: String,
    /// As the commit says, control characters removed; nobody has checked it.
    pub author: String,
    pub files: Vec<String>,
    /// It carries out a plan of ours.
    pub plan: Option<PlanHash>,
}

pub(super) async fn look(git: &Git, old: &str, new: &str, files: Vec<Vec<u8>>) -> Result<Moved, Error> {
    let rewritten = git.run(&["merge-base", "--is-ancestor", old, new]).await.is_err();
    let commits = match commits(git, &format!("{old}..{new}")).await {
        Err(Error::Git { .. }) => commits(git, new).await?,
        other => other?,
    };
    let files = files.iter().map(|path| printable(path)).collect();
    Ok(Moved { old: old.to_owned(), new: new.to_owned(), rewritten, commits, files })
}

async fn commits(git: &Git, range: &str) -> Result<Vec<MovedCommit>, Error> {
    let output = git
        .run(&[
            "log",
            "--no-show-signature",
            "--max-count",
            MOST_COMMITS,
            "--no-renames",
            "--name-only",
            // Of a merge only what it resolved by itself: the rest has its own author.
            "-c",
            // A record starts with a byte that no name holds.
            "--format=%x01%H%x02%an%x02%(trailers:key=Nephoran-Plan,valueonly,separator=%x2C)%x02",
            "-z",
            range,
            "--",
        ])
        .await?;
    Ok(output.split(|byte| *byte == 1).filter_map(commit).collect())
}

fn commit(record: &[u8]) -> Option<MovedCommit> {
    let mut fields = record.splitn(4, |byte| *byte == 2);
    let commit = String::from_utf8(fields.next()?.to_vec()).ok()?;
    let author = String::from_utf8_lossy(fields.next()?);
    let plan = PlanHash::parse(String::from_utf8_lossy(fields.next()?).trim());
    let files = fields
        .next()?
        .split(|byte| matches!(byte, 0 | b'\n'))
        .filter(|path| !path.is_empty())
        .map(printable)
        .collect();
    (!commit.is_empty()).then(|| MovedCommit {
        commit,
        author: author.chars().filter(|c| !c.is_control()).take(128).collect(),
        files,
        plan,
    })
}
