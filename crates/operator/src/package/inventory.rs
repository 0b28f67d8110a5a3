//! Puts the facts of a package's files together: workloads, where their numbers live,
//! and what speaks against changing them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use nephoran_model::inventory::{Inventory, LeftOut, ReplicasField, SetterField, Workload};
use nephoran_model::proposal::is_dns_label;

use super::facts::{self, Detail, FileFacts, Object, PipelineFunction, Replicas, What, WorkloadFacts};
use super::function;
use super::tree::{KPTFILE, Listing};
use super::yaml::Path;

/// A package with the facts of its files.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) listing: Listing,
    /// Beside `listing.files`; none for files that are not read.
    pub(super) facts: Vec<Option<Arc<FileFacts>>>,
    pub(super) found: Arc<Found>,
}

/// What a package adds to the inventory.
#[derive(Debug, Default)]
pub(super) struct Found {
    workloads: Vec<Arc<Workload>>,
    left_out: Vec<LeftOut>,
    scalers: Vec<Scaler>,
}

/// An HPA or ScaledObject, which may stand in another package than its target.
#[derive(Debug)]
struct Scaler {
    label: String,
    namespace: Option<String>,
    kind: String,
    target: String,
}

/// Of which repository the packages are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) repository: String,
    pub(super) cluster: Option<String>,
}

/// Files whose content matters.
pub(super) fn is_read(path: &str, folder: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml") || path == join(folder, KPTFILE)
}

pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// How a package is called where people read it.
fn title(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

/// One file of a package with its facts.
struct ReadFile<'p> {
    path: &'p str,
    blob: &'p str,
    facts: &'p FileFacts,
}

/// `others`: packages above and below, whose pipelines and comments reach into this one.
pub(super) fn assemble(
    place: &Place,
    folder: &str,
    listing: &Listing,
    facts: &[Option<Arc<FileFacts>>],
    others: &[Kin<'_>],
) -> Found {
    let mut found = Found::default();
    let leave_out = |reason: String| LeftOut {
        repository: place.repository.clone(),
        package: title(folder).to_owned(),
        reason,
    };
    if let Some(reason) = &listing.out {
        found.left_out.push(leave_out(reason.clone()));
        return found;
    }
    let files: Vec<ReadFile<'_>> = listing
        .files
        .iter()
        .zip(facts)
        .filter_map(|((path, entry), facts)| {
            Some(ReadFile { path, blob: &entry.id, facts: facts.as_deref()? })
        })
        .collect();
    if let Some(file) = files.iter().find(|file| file.facts.broken.is_some()) {
        let reason = file.facts.broken.as_deref().unwrap_or_default();
        found.left_out.push(leave_out(format!("{} {reason}", file.path)));
        return found;
    }
    let package = Reading { place, folder, files: &files, others };
    if package.kptfile().is_none() {
        let kptfile = join(folder, KPTFILE);
        found.left_out.push(leave_out(format!("{kptfile} is no Kptfile of kpt.dev/v1")));
        return found;
    }
    let namespace = package.namespace();
    let cluster = package.cluster();
    for file in &files {
        for object in &file.facts.objects {
            match &object.detail {
                Detail::Workload(facts) => {
                    let read =
                        package.workload(file, object, facts, namespace.as_deref(), cluster.as_deref());
                    match read {
                        Ok(workload) => found.workloads.push(Arc::new(workload)),
                        Err(reason) => found.left_out.push(leave_out(reason)),
                    }
                }
                Detail::Scaler { kind, target } => found.scalers.push(Scaler {
                    label: format!("{}/{}", object.kind, object.name.as_deref().unwrap_or_default()),
                    namespace: object.namespace.clone().or_else(|| namespace.clone()),
                    kind: kind.clone(),
                    target: target.clone(),
                }),
                _ => {}
            }
        }
    }
    found
}

/// A package above or below another: kpt renders nested packages with their parents.
pub(super) struct Kin<'p> {
    pub(super) folder: &'p str,
    pub(super) above: bool,
    pub(super) files: Vec<(&'p str, &'p FileFacts)>,
}

