//! The repository at one commit, as far as an inventory needs it, and how it moves on
//! to the next: files whose blob is known are not read again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use nephoran_model::inventory::Inventory;
use tokio::task::JoinSet;

use super::Error;
use super::facts::{self, FileFacts};
use super::git::Git;
use super::inventory::{self, Found, Kin, Package, Place};
use super::reader::{Object, Reader};
use super::tree::{self, Change, Entry, Tree};

/// Blobs asked for at once while many are read: some 200 KiB in flight.
const CHUNK: usize = 192;

/// Chunks that are parsed while the next is read; the machine has other work too.
const PARSERS: usize = 2;

pub(super) struct State {
    place: Place,
    directory: String,
    pub(super) tip: String,
    pub(super) tree: Tree,
    packages: BTreeMap<String, Package>,
    too_deep: Vec<String>,
    pub(super) inventory: Arc<Inventory>,
}

/// A file that one of our own commits wrote.
pub(super) struct Written {
    pub(super) path: String,
    pub(super) entry: Entry,
    pub(super) facts: Arc<FileFacts>,
}

type FactsById = HashMap<String, Arc<FileFacts>>;

impl State {
    /// Reads everything at `tip`.
    pub(super) async fn load(
        git: &Git,
        reader: &Reader,
        place: Place,
        directory: &str,
        tip: String,
    ) -> Result<Self, Error> {
        let tree = list(git, &tip, directory).await?;
        let mut state = Self {
            place,
            directory: directory.to_owned(),
            tip,
            tree,
            packages: BTreeMap::new(),
            too_deep: Vec::new(),
            inventory: Arc::default(),
        };
        state.regroup(reader, FactsById::new()).await?;
        Ok(state)
    }

    /// Moves on to a commit that somebody else made; answers with the files that differ.
    pub(super) async fn advance(
        &mut self,
        git: &Git,
        reader: &Reader,
        tip: String,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let mut args = vec!["diff-tree", "-r", "-z", "--no-renames", "--raw", &self.tip, &tip];
        if !self.directory.is_empty() {
            args.extend(["--", &self.directory]);
        }
        let changes = match git.run(&args).await {
            Ok(output) => tree::parse_changes(&output)?,
            // A rewritten history may have left nothing of the commit that we stand on.
            Err(Error::Git { .. }) => {
                let tree = list(git, &tip, &self.directory).await?;
                difference(&self.tree, &tree)
            }
            Err(other) => return Err(other),
        };
        let paths = changes.iter().map(|change| change.path.clone()).collect();
        self.take(reader, changes).await?;
        self.tip = tip;
        Ok(paths)
    }

    /// Moves on to our own commit, whose files we know; false when one of them is new and makes
    /// a package. The inventory follows when a whole batch is told: see [`Self::publish`].
    pub(super) fn advance_own(&mut self, tip: String, files: Vec<Written>) -> bool {
        self.tip = tip;
        let mut known = true;
        for file in files {
            let before = self.tree.insert(file.path.clone().into_bytes(), file.entry.clone());
            known &= before.is_some() && self.replace(&file.path, file.entry, Some(file.facts));
        }
        known
    }

    /// After files that make a package of their own.
    pub(super) async fn regroup_now(&mut self, reader: &Reader) -> Result<(), Error> {
        let known = self.known_facts();
        self.regroup(reader, known).await
    }

    async fn take(&mut self, reader: &Reader, changes: Vec<Change>) -> Result<(), Error> {
        // The same files with other content: only their packages are put together again.
        let only_content = changes.iter().all(|change| {
            !tree::is_kptfile(&change.path)
                && match (self.tree.get(&change.path), &change.entry) {
                    (Some(before), Some(after)) => before.mode == after.mode,
                    _ => false,
                }
        });
        let mut known = self.known_facts();
        let mut touched = Vec::new();
        for change in changes {
            match change.entry {
                Some(entry) => {
                    touched.push((change.path.clone(), entry.clone()));
                    self.tree.insert(change.path, entry);
                }
                None => {
                    self.tree.remove(&change.path);
                }
            }
        }
        if !only_content {
            return self.regroup(reader, known).await;
        }
        let wanted = touched
            .iter()
            .filter(|(path, entry)| is_wanted(path) && !known.contains_key(&entry.id))
            .map(|(_, entry)| entry.id.clone())
            .collect();
        known.extend(read_facts(reader, wanted).await?);
        for (path, entry) in touched {
            let facts = known.get(&entry.id).cloned();
            self.replace(&tree::printable(&path), entry, facts);
        }
        self.publish();
        Ok(())
    }

