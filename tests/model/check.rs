//! Complete comparisons of the engine with the model.

use std::collections::BTreeMap;

use stockade::index::{Unit, UnitState, units};
use stockade::journal::NO_SERIAL;
use stockade_protocol::Status;
use stockade_protocol::coupon::{Action, Change};
use stockade_protocol::feed::{Event, Kind};

use super::books::{Batch, Phase};
use super::coupons::{Coupon, Now};
use super::decide::Key;
use super::feed::Groups;
use super::ops::Op;
use super::world::World;

/// An order that never has a coupon: its redemption changes nothing in any state, and the refusal tells the state.
const STRANGER: u64 = u64::MAX;
/// Ids beyond those that are used.
const IDS: u64 = 8;

impl World {
    /// All batches, requests and coupons.
    pub(crate) fn check_state(&mut self) -> Result<(), String> {
        let engine = self.engine();
        let core = self.rng.index(super::world::CORES);
        let mut burst = engine.burst(core);
        let at = self.moment(&burst, core);
        self.say(format!("core {core} epoch {}: everything is compared", at.epoch));
        for batch in 0..IDS {
            self.put(&mut burst, &at, &Op::Show(batch))?;
            let users = self.live.find(batch).map(|found| found.users.clone()).unwrap_or_default();
            for user in 0..IDS {
                let requests =
                    users.get(&user).and_then(|requests| requests.keys().next_back()).map_or(0, |last| last + 1);
                for request in 0..requests + 2 {
                    let key = Key { batch, user, request };
                    self.put(&mut burst, &at, &Op::Lookup(key)).map_err(|what| format!("{key:?}: {what}"))?;
                }
            }
            let takers = self.live.find(batch).map(|found| found.takers.clone()).unwrap_or_default();
            for (serial, (user, _)) in takers {
                let change = Change::new(batch, user, serial, Action::Redeem, STRANGER);
                let told = self.put(&mut burst, &at, &Op::Coupon(change, true));
                told.map_err(|what| format!("batch {batch}, serial {serial}: {what}"))?;
            }
        }
        if self.log.is_empty() {
            self.live.batches.iter().try_for_each(|(id, batch)| recount(*id, batch))?;
        }
        let _nothing_was_done = burst.leave();
        self.settle();
        Ok(())
    }

    /// The feed: what came since the last time, and all of it once more.
    pub(crate) fn check_feed(&mut self) -> Result<(), String> {
        let groups = Groups::of(&self.store, self.durable);
        self.feed.listen(&groups, self.durable)?;
        self.feed.hear_again(&groups, self.durable)?;
        let mut by_user = BTreeMap::<u64, Vec<Event>>::new();
        for event in &self.feed.heard {
            if event.kind() == Some(Kind::BatchPurged) {
                let batch = event.batch;
                by_user.values_mut().for_each(|events| events.retain(|event| event.batch != batch));
            }
            by_user.entry(event.user.get()).or_default().push(*event);
        }
        let mut found = 0;
        for (user, events) in &by_user {
            for unit in units(events) {
                let batch = self.kept.batches.get(&unit.batch).ok_or("the feed tells of a batch that is gone")?;
                is_unit(batch, *user, &unit).map_err(|what| format!("{what}: the feed makes of it {unit:?}"))?;
                found += 1;
            }
        }
        let taken = self.kept.batches.values().map(|batch| batch.takers.len()).sum::<usize>();
        if found != taken {
            return Err(format!("the feed tells of {found} units, {taken} were taken"));
        }
        Ok(())
    }
}

/// Whether the model's own numbers add up.
fn recount(id: u64, batch: &Batch) -> Result<(), String> {
    let requests = batch.users.values().flat_map(BTreeMap::values);
    let (mut held, mut granted) = (0, 0);
    for request in requests {
        match request.phase {
            Phase::Reserved => held += request.held(),
            Phase::Granted => granted += request.held(),
            _ => {}
        }
    }
    granted -= batch.counts.voided;
    let counts = &batch.counts;
    let free = batch.free_units + batch.pending;
    let adds_up = (held, granted) == (counts.held(), counts.granted())
        && held + granted + counts.worthless() + free == batch.total;
    if adds_up { Ok(()) } else { Err(format!("the model of batch {id} is wrong: {held} held, {granted} granted")) }
}

