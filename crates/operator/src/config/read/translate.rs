//! Which translators are asked, and the language model among them.

use http::Uri;

use super::super::yaml::Value;
use super::super::{Model, ModelApi, Translate};
use super::{Reader, short_text};

impl Reader {
    pub(super) fn translate(&mut self) -> Translate {
        let order = self.texts("translate.order", |name| {
            matches!(name, "grammar" | "model").then_some(()).ok_or("grammar or model")
        });
        let endpoint = self.endpoint("translate.model.endpoint");
        let name = self.text("translate.model.name");
        let api =
            self.one_of("translate.model.api", &[("openai", ModelApi::OpenAi), ("ollama", ModelApi::Ollama)]);
        let api_key_file = self.path("translate.model.api_key_file");
        let tokens_per_hour = match &self.entries["translate.model.tokens_per_hour"].node.value {
            Value::Null => None,
            _ => Some(self.integer("translate.model.tokens_per_hour", 1_000..=1_000_000_000_u32).into()),
        };
        let first_byte = self.duration("translate.model.first_byte");
        let cache_life = self.duration("translate.model.cache_life");
        let cache_entries = self.integer("translate.model.cache_entries", 0..=100_000);
        let names: Vec<&str> = order.iter().map(String::as_str).collect();
        if !matches!(names.as_slice(), ["grammar"] | ["grammar", "model"]) {
            // The grammar answers in microseconds, costs nothing and cannot be talked into anything.
            self.object("translate.order", "must be [grammar] or [grammar, model]: the grammar goes first");
            return Translate { model: None };
        }
        if names.len() == 1 {
            return Translate { model: None };
        }
        let (Some(endpoint), Some(name)) = (&endpoint, &name) else {
            let before = self.faults.len();
            for (path, lacks) in
                [("translate.model.endpoint", endpoint.is_none()), ("translate.model.name", name.is_none())]
            {
                if lacks && before == self.faults.len() {
                    let message = format!("translate.order names the model, but {path} is null");
                    let remedy = "set translate.model.endpoint, e.g. http://127.0.0.1:8092, and \
                                  translate.model.name; or leave model out of translate.order";
                    self.fault("translate.order", None, message, Some(remedy.into()));
                }
            }
            return Translate { model: None };
        };
        Translate {
            model: Some(Model {
                endpoint: endpoint.clone(),
                name: name.clone(),
                api,
                api_key_file,
                tokens_per_hour,
                first_byte,
                cache_life,
                cache_entries,
            }),
        }
    }

    /// An address of a server: scheme, host, maybe a port and a path.
    pub(super) fn endpoint(&mut self, path: &str) -> Option<String> {
        let text = self.text(path)?;
        let parsed = text.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.query().is_none()
                && !text.contains('#')
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        });
        if parsed.is_none() {
            // It may hold a password: only its form is told.
            let shown =
                if text.contains('@') { "an address with credentials".into() } else { short_text(&text) };
            let message = format!(
                "is {shown}; it must be http://HOST[:PORT][/PATH] or https://..., without credentials"
            );
            self.object(path, message);
            return None;
        }
        Some(text.trim_end_matches('/').to_owned())
    }
}
