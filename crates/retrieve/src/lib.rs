//! Passages of documents, found by words and by meaning. An index that can be made again at any time.
