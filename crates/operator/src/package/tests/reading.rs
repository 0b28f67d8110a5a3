//! What an inventory says of packages: our samples, others' blueprints, and broken ones.

use super::*;
use nephoran_model::proposal::Function;

async fn world_of(files: Vec<(String, Vec<u8>)>) -> World {
    let world = World::new(&[]).await;
    crate::package::import_files(&world.bare(), "main", files).await.unwrap();
    world
}

/// `namespace/name kind function replicas [!reasons] [*setter]`, as a table to read.
fn table(repository: &Repository) -> Vec<String> {
    let mut lines: Vec<String> = repository
        .inventory()
        .workloads()
        .iter()
        .map(|workload| {
            let replicas = workload.replicas.as_ref();
            format!(
                "{}/{} {} {} {}{}{}{}{}",
                workload.namespace.as_deref().unwrap_or("-"),
                workload.name,
                workload.kind,
                workload.function.map_or("-", Function::as_str),
                replicas.map_or("-".to_owned(), |field| field.value.to_string()),
                if workload.not_replicable.is_empty() { "" } else { " fixed" },
                if replicas.is_some_and(|field| field.locked.is_some()) { " locked" } else { "" },
                if replicas.is_some_and(|field| field.setter.is_some()) { " setter" } else { "" },
                workload.cluster.as_ref().map_or(String::new(), |cluster| format!(" @{cluster}")),
            )
        })
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn the_sample_packages_are_read_whole() {
    let world = world_of(crate::package::samples::files()).await;
    let repository = world.open().await;
    assert_eq!(repository.inventory().left_out(), []);
    assert_eq!(
        table(&repository),
        [
            "core5g-bern/ausf-bern NFDeployment ausf - fixed @edge-bern",
            "core5g-bern/ausf-capacity Capacity - - fixed @edge-bern",
            "core5g/amf Deployment amf 2 setter",
            "core5g/smf StatefulSet smf 2 setter",
            "core5g/udm DataManagement udm 2",
            "ran-a/o-cu-cp Deployment o-cu-cp 2 setter",
            "ran-a/o-cu-up Deployment o-cu-up 2 setter",
            "ran-a/o-du Deployment o-du 1 setter",
            "ran-a/upf Deployment upf 3 setter",
            "user-plane/upf-fixed Deployment upf 1 fixed setter @edge-bern",
        ]
    );
}

#[tokio::test]
async fn a_broken_package_is_out_alone_with_the_reason() {
    let good = deployment("ran-a", "good", "1");
    let world = World::new(&[
        ("a/good/Kptfile", KPTFILE),
        ("a/good/deployment.yaml", &good),
        ("a/bad/Kptfile", KPTFILE),
        ("a/bad/deployment.yaml", "spec: [1, 2\n"),
        ("a/latin/Kptfile", KPTFILE),
        ("a/latin/x.yml", "spec: {a: {b: }\n"),
        ("a/empty/Kptfile", ""),
        ("a/odd/Kptfile", KPTFILE),
        ("a/odd/deployment.yaml", &deployment("ran-a", "\"up; rm -rf\"", "1")),
        ("a/b/c/Kptfile", KPTFILE),
    ])
    .await;
    let people = world.people();
    std::fs::create_dir_all(people.place.join("a/link")).unwrap();
    people.write("a/link/Kptfile", KPTFILE);
    std::os::unix::fs::symlink("/etc/passwd", people.place.join("a/link/x.yaml")).unwrap();
    people.write("a/big/Kptfile", KPTFILE);
    people.write("a/big/x.yaml", &format!("a: {}\n", "x".repeat(1 << 20)));
    people.push("odd things");
    let repository = world.open().await;
    let inventory = repository.inventory();
    let mut out: Vec<String> =
        inventory.left_out().iter().map(|out| format!("{}: {}", out.package, out.reason)).collect();
    out.sort();
    assert_eq!(table(&repository), ["ran-a/good Deployment - 1"]);
    let expected = [
        "a/b/c: packages lie at most two levels deep",
        "a/bad: a/bad/deployment.yaml does not parse: line 1: ",
        "a/big: a/big/x.yaml is larger than 1048576 bytes",
        "a/empty: a/empty/Kptfile is no Kptfile of kpt.dev/v1",
        "a/latin: a/latin/x.yml does not parse: line 1: ",
        "a/link: a/link/x.yaml is a link",
        "a/odd: a/odd/deployment.yaml: a Deployment whose name is no DNS name",
    ];
    assert_eq!(out.len(), expected.len(), "{out:#?}");
    for (out, expected) in out.iter().zip(expected) {
        assert!(out.starts_with(expected), "{out}\n{expected}");
    }

    // Mended, it comes back by itself.
    people.write("a/bad/deployment.yaml", &deployment("ran-a", "mended", "2"));
    people.push("mend it");
    repository.refresh().await.unwrap();
    assert_eq!(table(&repository), ["ran-a/good Deployment - 1", "ran-a/mended Deployment - 2"]);
}

/// One package with one file, and what the inventory makes of it.
async fn check(cases: &[(&str, String, &str)]) {
    let files: Vec<(String, String)> = cases
        .iter()
        .enumerate()
        .flat_map(|(at, (_, text, _))| {
            [
                (format!("n/p{at}/Kptfile"), kptfile_with_setter("'3'")),
                (format!("n/p{at}/x.yaml"), text.replace("NAME", &format!("w{at}"))),
            ]
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let world = World::new(&files).await;
    let repository = world.open().await;
    for (at, (what, _, expected)) in cases.iter().enumerate() {
        let workload = named(&repository, &format!("w{at}"));
        let replicas = workload.replicas.as_ref();
        let mut said = workload.not_replicable.clone();
        said.extend(replicas.and_then(|field| field.locked.clone()));
        said.extend(workload.autoscaled_by.map(|by| format!("scaled by {by}")));
        if replicas.is_none() {
            said.push("no count".to_owned());
        }
        assert_eq!(said.join("; "), *expected, "{what}");
    }
}

fn with_pod(pod: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: NAME, namespace: n}}\nspec:\n  replicas: 3\n  template:\n{pod}"
    )
}

