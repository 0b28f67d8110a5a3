//! translate: one proposal per input line, one line out per line in.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};

use nephoran_llm::{Ask, Known, ModelTranslator};
use nephoran_model::proposal::Proposal;
use serde_json::Value;

use super::args::{Common, Output, Settings, Translate, Translator};
use super::configure;
use super::exit::{Exit, Failure};
use super::text::{escape, escape_json};
use crate::outgoing;

pub fn run(common: &Common, options: &Translate) -> Result<Exit, Failure> {
    let asks = match options.translator {
        Translator::Grammar => None,
        Translator::Model => Some(Model::configured(options)?),
    };
    let mut read = 0;
    let mut failed: Vec<usize> = Vec::new();
    let mut unanswered: Vec<String> = Vec::new();
    let mut output = std::io::BufWriter::with_capacity(256 * 1024, std::io::stdout().lock());
    let people = matches!(common.output, Some(Output::Table | Output::Wide));
    let is_jsonl = options
        .file
        .as_ref()
        .is_some_and(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    let done = lines(options, |line| {
        read += 1;
        let text = if is_jsonl { field(line) } else { Ok(line.to_owned()) };
        match text {
            Ok(text) => {
                let proposal = match &asks {
                    None => Ok(nephoran_grammar::translate(&text)),
                    Some(model) => model.translate(&text),
                };
                match proposal {
                    Ok(proposal) => print(&mut output, &proposal, people),
                    Err(reason) => {
                        unanswered.push(format!("line {read}: {reason}"));
                        let told = serde_json::json!({"error": reason});
                        writeln!(output, "{told}")
                    }
                }
            }
            Err(reason) => {
                failed.push(read);
                let told = serde_json::json!({"error": reason});
                writeln!(output, "{told}")
            }
        }
    });
    match done.and_then(|()| output.flush().map_err(Trouble::Write)) {
        Ok(()) => {}
        Err(Trouble::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            return Ok(Exit::Done);
        }
        Err(Trouble::Write(error)) => {
            return Err(Failure::new(Exit::Environment, "write the proposals")
                .cause(error)
                .try_("make room where the output goes"));
        }
        Err(Trouble::Read(failure)) => return Err(failure),
    }
    if let Some(first) = unanswered.first() {
        let count = unanswered.len();
        return Err(Failure::new(Exit::InputsFailed, format!("translate {count} of {read} lines"))
            .cause(first)
            .try_("nephoran doctor says whether the model can be asked, and what to change"));
    }
    if failed.is_empty() {
        return Ok(Exit::Done);
    }
    let shown: Vec<String> = failed.iter().take(5).map(ToString::to_string).collect();
    Err(Failure::new(Exit::InputsFailed, format!("translate {} of {read} lines", failed.len()))
        .cause(format!("no JSON object with a text in line {}", shown.join(", ")))
        .try_("give each line as {\"text\": \"...\"}, or words in a file that does not end in .jsonl"))
}

/// The language model of the configuration, asked one request after another.
struct Model {
    runtime: tokio::runtime::Runtime,
    translator: ModelTranslator,
}

impl Model {
    fn configured(options: &Translate) -> Result<Self, Failure> {
        let settings = Settings { config: options.config.clone(), ..Settings::default() };
        let config = configure::load(&settings)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(super::no_runtime)?;
        let _inside = runtime.enter();
        let clients = outgoing::clients(&config).map_err(|cause| wrong(&cause))?;
        let translator = outgoing::model(&config, &clients, None).map_err(|cause| wrong(&cause))?;
        let Some(translator) = translator else {
            return Err(Failure::new(Exit::Environment, "translate with a language model")
                .cause("the configuration names none")
                .try_("set translate.order: [grammar, model] and translate.model in a file, and give it with --config"));
        };
        drop(_inside);
        Ok(Self { runtime, translator })
    }

    fn translate(&self, words: &str) -> Result<Proposal, String> {
        let ask = Ask { words, answers: &[], identity: "local", deadline: None, known: Known::default() };
        let understood = self.runtime.block_on(self.translator.translate(&ask));
        understood.map(|understood| understood.proposal).map_err(|cause| cause.to_string())
    }
}

fn wrong(cause: &anyhow::Error) -> Failure {
    Failure::new(Exit::Environment, "set up the language model")
        .cause(format!("{cause:#}"))
        .try_("nephoran config check, then nephoran doctor")
}

enum Trouble {
    Read(Failure),
    Write(std::io::Error),
}

/// Calls `each` with every line of the input, without its end.
fn lines(options: &Translate, mut each: impl FnMut(&str) -> std::io::Result<()>) -> Result<(), Trouble> {
    if let Some(file) = &options.file {
        let opened = std::fs::File::open(file).map_err(|source| {
            Trouble::Read(
                Failure::new(Exit::Usage, format!("read {}", file.display()))
                    .cause(source)
                    .try_("--file takes a readable text file, or use - for standard input"),
            )
        })?;
        return feed(opened, &file.display().to_string(), each);
    }
    let is_dash = matches!(options.text.as_slice(), [only] if only == "-");
    if is_dash || (options.text.is_empty() && !std::io::stdin().is_terminal()) {
        return feed(std::io::stdin().lock(), "standard input", each);
    }
    if options.text.is_empty() {
        return Err(Trouble::Read(
            Failure::new(Exit::Usage, "translate")
                .cause("there is nothing to translate")
                .try_("nephoran translate \"scale upf to 5 in ns ran-a\"")
                .try_("nephoran translate --file FILE, or - for standard input"),
        ));
    }
    let text = options.text.join(" ");
    // A text of no lines is one empty request.
    if text.is_empty() {
        return each("").map_err(Trouble::Write);
    }
    text.lines().try_for_each(each).map_err(Trouble::Write)
}

fn feed(
    from: impl Read,
    name: &str,
    mut each: impl FnMut(&str) -> std::io::Result<()>,
) -> Result<(), Trouble> {
    let mut reader = BufReader::with_capacity(256 * 1024, from);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(|source| {
            Trouble::Read(
                Failure::new(Exit::Environment, format!("read {name}"))
                    .cause(source)
                    .try_("give a readable text file"),
            )
        })?;
        if length == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        // What is no UTF-8 becomes U+FFFD, and the grammar asks about that.
        each(&String::from_utf8_lossy(&line)).map_err(Trouble::Write)?;
    }
}

