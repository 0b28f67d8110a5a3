//! Which word is the workload, and which the place.

use serde_json::json;

use super::Work;
use crate::faithful::Miss;
use crate::faithful::marks::{Mark, is_label};
use crate::vocabulary::{C, function_of};

impl Work<'_> {
    /// The one workload of the group, under `at` ("/target" or "").
    pub(super) fn target(&mut self, under: &str) -> Result<(), Miss> {
        let things = self.things()?;
        if things.is_empty() {
            return Err(self.unclear());
        }
        let mut function = None;
        let mut name = None;
        for at in things {
            let item = self.sheet.items[at];
            if item.class == C::Function && item.mark == Mark::Thing {
                if function.is_some() || name.is_some() || matches!(item.prep, C::In | C::At | C::Into) {
                    return Err(self.sheet.unclear(at));
                }
                function = Some(at);
            } else if item.mark == Mark::Called {
                if name.is_some_and(|old: usize| self.sheet.items[old].mark == Mark::Called) || name.is_some()
                {
                    return Err(self.sheet.unclear(at));
                }
                name = Some(at);
            } else {
                if name.is_some() || function.is_some() {
                    return Err(self.sheet.unclear(at));
                }
                name = Some(at);
            }
        }
        if let Some(at) = function {
            let (said, named) = function_of(self.sheet.items[at].value);
            self.put(&format!("{under}/function"), said.as_str(), &[at]);
            if named && name.is_none() {
                let word = self.word(at);
                let word = match word.strip_suffix('s') {
                    Some(stem) if !stem.is_empty() && word != said.as_str() => stem.to_owned(),
                    _ => word,
                };
                self.put(&format!("{under}/name"), word, &[at]);
            }
        }
        if let Some(at) = name {
            let word = self.word(at).to_ascii_lowercase();
            if !is_label(&word) {
                return Err(self.sheet.unclear(at));
            }
            self.put(&format!("{under}/name"), word, &[at]);
        }
        Ok(())
    }

    /// Things, after those behind "on", "from", "to" turned out to be places.
    pub(super) fn things(&mut self) -> Result<Vec<usize>, Miss> {
        let mut all: Vec<usize> = self.group.all().filter(|at| self.is_thing(*at)).collect();
        let hard = all.iter().any(|at| self.is_hard(*at));
        if hard {
            for at in &all {
                if self.is_hard(*at) {
                    continue;
                }
                if !matches!(self.sheet.items[*at].prep, C::On | C::From | C::To | C::Off) {
                    return Err(self.sheet.unclear(*at));
                }
                self.sheet.items[*at].mark = Mark::Place;
            }
            all.retain(|at| self.is_thing(*at));
        }
        let gives = self.any(&[C::Add, C::Give, C::Put, C::Guarantee, C::Undo, C::Shrink]);
        let takes = self.any(&[C::Remove, C::Retire, C::Shrink, C::Light, C::Undo, C::Down, C::Show, C::Off]);
        for at in self.group.all() {
            let item = self.sheet.items[at];
            let odd = match item.prep {
                C::To => !gives && !self.any(&[C::Deploy, C::Create, C::Launch]),
                C::From | C::Off => !takes,
                _ => false,
            };
            if odd && matches!(item.mark, Mark::Thing | Mark::Place | Mark::Called) {
                return Err(self.sheet.unclear(at));
            }
        }
        for at in &all {
            // "by upf", "with upf": a thing is acted on, not used.
            if matches!(self.sheet.items[*at].prep, C::With | C::By | C::Into | C::At) {
                return Err(self.sheet.unclear(*at));
            }
        }
        Ok(all)
    }

    fn is_thing(&self, at: usize) -> bool {
        matches!(self.sheet.items[at].mark, Mark::Thing | Mark::Called)
    }

    fn is_hard(&self, at: usize) -> bool {
        let item = &self.sheet.items[at];
        item.mark == Mark::Called
            || item.mark == Mark::Thing && (item.class == C::Function || matches!(item.prep, C::Fill | C::Of))
    }

    /// Namespace, cluster and place: at most one of each.
    pub(super) fn place(&mut self, under: &str) -> Result<(), Miss> {
        for (mark, field) in
            [(Mark::Namespace, "namespace"), (Mark::Cluster, "cluster"), (Mark::Place, "place")]
        {
            if let Some(at) = self.one(mark)? {
                // "into" brings something new to a place.
                let new = self.any(&[C::Deploy, C::Create, C::Launch, C::Put, C::Light]);
                if self.sheet.items[at].prep == C::Into && !new {
                    return Err(self.sheet.unclear(at));
                }
                let word = self.word(at).to_ascii_lowercase();
                if !is_label(&word) {
                    return Err(self.sheet.unclear(at));
                }
                let every = self.marked(mark);
                self.put(&format!("{under}/{field}"), json!(word), &every);
            }
        }
        Ok(())
    }
}
