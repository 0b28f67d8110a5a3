//! Every key with its value, where that came from, what it means and what it implies.

use nephoran_http::Numbers;
use nephoran_queue::Band;
use nephoran_worker::places;
use serde::Serialize;

use super::yaml::{self, Value};
use super::{Config, KEYS, Support, variable};
use crate::reconcile::flow;

/// One line of `config explain`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub key: &'static str,
    pub value: serde_json::Value,
    /// `default`, `file`, `environment` or `flag`.
    pub origin: &'static str,
    /// The variable or flag that set it; the line of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// The variable that would set it.
    pub variable: String,
    pub default: &'static str,
    pub meaning: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implies: Option<String>,
    /// The value on one line, for the table.
    #[serde(skip)]
    pub shown: String,
}

/// A queue entry holds key, band and deadline, and its place in two indexes.
const BYTES_PER_PLACE: usize = 256;

impl Config {
    pub fn explain(&self) -> Vec<Row> {
        let off = self.entries.get("limits");
        KEYS.iter()
            .map(|key| {
                let entry = &self.entries[key.path];
                let switched_off = off.filter(|_| key.path.starts_with("limits."));
                let entry = switched_off.unwrap_or(entry);
                let mut value = entry.node.value.clone();
                mask(&mut value);
                let set_by = match entry.origin {
                    super::Origin::Default => None,
                    super::Origin::File => {
                        entry.node.place.map(|place| format!("{}:{}", self.sources.name, place.line))
                    }
                    super::Origin::Environment | super::Origin::Flag => Some(entry.by.clone()),
                };
                Row {
                    key: key.path,
                    shown: value.to_string(),
                    value: value.to_json(),
                    origin: entry.origin.as_str(),
                    set_by,
                    variable: variable(key.path),
                    default: key.default,
                    meaning: key.meaning,
                    implies: self.implies(key.path).or(match key.support {
                        Support::Full => None,
                        Support::Missing(lacks) => Some(format!("this version does not have {lacks} yet")),
                        Support::Note(note) => Some(note.to_owned()),
                    }),
                }
            })
            .collect()
    }

