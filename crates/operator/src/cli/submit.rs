//! submit: send an intent, and follow it if asked.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use nephoran_model::intent::State;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::args::{Common, Submit};
use super::client::{Client, Sent};
use super::exit::{Exit, Failure, colour_wanted};
use super::read::path;
use super::text::{escape, shorten};
use super::watch::{is_id, standing};
use super::{note, show};

/// More than the server takes; the rest is not worth reading.
const LONGEST: u64 = 1024 * 1024;

pub async fn run(client: &Client, common: &Common, options: Submit) -> Result<Exit, Failure> {
    let inputs = inputs(&options)?;
    let several = inputs.len() > 1;
    if several && options.idempotency_key.is_some() {
        return Err(Failure::new(Exit::Usage, "submit the files")
            .cause("one --idempotency-key cannot stand for several intents")
            .try_("send them one by one, each with its own key"));
    }
    let mut worst = Exit::Done;
    let mut failed = 0;
    for input in &inputs {
        match one(client, common, &options, input).await {
            Ok(exit) => worst = worst.max(exit),
            Err(failure) if several => {
                failure.cause(format!("in {}", input.name)).print();
                failed += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
    if failed > 0 {
        return Err(Failure::new(Exit::InputsFailed, format!("submit {} files", inputs.len()))
            .cause(format!("{failed} of them failed; the others were sent"))
            .try_("correct those and send them again"));
    }
    Ok(worst)
}

struct Input {
    name: String,
    bytes: Vec<u8>,
    is_json: bool,
}

fn inputs(options: &Submit) -> Result<Vec<Input>, Failure> {
    if !options.file.is_empty() {
        return options.file.iter().map(|file| from_file(file)).collect();
    }
    let is_dash = matches!(options.text.as_slice(), [only] if only == "-");
    if is_dash || (options.text.is_empty() && !std::io::stdin().is_terminal()) {
        let bytes = read("standard input", std::io::stdin().lock())?;
        let is_json = begins_json(&bytes);
        return Ok(vec![Input { name: "standard input".into(), bytes, is_json }]);
    }
    let text = options.text.join(" ");
    if text.trim().is_empty() {
        return Err(Failure::new(Exit::Usage, "submit the intent")
            .cause("it says nothing")
            .try_("nephoran submit \"scale upf to 5 in ns ran-a\"")
            .try_("nephoran submit -f FILE, or - for standard input"));
    }
    Ok(vec![Input { name: "the command line".into(), bytes: text.into_bytes(), is_json: false }])
}

fn from_file(file: &Path) -> Result<Input, Failure> {
    let name = file.display().to_string();
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if matches!(extension, "yaml" | "yml") {
        return Err(Failure::new(Exit::Usage, format!("submit {name}"))
            .cause("a file to submit holds words or JSON, not YAML")
            .try_("put it into the hot folder, or give the words as text"));
    }
    let opened = std::fs::File::open(file).map_err(|source| {
        Failure::new(Exit::Usage, format!("read {name}")).cause(source).try_("-f takes a readable file")
    })?;
    let bytes = read(&name, opened)?;
    let is_json = extension == "json" || begins_json(&bytes);
    Ok(Input { name, bytes, is_json })
}

fn read(name: &str, from: impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    from.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|source| {
        Failure::new(Exit::Usage, format!("read {name}")).cause(source).try_("give a readable file")
    })?;
    if bytes.len() as u64 > LONGEST {
        return Err(Failure::new(Exit::Usage, format!("read {name}"))
            .cause("it is over 1 MiB; at most 256 KiB are accepted")
            .try_("split it into several intents"));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Failure::new(Exit::Usage, format!("read {name}"))
            .cause("it is empty")
            .try_("give an intent"));
    }
    Ok(bytes)
}

fn begins_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// The request as it is sent. Bytes of a file go out as they are wherever that is possible: the
/// server, not we, is to judge them.
fn request(options: &Submit, input: &Input) -> Result<Sent, Failure> {
    let mut beside = Map::new();
    if let Some(priority) = options.priority {
        beside.insert("priority".into(), json!(priority.as_str()));
    }
    if options.dry_run {
        beside.insert("dry_run".into(), json!(true));
    }
    if options.ticket.is_some() || options.reason.is_some() {
        let mut change = Map::new();
        change.extend(options.ticket.clone().map(|ticket| ("ticket".to_owned(), json!(ticket))));
        change.extend(options.reason.clone().map(|reason| ("reason".to_owned(), json!(reason))));
        beside.insert("change".into(), Value::Object(change));
    }
    let idempotency_key = options.idempotency_key.clone();
    let sent = |bytes: Vec<u8>, kind| Sent { bytes, kind, idempotency_key };
    if !input.is_json {
        let text = String::from_utf8(input.bytes.clone()).map_err(|_| {
            Failure::new(Exit::Usage, format!("read {}", input.name))
                .cause("it is not UTF-8")
                .try_("save it as UTF-8")
        })?;
        let text = text.trim_end_matches(['\n', '\r']).trim_start_matches('\u{feff}');
        if beside.is_empty() {
            return Ok(sent(text.as_bytes().to_vec(), "text/plain; charset=utf-8"));
        }
        beside.insert("text".into(), json!(text));
        return Ok(sent(Value::Object(beside).to_string().into_bytes(), "application/json"));
    }
    let bytes = input.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&input.bytes);
    let wrapper = match serde_json::from_slice::<Map<String, Value>>(bytes) {
        // What is broken is the server's to explain.
        Err(_) => None,
        Ok(object) if ["text", "proposal", "intent"].iter().any(|key| object.contains_key(*key)) => {
            if beside.is_empty() {
                None
            } else {
                return with_members(input, object, beside).map(|bytes| sent(bytes, "application/json"));
            }
        }
        Ok(object) if object.contains_key("outcome") => Some("proposal"),
        Ok(object) if object.contains_key("intent_type") => Some("intent"),
        Ok(object) if object.contains_key("kind") => {
            return Err(Failure::new(Exit::Usage, format!("submit {}", input.name))
                .cause("this version takes no Kubernetes objects here")
                .try_("send the words, a proposal or an intent: nephoran schema intent|proposal"));
        }
        Ok(_) => None,
    };
    let Some(wrapper) = wrapper else { return Ok(sent(bytes.to_vec(), "application/json")) };
    // Around the very bytes, so that nothing of them is lost: duplicate keys are seen by the server.
    let mut whole = Value::Object(beside).to_string().into_bytes();
    whole.pop();
    if whole.len() > 1 {
        whole.push(b',');
    }
    whole.extend_from_slice(format!("\"{wrapper}\":").as_bytes());
    whole.extend_from_slice(bytes);
    whole.push(b'}');
    Ok(sent(whole, "application/json"))
}

