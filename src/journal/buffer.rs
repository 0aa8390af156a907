//! One core's buffer of one epoch.

use super::group::Portion;

/// Makes an inflow visible; run by the committer once the record that announces it is durable.
pub type Effect = Box<dyn FnOnce() + Send>;

/// What one core hands in during one epoch. A core has two, for odd and even epochs: it fills one while the committer
/// empties the other.
#[derive(Default)]
pub(super) struct Buffer {
    pub(super) portion: Portion,
    pub(super) effects: Vec<Effect>,
}

impl Buffer {
    /// Whether nothing was handed in.
    pub(super) fn is_empty(&self) -> bool {
        self.portion.is_empty() && self.effects.is_empty()
    }
}
