//! The hot folder and the three folders in it. Everything is reached from the folder's own descriptor:
//! a path that is exchanged meanwhile leads nowhere else.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::name;
use super::status::{Status, error_log};

/// Largest file that is read.
pub const MAX_FILE: u64 = 256 * 1024;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

pub struct Place {
    path: PathBuf,
    top: OwnedFd,
    processed: OwnedFd,
    failed: OwnedFd,
    status: OwnedFd,
}

/// What a file looked like: equal looks mean that nothing happened in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    pub links: u64,
    /// Of the content, and of the file as such, in nanoseconds.
    pub modified: i128,
    pub changed: i128,
    pub form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    File,
    Link,
    Folder,
    Other,
}

/// A file's content, as one descriptor saw it.
pub struct Content {
    pub bytes: Vec<u8>,
    /// Names this file over crashes, see [`super::identity`].
    pub key: String,
}

/// What came of opening a file.
pub enum Opened {
    Content(Content),
    /// Not there any more.
    Gone,
    /// It was written to while it was read.
    Moving,
    /// Nothing that is taken, and why.
    Refused(&'static str),
    /// Cannot be read now; another time it may.
    Busy(io::Error),
}

impl Place {
    /// Opens the folder and makes the three in it where they are missing.
    pub fn open(path: &Path) -> io::Result<Self> {
        // The folder itself may be reached over a link: that is how it was configured.
        let top = rustix::fs::openat(CWD, path, FOLDER.difference(OFlags::NOFOLLOW), Mode::empty())?;
        let inside = |name: &str| -> io::Result<OwnedFd> {
            match rustix::fs::mkdirat(&top, name, Mode::from_raw_mode(0o775)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(rustix::fs::openat(&top, name, FOLDER, Mode::empty())?)
        };
        let (processed, failed, status) = (inside("processed")?, inside("failed")?, inside("status")?);
        Ok(Self { path: path.to_owned(), top, processed, failed, status })
    }

    /// Whether the path still leads to the folder that was opened.
    pub fn is_where_it_was(&self) -> bool {
        let opened = rustix::fs::fstat(&self.top);
        let named = rustix::fs::stat(&self.path);
        matches!((opened, named), (Ok(opened), Ok(named))
            if opened.st_ino == named.st_ino && opened.st_dev == named.st_dev)
    }

    /// Names of everything that is a request by its name, sorted.
    pub fn requests(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        // A descriptor of its own: the position in a folder belongs to the descriptor.
        let again = rustix::fs::openat(&self.top, ".", FOLDER, Mode::empty())?;
        for entry in Dir::new(again)? {
            let entry = entry?;
            let name = OsString::from_vec(entry.file_name().to_bytes().to_vec());
            if name::kind(&name).is_some() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// `None` when nothing has that name.
    pub fn look(&self, name: &OsStr) -> io::Result<Option<Look>> {
        match rustix::fs::statat(&self.top, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Look::of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opened once, checked and read through the one descriptor.
    pub fn read(&self, name: &OsStr) -> Opened {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file = match rustix::fs::openat(&self.top, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Opened::Gone,
            Err(Errno::LOOP | Errno::MLINK) => {
                return Opened::Refused("the file is a symbolic link; only regular files are taken");
            }
            Err(Errno::NXIO) => {
                return Opened::Refused("the file is a socket or a pipe; only regular files are taken");
            }
            Err(Errno::ACCESS | Errno::PERM) => {
                return Opened::Refused("the file cannot be read: no permission");
            }
            Err(error) => return Opened::Busy(error.into()),
        };
        let before = match rustix::fs::fstat(&file) {
            Ok(stat) => Look::of(&stat),
            Err(error) => return Opened::Busy(error.into()),
        };
        if let Some(why) = before.fault() {
            return Opened::Refused(why);
        }
        let file = File::from(file);
        let mut bytes = Vec::with_capacity(usize::try_from(before.size).unwrap_or_default() + 1);
        if let Err(error) = (&file).take(MAX_FILE + 1).read_to_end(&mut bytes) {
            return Opened::Busy(error);
        }
        let (Ok(stat), Ok(metadata)) = (rustix::fs::fstat(&file), file.metadata()) else {
            return Opened::Moving;
        };
        let after = Look::of(&stat);
        if after.fault().is_some() || after != before || bytes.len() as u64 != after.size {
            return Opened::Moving;
        }
        let key = super::identity::key(&name.to_string_lossy(), &metadata, &bytes);
        Opened::Content(Content { bytes, key })
    }

    /// Moves an accepted file to `processed/`; returns the name that it has there.
    pub fn to_processed(&self, name: &OsStr, now: Timestamp) -> io::Result<OsString> {
        self.to(&self.processed, name, now)
    }

    /// Moves a file to `failed/`, its log first: who sees the file finds the log beside it.
    pub fn to_failed(&self, name: &OsStr, why: &str, now: Timestamp) -> io::Result<()> {
        let shown = name::shown(name);
        let free = match rustix::fs::statat(&self.failed, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => name.to_owned(),
            _ => name::another(name, now),
        };
        let log = name::beside(&free, ".error.log");
        self.write(&self.failed, &log, error_log(&shown, why, now).as_bytes())?;
        self.write_status(name, &Status::turned_away(&shown, why, now))?;
        match rustix::fs::renameat_with(&self.top, name, &self.failed, &free, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(()),
            Err(error) => {
                let _ = rustix::fs::unlinkat(&self.failed, &log, AtFlags::empty());
                Err(error.into())
            }
        }
    }

    fn to(&self, folder: &OwnedFd, name: &OsStr, now: Timestamp) -> io::Result<OsString> {
        match rustix::fs::renameat_with(&self.top, name, folder, name, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(name.to_owned()),
            Err(Errno::EXIST) => {
                let another = name::another(name, now);
                rustix::fs::renameat_with(&self.top, name, folder, &another, RenameFlags::NOREPLACE)?;
                Ok(another)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// After this the moves outlive a loss of power.
    pub fn settle(&self) -> io::Result<()> {
        rustix::fs::fsync(&self.processed)?;
        rustix::fs::fsync(&self.top)?;
        Ok(())
    }

    pub fn write_status(&self, name: &OsStr, status: &Status) -> io::Result<()> {
        let mut text = serde_json::to_vec(status)?;
        text.push(b'\n');
        self.write(&self.status, &name::beside(name, ".status"), &text)
    }

    pub fn read_status(&self, name: &OsStr) -> Option<Status> {
        self.parse_status(&name::beside(name, ".status"))
    }

    /// Every status file that says `pending`, by what it says.
    pub fn pending(&self) -> io::Result<Vec<Status>> {
        let again = rustix::fs::openat(&self.status, ".", FOLDER, Mode::empty())?;
        let mut found = Vec::new();
        for entry in Dir::new(again)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name.as_bytes().ends_with(b".status")
                && let Some(status) = self.parse_status(name)
                && status.status == super::status::Standing::Pending
            {
                found.push(status);
            }
        }
        Ok(found)
    }

    fn parse_status(&self, file: &OsStr) -> Option<Status> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.status, file, flags, Mode::empty()).ok()?;
        let mut bytes = Vec::new();
        File::from(file).take(MAX_FILE).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Readers see the old text or the new one, never a part.
    fn write(&self, folder: &OwnedFd, name: &OsStr, text: &[u8]) -> io::Result<()> {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        let hidden = name::beside(&hidden, ".tmp");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(folder, &hidden, flags, Mode::from_raw_mode(0o664))?;
        let written = File::from(file).write_all(text);
        let renamed = written
            .and_then(|()| rustix::fs::renameat(folder, &hidden, folder, name).map_err(io::Error::from));
        if renamed.is_err() {
            let _ = rustix::fs::unlinkat(folder.as_fd(), &hidden, AtFlags::empty());
        }
        renamed
    }

    /// Whether the file system tells of changes that other machines make.
    pub fn has_events(&self) -> bool {
        // From statfs(2): NFS, SMB, CIFS, SMB2, 9P, FUSE.
        const WITHOUT: [u64; 6] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x6573_5546];
        rustix::fs::fstatfs(&self.top)
            .is_ok_and(|system| !WITHOUT.contains(&(u64::from(system.f_type as u32))))
    }
}

impl Look {
    fn of(stat: &rustix::fs::Stat) -> Self {
        let nanoseconds = |seconds: i128, rest: i128| seconds * 1_000_000_000 + rest;
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            links: stat.st_nlink,
            modified: nanoseconds(stat.st_mtime.into(), stat.st_mtime_nsec.into()),
            changed: nanoseconds(stat.st_ctime.into(), stat.st_ctime_nsec.into()),
            form: match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Form::File,
                FileType::Symlink => Form::Link,
                FileType::Directory => Form::Folder,
                _ => Form::Other,
            },
        }
    }

    /// Why a file that looks so is not taken.
    pub fn fault(&self) -> Option<&'static str> {
        match self.form {
            Form::Link => Some("the file is a symbolic link; only regular files are taken"),
            Form::Folder => Some("this is a folder; only regular files are taken"),
            Form::Other => Some("the file is a pipe, a socket or a device; only regular files are taken"),
            Form::File if self.links > 1 => {
                Some("the file has another name (a hard link); only files with one name are taken")
            }
            Form::File if self.size > MAX_FILE => Some("the file is larger than 256 KiB"),
            Form::File => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn place() -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(folder.path()).unwrap();
        (folder, place)
    }

    fn refused(place: &Place, name: &str) -> &'static str {
        match place.read(OsStr::new(name)) {
            Opened::Refused(why) => why,
            _ => panic!("{name} must be refused"),
        }
    }

    #[test]
    fn only_a_regular_file_with_one_name_is_read() {
        let (folder, place) = place();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("intent-a.json"), "{}").unwrap();
        match place.read(OsStr::new("intent-a.json")) {
            Opened::Content(content) => assert_eq!(content.bytes, b"{}"),
            _ => panic!("a regular file must be read"),
        }
        fs::hard_link(path("intent-a.json"), path("intent-b.json")).unwrap();
        assert!(refused(&place, "intent-b.json").contains("hard link"));
        symlink("/etc/passwd", path("intent-c.json")).unwrap();
        assert!(refused(&place, "intent-c.json").contains("symbolic link"));
        rustix::fs::mkfifoat(CWD, path("intent-d.json"), Mode::from_raw_mode(0o600)).unwrap();
        assert!(refused(&place, "intent-d.json").contains("pipe"));
        fs::create_dir(path("intent-e.json")).unwrap();
        assert!(refused(&place, "intent-e.json").contains("folder"));
        fs::write(path("intent-f.json"), vec![b' '; MAX_FILE as usize + 1]).unwrap();
        assert!(refused(&place, "intent-f.json").contains("256 KiB"));
        fs::write(path("intent-g.json"), vec![b' '; MAX_FILE as usize]).unwrap();
        assert!(matches!(place.read(OsStr::new("intent-g.json")), Opened::Content(_)));
        assert!(matches!(place.read(OsStr::new("intent-h.json")), Opened::Gone));
    }

    #[test]
    fn requests_come_in_the_order_of_their_names() {
        let (folder, place) = place();
        for name in ["intent-10.json", "intent-2.txt", "notes.txt", "intent-1.json"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(place.requests().unwrap(), ["intent-1.json", "intent-10.json", "intent-2.txt"]);
    }

    #[test]
    fn a_namesake_in_processed_is_kept() {
        let (folder, place) = place();
        let now = Timestamp::now();
        for content in ["1", "2"] {
            fs::write(folder.path().join("intent-a.json"), content).unwrap();
            place.to_processed(OsStr::new("intent-a.json"), now).unwrap();
        }
        place.settle().unwrap();
        let processed = folder.path().join("processed");
        assert_eq!(fs::read_to_string(processed.join("intent-a.json")).unwrap(), "1");
        let other = name::another(OsStr::new("intent-a.json"), now);
        assert_eq!(fs::read_to_string(processed.join(other)).unwrap(), "2");
    }

    #[test]
    fn a_failed_file_has_its_log_and_its_status() {
        let (folder, place) = place();
        fs::write(folder.path().join("intent-a.json"), "{").unwrap();
        place.to_failed(OsStr::new("intent-a.json"), "not JSON", Timestamp::now()).unwrap();
        let failed = folder.path().join("failed");
        assert_eq!(fs::read_to_string(failed.join("intent-a.json")).unwrap(), "{");
        let log = fs::read_to_string(failed.join("intent-a.json.error.log")).unwrap();
        assert!(log.starts_with("File: intent-a.json\nFailed at: ") && log.ends_with("Error: not JSON\n"));
        let status = place.read_status(OsStr::new("intent-a.json")).unwrap();
        assert_eq!(status.status, super::super::status::Standing::Failed);
        assert!(!folder.path().join("intent-a.json").exists());
    }

    #[test]
    fn links_and_folders_fail_as_they_are_and_what_they_point_to_stays() {
        let (folder, place) = place();
        let target = folder.path().join("target");
        fs::write(&target, "kept").unwrap();
        symlink(&target, folder.path().join("intent-a.json")).unwrap();
        place.to_failed(OsStr::new("intent-a.json"), "a link", Timestamp::now()).unwrap();
        assert!(folder.path().join("failed/intent-a.json").is_symlink());
        assert_eq!(fs::read_to_string(target).unwrap(), "kept");
    }

    #[test]
    fn folders_inside_that_are_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        symlink("/tmp", folder.path().join("processed")).unwrap();
        assert!(Place::open(folder.path()).is_err());
    }

    #[test]
    fn a_folder_that_was_exchanged_is_noticed() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("hot");
        fs::create_dir(&path).unwrap();
        let place = Place::open(&path).unwrap();
        assert!(place.is_where_it_was());
        fs::rename(&path, outer.path().join("old")).unwrap();
        assert!(!place.is_where_it_was());
        fs::create_dir(&path).unwrap();
        assert!(!place.is_where_it_was());
    }
}
