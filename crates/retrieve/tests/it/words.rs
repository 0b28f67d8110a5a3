//! What words find.

use nephoran_retrieve::{Index, NOTES, Settings};

use crate::{Place, find, found, update};

#[tokio::test]
async fn a_heading_weighs_more_than_a_word_in_passing() {
    let place = Place::new(&[
        (
            "a.md",
            "# Addresses\n\nThe latency of a lookup is small beside that of the link, which is long and wide.\n",
        ),
        (
            "b.md",
            "# Latency\n\nHow long a packet takes from one end to the other of such a link, in one direction.\n",
        ),
    ]);
    let index = place.open();
    update(&index).await;
    assert_eq!(found(&index, "latency").await, ["b.md", "a.md"]);
}

#[tokio::test]
async fn a_passage_has_its_title_its_text_and_an_id_that_stays() {
    let place =
        Place::new(&[("ran/cells.md", "# Cells\n\n## Load of a cell\n\nPRB usage says how busy it is.\n")]);
    let index = place.open();
    update(&index).await;
    let first = find(&index, "prb usage").await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].title, "Cells > Load of a cell");
    assert_eq!(first[0].text, "## Load of a cell\n\nPRB usage says how busy it is.");
    assert_eq!(first[0].document, "ran/cells.md");
    let id = &first[0].id;
    assert!(id.starts_with("ran/cells.md#load-of-a-cell@") && id.len() == 28 + 16, "{id}");

    // Another passage before it, another index: the id is the same.
    place.write(
        "ran/cells.md",
        "# Cells\n\n## Names\n\nBy number.\n\n## Load of a cell\n\nPRB usage says how busy it is.\n",
    );
    update(&index).await;
    assert_eq!(&find(&index, "prb usage").await[0].id, id);
    drop(index);
    std::fs::remove_file(place.database()).unwrap();
    let index = place.open();
    update(&index).await;
    assert_eq!(&find(&index, "prb usage").await[0].id, id);
}

#[tokio::test]
async fn words_are_found_in_other_forms_and_names_as_a_whole() {
    let place = Place::new(&[
        ("one.txt", "Replicas of the o-du share the load of a cell."),
        ("two.txt", "A du is two, and o is a letter."),
    ]);
    let index = place.open();
    update(&index).await;
    assert_eq!(found(&index, "replica").await, ["one.txt"]);
    assert_eq!(found(&index, "o-du").await[0], "one.txt");
    assert_eq!(found(&index, "REPLICATED loads").await, ["one.txt"]);
}

#[tokio::test]
async fn the_syntax_of_the_index_is_nothing_but_words_in_a_request() {
    let place = Place::new(&[
        ("a.md", "# Scaling\n\nNear the edge, and not in the core.\n"),
        ("b.md", "nothing of that\n"),
    ]);
    let index = place.open();
    update(&index).await;
    for words in [
        "scaling AND nothing",
        "scaling NOT scaling",
        "\"scaling",
        "scaling\"\"",
        "title:scaling",
        "scal*",
        "^scaling",
        "NEAR(scaling edge, 2)",
        "scaling OR",
        "(scaling",
        "{title text}: scaling",
        "- title: scaling",
        "scaling; DROP TABLE words",
        "' OR 1=1 --",
        "scaling\0x",
        "words",
        "rank",
        "\\\"scaling\\\"",
        "+scaling",
        "AND OR NOT",
        "%_",
        "a:b:c",
    ] {
        index.find(words, 10).await.unwrap_or_else(|cause| panic!("{words}: {cause:?}"));
    }
    // Each of the words may be found: no operator left one out.
    assert_eq!(found(&index, "scaling NOT scaling").await, ["a.md"]);
    assert_eq!(found(&index, "scaling AND nothing").await.len(), 2);
    assert_eq!(found(&index, "scal*").await, Vec::<String>::new());
    assert_eq!(found(&index, "?!").await, Vec::<String>::new());
    assert_eq!(index.find("scaling", 0).await.unwrap(), []);
}

#[tokio::test]
async fn our_own_notes_answer_questions_about_such_networks() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { notes: true, ..Settings::default() };
    let index = Index::open(&folder.path().join("retrieval.db"), settings).unwrap();
    let report = update(&index).await;
    assert_eq!((report.documents, report.skipped_in_all), (NOTES.len(), 0));
    for (words, document) in [
        ("what is the sst of a urllc slice", "note:slices"),
        ("which interface carries policies to the near-rt-ric", "note:o-ran-interfaces"),
        ("enforce status of an A1 policy", "note:a1-policies"),
        ("which function joins a UE to a data network, a DNN", "note:free5gc-functions"),
        ("setter in a Kptfile", "note:packages"),
        ("can upf-fixed be replicated", "note:sample-packages"),
        ("PRB usage downlink measurement name", "note:measurements"),
    ] {
        assert_eq!(found(&index, words).await.first().map(String::as_str), Some(document), "{words}");
    }
}
