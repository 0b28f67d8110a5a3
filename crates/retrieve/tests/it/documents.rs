//! What is a document, and what happens when it changes.

use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use nephoran_retrieve::{Error, Limits, Skip, State};
use tokio_util::sync::CancellationToken;

use crate::{Place, find, found, update};

#[tokio::test]
async fn a_changed_document_is_found_anew_and_a_deleted_one_is_gone() {
    let place = Place::new(&[("a.md", "# A\n\nporcupine\n"), ("b.md", "# B\n\nhedgehog\n")]);
    let index = place.open();
    let report = update(&index).await;
    assert_eq!((report.documents, report.passages, report.changed, report.removed), (2, 2, 2, 0));

    let report = update(&index).await;
    assert_eq!((report.changed, report.removed), (0, 0));

    place.write("a.md", "# A\n\narmadillo\n");
    let report = update(&index).await;
    assert_eq!((report.documents, report.changed, report.removed), (2, 1, 0));
    assert_eq!(found(&index, "armadillo").await, ["a.md"]);
    assert_eq!(found(&index, "porcupine").await, Vec::<String>::new());

    std::fs::remove_file(place.folder().join("b.md")).unwrap();
    let report = update(&index).await;
    assert_eq!((report.documents, report.passages, report.removed), (1, 1, 1));
    assert_eq!(found(&index, "hedgehog").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_change_that_keeps_size_and_time_is_seen_by_its_content() {
    let place = Place::new(&[("a.md", "porcupine")]);
    let index = place.open();
    update(&index).await;
    let path = place.folder().join("a.md");
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    place.write("a.md", "armadillo");
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(update(&index).await.changed, 1);
    assert_eq!(found(&index, "armadillo").await, ["a.md"]);
}

#[tokio::test]
async fn a_touched_document_keeps_its_passages() {
    let place = Place::new(&[("a.md", "# A\n\nporcupine\n")]);
    let index = place.open();
    update(&index).await;
    let before = find(&index, "porcupine").await;
    let file = std::fs::File::options().write(true).open(place.folder().join("a.md")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3_600)).unwrap();
    assert_eq!(update(&index).await.changed, 0);
    assert_eq!(find(&index, "porcupine").await, before);
}

#[tokio::test]
async fn what_is_no_document_is_left_out_with_the_reason() {
    let place = Place::new(&[
        ("good.md", "porcupine"),
        ("deep/er/good.TXT", "porcupine"),
        ("code.rs", "porcupine"),
        (".hidden.md", "porcupine"),
        (".git/x.md", "porcupine"),
        ("large.md", &"porcupine ".repeat(1_000)),
        ("evil\u{202e}dm.md", "porcupine"),
        ("note:mine.md", "porcupine"),
    ]);
    std::fs::write(place.folder().join("latin.md"), b"porcupine \xe4").unwrap();
    std::fs::write(place.folder().join("binary.txt"), b"porcupine \0").unwrap();
    std::fs::create_dir(place.folder().join("folder.md")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.folder().join("fifo.md"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let index = place.limited(Limits { bytes: 5_000, ..Limits::default() });
    let report = update(&index).await;
    let mut skipped: Vec<(String, Skip)> =
        report.skipped.into_iter().map(|skipped| (skipped.document, skipped.reason)).collect();
    skipped.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        skipped,
        [
            ("binary.txt".to_owned(), Skip::NoText),
            ("evil\u{202e}dm.md".to_owned(), Skip::Name),
            ("fifo.md".to_owned(), Skip::NoFile),
            ("large.md".to_owned(), Skip::TooLarge(10_000, 5_000)),
            ("latin.md".to_owned(), Skip::NoText),
            ("note:mine.md".to_owned(), Skip::Name),
        ]
    );
    let mut names = found(&index, "porcupine").await;
    names.sort();
    assert_eq!(names, ["deep/er/good.TXT", "good.md"]);
    let progress = index.progress();
    assert_eq!((progress.state, progress.skipped, progress.passages), (State::Ready, 6, 2));
}

#[tokio::test]
async fn links_are_followed_inside_of_the_folder_and_never_out() {
    let place = Place::new(&[("real/a.md", "porcupine")]);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.md"), "password porcupine").unwrap();
    let folder = place.folder();
    symlink("real/a.md", folder.join("inside.md")).unwrap();
    symlink(outside.path().join("secret.md"), folder.join("absolute.md")).unwrap();
    symlink("../../../../../../etc/passwd", folder.join("relative.txt")).unwrap();
    symlink(outside.path(), folder.join("all")).unwrap();
    symlink("nowhere", folder.join("broken.md")).unwrap();
    symlink("loop.md", folder.join("loop.md")).unwrap();
    let index = place.open();
    let report = update(&index).await;
    let mut names = found(&index, "porcupine").await;
    names.sort();
    assert_eq!(names, ["inside.md", "real/a.md"]);
    assert_eq!(found(&index, "password").await, Vec::<String>::new());
    let reason =
        |name: &str| report.skipped.iter().find(|skipped| skipped.document == name).map(|one| &one.reason);
    assert_eq!(reason("absolute.md"), Some(&Skip::Outside));
    assert_eq!(reason("relative.txt"), Some(&Skip::Outside));
    assert!(matches!(reason("broken.md"), Some(Skip::Unreadable(_))), "{report:?}");
    assert!(matches!(reason("loop.md"), Some(Skip::Unreadable(_) | Skip::Outside)), "{report:?}");
}

#[tokio::test]
async fn a_document_that_became_something_else_is_gone_with_the_reason() {
    let place = Place::new(&[("a.md", "porcupine")]);
    let index = place.limited(Limits { bytes: 100, ..Limits::default() });
    update(&index).await;
    place.write("a.md", &"porcupine ".repeat(50));
    let report = update(&index).await;
    assert_eq!((report.documents, report.passages, report.removed), (0, 0, 1));
    assert_eq!(report.skipped[0].reason, Skip::TooLarge(500, 100));
    assert_eq!(found(&index, "porcupine").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_folder_that_goes_away_for_a_while_leaves_what_was_known() {
    let place = Place::new(&[("a.md", "porcupine")]);
    let index = place.open();
    update(&index).await;
    let aside = place.root.path().join("aside");
    std::fs::rename(place.folder(), &aside).unwrap();
    let report = update(&index).await;
    assert!(report.trouble.is_some());
    assert_eq!((report.documents, report.removed), (1, 0));
    assert_eq!(found(&index, "porcupine").await, ["a.md"]);
    assert!(index.progress().trouble.is_some());
    std::fs::rename(aside, place.folder()).unwrap();
    assert_eq!(update(&index).await.trouble, None);
    assert_eq!(index.progress().trouble, None);
}

#[tokio::test]
async fn the_index_takes_no_more_than_its_bounds() {
    let documents: Vec<(String, String)> = (0..20)
        .map(|number| (format!("{number:02}.md"), format!("# {number}\n\nporcupine {number}\n")))
        .collect();
    let borrowed: Vec<(&str, &str)> =
        documents.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let place = Place::new(&borrowed);
    let index = place.limited(Limits { documents: 15, passages: 10, ..Limits::default() });
    let report = update(&index).await;
    assert_eq!((report.documents, report.passages, report.skipped_in_all), (10, 10, 10));
    assert!(report.skipped.iter().any(|skipped| skipped.reason == Skip::TooMany(15)));
    assert!(report.skipped.iter().any(|skipped| skipped.reason == Skip::Full(10)));
    // The place of what goes is taken by what waits.
    std::fs::remove_file(place.folder().join("00.md")).unwrap();
    let report = update(&index).await;
    assert_eq!((report.documents, report.passages), (10, 10));
    assert!(found(&index, "10").await.contains(&"10.md".to_owned()));
}

#[tokio::test]
async fn an_update_that_is_stopped_goes_on_the_next_time() {
    let place = Place::new(&[("a.md", "porcupine"), ("b.md", "porcupine")]);
    let index = place.open();
    let stop = CancellationToken::new();
    stop.cancel();
    let report = index.update(&stop).await.unwrap();
    assert!(report.stopped);
    assert_eq!((report.documents, index.progress().state), (0, State::Waiting));
    assert_eq!(update(&index).await.documents, 2);
}

#[tokio::test]
async fn only_one_process_writes_and_others_read() {
    let place = Place::new(&[("a.md", "porcupine")]);
    let keeper = place.open();
    let other = place.open();
    assert!(matches!(other.update(&CancellationToken::new()).await, Err(Error::KeptElsewhere)));
    update(&keeper).await;
    assert_eq!(found(&other, "porcupine").await, ["a.md"]);
    drop(keeper);
    // The place is free: whoever asks next takes it.
    place.write("b.md", "armadillo");
    assert_eq!(update(&other).await.changed, 1);
    assert_eq!(found(&other, "armadillo").await, ["b.md"]);
}
