//! What one file of a package says that an inventory needs; nothing else of it is kept.

use nephoran_model::proposal::Function;

use super::function;
use super::yaml::{self, Node, Path};

/// Entries and bytes of a ConfigMap that may be a function's configuration. Larger ones
/// are a network function's own files, and not kept.
const MOST_ENTRIES: usize = 64;
const LONGEST_VALUE: usize = 256;

#[derive(Debug, Default, PartialEq)]
pub(super) struct FileFacts {
    /// `does not parse: ...`: the package is out.
    pub(super) broken: Option<String>,
    /// It parses, but is not edited.
    pub(super) oddity: Option<String>,
    pub(super) objects: Vec<Object>,
    /// Setter names in comments, one per mention.
    pub(super) mentions: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Object {
    pub(super) document: usize,
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) detail: Detail,
}

#[derive(Debug, PartialEq)]
pub(super) enum Detail {
    Workload(Box<WorkloadFacts>),
    /// A PersistentVolumeClaim; `single`: one node or pod at a time.
    Claim {
        single: bool,
    },
    /// An HPA or ScaledObject.
    Scaler {
        kind: String,
        target: String,
    },
    Config {
        data: Vec<(String, String)>,
    },
    Namespace,
    SetNamespace(String),
    Cluster(String),
    /// A NetworkAttachmentDefinition with an address in it.
    FixedNetwork,
    Kptfile {
        cluster: Option<String>,
        functions: Vec<PipelineFunction>,
    },
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct WorkloadFacts {
    pub(super) function: Option<Function>,
    pub(super) replicas: Replicas,
    /// Reasons that the object itself gives against a second replica.
    pub(super) not_replicable: Vec<String>,
    pub(super) claims: Vec<String>,
    pub(super) networks: Vec<String>,
    pub(super) cluster: Option<String>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) enum Replicas {
    #[default]
    Absent,
    /// There is one, but no plain number that fits.
    Unreadable,
    Count {
        value: u32,
        /// Of the comment beside it.
        pattern: Option<String>,
    },
}

#[derive(Debug, PartialEq)]
pub(super) struct PipelineFunction {
    pub(super) what: What,
    /// `pipeline.mutators[0]`
    pub(super) path: Path,
    pub(super) config_path: Option<String>,
    pub(super) config_map: Vec<(String, String)>,
    pub(super) selective: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    ApplySetters,
    SetNamespace,
    Other,
}

pub(super) fn read(bytes: &[u8]) -> FileFacts {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return broken(format!("is no UTF-8 at byte {}", error.valid_up_to())),
    };
    let file = match yaml::parse(text) {
        Ok(file) => file,
        Err(error) => return broken(format!("does not parse: {error}")),
    };
    let mentions = file.comments.iter().flat_map(|comment| setter_names(&comment.pattern)).collect();
    let objects = file
        .documents
        .iter()
        .enumerate()
        .filter_map(|(document, root)| object(document, root, &file))
        .collect();
    FileFacts { broken: None, oddity: file.oddity, objects, mentions }
}

/// A file that cannot be used, and so its package.
pub(super) fn broken(reason: String) -> FileFacts {
    FileFacts { broken: Some(reason), ..FileFacts::default() }
}

/// Every `${name}` of a setter pattern.
fn setter_names(pattern: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = pattern;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        names.push(name.trim().to_owned());
        rest = after;
    }
    names
}

/// The one setter that a pattern is, when it is nothing but that.
pub(super) fn only_setter(pattern: &str) -> Option<&str> {
    let name = pattern.strip_prefix("${")?.strip_suffix('}')?;
    (!name.is_empty() && !name.contains(['$', '{', '}'])).then(|| name.trim())
}

