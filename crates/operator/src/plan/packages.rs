//! All configured repositories as one: a merged inventory, and each step sent to its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use nephoran_model::guard::Difference;
use nephoran_model::inventory::Inventory;
use nephoran_model::plan::{Scalar, Step};

use crate::package::{self, Repository};

#[derive(Clone)]
pub struct Packages {
    repositories: Arc<[Repository]>,
    merged: Arc<Mutex<Merged>>,
}

/// The merged inventory and what it was merged from.
#[derive(Default)]
struct Merged {
    parts: Vec<Arc<Inventory>>,
    whole: Arc<Inventory>,
}

/// What the edits of some steps come to.
pub struct Preview {
    /// The commit each repository was read at.
    pub base: BTreeMap<String, String>,
    pub diff: String,
    pub differences: Vec<Difference>,
}

impl Packages {
    pub fn new(repositories: Vec<Repository>) -> Self {
        Self { repositories: repositories.into(), merged: Arc::default() }
    }

    pub fn repositories(&self) -> &[Repository] {
        &self.repositories
    }

    pub fn named(&self, name: &str) -> Option<&Repository> {
        self.repositories.iter().find(|repository| repository.name() == name)
    }

    /// Looks at every branch now, not with its next tick.
    pub async fn refresh(&self) -> Result<(), package::Error> {
        for repository in &*self.repositories {
            repository.refresh().await?;
        }
        Ok(())
    }

    pub fn inventory(&self) -> Arc<Inventory> {
        if let [only] = &*self.repositories {
            return only.inventory();
        }
        let parts: Vec<Arc<Inventory>> = self.repositories.iter().map(Repository::inventory).collect();
        let mut merged = self.merged.lock().expect("no code panics while it holds this lock");
        let same = merged.parts.len() == parts.len()
            && merged.parts.iter().zip(&parts).all(|(old, new)| Arc::ptr_eq(old, new));
        if !same {
            let workloads = parts.iter().flat_map(|part| part.workloads().iter().cloned()).collect();
            let left_out = parts.iter().flat_map(|part| part.left_out().iter().cloned()).collect();
            merged.whole = Arc::new(Inventory::new(workloads, left_out));
            merged.parts = parts;
        }
        merged.whole.clone()
    }

    pub async fn preview(&self, steps: &[Step]) -> Result<Preview, package::Error> {
        let mut preview = Preview { base: BTreeMap::new(), diff: String::new(), differences: Vec::new() };
        for repository in &*self.repositories {
            let own: Vec<Step> =
                steps.iter().filter(|step| step.repository == repository.name()).cloned().collect();
            if own.iter().all(|step| step.edits.is_empty()) {
                continue;
            }
            let part = repository.preview(&own).await?;
            preview.base.insert(repository.name().to_owned(), part.base);
            preview.diff.push_str(&part.diff);
            preview.differences.extend(part.differences);
        }
        Ok(preview)
    }

    /// What a field holds at the tip; `None` when it is gone.
    pub async fn value(
        &self,
        repository: &str,
        file: &str,
        document: usize,
        field: &str,
    ) -> Result<Option<Scalar>, package::Error> {
        match self.named(repository) {
            Some(repository) => repository.value(file, document, field).await,
            None => Ok(None),
        }
    }
}
