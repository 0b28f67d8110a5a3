//! The package that a plan makes where no package holds its target and the configuration
//! wants one: a fragment of a Deployment that says how many replicas there should be.

use nephoran_model::guard::Difference;
use nephoran_model::plan::{Edit, Scalar, Step};

use super::inventory::join;
use super::tree::KPTFILE;
use super::{EditedFile, Error, compare, yaml};

/// The files of the package, and their values, all of which are new.
pub(super) fn files(step: &Step) -> Result<(Vec<EditedFile>, Vec<Difference>), Error> {
    let folder = &step.target.package;
    let cannot = |reason: &str| Error::CannotEdit { file: folder.clone(), reason: reason.to_owned() };
    let [edit] = step.edits.as_slice() else {
        return Err(cannot("a new package holds one count"));
    };
    let Edit { after: Scalar::Int(replicas), document: 0, .. } = edit else {
        return Err(cannot("a count is a whole number"));
    };
    let patch = join(folder, "scaling-patch.yaml");
    let namespace = step.target.namespace.as_deref().ok_or_else(|| cannot("it has no namespace"))?;
    if edit.file != patch || edit.field != "spec.replicas" {
        return Err(cannot("its count belongs into scaling-patch.yaml"));
    }
    let name = &step.target.name;
    let package = folder.rsplit('/').next().unwrap_or(folder);
    let texts = [
        (join(folder, KPTFILE), kptfile(package, namespace, name)),
        (patch, fragment(namespace, name, *replicas)),
        (join(folder, "README.md"), readme(package, namespace, name)),
    ];
    let mut differences = Vec::new();
    for (path, text) in texts.iter().filter(|(path, _)| !path.ends_with(".md")) {
        let file = yaml::parse(text)
            .map_err(|error| Error::CannotEdit { file: path.clone(), reason: error.to_string() })?;
        let root = file.documents.first();
        let word = |keys: &[&str]| root.and_then(|root| root.text_at(keys)).map(str::to_owned);
        for changed in compare::documents(&[], &file.documents) {
            differences.push(Difference {
                step: Some(step.id.clone()),
                repository: step.repository.clone(),
                package: folder.clone(),
                file: path.clone(),
                document: changed.document,
                kind: word(&["kind"]).unwrap_or_default(),
                name: word(&["metadata", "name"]).unwrap_or_default(),
                namespace: word(&["metadata", "namespace"]),
                field: changed.field,
                before: changed.before,
                after: changed.after,
            });
        }
    }
    let files = texts
        .into_iter()
        .map(|(path, text)| EditedFile { path, blob_before: None, bytes: text.into_bytes() })
        .collect();
    Ok((files, differences))
}

fn kptfile(package: &str, namespace: &str, name: &str) -> String {
    format!(
        "apiVersion: kpt.dev/v1\n\
         kind: Kptfile\n\
         metadata:\n\
         \x20 name: {package}\n\
         \x20 annotations:\n\
         \x20   config.kubernetes.io/local-config: \"true\"\n\
         info:\n\
         \x20 description: Replicas of {name} in {namespace}\n"
    )
}

fn fragment(namespace: &str, name: &str, replicas: i64) -> String {
    format!(
        "# A fragment: it is merged into the Deployment of that name, which no package here holds.\n\
         apiVersion: apps/v1\n\
         kind: Deployment\n\
         metadata:\n\
         \x20 name: {name}\n\
         \x20 namespace: {namespace}\n\
         spec:\n\
         \x20 replicas: {replicas}\n"
    )
}

fn readme(package: &str, namespace: &str, name: &str) -> String {
    format!(
        "# {package}\n\n\
         Says how many replicas the Deployment `{name}` in `{namespace}` should have. No other package of\n\
         this repository holds that Deployment; where one does, edit it there and remove this package.\n"
    )
}