    fn implies(&self, path: &str) -> Option<String> {
        let said = match path {
            "listen" if self.listen.port() == 0 => "any free port; the line `listening on` names it".into(),
            "listen" => format!("reachable from this machine only, at http://{}", self.listen),
            "data" => format!("the store is {}", self.data.join("nephoran.db").display()),
            "hot_folder.path" if self.hot_folder.path.is_none() => "no hot folder".into(),
            "hot_folder.as" if self.hot_folder.as_.is_none() => "files act for `local`".into(),
            "handoff" if self.handoff.is_none() => {
                "POST /intent names a hand-off file but writes none".into()
            }
            "packages.repositories" => {
                let made = self.packages.repositories.iter().filter(|one| one.url.is_none()).count();
                match made {
                    0 => format!("{} read and written where they are", self.packages.repositories.len()),
                    _ => "one is made in the data folder, empty".into(),
                }
            }
            "limits.client.burst" => self.regained(|rates| rates.client)?,
            "limits.global.burst" => self.regained(|rates| rates.global)?,
            "limits.trusted_proxies" if self.limits.trusted_proxies.is_empty() => {
                "a client is the address that connects; X-Forwarded-For is not read".into()
            }
            "retrieve.folder" => {
                let index = self.data.join("retrieval.db");
                format!("indexed in {}, which may be deleted: it is made anew", index.display())
            }
            "retrieve.embeddings.endpoint" if self.retrieve.embeddings.is_none() => {
                "passages are found by words alone".into()
            }
            "limits.live" if self.limits.live.is_none() => "unlimited".into(),
            "queue.total" => {
                let from = |band| self.queue.refused_from(band);
                format!(
                    "about {} of memory when full; refused: low from {}, normal from {}, high from {}, urgent at {}",
                    size(self.queue.total * BYTES_PER_PLACE),
                    from(Band::Low),
                    from(Band::Normal),
                    from(Band::High),
                    from(Band::Urgent),
                )
            }
            "queue.bands" => match self.queue.bands {
                [None, None, None, None] => {
                    "the four bands share all places; claims are shared 8:4:2:1".into()
                }
                _ => "a bounded band refuses beyond its own bound too".into(),
            },
            "workers.min" => match &self.translate.model {
                None => "no language model is configured: workers are made when there is work".into(),
                Some(_) => format!(
                    "{} may ask the language model at the same time at first; more while it keeps up, fewer when it does not",
                    self.workers.min
                ),
            },
            "workers.max" => format!(
                "up to {0} intents are planned at the same time, and up to {0} asked of a language model; {1}",
                self.workers.max,
                channels(self.workers.max),
            ),
            "http.allow" if self.http.allow.is_empty() => {
                "loopback, private, link-local and metadata addresses are not called".into()
            }
            "http.ca_file" if self.http.ca_file.is_none() => "the machine's authorities are trusted".into(),
            "http.danger_accept_invalid_certs" if self.http.danger_accept_invalid_certs => {
                "DANGER: anyone can stand in for every https:// endpoint".into()
            }
            "http.default.idle" => {
                Self::idle_in_all(&self.http.default, usize::from(self.telemetry.otlp.is_some()))
            }
            "http.high_throughput.idle" => {
                let hosts = [self.translate.model.is_some(), self.retrieve.embeddings.is_some()];
                let hosts = hosts.into_iter().filter(|is_called| *is_called).count();
                Self::idle_in_all(&self.http.high_throughput, hosts)
            }
            "http.default.response_header" => NO_EXPECT.into(),
            "http.high_throughput.response_header" => {
                format!("a language model has translate.model.first_byte instead; {NO_EXPECT}")
            }
            "http.default.idle_per_host" => idle_per_host(&self.http.default)?,
            "http.high_throughput.idle_per_host" => idle_per_host(&self.http.high_throughput)?,
            "translate.model.first_byte" => {
                "its client is http.high_throughput with this instead of response_header and body_pause"
                    .into()
            }
            "workers.paused" if self.workers.paused => {
                "nothing is carried out until `nephoran resume`".into()
            }
            "telemetry.otlp" if self.telemetry.otlp.is_some() => {
                "spans are sent in batches from a queue of 8,192; what does not fit is dropped and counted"
                    .into()
            }
            "guard.freeze" if self.guard.freeze => "every change waits in `planned`, reason `frozen`".into(),
            "guard.approval.self" => "waived and audited while no tokens are configured".into(),
            _ => return None,
        };
        Some(said)
    }

    /// Of all hosts, and of those that the configuration names for this profile.
    fn idle_in_all(numbers: &Numbers, hosts: usize) -> String {
        let each = numbers.idle_per_host.min(numbers.connections_per_host.get());
        let sum = (hosts * each).min(numbers.idle);
        match hosts {
            0 => format!("no configured host is called with it now: 0 of {}", numbers.idle),
            1 => format!("1 configured host keeps up to {sum} of {}", numbers.idle),
            _ => format!("{hosts} configured hosts keep up to {sum} of {}", numbers.idle),
        }
    }

    fn regained(&self, tier: fn(&nephoran_limit::Rates) -> nephoran_limit::Rate) -> Option<String> {
        let rate = tier(self.limits.rates.as_ref()?);
        let seconds = rate.burst() as f64 / rate.per_second();
        Some(format!("used up, it is whole again after {seconds:.1} s without a request"))
    }
}

/// How many results may be on their way from workers.
fn channels(workers: usize) -> String {
    let direct = places(flow::BATCH, flow::IN_FLIGHT).places;
    let model = places(flow::BATCH, workers);
    let capped = model.capped_from.map(|wanted| format!(", capped from {wanted}")).unwrap_or_default();
    format!("channels of results: {direct} places, for the model {}{capped}", model.places)
}

/// The reference waits 1 s for `100 Continue`; nothing to set here.
const NO_EXPECT: &str = "expect-continue: n/a, no request of ours says Expect";

fn idle_per_host(numbers: &Numbers) -> Option<String> {
    let cap = numbers.connections_per_host.get();
    (numbers.idle_per_host > cap).then(|| format!("{cap}, as there are no more connections"))
}

fn size(bytes: usize) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..10_485_760 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1024 / 1024),
    }
}

fn mask(value: &mut Value) {
    match value {
        Value::Text(text) => *text = yaml::mask(text),
        Value::List(items) => items.iter_mut().for_each(|item| mask(&mut item.value)),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, item)| mask(&mut item.value)),
        _ => {}
    }
}
