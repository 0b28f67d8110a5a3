//! Keeps the number of packs small, and sweeps away what a killed writer left.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::git::Git;
use super::message::IDENTITY;

/// A pack is kept from merging while its fast-import lives, which tidies up every few seconds.
const STALE_KEEP: Duration = Duration::from_secs(600);

/// Half-written packs. A fast-import of ours is started again every hour.
const STALE_TEMPORARY: Duration = Duration::from_secs(24 * 3600);

/// Packs that grow in a geometric row: few of them, and little written again. Packs of a
/// writer that lives are left alone.
pub(super) async fn merge(git: Git) {
    sweep(git.dir(), SystemTime::now());
    let repack = ["-c", "repack.writeBitmaps=false", "repack", "-d", "-q", "-n", "-l", "--geometric=2"];
    if let Err(error) = git.run(&repack).await {
        tracing::warn!(error = %error, remedy = error.remedy(), "The packs of the package repository could not be merged.");
    }
}

fn sweep(git: &Path, now: SystemTime) {
    let older = |path: &Path, age: Duration| {
        let modified = path.metadata().and_then(|metadata| metadata.modified());
        modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|passed| passed > age))
    };
    for path in entries(&git.join("objects/pack")) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_left = if name.ends_with(".keep") {
            older(&path, STALE_KEEP)
                && std::fs::read(&path).is_ok_and(|text| text.trim_ascii() == b"fast-import")
        } else {
            (name.starts_with("tmp_pack_") || name.starts_with("tmp_idx_")) && older(&path, STALE_TEMPORARY)
        };
        if is_left {
            let _ = std::fs::remove_file(path);
        }
    }
    for path in entries(git) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // A report of another program's crash is not ours to take away.
        let is_ours = name.starts_with("fast_import_crash_")
            && path.metadata().is_ok_and(|metadata| metadata.len() < 1 << 20)
            && std::fs::read(&path).is_ok_and(|report| contains(&report, IDENTITY.as_bytes()));
        if is_ours {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part == word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_what_a_killed_writer_left_is_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let packs = folder.path().join("objects/pack");
        std::fs::create_dir_all(&packs).unwrap();
        for (name, text) in [
            ("objects/pack/pack-1.keep", "fast-import"),
            ("objects/pack/pack-2.keep", "somebody wants it"),
            ("objects/pack/pack-1.pack", "x"),
            ("objects/pack/tmp_pack_x", "x"),
            ("fast_import_crash_1", "recent commands: author nephoran <nephoran@localhost>"),
            ("fast_import_crash_2", "recent commands: author somebody"),
            ("config", "x"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let left = |now| {
            sweep(folder.path(), now);
            let mut left: Vec<String> = entries(&packs)
                .chain(entries(folder.path()))
                .filter(|path| path.is_file())
                .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
                .collect();
            left.sort();
            left
        };
        let now = SystemTime::now();
        assert_eq!(
            left(now),
            ["config", "fast_import_crash_2", "pack-1.keep", "pack-1.pack", "pack-2.keep", "tmp_pack_x"]
        );
        assert_eq!(
            left(now + 2 * STALE_TEMPORARY),
            ["config", "fast_import_crash_2", "pack-1.pack", "pack-2.keep"]
        );
    }
}
