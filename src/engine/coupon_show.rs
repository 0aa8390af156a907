//! Show, list and log coupons: what became of units, by serial.

use std::collections::HashMap;

use stockade_protocol::Status;
use stockade_protocol::coupon::{CouponInfo, List};
use stockade_protocol::feed::{Event, Kind};
use stockade_protocol::limits::BATCHES_PER_FRAME_MAX;
use zerocopy::little_endian::{U32, U64};

use super::Engine;
use super::batch::Batch;
use super::coupon::Rights;
use super::reading::unreadable;
use crate::index::{Index, Unit, units};
use crate::types::{BatchId, Epoch, UserId};

impl Engine {
    /// One unit.
    ///
    /// # Errors
    /// What [`Engine::index_through`] says. What is wrong with the unit's names, the item tells.
    pub fn show_coupon(&self, id: BatchId, serial: u32, rights: Rights) -> Result<CouponInfo, Status> {
        let (index, epoch) = self.index_through(0)?;
        let refused = |status| Ok(CouponInfo::refused(status, id, serial));
        let Ok(batch) = self.read_batch(id) else { return refused(Status::BatchUnknown) };
        match find(index, id, serial)? {
            None => refused(Status::SerialUnknown),
            Some((user, unit, _)) => Ok(self.coupon_info(batch, user, &unit, (epoch, rights))),
        }
    }

    /// All that happened to one unit, oldest first.
    ///
    /// # Errors
    /// `BATCH_UNKNOWN`, `SERIAL_UNKNOWN`, or what [`Engine::index_through`] says.
    pub fn coupon_log(&self, id: BatchId, serial: u32, rights: Rights) -> Result<Vec<Event>, Status> {
        let (index, _) = self.index_through(0)?;
        self.read_batch(id)?;
        let (_, unit, mut events) = find(index, id, serial)?.ok_or(Status::SerialUnknown)?;
        events.retain(|event| event.batch.get() == id && is_about(event, &unit));
        let all = BATCHES_PER_FRAME_MAX as usize;
        if events.len() > all {
            // Its beginning, and its newest.
            events.drain(1..=events.len() - all);
        }
        if rights != Rights::Operator {
            events.iter_mut().for_each(|event| event.order = U64::ZERO);
        }
        Ok(events)
    }

    /// A page of a batch's units that were ever taken, in order of serial.
    ///
    /// # Errors
    /// `BATCH_UNKNOWN`, or what [`Engine::index_through`] says.
    pub fn list_coupons(&self, list: &List, rights: Rights) -> Result<Vec<CouponInfo>, Status> {
        let (index, epoch) = self.index_through(list.see_epoch.get())?;
        let (id, limit) = (list.batch.get(), list.limit.get() as usize);
        let batch = self.read_batch(id)?;
        let mut page = Vec::new();
        let mut known = HashMap::<UserId, HashMap<u32, Unit>>::new();
        for taken in index.owners(id, list.from.get(), limit).map_err(unreadable)? {
            for serial in taken.serial.max(list.from.get())..taken.serial + taken.units {
                if page.len() >= limit {
                    return Ok(page);
                }
                let ours = match known.entry(taken.user) {
                    std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                    std::collections::hash_map::Entry::Vacant(unknown) => {
                        let events = index.of_user(taken.user).map_err(unreadable)?;
                        let all = units(&events).into_iter().filter(|unit| unit.batch == id);
                        unknown.insert(all.map(|unit| (unit.serial, unit)).collect())
                    }
                };
                let unit = ours.get(&serial).copied();
                page.extend(unit.map(|unit| self.coupon_info(batch, taken.user, &unit, (epoch, rights))));
            }
        }
        Ok(page)
    }

    fn coupon_info(&self, batch: &Batch, user: UserId, unit: &Unit, seen: (Epoch, Rights)) -> CouponInfo {
        let (epoch, rights) = seen;
        let told = self.tell(batch, unit, rights);
        let mut info = CouponInfo::about(batch.id, unit.serial, told.state);
        info.user = U64::new(user);
        info.request = U64::new(unit.request);
        info.order = U64::new(told.order);
        info.taken_ms = U64::new(unit.taken_ms);
        info.expires_ms = U64::new(told.expires_ms);
        info.changed_ms = U64::new(unit.changed_ms);
        info.epoch = U64::new(epoch);
        info.new_serial = U32::new(told.new_serial);
        info
    }
}

/// The unit, who took it, and all of that user's events.
fn find(index: &Index, id: BatchId, serial: u32) -> Result<Option<(UserId, Unit, Vec<Event>)>, Status> {
    let Some(user) = index.owner(id, serial).map_err(unreadable)? else { return Ok(None) };
    let events = index.of_user(user).map_err(unreadable)?;
    let unit = units(&events).into_iter().find(|unit| unit.batch == id && unit.serial == serial);
    Ok(unit.map(|unit| (user, unit, events)))
}

/// Whether an event of the unit's batch and user is about the unit.
fn is_about(event: &Event, unit: &Unit) -> bool {
    let (first, units) = (event.serial.get(), u32::from(event.units));
    let has_serial = unit.serial.checked_sub(first).is_some_and(|offset| offset < units);
    match event.kind() {
        Some(Kind::Confirmed | Kind::Cancelled | Kind::Lapsed | Kind::Extended) => event.request.get() == unit.request,
        Some(_) => has_serial,
        None => false,
    }
}
