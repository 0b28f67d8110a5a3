//! One scalar changes; every other byte stays.

use super::*;

#[tokio::test]
async fn one_scalar_changes_in_the_file_and_one_in_the_kptfile() {
    let world = one_package().await;
    let repository = world.open().await;
    let step = scale(&named(&repository, "upf"), 5);
    let preview = repository.preview(std::slice::from_ref(&step)).await.unwrap();
    assert_eq!(preview.base, repository.tip());
    let paths: Vec<&str> = preview.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["ran-a/upf/Kptfile", "ran-a/upf/deployment.yaml"]);
    let expected = deployment("ran-a", "upf", "5 # kpt-set: ${replicas}");
    assert_eq!(String::from_utf8_lossy(&preview.files[1].bytes), expected);
    assert_eq!(String::from_utf8_lossy(&preview.files[0].bytes), kptfile_with_setter("\"5\""));
    assert!(preview.diff.contains("--- a/ran-a/upf/deployment.yaml\n+++ b/ran-a/upf/deployment.yaml\n"));
    assert!(
        preview
            .diff
            .contains("-  replicas: 3 # kpt-set: ${replicas}\n+  replicas: 5 # kpt-set: ${replicas}\n")
    );
    let steps: Vec<Option<&str>> = preview.differences.iter().map(|d| d.step.as_deref()).collect();
    assert_eq!(steps, [Some("1"), Some("1")]);
    assert_eq!(preview.differences[1].field, "spec.replicas");
    assert_eq!(preview.differences[1].kind, "Deployment");
    assert_eq!(preview.differences[0].before, Some(Scalar::Text("3".into())));
}

/// The file before, the field, and the file after; or why it is not edited.
async fn check(before: &str, field: &str, values: (Scalar, Scalar), expected: Result<&str, &str>) {
    let world = World::new(&[("n/p/Kptfile", KPTFILE), ("n/p/x.yaml", before)]).await;
    let repository = world.open().await;
    let blob = world.git(&["rev-parse", "main:n/p/x.yaml"]).trim().to_owned();
    let edit = Edit {
        file: "n/p/x.yaml".into(),
        document: 0,
        field: field.into(),
        before: values.0,
        after: values.1,
        blob,
    };
    let target = Resolved {
        name: "w".into(),
        kind: "Deployment".into(),
        function: None,
        namespace: None,
        cluster: None,
        package: "n/p".into(),
    };
    let step = Step {
        id: "1".into(),
        action: "scale".into(),
        actuator: ActuatorKind::Package,
        repository: "default".into(),
        target,
        edits: vec![edit],
        state: StepState::Pending,
    };
    let found = repository.preview(&[step]).await;
    match (found, expected) {
        (Ok(preview), Ok(after)) => {
            assert_eq!(String::from_utf8_lossy(&preview.files[0].bytes), after);
            assert_eq!(preview.differences.len(), 1, "{before}");
            assert_eq!(preview.differences[0].step.as_deref(), Some("1"));
            // Another library reads the same value where the field is a plain path.
            let other: serde_json::Value = serde_saphyr::from_str(after).unwrap();
            let pointer = format!("/{}", field.replace(['.', '['], "/").replace(']', ""));
            let seen = other.pointer(&pointer).map(|v| v.to_string().trim_matches('"').to_owned());
            assert_eq!(
                seen.as_deref(),
                Some(preview.differences[0].after.clone().unwrap().to_string().as_str())
            );
        }
        (Err(error), Err(reason)) => assert_eq!(error.to_string(), reason, "{before}"),
        (found, expected) => panic!("{before}\n{found:?}\n{expected:?}"),
    }
}

fn int(from: i64, to: i64) -> (Scalar, Scalar) {
    (Scalar::Int(from), Scalar::Int(to))
}

fn text(from: &str, to: &str) -> (Scalar, Scalar) {
    (Scalar::Text(from.into()), Scalar::Text(to.into()))
}

#[tokio::test]
async fn every_other_byte_stays_as_it_is() {
    for (before, field, values, after) in [
        ("a: 1\r\nb: 3   # x\r\n\r\n", "b", int(3, 12), "a: 1\r\nb: 12   # x\r\n\r\n"),
        ("{a: 3, b: [x,  y]}", "a", int(3, 4), "{a: 4, b: [x,  y]}"),
        ("a: [1, 2, {b:   3}]\n", "a[2].b", int(3, 10), "a: [1, 2, {b:   10}]\n"),
        ("? a\n: 3\n", "a", int(3, 4), "? a\n: 4\n"),
        ("a: \"3\"\nc: '#'\n", "a", text("3", "5"), "a: \"5\"\nc: '#'\n"),
        ("a: '3' #c\n", "a", text("3", "5"), "a: '5' #c\n"),
        ("\u{feff}a: 3\n", "a", int(3, 5), "\u{feff}a: 5\n"),
        (
            "# \u{e4}\u{1f600}\nb: \u{e4}\na: 3 # \u{e4}\n",
            "a",
            int(3, 5),
            "# \u{e4}\u{1f600}\nb: \u{e4}\na: 5 # \u{e4}\n",
        ),
        ("%YAML 1.2\n---\na: 3", "a", int(3, 5), "%YAML 1.2\n---\na: 5"),
        ("a:\n    3\nb: |\n  3\n", "a", int(3, 5), "a:\n    5\nb: |\n  3\n"),
        ("a: v1.2 # tag\n", "a", text("v1.2", "v1.3"), "a: v1.3 # tag\n"),
    ] {
        check(before, field, values, Ok(after)).await;
    }
}

