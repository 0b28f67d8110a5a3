//! Logs on standard error: pretty on a terminal, else JSON, one object per line whatever a
//! client sends.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

/// Of the subscriber that this process logs with.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Changes what is logged from now on. `false` when `log` is no filter: the old one stays.
pub fn set_filter(log: &str) -> bool {
    let Ok(filter) = EnvFilter::try_new(log) else { return false };
    FILTER.get().is_some_and(|handle| handle.reload(filter).is_ok())
}

/// Starts logging for this process. `log` is the configuration's `telemetry.log`.
/// A second call changes nothing: tests start several operators in one process.
pub fn start(log: &str) {
    let filter = EnvFilter::try_new(log)
        .unwrap_or_else(|_| EnvFilter::default().add_directive(LevelFilter::INFO.into()));
    let (filter, handle) = reload::Layer::new(filter);
    let terminal = io::stderr().is_terminal();
    let registry = tracing_subscriber::registry();
    let started = if terminal {
        registry.with(pretty(io::stderr, colour()).with_filter(filter)).try_init()
    } else {
        registry.with(json(io::stderr).with_filter(filter)).try_init()
    };
    // The one error is that a subscriber is already there; then its filter is the one that acts.
    if started.is_ok() {
        let _ = FILTER.set(handle);
    }
}

fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn json<W>(writer: W) -> impl Layer<Registry> + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(writer)
}

fn pretty<W>(writer: W, colour: bool) -> impl Layer<Registry> + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The formatter must not colour: its escape sequences could not be told from a client's.
    let writer = Escaping { inner: writer, colour };
    tracing_subscriber::fmt::layer().compact().with_ansi(false).with_target(false).with_writer(writer)
}

/// Makes control and bidirectional characters of data visible; a terminal obeys them.
struct Escaping<W> {
    inner: W,
    colour: bool,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Escaping<W> {
    type Writer = EscapingLine<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        EscapingLine { inner: self.inner.make_writer(), colour: self.colour }
    }
}

struct EscapingLine<W> {
    inner: W,
    colour: bool,
}

impl<W: Write> Write for EscapingLine<W> {
    /// The formatter writes one whole event at a time, its line end last.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let (event, end) = match text.strip_suffix('\n') {
            Some(event) => (event, "\n"),
            None => (text.as_ref(), ""),
        };
        let shown = crate::cli::escape(event);
        let shown = if self.colour { colour_level(&shown) } else { shown };
        self.inner.write_all(shown.as_bytes())?;
        self.inner.write_all(end.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// An event begins with its time and its level.
fn colour_level(event: &str) -> String {
    const COLOURS: [(&str, &str); 5] =
        [("ERROR", "31"), ("WARN", "33"), ("INFO", "32"), ("DEBUG", "34"), ("TRACE", "35")];
    let level = event.split_whitespace().nth(1).unwrap_or_default();
    match COLOURS.iter().find(|(name, _)| *name == level) {
        Some((name, code)) => event.replacen(name, &format!("\u{1b}[{code}m{name}\u{1b}[0m"), 1),
        None => event.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    impl Kept {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    const HOSTILE: &str =
        "a\nb\r\n{\"level\":\"ERROR\"}\u{1b}[31mred\u{1b}]0;title\u{7}\u{202e}evil\u{0}\u{85}\u{2028}";

    #[test]
    fn each_event_is_one_json_object_on_one_line_whatever_a_client_sends() {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::registry().with(json(kept.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(intent = HOSTILE, "{HOSTILE}");
            tracing::warn!(attempt = 2, "The store did not answer.");
        });
        let text = kept.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        let first: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(first["level"], "INFO");
        assert_eq!(first["intent"], HOSTILE);
        let second: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
        assert_eq!(second["attempt"], 2);
        assert_eq!(second["message"], "The store did not answer.");
    }

    #[test]
    fn on_a_terminal_a_client_cannot_colour_or_break_a_line() {
        for colour in [false, true] {
            let kept = Kept::default();
            let subscriber = tracing_subscriber::registry().with(pretty(kept.clone(), colour));
            tracing::subscriber::with_default(subscriber, || {
                tracing::info!(words = HOSTILE, shown = %HOSTILE, "{HOSTILE}");
            });
            let text = kept.text();
            assert_eq!(text.matches('\n').count(), 1, "{text:?}");
            for forbidden in
                ["\u{1b}[31mred", "\u{1b}]", "\u{202e}", "\u{7}", "\u{0}", "\u{85}", "\u{2028}", "\r"]
            {
                assert!(!text.contains(forbidden), "{forbidden:?} in {text:?}");
            }
            assert_eq!(text.contains('\u{1b}'), colour, "{text:?}");
        }
    }
}
