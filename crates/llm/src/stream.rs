//! Reads an answer as it comes: server-sent events, lines of JSON, or one JSON body, each however
//! the bytes were cut.

use std::borrow::Cow;
use std::io::BufRead as _;

use serde::Deserialize;

use crate::prefix::{self, Prefix};

/// A line of a stream. Deltas are words; servers that repeat the request in each line do not exist.
const MAX_LINE: usize = 256 * 1024;

/// Why the call ends before the answer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// What comes is no answer: our own judgement, the endpoint is well.
    Invalid(&'static str),
    /// What comes is no protocol.
    Broken(&'static str),
    /// The server says that it cannot, inside the stream or with status 200.
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `text/event-stream` of chat completions.
    Events,
    /// Lines of JSON, as `/api/chat` writes them.
    Lines,
    /// One JSON body, of either kind.
    Body,
}

/// What a server said, as far as it came.
#[derive(Debug)]
pub(crate) struct Reader {
    form: Form,
    /// The last line, not ended yet; or the body so far.
    line: Vec<u8>,
    /// The lines `data:` of the event so far.
    data: Vec<u8>,
    prefix: Prefix,
    /// What stands around the words of the latest message: the same around the next ones.
    frame: Option<Frame>,
    most: usize,
    pub(crate) text: String,
    pub(crate) usage: Option<Usage>,
    finish: Option<Finish>,
    done: bool,
}

/// The bytes of a message that only brings words, before and after these. A message in the same
/// frame need not be parsed: all but the words was, and said nothing.
#[derive(Debug)]
struct Frame {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Frame {
    /// Around `content`, which lies in `message`.
    fn around(message: &[u8], content: &str) -> Option<Self> {
        let from = (content.as_ptr() as usize).checked_sub(message.as_ptr() as usize)?;
        let (before, rest) = message.split_at_checked(from)?;
        let (_, after) = rest.split_at_checked(content.len())?;
        let quoted = before.ends_with(b"\"") && after.starts_with(b"\"");
        quoted.then(|| Self { before: before.to_owned(), after: after.to_owned() })
    }

    /// The words of `message`, when it has this frame and they need no unescaping or little.
    fn words<'m>(&self, message: &'m [u8]) -> Option<Cow<'m, str>> {
        let words = message.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        if words.iter().any(|byte| matches!(byte, b'\\' | b'"' | 0..0x20)) {
            let quoted = &message[self.before.len() - 1..message.len() - self.after.len() + 1];
            return serde_json::from_slice::<Text<'_>>(quoted).ok().map(|text| text.0);
        }
        std::str::from_utf8(words).ok().map(Cow::Borrowed)
    }
}

impl Reader {
    /// `most`: bytes that an answer may have.
    pub(crate) fn new(form: Form, most: usize) -> Self {
        Self {
            form,
            line: Vec::new(),
            data: Vec::new(),
            prefix: Prefix::default(),
            frame: None,
            most,
            text: String::new(),
            usage: None,
            finish: None,
            done: false,
        }
    }

