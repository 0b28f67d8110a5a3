//! The files of a commit, and which of them make a package.
//!
//! A package is a folder with a Kptfile, at most two levels below the configured
//! directory. Only regular files with plain names belong into one: a link, a submodule or
//! a name that another file system would read differently puts that package out.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Error;
use super::reader::is_id;

pub(super) const KPTFILE: &str = "Kptfile";

/// Deeper folders with a Kptfile are not packages of their own.
const LEVELS: usize = 2;

/// Entries of one package; a real one has some tens.
const MOST_FILES: usize = 5_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mode: Mode,
    pub(super) id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    File,
    Executable,
    Link,
    Submodule,
    Other,
}

impl Mode {
    fn parse(text: &str) -> Self {
        match text {
            "100644" => Self::File,
            "100755" => Self::Executable,
            "120000" => Self::Link,
            "160000" => Self::Submodule,
            _ => Self::Other,
        }
    }

    /// As fast-import writes it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Executable => "100755",
            _ => "100644",
        }
    }
}

/// Paths are bytes in git; what is no ASCII is kept to be refused with its package.
pub(super) type Tree = BTreeMap<Vec<u8>, Entry>;

/// Reads `git ls-tree -r -z`.
pub(super) fn parse_listing(listing: &[u8]) -> Result<Tree, Error> {
    let odd = || Error::Git { doing: "ls-tree".to_owned(), detail: "its output cannot be read".to_owned() };
    let mut tree = Tree::new();
    for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(odd)?;
        let head = std::str::from_utf8(&line[..tab]).map_err(|_| odd())?;
        let mut words = head.split(' ');
        let (Some(mode), Some(_), Some(id)) = (words.next(), words.next(), words.next()) else {
            return Err(odd());
        };
        if !is_id(id) {
            return Err(odd());
        }
        let entry = Entry { mode: Mode::parse(mode), id: id.to_owned() };
        if let Some(twin) = tree.insert(line[tab + 1..].to_vec(), entry) {
            // Only a crafted tree has one name twice; the package is out for its odd entry.
            tree.insert(line[tab + 1..].to_vec(), Entry { mode: Mode::Other, ..twin });
        }
    }
    Ok(tree)
}

/// One file that differs between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) path: Vec<u8>,
    /// What is there now.
    pub(super) entry: Option<Entry>,
}

/// Reads `git diff-tree -r -z --no-renames --raw`.
pub(super) fn parse_changes(output: &[u8]) -> Result<Vec<Change>, Error> {
    let odd = || Error::Git { doing: "diff-tree".to_owned(), detail: "its output cannot be read".to_owned() };
    let mut parts = output.split(|byte| *byte == 0).filter(|part| !part.is_empty());
    let mut changes = Vec::new();
    while let Some(head) = parts.next() {
        let head = std::str::from_utf8(head).map_err(|_| odd())?;
        let path = parts.next().ok_or_else(odd)?.to_vec();
        let words: Vec<&str> = head.strip_prefix(':').ok_or_else(odd)?.split(' ').collect();
        let [_, mode, _, id, status] = words[..] else { return Err(odd()) };
        let entry = (!status.starts_with('D')).then(|| Entry { mode: Mode::parse(mode), id: id.to_owned() });
        changes.push(Change { path, entry });
    }
    Ok(changes)
}

/// The files of one package, or why it is out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) files: Vec<(String, Entry)>,
    pub(super) out: Option<String>,
}

/// All packages by folder, and folders that look like one but lie too deep.
pub(super) struct Packages {
    pub(super) packages: BTreeMap<String, Listing>,
    pub(super) too_deep: Vec<String>,
}

