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