    /// Takes the next bytes. `true` when nothing more needs to be read.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Result<bool, Stop> {
        if self.form == Form::Body {
            // A body holds the answer as a text inside JSON: twice its size at the most in escapes.
            if self.line.len() + bytes.len() > self.most * 2 + MAX_LINE {
                return Err(Stop::Invalid("the answer is too long"));
            }
            self.line.extend_from_slice(bytes);
            return Ok(false);
        }
        while !self.done
            && let Some(end) = end_of_line(bytes)
        {
            let (line, rest) = bytes.split_at(end);
            bytes = &rest[1..];
            if self.line.is_empty() {
                self.ended(line)?;
            } else {
                self.keep(line)?;
                let mut whole = std::mem::take(&mut self.line);
                self.ended(&whole)?;
                whole.clear();
                self.line = whole;
            }
        }
        if !self.done {
            self.keep(bytes)?;
        }
        Ok(self.done)
    }

    /// The stream ended. Whether the answer did is told by its finish reason.
    pub(crate) fn end(&mut self) -> Result<(), Stop> {
        let last = std::mem::take(&mut self.line);
        match self.form {
            Form::Body => self.payload(&last, true)?,
            _ if self.done => {}
            _ => {
                self.ended(&last)?;
                if self.form == Form::Events {
                    self.event()?;
                }
            }
        }
        match self.finish {
            Some(Finish::Stop) => {}
            Some(Finish::Length) => return Err(Stop::Invalid("the answer was cut off: it is too long")),
            Some(Finish::Other) => return Err(Stop::Invalid("the answer was withheld")),
            // Some servers end with the mark alone.
            None if self.done || self.form == Form::Body => {}
            None => return Err(Stop::Broken("the stream ended before the answer did")),
        }
        if self.prefix.is_whole() {
            Ok(())
        } else {
            Err(Stop::Invalid("the answer is not one whole JSON object"))
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if self.line.len() + bytes.len() > MAX_LINE {
            return Err(Stop::Broken("a line of the stream is too long"));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn ended(&mut self, line: &[u8]) -> Result<(), Stop> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.form {
            Form::Lines if line.iter().all(u8::is_ascii_whitespace) => Ok(()),
            Form::Lines => self.payload(line, false),
            _ if line.is_empty() => self.event(),
            _ => {
                if let Some(data) = line.strip_prefix(b"data:") {
                    if self.data.len() + data.len() > MAX_LINE {
                        return Err(Stop::Broken("an event of the stream is too long"));
                    }
                    if !self.data.is_empty() {
                        self.data.push(b'\n');
                    }
                    self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
                }
                // Names, ids and comments of events say nothing to us.
                Ok(())
            }
        }
    }

    fn event(&mut self) -> Result<(), Stop> {
        if self.data.is_empty() {
            return Ok(());
        }
        let mut data = std::mem::take(&mut self.data);
        let read = if data.trim_ascii() == b"[DONE]" {
            self.done = true;
            Ok(())
        } else {
            self.payload(&data, false)
        };
        data.clear();
        self.data = data;
        read
    }

    /// One JSON document of the protocol.
    fn payload(&mut self, bytes: &[u8], whole: bool) -> Result<(), Stop> {
        if let Some(words) = self.frame.as_ref().and_then(|frame| frame.words(bytes)) {
            return self.words(&words);
        }
        let message: Message<'_> = serde_json::from_slice(bytes)
            .map_err(|_| Stop::Broken("the endpoint does not speak the protocol"))?;
        if message.error.is_some() {
            return Err(Stop::Server);
        }
        let mut only_words = message.usage.is_none() && message.done != Some(true);
        if let Some(usage) = message.usage {
            self.usage = Some(Usage { prompt: usage.prompt_tokens, completion: usage.completion_tokens });
        }
        if message.eval_count.is_some() || message.prompt_eval_count.is_some() {
            only_words = false;
            self.usage = Some(Usage {
                prompt: message.prompt_eval_count.unwrap_or_default(),
                completion: message.eval_count.unwrap_or_default(),
            });
        }
        let known = message.choices.is_some() || message.message.is_some() || message.usage.is_some();
        if whole && !known {
            return Err(Stop::Broken("the endpoint does not speak the protocol"));
        }
        let mut finish = message.done_reason;
        let choices = message.choices.into_iter().flatten();
        let choices: Vec<Choice<'_>> = choices.filter(|choice| choice.index.unwrap_or(0) == 0).collect();
        let mut pieces: Vec<Piece<'_>> = message.message.into_iter().collect();
        for choice in choices {
            pieces.extend([choice.delta, choice.message].into_iter().flatten());
            finish = finish.or(choice.finish_reason);
        }
        only_words &= finish.is_none();
        if let [Piece { content: Some(Text(Cow::Borrowed(content))), refusal: None }] = &*pieces
            && only_words
            && !whole
        {
            self.frame = Frame::around(bytes, content);
        }
        for piece in pieces {
            if piece.refusal.is_some_and(|refusal| !refusal.0.is_empty()) {
                return Err(Stop::Invalid("the answer was withheld"));
            }
            if let Some(content) = piece.content {
                self.words(&content.0)?;
            }
        }
        if let Some(reason) = finish {
            self.finish = Some(match &*reason.0 {
                "stop" | "eos" => Finish::Stop,
                "length" => Finish::Length,
                _ => Finish::Other,
            });
        }
        self.done |= message.done == Some(true);
        Ok(())
    }

    fn words(&mut self, content: &str) -> Result<(), Stop> {
        if self.text.len() + content.len() > self.most {
            return Err(Stop::Invalid("the answer is too long"));
        }
        self.prefix.feed(content.as_bytes()).map_err(|fault| {
            Stop::Invalid(match fault {
                prefix::Fault::NoObject => "the answer must be one JSON object and nothing else",
                prefix::Fault::NoJson => "the answer is not JSON",
                prefix::Fault::TooDeep => "the answer is nested too deeply",
                prefix::Fault::OnlySpaces => "the answer has too much white space",
            })
        })?;
        self.text.push_str(content);
        Ok(())
    }
}

/// Where the first line ends. `skip_until` searches as fast as the machine can.
fn end_of_line(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let read = rest.skip_until(b'\n').ok()?;
    bytes[..read].ends_with(b"\n").then(|| read - 1)
}

/// Both protocols, streamed or not: they have no name in common that means two things.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default, borrow)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default, borrow)]
    message: Option<Piece<'a>>,
    #[serde(default)]
    done: Option<bool>,
    #[serde(default, borrow)]
    done_reason: Option<Text<'a>>,
    #[serde(default)]
    prompt_eval_count: Option<u64>,
    #[serde(default)]
    eval_count: Option<u64>,
    #[serde(default)]
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(default, borrow)]
    delta: Option<Piece<'a>>,
    #[serde(default, borrow)]
    message: Option<Piece<'a>>,
    #[serde(default, borrow)]
    finish_reason: Option<Text<'a>>,
}

