//! What one core hands in during one epoch.

use super::record::{Control, GrantRecord};
use crate::types::TimeMs;

/// Makes an inflow visible; run by the committer once the record that announces it is durable.
pub type Effect = Box<dyn FnOnce() + Send>;

/// The end of one burst's grants in [`Buffer::grants`], and the burst's time.
pub(super) struct BurstEnd {
    pub(super) time_ms: TimeMs,
    pub(super) end: usize,
}

/// One core's records of one epoch. A core has two, for odd and even epochs: it fills one while the committer empties
/// the other.
#[derive(Default)]
pub(super) struct Buffer {
    pub(super) grants: Vec<GrantRecord>,
    pub(super) bursts: Vec<BurstEnd>,
    pub(super) controls: Vec<Control>,
    pub(super) effects: Vec<Effect>,
}

impl Buffer {
    pub(super) fn is_empty(&self) -> bool {
        self.grants.is_empty() && self.controls.is_empty()
    }

    /// Empties it and keeps its memory for the epoch after next.
    pub(super) fn clear(&mut self) {
        self.grants.clear();
        self.bursts.clear();
        self.controls.clear();
        self.effects.clear();
    }
}