pub(super) fn packages(tree: &Tree, directory: &str) -> Packages {
    let mut folders: HashSet<&[u8]> = HashSet::new();
    let mut deep: HashSet<&[u8]> = HashSet::new();
    for path in tree.keys() {
        if let Some(folder) = kptfile_folder(path) {
            match level(folder, directory) {
                Some(level) if level <= LEVELS => folders.insert(folder),
                Some(_) => deep.insert(folder),
                None => false,
            };
        }
    }
    let mut packages: BTreeMap<String, Listing> =
        folders.iter().map(|folder| (printable(folder), Listing::default())).collect();
    for (path, entry) in tree {
        let Some((folder, is_deep)) = owner(path, &folders, &deep) else { continue };
        if is_deep {
            continue;
        }
        let listing = packages.entry(printable(folder)).or_default();
        if listing.out.is_some() {
            continue;
        }
        listing.out = refusal(path, entry);
        if listing.files.len() >= MOST_FILES {
            listing.out = Some(format!("it has more than {MOST_FILES} files"));
        }
        listing.files.push((printable(path), entry.clone()));
    }
    for listing in packages.values_mut().filter(|listing| listing.out.is_none()) {
        listing.out = case_collision(listing.files.iter().map(|(path, _)| path.as_str()))
            .map(|(one, other)| format!("{one} and {other} differ only in case"));
    }
    folders_that_collide(&mut packages);
    let mut too_deep: Vec<String> = deep.into_iter().map(printable).collect();
    too_deep.sort();
    Packages { packages, too_deep }
}

/// The folder of a Kptfile; `""` for one at the root.
fn kptfile_folder(path: &[u8]) -> Option<&[u8]> {
    if path == KPTFILE.as_bytes() {
        return Some(b"");
    }
    path.strip_suffix(KPTFILE.as_bytes())?.strip_suffix(b"/")
}

/// Is this path a Kptfile: does its change make or end a package?
pub(super) fn is_kptfile(path: &[u8]) -> bool {
    kptfile_folder(path).is_some()
}

/// How far a folder lies below the directory.
fn level(folder: &[u8], directory: &str) -> Option<usize> {
    let below = if directory.is_empty() {
        folder
    } else {
        match folder.strip_prefix(directory.as_bytes())? {
            b"" => b"",
            below => below.strip_prefix(b"/")?,
        }
    };
    Some(if below.is_empty() { 0 } else { 1 + below.iter().filter(|byte| **byte == b'/').count() })
}

/// The nearest folder with a Kptfile above a file, and whether that one lies too deep.
fn owner<'p>(path: &'p [u8], folders: &HashSet<&[u8]>, deep: &HashSet<&[u8]>) -> Option<(&'p [u8], bool)> {
    let mut end = path.len();
    while let Some(slash) = path[..end].iter().rposition(|byte| *byte == b'/') {
        let folder = &path[..slash];
        if folders.contains(folder) {
            return Some((folder, false));
        }
        if deep.contains(folder) {
            return Some((folder, true));
        }
        end = slash;
    }
    folders.contains(&b""[..]).then_some((&path[..0], false))
}

/// Why a file may not be in a package.
fn refusal(path: &[u8], entry: &Entry) -> Option<String> {
    let name = printable(path);
    match entry.mode {
        Mode::File | Mode::Executable => {}
        Mode::Link => return Some(format!("{name} is a link")),
        Mode::Submodule => return Some(format!("{name} is a submodule")),
        Mode::Other => return Some(format!("{name} is no regular file, or is there twice")),
    }
    if !path.is_ascii() {
        return Some(format!("{name} is not named in ASCII"));
    }
    if path.iter().any(|byte| byte.is_ascii_control() || matches!(byte, b'\\' | b'"')) {
        return Some(format!("{name} has a control character, a backslash or a quote in its name"));
    }
    if path.len() > 512 {
        return Some(format!("{}... has a path of more than 512 bytes", &name[..64]));
    }
    let odd = path.split(|byte| *byte == b'/').find(|part| {
        part.is_empty()
            || *part == b"."
            || *part == b".."
            || part.eq_ignore_ascii_case(b".git")
            || part.eq_ignore_ascii_case(b"git~1")
            || part.ends_with(b" ")
            || (part.ends_with(b".") && part.len() > 1)
    });
    odd.map(|part| {
        format!(
            "{name} has {} in its path",
            if part.is_empty() { "an empty part".into() } else { printable(part) }
        )
    })
}

/// May a file of that name be in a package?
pub(super) fn is_plain(path: &str) -> bool {
    refusal(path.as_bytes(), &Entry { mode: Mode::File, id: String::new() }).is_none()
}