fn object(document: usize, root: &Node<'_>, file: &yaml::File<'_>) -> Option<Object> {
    let api_version = root.text_at(&["apiVersion"])?;
    let kind = root.text_at(&["kind"])?;
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let detail = match (group, kind) {
        ("apps", "Deployment" | "StatefulSet") => {
            if is_local(root) {
                return None;
            }
            Detail::Workload(Box::new(pods(root, file)))
        }
        ("workload.nephio.org", "NFDeployment") => Detail::Workload(Box::new(nf_deployment(root))),
        ("req.nephio.org", "Capacity") => Detail::Workload(Box::new(WorkloadFacts {
            cluster: cluster_annotation(root),
            not_replicable: vec![
                "a Capacity has no replica count: its numbers are throughput and sessions".to_owned(),
            ],
            ..WorkloadFacts::default()
        })),
        ("autoscaling", "HorizontalPodAutoscaler") | ("keda.sh", "ScaledObject") => {
            let reference = root.at(&["spec", "scaleTargetRef"])?;
            Detail::Scaler {
                kind: reference.text_at(&["kind"]).unwrap_or("Deployment").to_owned(),
                target: reference.text_at(&["name"])?.to_owned(),
            }
        }
        ("", "PersistentVolumeClaim") => {
            let modes = root.at(&["spec", "accessModes"]).map(Node::items).unwrap_or_default();
            let shared =
                modes.iter().any(|mode| matches!(mode.text(), Some("ReadWriteMany" | "ReadOnlyMany")));
            Detail::Claim { single: !modes.is_empty() && !shared }
        }
        ("", "Namespace") => Detail::Namespace,
        ("", "ConfigMap") => Detail::Config { data: small_map(root.get("data")?)? },
        ("fn.kpt.dev", "SetNamespace") => Detail::SetNamespace(root.text_at(&["namespace"])?.to_owned()),
        ("infra.nephio.org", "WorkloadCluster") => {
            let required = annotation(root, "kpt.dev/config-injection").is_some();
            // Before injection the name is a placeholder of the blueprint.
            if required && annotation(root, "kpt.dev/injected-resource").is_none() {
                return None;
            }
            Detail::Cluster(root.text_at(&["spec", "clusterName"])?.to_owned())
        }
        ("k8s.cni.cncf.io", "NetworkAttachmentDefinition") => {
            has_fixed_address(root.text_at(&["spec", "config"])?).then_some(Detail::FixedNetwork)?
        }
        ("kpt.dev", "Kptfile") => {
            Detail::Kptfile { cluster: cluster_annotation(root), functions: pipeline(root) }
        }
        (group, _) if is_custom(group) && !is_local(root) => {
            let replicas = root.at(&["spec", "replicas"])?;
            let mut facts = WorkloadFacts {
                function: labelled_function(root),
                replicas: replicas_of(Some(replicas), file),
                cluster: cluster_annotation(root),
                ..WorkloadFacts::default()
            };
            facts.not_replicable.extend(owner(root));
            Detail::Workload(Box::new(facts))
        }
        _ => return None,
    };
    let text = |keys: &[&str]| root.text_at(keys).filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Object {
        document,
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: text(&["metadata", "name"]),
        namespace: text(&["metadata", "namespace"]),
        detail,
    })
}

/// Not one of Kubernetes' own groups, nor kpt's configuration.
fn is_custom(group: &str) -> bool {
    group.contains('.')
        && !group.ends_with(".k8s.io")
        && !matches!(group, "kpt.dev" | "fn.kpt.dev" | "config.kubernetes.io")
}

fn annotation<'n>(root: &'n Node<'_>, key: &str) -> Option<&'n str> {
    root.text_at(&["metadata", "annotations", key])
}

/// `config.kubernetes.io/local-config`: never applied to a cluster.
fn is_local(root: &Node<'_>) -> bool {
    annotation(root, "config.kubernetes.io/local-config").is_some_and(|value| value != "false")
}

fn cluster_annotation(root: &Node<'_>) -> Option<String> {
    ["nephoran.com/cluster", "nephio.org/cluster-name"]
        .iter()
        .find_map(|key| annotation(root, key).or_else(|| root.text_at(&["metadata", "labels", key])))
        .map(str::to_owned)
}

fn labelled_function(root: &Node<'_>) -> Option<Function> {
    function::LABELS.iter().find_map(|key| {
        let value = root.text_at(&["metadata", "labels", key]).or_else(|| annotation(root, key))?;
        function::of_word(value)
    })
}

fn owner(root: &Node<'_>) -> Option<String> {
    let owner = root.at(&["metadata", "ownerReferences"])?.items().first()?;
    Some(format!(
        "it is owned by {} {}, which sets its replicas",
        owner.text_at(&["kind"]).unwrap_or("another object"),
        owner.text_at(&["name"]).unwrap_or_default()
    ))
}

fn replicas_of(node: Option<&Node<'_>>, file: &yaml::File<'_>) -> Replicas {
    let Some(node) = node else { return Replicas::Absent };
    match node.integer().and_then(|value| u32::try_from(value).ok()) {
        Some(value) => Replicas::Count { value, pattern: file.pattern_at(node.line).map(str::to_owned) },
        None => Replicas::Unreadable,
    }
}

/// A Deployment or StatefulSet.
fn pods(root: &Node<'_>, file: &yaml::File<'_>) -> WorkloadFacts {
    let mut facts = WorkloadFacts {
        function: labelled_function(root),
        replicas: replicas_of(root.at(&["spec", "replicas"]), file),
        cluster: cluster_annotation(root),
        ..WorkloadFacts::default()
    };
    facts.not_replicable.extend(owner(root));
    if let Some(networks) =
        root.text_at(&["spec", "template", "metadata", "annotations", "k8s.v1.cni.cncf.io/networks"])
    {
        match attached_networks(networks) {
            Networks::Free(names) => facts.networks = names,
            Networks::Fixed(what) => facts.not_replicable.push(format!(
                "its pods have a fixed {what} (k8s.v1.cni.cncf.io/networks), which two replicas would share"
            )),
        }
    }
    let Some(pod) = root.at(&["spec", "template", "spec"]) else { return facts };
    if pod.get("hostNetwork").is_some_and(Node::is_true) {
        facts.not_replicable.push("its pods use the node's own network (hostNetwork)".to_owned());
    }
    let containers = ["containers", "initContainers"]
        .iter()
        .flat_map(|key| pod.get(key).map(Node::items).unwrap_or_default());
    let host_port = containers
        .flat_map(|container| container.get("ports").map(Node::items).unwrap_or_default())
        .find_map(|port| port.get("hostPort")?.integer().filter(|port| *port != 0));
    if let Some(port) = host_port {
        facts.not_replicable.push(format!("its pods take port {port} of the node (hostPort)"));
    }
    facts.claims = pod
        .get("volumes")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|volume| volume.text_at(&["persistentVolumeClaim", "claimName"]).map(str::to_owned))
        .collect();
    facts
}

