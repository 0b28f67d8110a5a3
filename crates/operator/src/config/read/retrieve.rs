//! Where a language model's background reading lies, and who gives it vectors.

use super::super::{Embeddings, Retrieve};
use super::Reader;

impl Reader {
    pub(super) fn retrieve(&mut self) -> Retrieve {
        let folder = self.path("retrieve.folder");
        let endpoint = self.endpoint("retrieve.embeddings.endpoint");
        let name = self.text("retrieve.embeddings.name");
        let api_key_file = self.path("retrieve.embeddings.api_key_file");
        let embeddings = match (endpoint, name) {
            (Some(endpoint), Some(name)) => Some(Embeddings { endpoint, name, api_key_file }),
            (None, None) => None,
            (endpoint, _) => {
                let (said, lacks) = match endpoint {
                    Some(_) => ("retrieve.embeddings.endpoint", "retrieve.embeddings.name"),
                    None => ("retrieve.embeddings.name", "retrieve.embeddings.endpoint"),
                };
                // An address that was refused has been told already.
                if self.faults.is_empty() {
                    let message =
                        format!("{said} is set and {lacks} is null: one is of no use without the other");
                    self.fault(said, None, message, Some(format!("set {lacks} too, or leave out {said}")));
                }
                None
            }
        };
        Retrieve { folder, embeddings }
    }
}