    /// Finds the packages again and reads what is not known.
    async fn regroup(&mut self, reader: &Reader, mut known: FactsById) -> Result<(), Error> {
        let found = tree::packages(&self.tree, &self.directory);
        self.too_deep = found.too_deep;
        let mut wanted: Vec<String> = found
            .packages
            .iter()
            .filter(|(_, listing)| listing.out.is_none())
            .flat_map(|(folder, listing)| {
                listing.files.iter().filter(move |(path, _)| inventory::is_read(path, folder))
            })
            .filter(|(_, entry)| !known.contains_key(&entry.id))
            .map(|(_, entry)| entry.id.clone())
            .collect();
        wanted.sort();
        wanted.dedup();
        known.extend(read_facts(reader, wanted).await?);
        self.packages = found
            .packages
            .into_iter()
            .map(|(folder, listing)| {
                let is_out = listing.out.is_some();
                let facts = listing
                    .files
                    .iter()
                    .map(|(path, entry)| {
                        let is_read = !is_out && inventory::is_read(path, &folder);
                        is_read.then(|| known.get(&entry.id).cloned()).flatten()
                    })
                    .collect();
                (folder, Package { listing, facts, found: Arc::new(Found::default()) })
            })
            .collect();
        let folders: Vec<String> = self.packages.keys().cloned().collect();
        for folder in folders {
            self.assemble(&folder);
        }
        self.publish();
        Ok(())
    }

    /// Puts another blob in the place of a file; false when the file is in no package.
    fn replace(&mut self, path: &str, entry: Entry, facts: Option<Arc<FileFacts>>) -> bool {
        let Some(folder) = self.folder_of(path).map(str::to_owned) else { return false };
        let Some(package) = self.packages.get_mut(&folder) else { return false };
        let Some(at) = package.listing.files.iter().position(|(file, _)| file == path) else { return false };
        package.listing.files[at].1 = entry;
        if package.facts[at].is_some() {
            package.facts[at] = facts;
        }
        let kin: Vec<String> = self.kin(&folder).map(|(folder, _)| folder.to_owned()).collect();
        self.assemble(&folder);
        for other in kin {
            self.assemble(&other);
        }
        true
    }

    fn assemble(&mut self, folder: &str) {
        let Some(package) = self.packages.get(folder) else { return };
        let kin: Vec<Kin<'_>> = self
            .kin(folder)
            .filter_map(|(other, above)| {
                let (key, package) = self.packages.get_key_value(other)?;
                let files = package.listing.files.iter().zip(&package.facts);
                let files = files.filter_map(|((path, _), facts)| Some((path.as_str(), facts.as_deref()?)));
                Some(Kin { folder: key, above, files: files.collect() })
            })
            .collect();
        let found =
            Arc::new(inventory::assemble(&self.place, folder, &package.listing, &package.facts, &kin));
        if let Some(package) = self.packages.get_mut(folder) {
            package.found = found;
        }
    }

