//! A batch's terms as they are kept: half the size of the protocol's, since there may be a million batches.

use stockade_protocol::batch::Terms;

use crate::types::TimeMs;

/// See [`Terms`]; 0 stands for "none" where the value itself cannot be 0.
pub(super) struct KeptTerms {
    stock: u32,
    per_user: u32,
    starts_ms: TimeMs,
    ends_ms: TimeMs,
    draft: bool,
    name: Box<str>,
}

impl KeptTerms {
    pub(super) fn new(terms: &Terms) -> Self {
        Self {
            stock: terms.stock,
            per_user: terms.per_user.unwrap_or(0),
            starts_ms: terms.starts_ms.unwrap_or(0),
            ends_ms: terms.ends_ms.unwrap_or(0),
            draft: terms.draft,
            name: terms.name.as_str().into(),
        }
    }

    /// Whether a batch with these terms is the one that `terms` ask for.
    pub(super) fn are(&self, terms: &Terms) -> bool {
        let same_name = *self.name == *terms.name;
        let same_window = (self.starts_ms(), self.ends_ms()) == (terms.starts_ms, terms.ends_ms);
        let same_units = (self.stock, self.per_user()) == (terms.stock, terms.per_user);
        same_name && same_window && same_units && self.draft == terms.draft
    }

    pub(super) fn per_user(&self) -> Option<u32> {
        Some(self.per_user).filter(|limit| *limit != 0)
    }

    pub(super) fn starts_ms(&self) -> Option<TimeMs> {
        Some(self.starts_ms).filter(|time| *time != 0)
    }

    pub(super) fn ends_ms(&self) -> Option<TimeMs> {
        Some(self.ends_ms).filter(|time| *time != 0)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}
