//! A folder's documents: which there are, and their bytes. Nothing outside of the folder is read,
//! whatever its links say.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use crate::clean::is_hidden;

/// Folders within folders that are looked into.
const DEPTH: usize = 16;

/// Entries of all folders together that are looked at: a home folder given by mistake ends here.
const ENTRIES: usize = 100_000;

/// Bytes of a document's path.
const NAME: usize = 200;

/// The project's own notes are named so.
pub(crate) const NOTE: &str = "note:";

/// What differs when a file was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    /// Nanoseconds since 1970, as are the next.
    pub(crate) modified: i64,
    /// Cannot be set back, which `modified` can.
    pub(crate) changed: i64,
    pub(crate) inode: u64,
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size: metadata.size(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// As kept in the index.
    pub(crate) fn text(self) -> String {
        format!("{} {} {} {}", self.size, self.modified, self.changed, self.inode)
    }
}

/// Why a document is not in the index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    #[error("it has {0} bytes; at most {1} are taken")]
    TooLarge(u64, u64),
    #[error("it is no UTF-8 text; save it as UTF-8")]
    NoText,
    #[error("it is no regular file")]
    NoFile,
    #[error("it leads out of the folder")]
    Outside,
    #[error("its name is too long, or holds what cannot be shown")]
    Name,
    #[error("there are more documents than the {0} that are taken")]
    TooMany(usize),
    #[error("the index holds {0} passages, which is all it takes")]
    Full(usize),
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// What one look at the folder found.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// By name.
    pub(crate) files: Vec<(String, Stamp)>,
    pub(crate) skipped: Vec<(String, Skip)>,
    /// Folders that could not be read: what was known of them stays.
    pub(crate) unread: Vec<String>,
}

/// Goes through the folder. Hidden entries and files that end neither in `.md` nor in `.txt` are none
/// of ours; links to files are taken when they stay inside, which [`Folder::read`] checks.
pub(crate) fn look(root: &Path, most: usize) -> io::Result<Look> {
    let mut look = Look::default();
    let mut entries_left = ENTRIES;
    let mut folders = vec![(PathBuf::new(), 0)];
    let mut is_root = true;
    while let Some((folder, depth)) = folders.pop() {
        let listed = fs::read_dir(root.join(&folder))
            .and_then(|entries| entries.take(entries_left).collect::<io::Result<Vec<fs::DirEntry>>>());
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(source) if is_root => return Err(source),
            Err(source) => {
                let name = folder.to_string_lossy().into_owned();
                if source.kind() != io::ErrorKind::NotFound {
                    look.unread.push(name.clone());
                }
                look.skipped.push((name, Skip::Unreadable(source.kind().to_string())));
                continue;
            }
        };
        is_root = false;
        entries_left -= entries.len().min(entries_left);
        entries.sort_by_key(fs::DirEntry::file_name);
        let mut below = Vec::new();
        for entry in entries {
            let path = folder.join(entry.file_name());
            let Some(name) = path.to_str() else {
                if is_document(&path) {
                    look.skipped.push((path.to_string_lossy().into_owned(), Skip::Name));
                }
                continue;
            };
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEPTH => below.push((path.clone(), depth + 1)),
                Ok(kind) if kind.is_dir() => {}
                Ok(_) if !is_document(&path) => {}
                Ok(_) if name.len() > NAME || name.starts_with(NOTE) || name.chars().any(is_hidden) => {
                    look.skipped.push((name.to_owned(), Skip::Name));
                }
                Ok(_) if look.files.len() >= most => {
                    look.skipped.push((name.to_owned(), Skip::TooMany(most)))
                }
                Ok(_) => match fs::metadata(root.join(&path)) {
                    Ok(metadata) => look.files.push((name.to_owned(), Stamp::of(&metadata))),
                    // Gone since it was listed, or a link to nothing.
                    Err(source) => {
                        look.skipped.push((name.to_owned(), Skip::Unreadable(source.kind().to_string())));
                    }
                },
                Err(_) => {}
            }
        }
        // In order of names: which documents are too many must not depend on the disk.
        folders.extend(below.into_iter().rev());
    }
    look.files.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(look)
}

fn is_document(path: &Path) -> bool {
    let end = path.extension().map(|end| end.to_ascii_lowercase());
    end.is_some_and(|end| end == "md" || end == "txt")
}

/// The folder, held open: names are resolved below it, not below what its path has become.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    root: OwnedFd,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let root = File::open(path)?;
        if !root.metadata()?.is_dir() {
            return Err(io::Error::from(Errno::NOTDIR));
        }
        Ok(Self { path: path.to_owned(), root: root.into() })
    }

    /// The text of a document, with the stamp of the very file it was read from.
    pub(crate) fn read(&self, name: &str, most: u64) -> Result<(Stamp, String), Skip> {
        let unreadable = |source: io::Error| Skip::Unreadable(source.kind().to_string());
        // A FIFO must not hold us up: opened without waiting, then seen for what it is.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let opened = match openat2(&self.root, name, flags, Mode::empty(), beneath) {
            Err(Errno::NOSYS | Errno::PERM) => self.open_without_links(name, flags),
            opened => opened,
        };
        let mut file = match opened {
            Ok(file) => File::from(file),
            Err(Errno::XDEV | Errno::LOOP) => return Err(Skip::Outside),
            Err(Errno::NXIO) => return Err(Skip::NoFile),
            Err(errno) => return Err(unreadable(errno.into())),
        };
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Skip::NoFile);
        }
        let stamp = Stamp::of(&metadata);
        if stamp.size > most {
            return Err(Skip::TooLarge(stamp.size, most));
        }
        let mut bytes = Vec::with_capacity(stamp.size as usize);
        // One more than allowed, so that a file that grows is seen.
        file.by_ref().take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > most {
            return Err(Skip::TooLarge(bytes.len() as u64, most));
        }
        let text = String::from_utf8(bytes).map_err(|_| Skip::NoText)?;
        // A program or an archive that was given the wrong name.
        if text.contains('\0') {
            return Err(Skip::NoText);
        }
        Ok((stamp, text))
    }

    /// For kernels that cannot be told to stay beneath: no link at all.
    fn open_without_links(&self, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let whole = self.path.join(name);
        let parent = whole.parent().unwrap_or(&self.path);
        let inside = match (parent.canonicalize(), self.path.canonicalize()) {
            (Ok(parent), Ok(root)) => parent.starts_with(root),
            _ => false,
        };
        if !inside {
            return Err(Errno::XDEV);
        }
        openat(&self.root, name, flags | OFlags::NOFOLLOW, Mode::empty())
    }
}

/// What a folder holds, without reading a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    pub documents: usize,
    pub bytes: u64,
    /// Too large, or of a name that is not taken.
    pub skipped: usize,
}

/// Counts a folder's documents as an update would find them.
pub fn survey(root: &Path, limits: &crate::Limits) -> io::Result<Survey> {
    let look = look(root, limits.documents)?;
    let (taken, large): (Vec<_>, Vec<_>) =
        look.files.iter().partition(|(_, stamp)| stamp.size <= limits.bytes);
    let bytes = taken.iter().map(|(_, stamp)| stamp.size).sum();
    Ok(Survey { documents: taken.len(), bytes, skipped: look.skipped.len() + large.len() })
}
