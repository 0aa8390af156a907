//! The limits that every batch has and that an edit may change: read by every claim, so each is an atomic of its own. 0
//! stands for "none".
//!
//! An edit that makes claims harder stores its values before it is durable, one that makes them easier after: as with
//! the gate of the state. So a claim may read new and old values together; each of them alone forbids no less than it
//! must.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use stockade_protocol::batch::{Fields, Terms};

use crate::types::TimeMs;

/// See the module. Written under the batch's `control`.
pub(super) struct Limits {
    per_user: AtomicU32,
    starts_ms: AtomicU64,
    ends_ms: AtomicU64,
}

impl Limits {
    pub(super) fn new(terms: &Terms) -> Self {
        let limits = Self { per_user: AtomicU32::new(0), starts_ms: AtomicU64::new(0), ends_ms: AtomicU64::new(0) };
        limits.set(Fields::ALL, terms);
        limits
    }

    /// Units that one user may hold.
    #[inline]
    pub(super) fn per_user(&self) -> Option<u32> {
        Some(self.per_user.load(Ordering::Relaxed)).filter(|limit| *limit != 0)
    }

    #[inline]
    pub(super) fn has_not_begun(&self, now_ms: TimeMs) -> bool {
        now_ms < self.starts_ms.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn has_ended(&self, now_ms: TimeMs) -> bool {
        let ends_ms = self.ends_ms.load(Ordering::Relaxed);
        ends_ms != 0 && now_ms >= ends_ms
    }

    /// Takes the values of these fields.
    pub(super) fn set(&self, fields: Fields, terms: &Terms) {
        if fields.has(Fields::PER_USER) {
            self.per_user.store(terms.per_user.unwrap_or(0), Ordering::Relaxed);
        }
        if fields.has(Fields::STARTS) {
            self.starts_ms.store(terms.starts_ms.unwrap_or(0), Ordering::Relaxed);
        }
        if fields.has(Fields::ENDS) {
            self.ends_ms.store(terms.ends_ms.unwrap_or(0), Ordering::Relaxed);
        }
    }

    pub(super) fn write_to(&self, terms: &mut Terms) {
        let time = |value: &AtomicU64| Some(value.load(Ordering::Relaxed)).filter(|value| *value != 0);
        terms.per_user = self.per_user();
        (terms.starts_ms, terms.ends_ms) = (time(&self.starts_ms), time(&self.ends_ms));
    }
}