fn nf_deployment(root: &Node<'_>) -> WorkloadFacts {
    WorkloadFacts {
        function: labelled_function(root)
            .or_else(|| root.text_at(&["spec", "provider"]).and_then(function::of_provider)),
        not_replicable: vec![
            "an NFDeployment has no replica count: its provider runs one instance, sized by its capacity"
                .to_owned(),
        ],
        cluster: cluster_annotation(root),
        ..WorkloadFacts::default()
    }
}

enum Networks {
    Free(Vec<String>),
    Fixed(&'static str),
}

/// Multus: a JSON list of networks, or names as `namespace/name@interface, ...`.
fn attached_networks(annotation: &str) -> Networks {
    let annotation = annotation.trim();
    if !annotation.starts_with(['[', '{']) {
        let names = annotation.split(',').map(|name| {
            let name = name.split('@').next().unwrap_or_default().trim();
            name.rsplit('/').next().unwrap_or_default().to_owned()
        });
        return Networks::Free(names.filter(|name| !name.is_empty()).collect());
    }
    let Ok(value) = serde_json::from_str::<serde_json::Value>(annotation) else {
        // Multus would refuse it too; saying "free" here could share an address.
        return Networks::Fixed("address in a form that cannot be read");
    };
    let entries = match &value {
        serde_json::Value::Array(entries) => entries.as_slice(),
        other => std::slice::from_ref(other),
    };
    let has = |entry: &serde_json::Value, key: &str| {
        entry.get(key).is_some_and(|value| match value {
            serde_json::Value::Array(values) => !values.is_empty(),
            serde_json::Value::String(value) => !value.is_empty(),
            serde_json::Value::Null => false,
            _ => true,
        })
    };
    if entries.iter().any(|entry| has(entry, "ips")) {
        return Networks::Fixed("address");
    }
    if entries.iter().any(|entry| has(entry, "mac")) {
        return Networks::Fixed("MAC address");
    }
    let names = entries.iter().filter_map(|entry| entry.get("name")?.as_str().map(str::to_owned));
    Networks::Free(names.collect())
}

/// A CNI configuration whose `ipam` is static.
fn has_fixed_address(config: &str) -> bool {
    fn look(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Object(fields) => {
                let is_static = fields.get("type").and_then(serde_json::Value::as_str) == Some("static")
                    && fields
                        .get("addresses")
                        .and_then(serde_json::Value::as_array)
                        .is_some_and(|a| !a.is_empty());
                is_static || fields.values().any(look)
            }
            serde_json::Value::Array(items) => items.iter().any(look),
            _ => false,
        }
    }
    serde_json::from_str(config).is_ok_and(|value| look(&value))
}

fn small_map(data: &Node<'_>) -> Option<Vec<(String, String)>> {
    let entries = data.entries();
    if entries.len() > MOST_ENTRIES {
        return None;
    }
    entries
        .iter()
        .map(|(key, value)| {
            let text = value.text()?;
            (text.len() <= LONGEST_VALUE).then(|| Some((key.text()?.to_owned(), text.to_owned())))?
        })
        .collect()
}

fn pipeline(root: &Node<'_>) -> Vec<PipelineFunction> {
    let mutators = root.at(&["pipeline", "mutators"]).map(Node::items).unwrap_or_default();
    let base = Path::default().key("pipeline").key("mutators");
    mutators
        .iter()
        .enumerate()
        .map(|(index, mutator)| {
            let program =
                mutator.text_at(&["image"]).or_else(|| mutator.text_at(&["exec"])).unwrap_or_default();
            let entries = mutator.get("configMap").map(Node::entries).unwrap_or_default();
            PipelineFunction {
                what: what(program),
                path: base.clone().index(index),
                config_path: mutator.text_at(&["configPath"]).map(str::to_owned),
                config_map: entries
                    .iter()
                    .filter_map(|(key, value)| Some((key.text()?.to_owned(), value.text()?.to_owned())))
                    .collect(),
                selective: mutator.get("selectors").is_some() || mutator.get("exclude").is_some(),
            }
        })
        .collect()
}

/// `ghcr.io/kptdev/krm-functions-catalog/apply-setters:v0.2.0` is apply-setters.
fn what(program: &str) -> What {
    let name = program.rsplit('/').next().unwrap_or_default();
    match name.split([':', '@']).next().unwrap_or_default() {
        "apply-setters" => What::ApplySetters,
        "set-namespace" => What::SetNamespace,
        _ => What::Other,
    }
}