/// A package while it is put together.
struct Reading<'p> {
    place: &'p Place,
    folder: &'p str,
    files: &'p [ReadFile<'p>],
    others: &'p [Kin<'p>],
}

impl<'p> Reading<'p> {
    fn objects(&self) -> impl Iterator<Item = (&'p ReadFile<'p>, &'p Object)> + '_ {
        self.files.iter().flat_map(|file| file.facts.objects.iter().map(move |object| (file, object)))
    }

    fn file(&self, path: &str) -> Option<&'p ReadFile<'p>> {
        self.files.iter().find(|file| file.path == path)
    }

    fn kptfile(&self) -> Option<(&'p ReadFile<'p>, &'p Option<String>, &'p [PipelineFunction])> {
        let file = self.file(&join(self.folder, KPTFILE))?;
        file.facts.objects.iter().find_map(|object| match &object.detail {
            Detail::Kptfile { cluster, functions } => Some((file, cluster, functions.as_slice())),
            _ => None,
        })
    }

    /// For objects that name none, in this order: the `set-namespace` of the pipeline, then
    /// the one Namespace object of the package. A parent folder is no namespace: nobody
    /// said that it is, and the same layout is used for clusters.
    fn namespace(&self) -> Option<String> {
        let (_, _, functions) = self.kptfile()?;
        let set = functions.iter().rev().find(|function| function.what == What::SetNamespace);
        if let Some(function) = set {
            return self.set_namespace(function).filter(|name| is_dns_label(name));
        }
        let mut names = self
            .objects()
            .filter(|(_, object)| object.detail == Detail::Namespace)
            .filter_map(|(_, object)| object.name.clone());
        let only = names.next().filter(|name| is_dns_label(name))?;
        names.next().is_none().then_some(only)
    }

    fn set_namespace(&self, function: &PipelineFunction) -> Option<String> {
        let value = |entries: &[(String, String)], key: &str| {
            entries.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
        };
        let Some(path) = &function.config_path else { return value(&function.config_map, "namespace") };
        let file = self.file(&join(self.folder, path))?;
        file.facts.objects.iter().find_map(|object| match &object.detail {
            Detail::SetNamespace(name) => Some(name.clone()),
            // The package context: its name is the namespace.
            Detail::Config { data } if object.name.as_deref() == Some("kptfile.kpt.dev") => {
                value(data, "name")
            }
            Detail::Config { data } => value(data, "namespace"),
            _ => None,
        })
    }

    /// The repository's configured cluster, else what the package says: the Kptfile's annotation, then
    /// an injected WorkloadCluster.
    fn cluster(&self) -> Option<String> {
        let said = || self.kptfile().and_then(|(_, cluster, _)| cluster.clone());
        let injected = || {
            self.objects().find_map(|(_, object)| match &object.detail {
                Detail::Cluster(name) => Some(name.clone()),
                _ => None,
            })
        };
        self.place.cluster.clone().or_else(said).or_else(injected).filter(|name| is_dns_label(name))
    }

    fn workload(
        &self,
        file: &ReadFile<'_>,
        object: &Object,
        facts: &WorkloadFacts,
        namespace: Option<&str>,
        cluster: Option<&str>,
    ) -> Result<Workload, String> {
        let Some(name) = object.name.as_deref() else {
            return Err(format!("{}: a {} without a name", file.path, object.kind));
        };
        if !is_dns_name(name) || !is_word(&object.kind) || !is_word(&object.api_version) {
            return Err(format!("{}: a {} whose name is no DNS name", file.path, printable(&object.kind)));
        }
        let own_namespace = object.namespace.as_deref();
        if own_namespace.is_some_and(|namespace| !is_dns_label(namespace)) {
            return Err(format!(
                "{}: {} {name} has a namespace that is no DNS label",
                file.path, object.kind
            ));
        }
        let namespace = own_namespace.or(namespace).map(str::to_owned);
        let cluster = self
            .place
            .cluster
            .clone()
            .or_else(|| facts.cluster.clone().filter(|name| is_dns_label(name)))
            .or_else(|| cluster.map(str::to_owned));
        let context = self.package_name();
        let places: Vec<&str> = [namespace.as_deref(), cluster.as_deref(), context.as_deref()]
            .into_iter()
            .flatten()
            .chain(self.folder.split('/'))
            .collect();
        Ok(Workload {
            repository: self.place.repository.clone(),
            package: title(self.folder).to_owned(),
            api_version: object.api_version.clone(),
            kind: object.kind.clone(),
            name: name.to_owned(),
            function: facts.function.or_else(|| {
                // A Capacity belongs to a function, but is none.
                (object.kind != "Capacity").then(|| function::of_name(name, &places)).flatten()
            }),
            namespace,
            cluster,
            file: file.path.to_owned(),
            document: object.document,
            replicas: self.replicas(file, object, &facts.replicas),
            not_replicable: self.not_replicable(object, facts),
            autoscaled_by: None,
        })
    }

    /// `data.name` of the package context.
    fn package_name(&self) -> Option<String> {
        self.objects().find_map(|(_, object)| match &object.detail {
            Detail::Config { data } if object.name.as_deref() == Some("kptfile.kpt.dev") => {
                data.iter().find(|(key, _)| key == "name").map(|(_, value)| value.clone())
            }
            _ => None,
        })
    }

    fn replicas(&self, file: &ReadFile<'_>, object: &Object, replicas: &Replicas) -> Option<ReplicasField> {
        let Replicas::Count { value, pattern } = replicas else { return None };
        let mut locked =
            file.facts.oddity.as_ref().map(|oddity| format!("{} is not edited: {oddity}", file.path));
        let mut setter = None;
        if let Some(pattern) = pattern {
            match self.setter(pattern) {
                Ok(found) => setter = found,
                Err(reason) => locked = locked.or(Some(reason)),
            }
        }
        Some(ReplicasField {
            value: *value,
            field: "spec.replicas".to_owned(),
            file: file.path.to_owned(),
            document: object.document,
            blob: file.blob.to_owned(),
            setter,
            locked,
        })
    }

    /// The setter behind `# kpt-set: ...`: none when no pipeline knows it (kpt then leaves the field
    /// as it is), an error when the next render would undo the edit or change more.
    fn setter(&self, pattern: &str) -> Result<Option<SetterField>, String> {
        let Some(name) = facts::only_setter(pattern) else {
            return Err(format!("its comment `{}` is more than one setter", printable(pattern)));
        };
        if let Some(parent) = self.others.iter().find(|kin| kin.above && kin.sets(name)) {
            return Err(format!(
                "the setter {} is set by the package above, {}",
                printable(name),
                title(parent.folder)
            ));
        }
        let Some((kptfile, _, functions)) = self.kptfile() else { return Ok(None) };
        let mut definitions = Vec::new();
        for function in functions.iter().filter(|function| function.what == What::ApplySetters) {
            match &function.config_path {
                None => {
                    if let Some((_, value)) = function.config_map.iter().find(|(key, _)| key == name) {
                        let field = function.path.clone().key("configMap").key(name);
                        definitions.push((kptfile, 0, field, value.clone(), function.selective));
                    }
                }
                Some(path) => {
                    let Some(file) = self.file(&join(self.folder, path)) else { continue };
                    let data = file.facts.objects.iter().find_map(|object| match &object.detail {
                        Detail::Config { data } => Some((object.document, data)),
                        _ => None,
                    });
                    let Some((document, data)) = data else { continue };
                    if let Some((_, value)) = data.iter().find(|(key, _)| key == name) {
                        let field = Path::default().key("data").key(name);
                        definitions.push((file, document, field, value.clone(), function.selective));
                    }
                }
            }
        }
        let shown = printable(name);
        let (file, document, field, value, selective) = match definitions.len() {
            0 => return Ok(None),
            1 => definitions.remove(0),
            _ => return Err(format!("the setter {shown} is set in more than one place")),
        };
        if selective {
            return Err(format!("the setter {shown} is applied to selected objects only"));
        }
        if let Some(oddity) = &file.facts.oddity {
            return Err(format!("{} is not edited: {oddity}", file.path));
        }
        let own = self.files.iter().flat_map(|file| &file.facts.mentions);
        let below = self
            .others
            .iter()
            .filter(|kin| !kin.above)
            .flat_map(|kin| kin.files.iter().flat_map(|(_, facts)| &facts.mentions));
        let mentions = own.chain(below).filter(|mention| *mention == name).count();
        if mentions > 1 {
            return Err(format!(
                "the setter {shown} drives {mentions} fields, and the others would change too"
            ));
        }
        Ok(Some(SetterField {
            name: name.to_owned(),
            value,
            file: file.path.to_owned(),
            document,
            field: field.to_string(),
            blob: file.blob.to_owned(),
        }))
    }

    fn not_replicable(&self, object: &Object, facts: &WorkloadFacts) -> Vec<String> {
        let mut reasons = facts.not_replicable.clone();
        if object.kind != "NFDeployment" && object.kind != "Capacity" {
            let owner =
                self.objects().find(|(_, other)| other.kind == "NFDeployment" && other.name == object.name);
            if owner.is_some() {
                reasons.push(
                    "an NFDeployment of that name owns it, and its provider runs one instance".to_owned(),
                );
            }
        }
        for claim in &facts.claims {
            let single = self.objects().any(|(_, other)| {
                matches!(other.detail, Detail::Claim { single: true }) && other.name.as_deref() == Some(claim)
            });
            if single {
                reasons.push(format!(
                    "all its pods would share the claim {}, which is ReadWriteOnce",
                    printable(claim)
                ));
            }
        }
        for network in &facts.networks {
            let fixed = self.objects().any(|(_, other)| {
                other.detail == Detail::FixedNetwork && other.name.as_deref() == Some(network)
            });
            if fixed {
                reasons.push(format!("the network {} gives its pods a fixed address", printable(network)));
            }
        }
        reasons
    }
}

impl Kin<'_> {
    /// Its pipeline sets a setter of that name.
    fn sets(&self, name: &str) -> bool {
        let objects =
            || self.files.iter().flat_map(|(path, facts)| facts.objects.iter().map(move |o| (*path, o)));
        objects().any(|(_, object)| match &object.detail {
            Detail::Kptfile { functions, .. } => functions.iter().any(|function| {
                function.what == What::ApplySetters
                    && (function.config_map.iter().any(|(key, _)| key == name)
                        || function.config_path.as_ref().is_some_and(|config| {
                            objects().any(|(path, other)| {
                                path == join(self.folder, config)
                                    && matches!(&other.detail, Detail::Config { data } if data.iter().any(|(key, _)| key == name))
                            })
                        }))
            }),
            _ => false,
        })
    }
}

