//! When reservations are due: per core, so that cores do not meet, in slots of [`SLOT_MS`], so that ten million of them
//! cost twelve bytes each and no sorting.

use std::collections::BTreeMap;

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;

use crate::types::TimeMs;
use crate::users::ClaimRef;

/// What is due within so many milliseconds is looked at together. It is never looked at before it is due.
pub(super) const SLOT_MS: u64 = 16;

/// Which reservation is due.
#[derive(Clone, Copy)]
pub(super) struct Timer {
    /// Its batch's place on the shelf.
    pub(super) batch: u32,
    pub(super) at: ClaimRef,
}

/// Timers that are due.
#[derive(Default)]
pub(super) struct Overdue {
    pub(super) timers: Vec<Timer>,
    /// For how long the oldest of their slots has been due.
    pub(super) late_ms: u64,
}

/// See the module.
pub(super) struct Timers {
    wheels: Box<[CachePadded<Mutex<Wheel>>]>,
}

/// Slots by their end. Nearly every timer goes into one of the last few, which a map of so few slots finds at once.
#[derive(Default)]
struct Wheel {
    slots: BTreeMap<u64, Vec<Timer>>,
}

impl Timers {
    pub(super) fn new(cores: usize) -> Self {
        Self { wheels: (0..cores).map(|_| CachePadded::default()).collect() }
    }

    /// Has `timer` be due at `due_ms` of the running clock, on the wheel of `core`.
    pub(super) fn add(&self, core: usize, due_ms: TimeMs, timer: Timer) {
        let slot = due_ms.div_ceil(SLOT_MS);
        self.wheels[core % self.wheels.len()].lock().slots.entry(slot).or_default().push(timer);
    }

    /// Up to `most` timers that are due at `running_ms`.
    pub(super) fn due(&self, running_ms: TimeMs, most: usize) -> Overdue {
        let mut due = Overdue::default();
        for wheel in &self.wheels {
            let mut wheel = wheel.lock();
            while due.timers.len() < most
                && let Some(mut slot) = wheel.slots.first_entry().filter(|slot| slot.key() * SLOT_MS <= running_ms)
            {
                due.late_ms = due.late_ms.max(running_ms - slot.key() * SLOT_MS);
                let left = slot.get().len().saturating_sub(most - due.timers.len());
                due.timers.extend(slot.get_mut().drain(left..));
                if left == 0 {
                    slot.remove();
                }
            }
        }
        due
    }
}
