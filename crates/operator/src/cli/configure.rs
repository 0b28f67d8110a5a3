//! config check and explain.

use super::args::{Common, ConfigCheck, Output, Settings};
use super::exit::{Exit, Failure};
use super::text::{escape, shorten, table};
use super::{out, show};
use crate::config::{self, Config};

/// The configuration that `up` would run with.
pub fn load(settings: &Settings) -> Result<Config, Failure> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    Ok(config::load(&settings.flags(), environment, settings.config.as_deref())?)
}

pub fn check(options: &ConfigCheck) -> Result<Exit, Failure> {
    let mut settings = options.settings.clone();
    if options.file.is_some() {
        settings.config = options.file.clone();
    }
    let config = load(&settings)?;
    let what = match &settings.config {
        Some(file) => file.display().to_string(),
        None => "the configuration without a file".to_owned(),
    };
    let mut text = format!("{} is valid\n", escape(&what));
    for note in &config.notes {
        text.push_str(&format!("note: {}\n", escape(note)));
    }
    if let Err(error) = config.check_machine() {
        for fault in error.faults {
            text.push_str(&format!("note: {}\n", escape(&fault.message)));
        }
    }
    out(&text)
}

pub fn explain(common: &Common, settings: &Settings) -> Result<Exit, Failure> {
    let config = load(settings)?;
    let rows = config.explain();
    let value = serde_json::to_value(&rows).expect("rows are texts");
    if let Some(Output::Json | Output::Yaml) = common.output {
        return show::answer(common, &value, |_| String::new());
    }
    let wide = common.output == Some(Output::Wide);
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let origin = match &row.set_by {
                Some(by) => format!("{} ({by})", row.origin),
                None => row.origin.to_owned(),
            };
            let shown = if wide { row.shown.clone() } else { shorten(&row.shown, 32) };
            let meaning = match &row.implies {
                Some(implies) => format!("{} -> {implies}", row.meaning),
                None => row.meaning.to_owned(),
            };
            let mut cells = vec![row.key.to_owned(), shown, origin];
            if wide {
                cells.extend([row.default.to_owned(), row.variable.clone()]);
            }
            cells.push(meaning);
            cells
        })
        .collect();
    let head: &[&str] = if wide {
        &["KEY", "VALUE", "ORIGIN", "DEFAULT", "VARIABLE", "MEANING -> WHAT IT IMPLIES"]
    } else {
        &["KEY", "VALUE", "ORIGIN", "MEANING -> WHAT IT IMPLIES"]
    };
    let mut text = table(head, &cells);
    for note in &config.notes {
        text.push_str(&format!("note: {}\n", escape(note)));
    }
    out(&text)
}
