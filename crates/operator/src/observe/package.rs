//! Reads what the branch of a package repository says about the fields of a plan:
//! the evidence for `applied`, and against it.

use nephoran_model::plan::{ActuatorKind, Scalar, Step};

use crate::package::{Error, Repository};

/// One field as the repository holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub step: String,
    pub repository: String,
    /// The tip of the branch that it was read at.
    pub commit: String,
    pub file: String,
    pub document: usize,
    pub field: String,
    pub wanted: Scalar,
    /// None: there is no such field any more.
    pub seen: Option<Scalar>,
}

impl Reading {
    /// The repository says what was asked, whatever the quotes.
    pub fn is_so(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.to_string() == self.wanted.to_string())
    }

    /// As a record names its source: `repository default at 1f2e3d4`.
    pub fn source(&self) -> String {
        format!("repository {} at {}", self.repository, self.commit.get(..7).unwrap_or(&self.commit))
    }
}

/// Every field that the steps in `repository` set, all at one commit.
pub async fn read(repository: &Repository, steps: &[Step]) -> Result<Vec<Reading>, Error> {
    let edits = || {
        steps
            .iter()
            .filter(|step| step.actuator == ActuatorKind::Package && step.repository == repository.name())
            .flat_map(|step| step.edits.iter().map(move |edit| (step, edit)))
    };
    let fields: Vec<_> =
        edits().map(|(_, edit)| (edit.file.as_str(), edit.document, edit.field.as_str())).collect();
    let (commit, values) = repository.values(&fields).await?;
    let readings = edits().zip(values).map(|((step, edit), seen)| Reading {
        step: step.id.clone(),
        repository: repository.name().to_owned(),
        commit: commit.clone(),
        file: edit.file.clone(),
        document: edit.document,
        field: edit.field.clone(),
        wanted: edit.after.clone(),
        seen,
    });
    Ok(readings.collect())
}