#[tokio::test]
async fn what_cannot_be_edited_with_certainty_is_refused() {
    for (before, field, values, reason) in [
        ("a: &x 3\n", "a", int(3, 4), "n/p/x.yaml is not edited: it has an anchor in line 1"),
        ("a: !!int 3\n", "a", int(3, 4), "n/p/x.yaml is not edited: it has a tag in line 1"),
        ("a: 3\na: 3\n", "a", int(3, 4), "n/p/x.yaml is not edited: it has a duplicate key in line 2"),
        ("a: 3\nb: {<<: {c: 1}}\n", "a", int(3, 4), "n/p/x.yaml is not edited: it has a merge key in line 2"),
        (
            "b: 3\n",
            "a",
            int(3, 4),
            "n/p/x.yaml is not edited: document 0 has no a; a field is never inserted",
        ),
        ("a: 2\n", "a", int(3, 4), "n/p/x.yaml is not edited: a is 2 and not 3"),
        ("a: {b: 3}\n", "a", int(3, 4), "n/p/x.yaml is not edited: a is no single value"),
        (
            "a: |\n  3\n",
            "a",
            text("3\n", "4"),
            "n/p/x.yaml is not edited: a is written as a block or cannot be quoted as it is",
        ),
        (
            "a: x\n",
            "a",
            text("x", "3"),
            "n/p/x.yaml is not edited: \"3\" cannot stand where x stands without quotes",
        ),
        (
            "a: x\n",
            "a",
            text("x", "y: z"),
            "n/p/x.yaml is not edited: \"y: z\" cannot stand where x stands without quotes",
        ),
        (
            "a: x\n",
            "a",
            text("x", "no"),
            "n/p/x.yaml is not edited: \"no\" cannot stand where x stands without quotes",
        ),
        (
            "a: \"x\"\n",
            "a",
            text("x", "y\"\nb: 1"),
            "n/p/x.yaml is not edited: a is written as a block or cannot be quoted as it is",
        ),
    ] {
        check(before, field, values, Err(reason)).await;
    }
}

#[tokio::test]
async fn two_steps_in_one_file_are_one_change() {
    let both = format!("{}---\n{}", deployment("n", "one", "1"), deployment("n", "two", "2"));
    let world = World::new(&[("n/p/Kptfile", KPTFILE), ("n/p/x.yaml", &both)]).await;
    let repository = world.open().await;
    let mut second = scale(&named(&repository, "two"), 20);
    second.id = "2".into();
    let steps = [scale(&named(&repository, "one"), 10), second];
    let preview = repository.preview(&steps).await.unwrap();
    assert_eq!(preview.files.len(), 1);
    let expected = format!("{}---\n{}", deployment("n", "one", "10"), deployment("n", "two", "20"));
    assert_eq!(String::from_utf8_lossy(&preview.files[0].bytes), expected);
    let told: Vec<(Option<&str>, usize, &str)> =
        preview.differences.iter().map(|d| (d.step.as_deref(), d.document, d.name.as_str())).collect();
    assert_eq!(told, [(Some("1"), 0, "one"), (Some("2"), 1, "two")]);
}

#[tokio::test]
async fn a_target_without_a_package_gets_a_patch_package() {
    let world = one_package().await;
    let repository = world.open().await;
    let package = "core5g/nrf-scaling-patch";
    let step = Step {
        id: "1".into(),
        action: "scale".into(),
        actuator: ActuatorKind::Package,
        repository: "default".into(),
        target: Resolved {
            name: "nrf".into(),
            kind: "Deployment".into(),
            function: None,
            namespace: Some("core5g".into()),
            cluster: None,
            package: package.into(),
        },
        edits: vec![Edit {
            file: format!("{package}/scaling-patch.yaml"),
            document: 0,
            field: "spec.replicas".into(),
            before: Scalar::Absent,
            after: Scalar::Int(4),
            blob: nephoran_model::plan::NO_BLOB.into(),
        }],
        state: StepState::Pending,
    };
    let preview = repository.preview(std::slice::from_ref(&step)).await.unwrap();
    assert!(preview.diff.contains("--- /dev/null\n+++ b/core5g/nrf-scaling-patch/scaling-patch.yaml\n"));
    assert!(preview.differences.iter().all(|d| d.step.as_deref() == Some("1") && d.before.is_none()));
    let change = Change { plan: plan_hash(1), files: preview.files, message: "m\n".into() };
    repository.commit(change).await.unwrap();
    let workload = named(&repository, "nrf");
    assert_eq!((workload.namespace.as_deref(), workload.replicas.unwrap().value), (Some("core5g"), 4));
    assert_eq!(repository.inventory().left_out(), []);
    assert!(matches!(repository.preview(&[step]).await, Err(Error::Stale { .. })));
    world.is_sound();
}