/// Options beside a whole submission: what both say would be ambiguous.
fn with_members(
    input: &Input,
    mut object: Map<String, Value>,
    beside: Map<String, Value>,
) -> Result<Vec<u8>, Failure> {
    for (key, value) in beside {
        if object.get(&key).is_some_and(|there| !there.is_null() && *there != value) {
            return Err(Failure::new(Exit::Usage, format!("submit {}", input.name))
                .cause(format!("the file and the command line both say {key}, and differ"))
                .try_("leave it out in one of them"));
        }
        object.insert(key, value);
    }
    Ok(Value::Object(object).to_string().into_bytes())
}

async fn one(client: &Client, common: &Common, options: &Submit, input: &Input) -> Result<Exit, Failure> {
    let sent = request(options, input)?;
    let doing = if options.dry_run { "plan the intent" } else { "submit the intent" };
    let answer = client.post(doing, "/api/v1/intents", sent).await?;
    if options.dry_run {
        return dry_run(common, &answer);
    }
    let id = show::field(&answer, "/id");
    if !is_id(&id) {
        return Err(Failure::new(Exit::NotReachable, doing)
            .cause("the answer names no intent: another program may listen there")
            .try_("name the operator with --server"));
    }
    if options.wait {
        let record = follow(client, &id, options.timeout).await?;
        return told(common, &record);
    }
    show::answer(common, &answer, |wide| {
        let state = show::field(&answer, "/state");
        let mut text = format!("{} accepted ({})\n", escape(&id), escape(&state));
        if wide {
            text.push_str(&format!("position {}\n", escape(&show::field(&answer, "/position"))));
        }
        text.push_str(&format!("next: nephoran watch {0}, nephoran get {0}\n", escape(&id)));
        text
    })
}

