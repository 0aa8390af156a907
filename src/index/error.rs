//! Why the index cannot be used.

use std::fmt;

/// The files cannot be read or written, or are not what they should be. No promise about claims depends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexError {
    text: String,
    cause: Cause,
}

/// What to do about it depends on this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The system refused something: no space, no permission, no descriptor. The files may be whole.
    System,
    /// Files are missing, or are not as they were written.
    Damage,
    /// The files are whole, and no beginning of this journal.
    Foreign,
}

impl IndexError {
    pub(super) fn damage(text: impl Into<String>) -> Self {
        Self { text: text.into(), cause: Cause::Damage }
    }

    pub(super) fn foreign(text: impl Into<String>) -> Self {
        Self { text: text.into(), cause: Cause::Foreign }
    }

    pub(super) fn cause(&self) -> Cause {
        self.cause
    }
}

/// Something that the system refused.
pub(super) fn index_error(error: impl fmt::Display) -> IndexError {
    IndexError { text: error.to_string(), cause: Cause::System }
}

impl fmt::Display for IndexError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::error::Error for IndexError {}
