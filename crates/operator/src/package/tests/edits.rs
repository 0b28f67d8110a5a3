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

/// Values of a document, as another library reads them.
fn as_others_read(text: &str) -> Option<Vec<serde_json::Value>> {
    serde_saphyr::from_multiple(text).ok()
}

/// Paths and values of all integers.
fn integers(value: &serde_json::Value, at: String, found: &mut Vec<(String, i64)>) {
    match value {
        serde_json::Value::Number(number) => found.extend(number.as_i64().map(|number| (at, number))),
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                let key = key.replace('\\', "\\\\").replace('"', "\\\"");
                integers(value, format!("{at}[\"{key}\"]"), found);
            }
        }
        serde_json::Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                integers(value, format!("{at}[{index}]"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_integer_of_every_package_at_hand_can_be_changed_and_nothing_else_with_it() {
    let mut texts: Vec<String> = crate::package::samples::files()
        .into_iter()
        .filter(|(path, _)| path.ends_with(".yaml"))
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .collect();
    let mut folders: Vec<PathBuf> = reading::corpus("blueprints").into_iter().collect();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "yaml") {
                let text = std::fs::read_to_string(path).unwrap();
                texts.push(text.replace('\n', "\r\n"));
                texts.push(text);
            }
        }
    }
    let mut edited = 0;
    for text in texts {
        let Some(documents) = as_others_read(&text) else { continue };
        for (document, value) in documents.iter().enumerate() {
            let mut found = Vec::new();
            integers(value, String::new(), &mut found);
            for (field, number) in found {
                let before =
                    crate::package::editor::Before { blob: "b".into(), bytes: text.clone().into_bytes() };
                let edit = Edit {
                    file: "f".into(),
                    document,
                    field: crate::package::yaml::Path::parse(&field).unwrap().to_string(),
                    before: Scalar::Int(number),
                    after: Scalar::Int(number + 1),
                    blob: "b".into(),
                };
                let (file, differences) =
                    crate::package::editor::edit("r", "p", "f", &before, &[("1", &edit)]).unwrap();
                assert_eq!(differences.len(), 1, "{field}");
                assert_eq!(differences[0].step.as_deref(), Some("1"));
                let after = String::from_utf8(file.bytes).unwrap();
                // The other library sees that one number changed too.
                let mut expected = documents.clone();
                let place = expected[document].pointer_mut(&pointer(&edit.field)).unwrap();
                *place = (number + 1).into();
                assert_eq!(as_others_read(&after).unwrap(), expected, "{field}");
                // All bytes but the number's are the same.
                let same = text.bytes().zip(after.bytes()).take_while(|(one, other)| one == other).count();
                let tail = text.bytes().rev().zip(after.bytes().rev()).take_while(|(a, b)| a == b).count();
                assert!(
                    text.len() - tail.min(text.len() - same) - same <= number.to_string().len(),
                    "{field}"
                );
                edited += 1;
            }
        }
    }
    assert!(edited > 20, "{edited}");
}

/// A JSON pointer for a path.
fn pointer(field: &str) -> String {
    let path = crate::package::yaml::Path::parse(field).unwrap();
    path.0
        .iter()
        .map(|segment| match segment {
            crate::package::yaml::Segment::Key(key) => {
                format!("/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            crate::package::yaml::Segment::Index(index) => format!("/{index}"),
        })
        .collect()
}