/// Two names that a file system without case would take for one, in any of their folders.
fn case_collision<'p>(paths: impl Iterator<Item = &'p str>) -> Option<(String, String)> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for path in paths {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            let part = &path[..end];
            match seen.insert(part.to_ascii_lowercase(), part) {
                Some(other) if other != part => return Some((other.to_owned(), part.to_owned())),
                _ => {}
            }
        }
    }
    None
}

/// `Ran-a/upf` beside `ran-a/upf`: none of the two can be told from the other everywhere.
fn folders_that_collide(packages: &mut BTreeMap<String, Listing>) {
    let mut spellings: HashMap<String, HashSet<String>> = HashMap::new();
    for folder in packages.keys() {
        for end in folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]) {
            spellings.entry(folder[..end].to_ascii_lowercase()).or_default().insert(folder[..end].to_owned());
        }
    }
    for (folder, listing) in packages.iter_mut().filter(|(_, listing)| listing.out.is_none()) {
        let ends = folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]);
        let twice = ends.map(|end| &folder[..end]).find(|part| {
            spellings.get(&part.to_ascii_lowercase()).is_some_and(|spellings| spellings.len() > 1)
        });
        if let Some(part) = twice {
            listing.out = Some(format!("there is another folder that differs from {part} only in case"));
        }
    }
}

/// For people: everything that is no printable ASCII is escaped.
pub(super) fn printable(path: &[u8]) -> String {
    if path.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        return path.iter().map(|byte| char::from(*byte)).collect();
    }
    path.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Tree {
        let id = "0".repeat(40);
        entries
            .iter()
            .map(|(mode, path)| (path.as_bytes().to_vec(), Entry { mode: Mode::parse(mode), id: id.clone() }))
            .collect()
    }

    #[test]
    fn a_package_is_a_folder_with_a_kptfile_and_takes_the_files_below_it() {
        let tree = tree(&[
            ("100644", "README.md"),
            ("100644", "ran-a/upf/Kptfile"),
            ("100644", "ran-a/upf/sub/x.yaml"),
            ("100644", "ran-a/notes.txt"),
            ("100644", "a/b/c/Kptfile"),
        ]);
        let found = packages(&tree, "");
        assert_eq!(found.packages.keys().collect::<Vec<_>>(), ["ran-a/upf"]);
        assert_eq!(found.packages["ran-a/upf"].files.len(), 2);
        assert_eq!(found.packages["ran-a/upf"].out, None);
        assert_eq!(found.too_deep, ["a/b/c"]);
        assert_eq!(packages(&tree, "a").packages.keys().collect::<Vec<_>>(), ["a/b/c"]);
    }

    #[test]
    fn what_is_no_plain_file_puts_only_its_own_package_out() {
        for (mode, path, reason) in [
            ("120000", "p/x.yaml", "p/x.yaml is a link"),
            ("160000", "p/x", "p/x is a submodule"),
            ("100644", "p/../x", "p/../x has .. in its path"),
            ("100644", "p/.GIT/config", "p/.GIT/config has .GIT in its path"),
            ("100644", "p/\u{e4}.yaml", "p/\\xc3\\xa4.yaml is not named in ASCII"),
            ("100644", "p/a\nb", "p/a\\nb has a control character, a backslash or a quote in its name"),
            ("100644", "p/KPTFILE", "p/KPTFILE and p/Kptfile differ only in case"),
        ] {
            let tree = tree(&[("100644", "p/Kptfile"), (mode, path), ("100644", "q/Kptfile")]);
            let found = packages(&tree, "");
            assert_eq!(found.packages["p"].out.as_deref(), Some(reason));
            assert_eq!(found.packages["q"].out, None);
        }
    }

    #[test]
    fn folders_that_differ_only_in_case_are_both_out() {
        let tree = tree(&[("100644", "Ran-a/upf/Kptfile"), ("100644", "ran-a/smf/Kptfile")]);
        assert!(packages(&tree, "").packages.values().all(|listing| listing.out.is_some()));
    }
}