/// All packages as one inventory.
pub(super) fn build(place: &Place, packages: &BTreeMap<String, Package>, too_deep: &[String]) -> Inventory {
    let mut scalers: HashMap<(&str, Option<&str>), Vec<&Scaler>> = HashMap::new();
    for scaler in packages.values().flat_map(|package| &package.found.scalers) {
        scalers.entry((&scaler.target, scaler.namespace.as_deref())).or_default().push(scaler);
    }
    let mut workloads = Vec::with_capacity(packages.len());
    for workload in packages.values().flat_map(|package| &package.found.workloads) {
        let scaler = scalers
            .get(&(workload.name.as_str(), workload.namespace.as_deref()))
            .and_then(|scalers| scalers.iter().find(|scaler| scaler.kind == workload.kind));
        workloads.push(match scaler {
            None => Arc::clone(workload),
            Some(scaler) => {
                let mut scaled = Workload::clone(workload);
                scaled.autoscaled_by = Some(scaler.label.clone());
                Arc::new(scaled)
            }
        });
    }
    let mut left_out: Vec<LeftOut> =
        packages.values().flat_map(|package| package.found.left_out.iter().cloned()).collect();
    left_out.extend(too_deep.iter().map(|folder| LeftOut {
        repository: place.repository.clone(),
        package: folder.clone(),
        reason: "packages lie at most two levels deep".to_owned(),
    }));
    Inventory::new(workloads, left_out)
}

/// A DNS subdomain, as Kubernetes names workloads.
fn is_dns_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_dns_label)
}

/// Kinds and API versions.
fn is_word(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'-'))
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(64).collect()
}