/// Whether a unit is as the feed tells.
fn is_unit(batch: &Batch, user: u64, unit: &Unit) -> Result<(), String> {
    let taker = batch.takers.get(&unit.serial).copied();
    if taker != Some((user, unit.request)) {
        return Err(format!("serial {} was taken by {taker:?}, not {user}", unit.serial));
    }
    let request = &batch.users[&user][&unit.request];
    let coupon = batch.coupons.get(&unit.serial).cloned().unwrap_or_else(Coupon::new);
    let returned = |back: Option<u32>| UnitState::Returned(back.unwrap_or(NO_SERIAL));
    let expected = match (request.phase, coupon.now) {
        (Phase::Reserved, _) => UnitState::Reserved,
        (Phase::Cancelled | Phase::Lapsed | Phase::Mark, _) => {
            return match (request.phase, unit.state) {
                (Phase::Cancelled, UnitState::Cancelled(_)) | (Phase::Lapsed, UnitState::Lapsed(_)) => Ok(()),
                _ => Err(format!("it is {:?}", request.phase)),
            };
        }
        (Phase::Granted, Now::Granted) => UnitState::Granted,
        (Phase::Granted, Now::Locked(order)) => UnitState::Locked(order),
        (Phase::Granted, Now::Redeemed(order)) => UnitState::Redeemed(order),
        (Phase::Granted, Now::Returned(back)) => returned(back),
        (Phase::Granted, Now::Voided) => UnitState::Voided,
    };
    let due_ms = if request.asked.reserves { request.until_ms } else { 0 };
    let agrees =
        (unit.state, unit.through, unit.taken_ms, unit.due_ms) == (expected, coupon.through, request.taken_ms, due_ms);
    if agrees { Ok(()) } else { Err(format!("it is {expected:?}, {:?}, due {due_ms}", coupon.through)) }
}

impl World {
    /// Lets expire what is due, and finds out what did.
    pub(crate) fn expire(&mut self) -> Result<(), String> {
        for _ in 0..8 {
            let engine = self.engine();
            let epoch = engine.journal().current();
            let late_ms = engine.expire();
            let mut burst = engine.burst(0);
            let mut at = self.moment(&burst, super::world::CORES);
            at.epoch = epoch;
            let is_due = |phase, due_ms| phase == Phase::Reserved && due_ms <= at.running_ms && at.may_lapse;
            let mut due = Vec::new();
            for (id, batch) in self.live.batches.iter().filter(|(_, batch)| batch.is_visible()) {
                for (user, requests) in &batch.users {
                    let requests = requests.iter().filter(|(_, found)| is_due(found.phase, found.due_ms));
                    due.extend(requests.map(|(request, _)| Key { batch: *id, user: *user, request: *request }));
                }
            }
            self.say(format!("expire in epoch {epoch}: late by {late_ms:?} ms, due are {due:?}"));
            for key in due {
                self.ask_whether_lapsed(&mut burst, &at, &key)?;
            }
            drop(burst);
            self.settle();
            if late_ms.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn ask_whether_lapsed(
        &mut self,
        burst: &mut stockade::engine::Burst<'_>,
        at: &super::books::Moment,
        key: &Key,
    ) -> Result<(), String> {
        let named = stockade_protocol::claim::RequestKey::new(key.batch, key.user, key.request);
        let found = self.live.batches[&key.batch].request(key.user, key.request).expect("it is due").clone();
        if burst.lookup(&named).status() == Some(Status::ReservationExpired) {
            let Key { batch, user, request } = *key;
            let effect = super::records::Effect::GivenBack { user, request, how: Phase::Lapsed };
            let record = super::records::Record { batch, effect };
            self.live.apply(at, &record);
            self.log.push_back((*at, record));
            return Ok(());
        }
        let is_blocked = !self.log.is_empty() || self.gate.is_held();
        if is_blocked {
            self.blocked_until_ms = at.running_ms + 100;
        }
        if found.due_ms + 100 <= at.running_ms && at.running_ms >= self.blocked_until_ms {
            return Err(format!("{key:?} is due since {} and has not expired at {}", found.due_ms, at.running_ms));
        }
        Ok(())
    }
}
