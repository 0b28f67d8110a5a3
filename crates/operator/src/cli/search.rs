//! search: passages of documents, offline.

use nephoran_retrieve::{Error, Found, Index, Report};
use tokio_util::sync::CancellationToken;

use super::args::{Common, Output, Search, Settings};
use super::exit::{Exit, Failure};
use super::text::{escape, escape_lines, shorten};
use super::{configure, note, show};
use crate::config::Config;
use crate::outgoing;
use crate::translate::passages;

pub fn run(common: &Common, options: &Search) -> Result<Exit, Failure> {
    let settings =
        Settings { config: options.config.clone(), data: options.data.clone(), ..Settings::default() };
    let config = configure::load(&settings)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(super::no_runtime)?;
    let words = options.text.join(" ");
    let found = runtime.block_on(search(&config, &words, options.most.into()));
    runtime.shutdown_background();
    let found = found?;
    if found.is_empty() {
        note("no passage holds any of these words");
    }
    let value = serde_json::to_value(&found).expect("passages are texts and numbers");
    show::answer(common, &value, |_| people(&found, common.output == Some(Output::Wide)))
}

async fn search(config: &Config, words: &str, most: usize) -> Result<Vec<Found>, Failure> {
    // Without a data folder none is made: looking something up leaves nothing behind.
    let clients = outgoing::clients(config)?;
    let passing = (!config.data.is_dir()).then(tempfile::tempdir).transpose().map_err(no_index)?;
    let index = match &passing {
        Some(folder) => {
            Index::open(&folder.path().join("retrieval.db"), passages::settings(config, &clients))
        }
        None => passages::open(config, &clients),
    };
    let index = index.map_err(no_index)?;
    match index.update(&CancellationToken::new()).await {
        Ok(report) => tell(&report),
        // An operator runs and keeps it.
        Err(Error::KeptElsewhere) => {}
        Err(cause) => return Err(no_index(cause)),
    }
    index.find(words, most).await.map_err(no_index)
}

fn tell(report: &Report) {
    if let Some(trouble) = &report.trouble {
        note(&format!("the folder of documents cannot be read: {trouble}"));
    }
    if let Some(reason) = &report.words_alone {
        note(&format!("found by words alone: {reason}"));
    }
    for skipped in report.skipped.iter().take(5) {
        note(&format!("not indexed: {}: {}", escape(&skipped.document), skipped.reason));
    }
    if report.skipped_in_all > 5 {
        note(&format!("not indexed: {} more", report.skipped_in_all - 5));
    }
}

fn no_index(cause: impl std::error::Error) -> Failure {
    let mut failure = Failure::new(Exit::Environment, "search the documents").cause(&cause);
    if let Some(source) = cause.source() {
        failure = failure.cause(source);
    }
    failure
        .try_("the index follows from the documents: delete retrieval.db in the data folder, it is made anew")
}

fn people(found: &[Found], wide: bool) -> String {
    let mut text = String::new();
    for (rank, passage) in found.iter().enumerate() {
        text.push_str(&format!("{}. {}\n", rank + 1, escape(&passage.title)));
        text.push_str(&format!("   {}\n", escape(if wide { &passage.id } else { &passage.document })));
        let lines = passage.text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        for line in lines.take(if wide { usize::MAX } else { 4 }) {
            let line = if wide { escape_lines(line) } else { shorten(&escape(line), 100) };
            text.push_str(&format!("   | {line}\n"));
        }
    }
    text
}