fn dry_run(common: &Common, answer: &Value) -> Result<Exit, Failure> {
    let state = State::parse(&show::field(answer, "/state"));
    show::answer(common, answer, |wide| {
        let mut text = String::new();
        if answer["plan"].is_object() {
            let colour = std::io::stdout().is_terminal() && colour_wanted();
            text.push_str(&show::plan(&answer["plan"], wide, colour));
            text.push('\n');
        }
        let mut say = |title: &str, said: String| {
            if !said.is_empty() {
                text.push_str(&format!("{title:<10} {}\n", escape(&said)));
            }
        };
        say("answer", show::field(answer, "/answer"));
        say("question", show::field(answer, "/question"));
        text.push_str(&show::findings(&answer["findings"]));
        let would = match state {
            Some(State::Applying) => "it would be committed".to_owned(),
            Some(State::Applied) => "it is so already: nothing would be committed".to_owned(),
            Some(State::AwaitingApproval) => "it would wait for approval".to_owned(),
            Some(State::NeedsAnswer) => "it would ask back".to_owned(),
            Some(State::Refused) => "it would be refused".to_owned(),
            Some(State::Planned) => "it would be held".to_owned(),
            Some(State::Answered) => "it would be answered, and change nothing".to_owned(),
            _ => format!("it would be {}", show::field(answer, "/state")),
        };
        text.push_str(&format!("dry run    {}; nothing was stored\n", escape(&would)));
        text
    })?;
    Ok(state.map_or(Exit::Environment, Exit::of))
}

fn told(common: &Common, record: &Value) -> Result<Exit, Failure> {
    show::answer(common, record, |wide| show::record(record, wide, Timestamp::now()))?;
    Ok(standing(record).map_or(Exit::Environment, |(state, _)| Exit::of(state)))
}

/// An intent is carried out in milliseconds; a translation by a model takes seconds.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_millis(500);

/// Reads the record until it rests.
async fn follow(client: &Client, id: &str, timeout: Duration) -> Result<Value, Failure> {
    let progress = Progress::new();
    let until = Instant::now() + timeout;
    let mut pause = FIRST_LOOK;
    let mut shown = 0;
    loop {
        let record = match client.get(&format!("follow {id}"), &path(id, "")).await {
            Ok(record) => record,
            // It is accepted already: that we look too often is no reason to give it up.
            Err(failure) if failure.exit == Exit::Refused && Instant::now() < until => {
                tokio::time::sleep(LAST_LOOK.min(until - Instant::now())).await;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let moves = record["history"].as_array().map(Vec::as_slice).unwrap_or_default();
        for step in moves.iter().skip(shown) {
            progress.moved(&show::field(step, "/state"), &show::field(step, "/cause"));
            pause = FIRST_LOOK;
        }
        shown = moves.len();
        let Some((state, rests)) = standing(&record) else {
            return Err(Failure::new(Exit::NotReachable, format!("follow {id}"))
                .cause("the answer names no state that is known here")
                .try_("use the program of the server's version"));
        };
        if rests {
            progress.done();
            return Ok(record);
        }
        if Instant::now() >= until {
            progress.done();
            return Err(Failure::new(Exit::NotReachable, format!("follow {id}"))
                .cause(format!("after {} s it is still {state}; it goes on without us", timeout.as_secs()))
                .try_(format!("nephoran watch {id}")));
        }
        tokio::time::sleep(pause.min(until - Instant::now())).await;
        pause = (pause * 2).min(LAST_LOOK);
    }
}

/// A spinner on a terminal, a line per move elsewhere; both on standard error.
enum Progress {
    Spinner(ProgressBar),
    Lines,
}

impl Progress {
    fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines;
        }
        let bar = ProgressBar::new_spinner();
        let template = if colour_wanted() { "{spinner:.cyan} {msg}" } else { "{spinner} {msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self::Spinner(bar)
    }

    fn moved(&self, state: &str, cause: &str) {
        let line = format!("{state:<17} {cause}");
        match self {
            Self::Spinner(bar) => bar.set_message(shorten(&escape(&line), 100)),
            Self::Lines => note(line.trim_end()),
        }
    }

    fn done(&self) {
        if let Self::Spinner(bar) = self {
            bar.finish_and_clear();
        }
    }
}