    /// Packages above (`true`) and below a folder.
    fn kin<'s>(&'s self, folder: &str) -> impl Iterator<Item = (&'s str, bool)> {
        let mut above = Vec::new();
        let ends = folder.match_indices('/').map(|(at, _)| at).chain((!folder.is_empty()).then_some(0));
        for end in ends {
            if let Some((key, _)) = self.packages.get_key_value(&folder[..end]) {
                above.push((key.as_str(), true));
            }
        }
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let own = folder.to_owned();
        let below = self
            .packages
            .range(prefix.clone()..)
            .map(|(key, _)| key.as_str())
            .take_while(move |key| key.starts_with(&prefix))
            .filter(move |key| **key != own)
            .map(|key| (key, false));
        above.into_iter().chain(below)
    }

    fn folder_of<'p>(&self, path: &'p str) -> Option<&'p str> {
        let slashes = path.rmatch_indices('/').map(|(at, _)| &path[..at]);
        slashes.chain([""]).find(|folder| self.packages.contains_key(*folder))
    }

    fn known_facts(&self) -> FactsById {
        let mut known = FactsById::new();
        for package in self.packages.values() {
            for ((_, entry), facts) in package.listing.files.iter().zip(&package.facts) {
                if let Some(facts) = facts {
                    known.insert(entry.id.clone(), Arc::clone(facts));
                }
            }
        }
        known
    }

    pub(super) fn publish(&mut self) {
        self.inventory = Arc::new(inventory::build(&self.place, &self.packages, &self.too_deep));
    }

    pub(super) fn packages(&self) -> usize {
        self.packages.len()
    }
}

fn is_wanted(path: &[u8]) -> bool {
    path.ends_with(b".yaml") || path.ends_with(b".yml") || tree::is_kptfile(path)
}

async fn list(git: &Git, tip: &str, directory: &str) -> Result<Tree, Error> {
    let mut args = vec!["ls-tree", "-r", "-z", "--full-tree", tip];
    let folder = format!("{directory}/");
    if !directory.is_empty() {
        args.extend(["--", &folder]);
    }
    tree::parse_listing(&git.run(&args).await?)
}

/// What `diff-tree` would say, from two listings.
fn difference(before: &Tree, after: &Tree) -> Vec<Change> {
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let gone = gone.map(|path| Change { path: path.clone(), entry: None });
    let new = after.iter().filter(|(path, entry)| before.get(*path) != Some(entry));
    gone.chain(new.map(|(path, entry)| Change { path: path.clone(), entry: Some(entry.clone()) })).collect()
}

/// Reads and parses blobs, two chunks beside each other.
async fn read_facts(reader: &Reader, ids: Vec<String>) -> Result<FactsById, Error> {
    let mut all = FactsById::with_capacity(ids.len());
    let mut parsers: JoinSet<Vec<(String, Arc<FileFacts>)>> = JoinSet::new();
    for chunk in ids.chunks(CHUNK) {
        let objects = reader.contents_each(chunk.to_vec()).await?;
        while parsers.len() >= PARSERS {
            collect(&mut parsers, &mut all).await?;
        }
        let chunk = chunk.to_vec();
        if ids.len() <= 4 {
            // A thread of its own costs more than so few files.
            all.extend(parse(chunk, objects));
        } else {
            parsers.spawn_blocking(move || parse(chunk, objects));
        }
    }
    while !parsers.is_empty() {
        collect(&mut parsers, &mut all).await?;
    }
    Ok(all)
}

async fn collect(
    parsers: &mut JoinSet<Vec<(String, Arc<FileFacts>)>>,
    all: &mut FactsById,
) -> Result<(), Error> {
    if let Some(done) = parsers.join_next().await {
        all.extend(done.map_err(|error| Error::Git {
            doing: "cat-file".to_owned(),
            detail: format!("the files could not be parsed: {error}"),
        })?);
    }
    Ok(())
}

fn parse(ids: Vec<String>, objects: Vec<Result<Option<Object>, Error>>) -> Vec<(String, Arc<FileFacts>)> {
    ids.into_iter()
        .zip(objects)
        .map(|(id, object)| {
            let facts = match object {
                Ok(Some(object)) => facts::read(&object.bytes),
                Ok(None) => facts::broken("is missing from the repository".to_owned()),
                Err(Error::TooLarge { limit, .. }) => facts::broken(format!("is larger than {limit} bytes")),
                Err(error) => facts::broken(format!("cannot be read: {error}")),
            };
            (id, Arc::new(facts))
        })
        .collect()
}