fn field(line: &str) -> Result<String, &'static str> {
    match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(mut object)) => match object.remove("text") {
            Some(Value::String(text)) => Ok(text),
            _ => Err("the object has no text"),
        },
        Ok(_) => Err("not an object"),
        Err(_) => Err("not JSON"),
    }
}

fn print(output: &mut impl Write, proposal: &Proposal, people: bool) -> std::io::Result<()> {
    if !people {
        let line = serde_json::to_string(proposal).map_err(std::io::Error::other)?;
        return writeln!(output, "{}", escape_json(line));
    }
    let value = serde_json::to_value(proposal).map_err(std::io::Error::other)?;
    let said = |pointer: &str| super::show::field(&value, pointer);
    let line = match said("/outcome").as_str() {
        "actions" => {
            let actions = value["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
            let shown: Vec<String> = actions.iter().map(ToString::to_string).collect();
            format!("actions   {}", shown.join("  "))
        }
        "clarify" => {
            let missing = value["missing"].as_array().map(Vec::as_slice).unwrap_or_default();
            let missing: Vec<&str> = missing.iter().filter_map(Value::as_str).collect();
            format!("clarify   {}: {}", missing.join(", "), said("/question"))
        }
        _ => format!("refuse    {}: {}", said("/reason"), said("/explanation")),
    };
    writeln!(output, "{}", escape(&line))
}