#[tokio::test]
async fn what_cannot_run_twice_says_why() {
    let networks = |value: &str| {
        with_pod(&format!(
            "    metadata:\n      annotations:\n        k8s.v1.cni.cncf.io/networks: '{value}'\n    spec: {{}}\n"
        ))
    };
    let claim = |mode: &str| {
        format!(
            "{}---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data}}\nspec: {{accessModes: [{mode}]}}\n",
            with_pod("    spec:\n      volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]\n")
        )
    };
    check(&[
        ("nothing special", with_pod("    spec: {}\n"), ""),
        ("names only", networks("n/one@eth1, two"), ""),
        ("a list without addresses", networks(r#"[{"name": "one"}]"#), ""),
        (
            "addresses",
            networks(r#"[{"name": "one", "ips": ["192.0.2.1/24"]}]"#),
            "its pods have a fixed address (k8s.v1.cni.cncf.io/networks), which two replicas would share",
        ),
        (
            "a MAC address",
            networks(r#"[{"name": "one", "mac": "02:00:00:00:00:01"}]"#),
            "its pods have a fixed MAC address (k8s.v1.cni.cncf.io/networks), which two replicas would share",
        ),
        (
            "the node's network",
            with_pod("    spec: {hostNetwork: true}\n"),
            "its pods use the node's own network (hostNetwork)",
        ),
        (
            "a port of the node",
            with_pod("    spec: {containers: [{ports: [{containerPort: 1}, {hostPort: 2152}]}]}\n"),
            "its pods take port 2152 of the node (hostPort)",
        ),
        ("a shared claim", claim("ReadWriteMany"), ""),
        (
            "a claim of one",
            claim("ReadWriteOnce"),
            "all its pods would share the claim data, which is ReadWriteOnce",
        ),
        (
            "a static network",
            format!(
                "{}---\napiVersion: k8s.cni.cncf.io/v1\nkind: NetworkAttachmentDefinition\nmetadata: {{name: one}}\nspec:\n  config: '{{\"ipam\": {{\"type\": \"static\", \"addresses\": [{{\"address\": \"192.0.2.1/24\"}}]}}}}'\n",
                networks("one")
            ),
            "the network one gives its pods a fixed address",
        ),
        (
            "owned",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: NAME\n  ownerReferences: [{kind: NFDeployment, name: upf}]\nspec: {replicas: 1}\n".into(),
            "it is owned by NFDeployment upf, which sets its replicas",
        ),
        (
            "its own volumes",
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: NAME}\nspec:\n  replicas: 1\n  volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce]}}]\n".into(),
            "",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_number_that_is_not_edited_says_why() {
    let with = |replicas: &str, more: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: NAME, namespace: n}}\nspec:\n  replicas: {replicas}\n{more}"
        )
    };
    check(&[
        ("a setter of its own", with("3 # kpt-set: ${replicas}", ""), ""),
        ("a setter that nobody sets", with("3 # kpt-set: ${other}", ""), ""),
        ("no count", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\nspec: {}\n".into(), "no count"),
        ("a count in quotes", with("\"3\"", ""), "no count"),
        ("an alias", with("&n 3", "  other: *n\n"), "n/p4/x.yaml is not edited: it has an anchor in line 5"),
        (
            "twice",
            with("3", "  replicas: 4\n"),
            "n/p5/x.yaml is not edited: it has a duplicate key in line 6",
        ),
        (
            "a setter of two fields",
            with("3 # kpt-set: ${replicas}", "  maxReplicas: 3 # kpt-set: ${replicas}\n"),
            "the setter replicas drives 2 fields, and the others would change too",
        ),
        (
            "a pattern",
            with("3 # kpt-set: ${a}${b}", ""),
            "its comment `${a}${b}` is more than one setter",
        ),
        (
            "an autoscaler",
            with("3", "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: n}\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: NAME}}\n"),
            "scaled by HorizontalPodAutoscaler/h",
        ),
        (
            "a scaled object",
            with("3", "---\napiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: s, namespace: n}\nspec: {scaleTargetRef: {name: NAME}}\n"),
            "scaled by ScaledObject/s",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_namespace_comes_from_the_object_then_from_what_the_package_says() {
    let bare = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\nspec: {replicas: 1}\n";
    let set_namespace = format!(
        "{KPTFILE}pipeline:\n  mutators:\n    - image: example/set-namespace:v0.4.1\n      configPath: package-context.yaml\n"
    );
    let context =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kptfile.kpt.dev}\ndata: {name: from-context}\n";
    let world = World::new(&[
        ("x/a/Kptfile", &set_namespace),
        ("x/a/package-context.yaml", context),
        ("x/a/one.yaml", &bare.replace("NAME", "one")),
        ("x/a/two.yaml", &deployment("own", "two", "1")),
        ("x/b/Kptfile", KPTFILE),
        ("x/b/ns.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: from-object}\n"),
        ("x/b/three.yaml", &bare.replace("NAME", "three")),
        ("x/c/Kptfile", KPTFILE),
        ("x/c/four.yaml", &bare.replace("NAME", "four")),
    ])
    .await;
    let repository = world.open().await;
    for (name, expected) in
        [("one", Some("from-context")), ("two", Some("own")), ("three", Some("from-object")), ("four", None)]
    {
        assert_eq!(named(&repository, name).namespace.as_deref(), expected, "{name}");
    }
}

#[tokio::test]
async fn a_setter_in_a_package_above_locks_the_number_below() {
    let world = World::new(&[
        ("up/Kptfile", &kptfile_with_setter("'3'")),
        ("up/down/Kptfile", KPTFILE),
        ("up/down/x.yaml", &deployment("n", "below", "3 # kpt-set: ${replicas}")),
    ])
    .await;
    let repository = world.open().await;
    let field = named(&repository, "below").replicas.unwrap();
    assert_eq!(field.locked.as_deref(), Some("the setter replicas is set by the package above, up"));
}

#[tokio::test]
async fn a_setter_may_live_in_a_file_that_the_pipeline_names() {
    let kptfile = format!(
        "{KPTFILE}pipeline:\n  mutators:\n    - image: example/apply-setters:v0.2\n      configPath: setters.yaml\n"
    );
    let setters = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: setters}\ndata:\n  replicas: '3'\n";
    let world = World::new(&[
        ("n/p/Kptfile", &kptfile),
        ("n/p/setters.yaml", setters),
        ("n/p/x.yaml", &deployment("n", "w", "3 # kpt-set: ${replicas}")),
    ])
    .await;
    let repository = world.open().await;
    let change = change(&repository, 1, "w", 6).await;
    repository.commit(change).await.unwrap();
    assert_eq!(world.show("n/p/setters.yaml"), setters.replace("'3'", "'6'"));
    assert_eq!(named(&repository, "w").replicas.unwrap().setter.unwrap().value, "6");
}

#[tokio::test]
async fn a_directory_bounds_what_is_read() {
    let world = World::new(&[
        ("site/one/Kptfile", KPTFILE),
        ("site/one/x.yaml", &deployment("n", "inside", "1")),
        ("other/one/Kptfile", KPTFILE),
        ("other/one/x.yaml", &deployment("n", "outside", "1")),
    ])
    .await;
    let config = RepositoryConfig { directory: "site".into(), cluster: Some("c-1".into()), ..world.config() };
    let repository = Repository::open(config).await.unwrap();
    assert_eq!(table(&repository), ["n/inside Deployment - 1 @c-1"]);
    let people = world.people();
    people.write("other/one/x.yaml", &deployment("n", "outside", "2"));
    people.write("site/two/Kptfile", KPTFILE);
    people.write("site/two/x.yaml", &deployment("n", "new", "4"));
    people.push("both");
    repository.refresh().await.unwrap();
    assert_eq!(table(&repository), ["n/inside Deployment - 1 @c-1", "n/new Deployment - 4 @c-1"]);
}

/// Files of the corpora beside the project, or a word that they are missing.
pub(super) fn corpus(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is missing; it holds files that nobody here wrote", path.display());
    None
}

#[tokio::test]
async fn blueprints_that_nobody_here_wrote_are_read() {
    let Some(path) = corpus("blueprints") else { return };
    let world = World::new(&[]).await;
    crate::package::import_folder(&world.bare(), "main", &path).await.unwrap();
    let repository = world.open().await;
    assert_eq!(repository.inventory().left_out(), []);
    let table = table(&repository);
    for expected in [
        "free5gc/free5gc-pcf Deployment pcf 1",
        "default/mongodb StatefulSet - -",
        "upf-example/upf-example NFDeployment upf - fixed",
        "amf-example/amf-example NFDeployment amf - fixed",
    ] {
        assert!(table.iter().any(|line| line == expected), "{expected} in {table:#?}");
    }
    let commits = change(&repository, 1, "free5gc-pcf", 2).await;
    repository.commit(commits).await.unwrap();
    let before = std::fs::read_to_string(path.join("free5gc-cp/pcf/pcf-deployment.yaml")).unwrap();
    assert_eq!(
        world.show("free5gc-cp/pcf/pcf-deployment.yaml"),
        before.replace("  replicas: 1\n", "  replicas: 2\n")
    );
}

#[test]
fn yaml_that_nobody_here_wrote_is_read_or_refused_but_never_a_crash() {
    let Some(path) = corpus("yaml") else { return };
    let mut files = 0;
    for entry in std::fs::read_dir(path).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        files += 1;
        crate::package::facts::read(&bytes);
        // The cases inside, with the marks of the suite put back.
        let text = String::from_utf8(bytes).unwrap();
        let Ok(file) = crate::package::yaml::parse(&text) else { continue };
        for case in file.documents.iter().flat_map(|document| document.items()) {
            let Some(yaml) = case.text_at(&["yaml"]) else { continue };
            let yaml = yaml.replace('␣', " ").replace('»', "\t").replace(['—', '↵', '∎'], "");
            crate::package::facts::read(yaml.as_bytes());
            crate::package::facts::read(&yaml.as_bytes()[..yaml.len() / 2]);
        }
    }
    assert!(files > 100, "{files}");
}