/// Borrowed where nothing is escaped; an `Option<Cow>` never is.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(default, borrow)]
    content: Option<Text<'a>>,
    #[serde(default, borrow)]
    refusal: Option<Text<'a>>,
}

#[derive(Deserialize, Clone, Copy)]
struct Counts {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENTS: &str = concat!(
        ": a comment\r\n\r\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\n\n",
        "event: message\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"{\\\"a\\\": \"}}]}\r\n\r\n",
        "data: {\"choices\":[{\"index\":0,\n",
        "data: \"delta\":{\"content\":\"\\\"\u{e9}\\\"}\"}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":393,\"completion_tokens\":33}}\n\n",
        "data: [DONE]\n\n",
    );
    const LINES: &str = concat!(
        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"{\\\"a\\\": \"},\"done\":false}\n",
        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\\\"\u{e9}\\\"}\"},\"done\":false}\n",
        "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":393,\"eval_count\":33}\n",
    );
    const BODY: &str = concat!(
        "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"{\\\"a\\\": \\\"\u{e9}\\\"}\"},",
        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":393,\"completion_tokens\":33}}",
    );

    fn read(form: Form, parts: &[&[u8]]) -> Result<Reader, Stop> {
        let mut reader = Reader::new(form, 64 * 1024);
        for part in parts {
            if reader.feed(part)? {
                break;
            }
        }
        reader.end().map(|()| reader)
    }

    fn assert_read(form: Form, parts: &[&[u8]]) {
        let reader = read(form, parts).unwrap();
        assert_eq!(reader.text, "{\"a\": \"\u{e9}\"}");
        assert_eq!(reader.usage, Some(Usage { prompt: 393, completion: 33 }));
    }

    #[test]
    fn the_three_forms_give_the_same_answer() {
        for (form, text) in [(Form::Events, EVENTS), (Form::Lines, LINES), (Form::Body, BODY)] {
            assert_read(form, &[text.as_bytes()]);
        }
    }

    #[test]
    fn a_cut_answer_is_invalid_and_a_cut_stream_is_broken() {
        let cut = EVENTS.replace("\"stop\"", "\"length\"");
        assert!(matches!(read(Form::Events, &[cut.as_bytes()]), Err(Stop::Invalid(_))));
        let half = &EVENTS[..EVENTS.find("finish_reason").unwrap() - 40];
        assert!(matches!(read(Form::Events, &[half.as_bytes()]), Err(Stop::Broken(_))));
        assert!(matches!(read(Form::Body, &[&BODY.as_bytes()[..40]]), Err(Stop::Broken(_))));
        assert!(matches!(read(Form::Body, &[b"{}"]), Err(Stop::Broken(_))));
        assert!(matches!(read(Form::Lines, &[b"<html>\n"]), Err(Stop::Broken(_))));
        assert!(matches!(read(Form::Lines, &[b"{\"error\":\"no such model\"}\n"]), Err(Stop::Server)));
    }

    #[test]
    fn a_stream_without_usage_or_without_the_last_mark_is_read() {
        let odd = EVENTS.replace("data: [DONE]\n\n", "").replace(
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":393,\"completion_tokens\":33}}\n\n",
            "",
        );
        let reader = read(Form::Events, &[odd.as_bytes()]).unwrap();
        assert_eq!(reader.text, "{\"a\": \"\u{e9}\"}");
        assert_eq!(reader.usage, None);
    }

    #[test]
    fn reading_stops_at_the_first_byte_that_is_no_json_and_at_the_cap() {
        let mut reader = Reader::new(Form::Lines, 100);
        let talk = b"{\"message\":{\"content\":\"Sure! Here\"},\"done\":false}\n";
        assert!(matches!(reader.feed(talk), Err(Stop::Invalid(_))));
        let mut reader = Reader::new(Form::Lines, 100);
        assert_eq!(reader.feed(b"{\"message\":{\"content\":\"{\\\"a\\\":\\\"\"}}\n"), Ok(false));
        let more = b"{\"message\":{\"content\":\"aaaaaaaaaaaaaaaaaaaaaaaaa\"}}\n".repeat(4);
        assert_eq!(reader.feed(&more), Err(Stop::Invalid("the answer is too long")));
        let mut reader = Reader::new(Form::Events, 100);
        assert!(matches!(reader.feed(&vec![b'a'; MAX_LINE + 1]), Err(Stop::Broken(_))));
    }

    #[test]
    fn words_in_a_known_frame_are_read_as_if_they_were_parsed() {
        let event = |content: &str| {
            format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}}}}]}}\n\n")
        };
        let head = [event("{"), event("\\\"a\\\":"), event(" \\\"b\\u00e9")].concat();
        let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
        let reader = read(Form::Events, &[[&*head, &event("\\\"}"), end].concat().as_bytes()]).unwrap();
        assert_eq!(reader.text, "{\"a\": \"b\u{e9}\"}");
        // A quote that ends the words early makes another message, whatever stands around it.
        let trick = event("x\"}}],\"error\":[{\"a\":{\"b\":\"");
        assert_eq!(read(Form::Events, &[[&*head, &trick].concat().as_bytes()]).unwrap_err(), Stop::Server);
        let broken = event("x\"y");
        assert!(matches!(read(Form::Events, &[[&*head, &broken].concat().as_bytes()]), Err(Stop::Broken(_))));
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_answer_is_the_same(
            cuts in proptest::collection::vec(0usize..1000, 0..12), form in 0..3
        ) {
            let (form, text) = [(Form::Events, EVENTS), (Form::Lines, LINES), (Form::Body, BODY)][form as usize];
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % text.len()).collect();
            cuts.sort_unstable();
            cuts.push(text.len());
            let mut parts = Vec::new();
            let mut from = 0;
            for cut in cuts {
                parts.push(&text.as_bytes()[from..cut]);
                from = cut;
            }
            assert_read(form, &parts);
        }

        #[test]
        fn however_the_bytes_are_cut_the_fault_is_the_same(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'{'), Just(b'}'), Just(b'"'), any::<u8>()], 0..64),
            at in 0usize..64, form in 0..3
        ) {
            let form = [Form::Events, Form::Lines, Form::Body][form as usize];
            let at = at.min(bytes.len());
            let whole = read(form, &[&bytes]).map(|reader| reader.text);
            let parts = read(form, &[&bytes[..at], &bytes[at..]]).map(|reader| reader.text);
            prop_assert_eq!(whole, parts);
        }
    }
}
