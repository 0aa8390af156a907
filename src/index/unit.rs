//! What became of units: a user's events, put together.

use std::collections::HashMap;

use stockade_protocol::feed::{Event, Kind};

use super::owner::Held;
use crate::journal::{AS_BEFORE, NO_SERIAL};
use crate::stock::Day;
use crate::types::{BatchId, Epoch, OrderId, RequestId, TimeMs, UserId};

/// Who took a run of serials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who.
    pub user: UserId,
    /// The first serial.
    pub serial: u32,
    /// How many.
    pub units: u32,
}

impl Taken {
    /// What an event took.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let takes = matches!(event.kind(), Some(Kind::Granted | Kind::Reserved));
        takes.then_some(Self { user: event.user.get(), serial: event.serial.get(), units: event.units.into() })
    }

    pub(super) fn has(&self, serial: u32) -> bool {
        serial.checked_sub(self.serial).is_some_and(|offset| offset < self.units)
    }

    /// The part of it that is `held`.
    pub(super) fn within(&self, held: &Held) -> Option<Self> {
        self.has(held.serial).then_some(Self { user: self.user, serial: held.serial, units: held.units })
    }
}

/// Where a unit is in its life, as far as events tell: that a coupon has expired, the clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in the protocol")]
pub enum UnitState {
    Reserved,
    Granted,
    Locked(OrderId),
    Redeemed(OrderId),
    Returned(u32),
    Voided,
    Cancelled(u32),
    Lapsed(u32),
}

/// One unit that a user took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its batch.
    pub batch: BatchId,
    /// Its serial.
    pub serial: u32,
    /// The claim or reservation that took it.
    pub request: RequestId,
    /// Where it was taken: epoch, number of the event, number of the unit within it.
    pub taken_at: (Epoch, u32, u32),
    /// When it was taken.
    pub taken_ms: TimeMs,
    /// When a reservation ends.
    pub due_ms: TimeMs,
    /// When something last happened to it.
    pub changed_ms: TimeMs,
    /// The last day on which it is valid, if it has one of its own.
    pub through: Option<Day>,
    /// Where it is in its life.
    pub state: UnitState,
}

/// The units that one user's events, in order, are about: in the order in which they were taken.
#[must_use]
pub fn units(events: &[Event]) -> Vec<Unit> {
    let mut units = Vec::<Unit>::new();
    let mut by_request = HashMap::<(BatchId, RequestId), Vec<usize>>::new();
    let mut by_serial = HashMap::<(BatchId, u32), usize>::new();
    for event in events {
        let Some(kind) = event.kind() else { continue };
        let batch = event.batch.get();
        match kind {
            Kind::Granted | Kind::Reserved => {
                let of_request = by_request.entry((batch, event.request.get())).or_default();
                for number in 0..u32::from(event.units) {
                    by_serial.insert((batch, event.serial.get() + number), units.len());
                    of_request.push(units.len());
                    units.push(Unit::taken(event, kind, number));
                }
            }
            Kind::Confirmed | Kind::Cancelled | Kind::Lapsed | Kind::Extended => {
                let of_request = by_request.get(&(batch, event.request.get()));
                for (number, place) in (0..).zip(of_request.into_iter().flatten()) {
                    units[*place].ends_or_goes_on(event, kind, number);
                }
            }
            Kind::Locked | Kind::Unlocked | Kind::Redeemed | Kind::Restored | Kind::Returned | Kind::Voided => {
                if let Some(place) = by_serial.get(&(batch, event.serial.get())) {
                    units[*place].changes(event, kind);
                }
            }
            _ => {}
        }
    }
    units
}

impl Unit {
    fn taken(event: &Event, kind: Kind, number: u32) -> Self {
        let taken_ms = event.time_ms.get();
        let is_reserved = kind == Kind::Reserved;
        Self {
            batch: event.batch.get(),
            serial: event.serial.get() + number,
            request: event.request.get(),
            taken_at: (event.epoch.get(), event.index.get(), number),
            taken_ms,
            due_ms: if is_reserved { taken_ms + seconds(event) } else { 0 },
            changed_ms: taken_ms,
            through: None,
            state: if is_reserved { UnitState::Reserved } else { UnitState::Granted },
        }
    }

    fn ends_or_goes_on(&mut self, event: &Event, kind: Kind, number: u32) {
        self.changed_ms = event.time_ms.get();
        let first = event.value.get();
        let new = if first == NO_SERIAL { NO_SERIAL } else { first + number };
        match kind {
            Kind::Confirmed => self.state = UnitState::Granted,
            Kind::Cancelled => self.state = UnitState::Cancelled(new),
            Kind::Lapsed => self.state = UnitState::Lapsed(new),
            _ => self.due_ms = self.due_ms.max(event.time_ms.get() + seconds(event)),
        }
    }

    fn changes(&mut self, event: &Event, kind: Kind) {
        let (order, value) = (event.order.get(), event.value.get());
        if kind == Kind::Unlocked && value != 0 {
            // An order gave up what it never had.
            return;
        }
        self.changed_ms = event.time_ms.get();
        match kind {
            Kind::Locked => self.state = UnitState::Locked(order),
            Kind::Redeemed => self.state = UnitState::Redeemed(order),
            Kind::Returned => self.state = UnitState::Returned(value),
            Kind::Voided => self.state = UnitState::Voided,
            Kind::Restored if value != AS_BEFORE => {
                self.state = UnitState::Granted;
                self.through = Some(value.cast_signed());
            }
            _ => self.state = UnitState::Granted,
        }
    }
}

/// The seconds that an event tells, in milliseconds.
fn seconds(event: &Event) -> TimeMs {
    TimeMs::from(event.value.get()) * 1_000
}
