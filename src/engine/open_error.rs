//! Why an engine does not start, and what to do about it.

use std::fmt;

use super::rebuild::Violation;
use crate::feed::ConsumersError;
use crate::index::IndexError;
use crate::journal::{ChainError, FolderError, StoreError};

/// Why an engine does not start. Nothing was changed.
#[derive(Debug)]
pub enum OpenError {
    /// The folder cannot be used.
    Folder(FolderError),
    /// The store cannot be read.
    Store(StoreError),
    /// The journal is damaged, or acknowledged groups are missing.
    Chain(ChainError),
    /// The journal breaks a promise.
    Violation(Violation),
    /// The index cannot be opened, nor made anew.
    Index(IndexError),
    /// The consumers' cursors cannot be read.
    Consumers(ConsumersError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = "nothing was changed; run `stockade verify` on the folder, then restore a backup";
        match self {
            OpenError::Folder(error) => write!(formatter, "{error}"),
            OpenError::Store(error) => write!(formatter, "the journal cannot be read: {error}; {advice}"),
            OpenError::Chain(error) => write!(formatter, "the journal is damaged: {error}; {advice}"),
            OpenError::Index(error) => write!(
                formatter,
                "the index cannot be opened, and was left as it is: {error}; mend that (space, permissions, open \
                 files) and start again, or start without it: reading.index = false"
            ),
            OpenError::Consumers(error) => write!(formatter, "{error}"),
            OpenError::Violation(violation) => write!(formatter, "the journal breaks a promise: {violation}; {advice}"),
        }
    }
}

impl std::error::Error for OpenError {}
