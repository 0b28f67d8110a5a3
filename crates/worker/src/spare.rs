//! Values that were used once and may be used again.

use std::sync::{Mutex, PoisonError};

/// A bounded store of values with their allocations. To give one back is to part with it: nobody
/// can read what is written into it next.
#[derive(Debug)]
pub struct Spare<T> {
    values: Mutex<Vec<T>>,
    most: usize,
}

impl<T: Default> Spare<T> {
    /// Keeps at most `most`.
    pub fn new(most: usize) -> Self {
        Self { values: Mutex::new(Vec::with_capacity(most)), most }
    }

    /// One that was given back, else a new one.
    pub fn take(&self) -> T {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// The caller has cleared it. Dropped when enough are kept.
    pub fn give(&self, value: T) {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if values.len() < self.most {
            values.push(value);
        }
    }
}
