//! A group as events: what the feed tells and the index keeps. Its place in the group is an event's number.

use std::mem::offset_of;

use stockade_protocol::batch::{State, Stats};
use stockade_protocol::feed::{Event, Kind};
use zerocopy::little_endian::{U16, U32, U64};

use super::record::{ClaimRecord, Control, CouponRecord, StateCode, Step};
use super::{Group, GroupError};
use crate::types::{BatchId, TimeMs};
use crate::users::{Action, Tally};

/// The value of a restoration that leaves the coupon valid for as long as before.
pub const AS_BEFORE: u32 = i32::MAX.cast_unsigned();

impl Group<'_> {
    /// Calls `visit` for each event, in order.
    ///
    /// # Errors
    /// When a run cannot be one.
    pub fn for_each_event(&self, mut visit: impl FnMut(Event)) -> Result<(), GroupError> {
        let (epoch, mut index) = (U64::new(self.epoch), 0);
        let mut number = |mut event: Event| {
            event.epoch = epoch;
            event.index = U32::new(index);
            index += 1;
            visit(event);
        };
        for run in self.claim_runs() {
            let run = run?;
            run.records().for_each(|record| number(of_claim(&record, run.time_ms)));
        }
        for run in self.coupon_runs() {
            let run = run?;
            run.records().for_each(|record| number(of_coupon(&record, run.time_ms)));
        }
        for control in &self.controls {
            match control {
                Control::Dropped { batch, tally, .. } => condensed(*batch, self.time_ms, tally, &mut number),
                control => of_control(control).into_iter().for_each(&mut number),
            }
        }
        Ok(())
    }
}

fn of_claim(record: &ClaimRecord, time_ms: TimeMs) -> Event {
    let (kind, value) = match record.step {
        Step::Grant => (Kind::Granted, 0),
        Step::Reserve { ttl_s } => (Kind::Reserved, ttl_s.into()),
        Step::Confirm => (Kind::Confirmed, 0),
        Step::Cancel => (Kind::Cancelled, record.serial),
        Step::Lapse => (Kind::Lapsed, record.serial),
        Step::Extend { ttl_s } => (Kind::Extended, ttl_s.into()),
        Step::Mark => (Kind::CancelledAhead, 0),
    };
    let mut event = Event::new(kind, record.batch, time_ms);
    event.units = record.units;
    event.user = U64::new(record.user);
    event.request = U64::new(record.request);
    event.serial = U32::new(if record.step.takes() { record.serial } else { 0 });
    event.value = U32::new(value);
    event
}

fn of_coupon(record: &CouponRecord, time_ms: TimeMs) -> Event {
    let (kind, value) = match record.action {
        Action::Lock => (Kind::Locked, 0),
        Action::Unlock => (Kind::Unlocked, u32::from(record.marks)),
        Action::Redeem => (Kind::Redeemed, 0),
        Action::Restore => (Kind::Restored, record.through.map_or(AS_BEFORE, i32::cast_unsigned)),
        Action::Return => (Kind::Returned, record.back.unwrap_or(super::NO_SERIAL)),
        Action::Void => (Kind::Voided, 0),
    };
    let mut event = Event::new(kind, record.batch, time_ms);
    event.units = 1;
    event.client = U16::new(record.client);
    event.user = U64::new(record.user);
    event.order = U64::new(record.order);
    event.serial = U32::new(record.serial);
    event.value = U32::new(value);
    event
}

fn of_control(control: &Control) -> Option<Event> {
    let (batch, time_ms) = (control.batch()?, control.time_ms()?);
    let event = |kind, value: u32| {
        let mut event = Event::new(kind, batch, time_ms);
        event.value = U32::new(value);
        event
    };
    let mut told = match control {
        Control::Created { terms, .. } => event(Kind::BatchCreated, terms.stock),
        Control::Changed { state, .. } => event(Kind::BatchChanged, told_state(*state) as u32),
        Control::Edited { fields, .. } => event(Kind::BatchEdited, fields.0),
        Control::Added { run, .. } => event(Kind::BatchAdded, run.count),
        Control::Withdrawn { run, .. } => event(Kind::BatchWithdrawn, run.count),
        Control::Expired { coupons, .. } => event(Kind::BatchExpired, *coupons),
        Control::Purged { .. } => event(Kind::BatchPurged, 0),
        Control::Named { .. } | Control::Dropped { .. } => return None,
    };
    match control {
        Control::Added { request, .. } | Control::Withdrawn { request, .. } => told.request = U64::new(*request),
        Control::Expired { through, .. } => told.serial = U32::new(through.cast_unsigned()),
        _ => {}
    }
    Some(told)
}

fn told_state(state: StateCode) -> State {
    match state {
        StateCode::Draft => State::Draft,
        StateCode::Active => State::Active,
        StateCode::Paused => State::Paused,
        StateCode::Ended => State::Ended,
        StateCode::Closed => State::Closed,
    }
}

/// What a checkpoint left of a closed batch: sums, each an event that names the number it counts in.
fn condensed(batch: BatchId, time_ms: TimeMs, tally: &Tally, tell: &mut impl FnMut(Event)) {
    let sums = [
        (offset_of!(Stats, reserved), 0, tally.reserved),
        (offset_of!(Stats, granted), 0, tally.claimed + tally.confirmed),
        (offset_of!(Stats, locked), 0, tally.locked),
        (offset_of!(Stats, redeemed), 0, tally.redeemed),
        (offset_of!(Stats, unlocked), 0, tally.unlocked),
        (offset_of!(Stats, restored), 0, tally.restored),
        (offset_of!(Stats, returned), 0, tally.returned),
        (offset_of!(Stats, voided), 0, tally.voided),
        (offset_of!(Stats, voided), 1, tally.stranded),
        (offset_of!(Stats, cancelled), 0, tally.cancelled),
        (offset_of!(Stats, lapsed), 0, tally.lapsed),
        (offset_of!(Stats, confirmed), 0, tally.confirmed),
    ];
    for (offset, stranded, sum) in sums.into_iter().filter(|(_, _, sum)| *sum > 0) {
        let mut event = Event::new(Kind::BatchCondensed, batch, time_ms);
        event.units = stranded;
        event.serial = U32::new(u32::try_from(offset).expect("within an item"));
        event.value = U32::new(u32::try_from(sum).unwrap_or(u32::MAX));
        tell(event);
    }
}
