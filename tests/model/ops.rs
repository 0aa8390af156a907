//! What is asked: at random, but mostly about what there is.

use stockade_protocol::batch::{Action, Audience, Create, Edit, Fields, Holds, Terms, Validity};
use stockade_protocol::coupon::{self, Change};

use super::books::{Asked, Batch, Books, Code, Phase};
use super::coupons::Now;
use super::decide::{Deed, Key, TTL_S_MAX, Wish};
use super::operate::NO_ZONE;
use super::rng::Rng;

/// Ids of batches.
const BATCHES: u64 = 6;
/// Ids of users.
const USERS: u64 = 6;
/// Time zones: two change their clocks within the histories, one of them at midnight.
pub(crate) const ZONES: [&str; 4] = ["", "America/New_York", "America/Santiago", "Asia/Shanghai"];

/// Units with which a batch has hardly a serial left for those that come back.
const NEARLY_ALL: u32 = u32::MAX - 100;

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// One question.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create(Create),
    Edit(Edit),
    Show(u64),
    Change(u64, Action),
    /// Adds or withdraws: batch, request, units, whether it adds.
    Supply(u64, u64, u32, bool),
    Take(Wish),
    Deed(Key, Deed),
    Lookup(Key),
    /// With whether an operator asks.
    Coupon(Change, bool),
}

impl Op {
    /// In a line.
    pub(crate) fn tell(&self) -> String {
        match self {
            Op::Create(create) => format!("create {} {:?}", create.batch.get(), create.terms()),
            Op::Edit(edit) => {
                format!("edit {} v{} {:?} {:?}", edit.batch(), edit.version(), edit.fields(), edit.terms())
            }
            Op::Coupon(change, operator) => format!(
                "coupon batch {} user {} serial {} {:?} order {} operator {operator}",
                change.batch.get(),
                change.user.get(),
                change.serial.get(),
                change.action(),
                change.order.get()
            ),
            other => format!("{other:?}"),
        }
    }
}

/// Something to ask at `now_ms`.
pub(crate) fn any(rng: &mut Rng, books: &Books, now_ms: u64) -> Op {
    let batch = rng.below(BATCHES);
    let Some(found) = books.find(batch) else {
        return if rng.chance(80) { create(rng, batch, now_ms) } else { take(rng, batch, None) };
    };
    match rng.below(100) {
        0..=33 => take(rng, batch, Some(found)),
        34..=54 => deed(rng, batch, found),
        55..=59 => Op::Lookup(key(rng, batch, found, |_| true)),
        60..=83 => coupon_change(rng, batch, found),
        84..=88 => supply(rng, batch, found),
        89..=91 => edit(rng, batch, found, now_ms),
        92..=96 => change(rng, batch, found),
        97 => create(rng, batch, now_ms),
        _ => Op::Show(batch),
    }
}

/// So many orders give up a coupon that somebody has, that it cannot remember more.
pub(crate) fn crowd_of_orders(rng: &mut Rng, books: &Books) -> Vec<Op> {
    let batch = rng.below(BATCHES);
    let taken = books.find(batch).and_then(|found| found.takers.iter().next());
    let Some((serial, (user, _))) = taken else { return Vec::new() };
    let unlock = |order| Op::Coupon(Change::new(batch, *user, *serial, coupon::Action::Unlock, order), true);
    (100..100 + rng.between(60, 70)).map(unlock).collect()
}

fn some<T>(rng: &mut Rng, percent: u64, value: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    rng.chance(percent).then(|| value(rng))
}

fn short(units: u32) -> u16 {
    u16::try_from(units).expect("few")
}

fn byte(units: u32) -> u8 {
    u8::try_from(units).expect("few")
}

fn terms(rng: &mut Rng, now_ms: u64) -> Terms {
    let stock = match rng.below(20) {
        0 => u32::MAX - rng.units(1, 8),
        1..=3 => rng.units(100, 400),
        _ => rng.units(1, 60),
    };
    // Where serials run out, units are stranded: whether they are the day's again, nobody says.
    let has_room = stock < NEARLY_ALL;
    let near = |rng: &mut Rng| rng.below(240) * MINUTE_MS;
    let starts_ms = some(rng, 20, |rng| now_ms + near(rng));
    let ends_ms = some(rng, 20, |rng| starts_ms.unwrap_or(now_ms) + near(rng) + rng.below(3) * DAY_MS);
    Terms {
        stock,
        per_user: some(rng, 40, |rng| rng.units(1, 12)),
        per_user_day: some(rng, 30, |rng| rng.units(1, 5)),
        per_day: some(rng, 35, |rng| rng.units(1, 25)).filter(|_| has_room),
        quantity_max: some(rng, 15, |rng| byte(rng.units(1, 6))),
        audience: audience(rng),
        holds: holds(rng),
        starts_ms,
        ends_ms,
        validity: Validity {
            expires_ms: some(rng, 20, |rng| now_ms + rng.below(4 * 24 * 60) * MINUTE_MS),
            valid_days: some(rng, 30, |rng| short(rng.units(1, 3))),
            return_days: if rng.chance(40) { short(rng.units(1, 4)) } else { 0 },
        },
        zone: if rng.once_in(40) { NO_ZONE } else { rng.pick(&ZONES) }.to_owned(),
        draft: rng.chance(15),
        name: format!("batch {}", rng.below(3)),
    }
}

fn audience(rng: &mut Rng) -> Audience {
    if rng.chance(80) {
        return Audience::default();
    }
    let flags = |rng: &mut Rng| rng.pick(&[0, 0, 1, 2]);
    Audience { all: flags(rng), any: flags(rng), none: flags(rng) << 2 }
}

fn holds(rng: &mut Rng) -> Holds {
    let per_user = some(rng, 25, |rng| short(rng.units(1, 6)));
    Holds { per_user, share: some(rng, 25, |rng| byte(rng.units(5, 101))) }
}

fn create(rng: &mut Rng, batch: u64, now_ms: u64) -> Op {
    Op::Create(Create::new(batch, &terms(rng, now_ms)).expect("the texts fit"))
}

fn edit(rng: &mut Rng, batch: u64, found: &Batch, now_ms: u64) -> Op {
    let new = if rng.chance(15) { found.terms.clone() } else { terms(rng, now_ms) };
    let fields = match rng.below(8) {
        0 => Fields(u32::try_from(rng.below(1 << 9)).expect("nine bits")),
        1 => Fields::PER_DAY.with(Fields::PER_USER_DAY),
        _ => Fields(1 << rng.below(9)),
    };
    let fields = if found.serials_end < NEARLY_ALL { fields } else { fields.without(Fields::PER_DAY) };
    let version = if rng.chance(70) { 0 } else { found.version - u32::from(rng.chance(30)) };
    Op::Edit(Edit::new(batch, fields, &new, version).expect("the texts fit"))
}

fn change(rng: &mut Rng, batch: u64, found: &Batch) -> Op {
    // Batches live long enough to be used.
    let is_old = found.takers.len() > 60 || found.version > 30;
    let action = match found.code {
        _ if rng.chance(10) => rng.pick(&[Action::Activate, Action::Pause, Action::Resume, Action::Purge]),
        Code::Draft => Action::Activate,
        Code::Active if is_old || rng.chance(10) => Action::End,
        Code::Active => rng.pick(&[Action::Pause, Action::Close]),
        Code::Paused => Action::Resume,
        Code::Ended => Action::Close,
        Code::Closed => Action::Purge,
    };
    Op::Change(batch, action)
}

fn supply(rng: &mut Rng, batch: u64, found: &Batch) -> Op {
    let request = if rng.chance(30) { rng.below(4) } else { 4 + found.supplies.len() as u64 };
    let units = match rng.below(20) {
        0 => 0,
        1 if found.lowest(|terms| terms.per_day).is_none() && found.counts.held() == 0 => u32::MAX - rng.units(0, 20),
        _ if found.free_units > 1_000 => found.free_units - rng.units(1, 20),
        _ => rng.units(1, 12),
    };
    Op::Supply(batch, request, units, rng.chance(60))
}

fn take(rng: &mut Rng, batch: u64, found: Option<&Batch>) -> Op {
    let user = if rng.chance(60) { rng.below(2) } else { rng.below(USERS) };
    let requests = found.and_then(|found| found.users.get(&user)).map_or(0, |requests| requests.len() as u64);
    let request = if rng.chance(75) { requests + rng.below(3) } else { rng.below(requests + 1) };
    let reserves = rng.chance(45);
    let quantity = match rng.below(20) {
        0 => 0,
        1 => byte(rng.units(1, 255)),
        2..=6 => byte(rng.units(2, 6)),
        _ => 1,
    };
    let ttl_s = if rng.once_in(40) { rng.pick(&[0, TTL_S_MAX + 1]) } else { short(rng.units(1, 20)) };
    let mut wish = Wish {
        batch,
        user,
        request,
        audience: rng.pick(&[0, 1, 2, 3, 3, 3, 7]),
        asked: Asked { quantity, up_to: rng.chance(30), reserves },
        ttl_s,
    };
    // Where serials run out, it must not matter in which order several reservations expire.
    if reserves && found.is_some_and(|found| found.serials_end >= NEARLY_ALL) {
        wish.asked.quantity = wish.asked.quantity.min(1);
    }
    // A true copy, mostly, where there is something to copy.
    if let Some(before) = found.and_then(|found| found.request(user, request)).filter(|_| rng.chance(70)) {
        wish.asked = before.asked;
    }
    Op::Take(Wish { ttl_s: if wish.asked.reserves { wish.ttl_s } else { 0 }, ..wish })
}

/// Names a request, mostly one of which `wanted` is true.
fn key(rng: &mut Rng, batch: u64, found: &Batch, wanted: impl Fn(Phase) -> bool) -> Key {
    let all =
        found.users.iter().flat_map(|(user, requests)| requests.iter().map(|(id, found)| (*user, *id, found.phase)));
    let all = all.filter(|(_, _, phase)| wanted(*phase)).collect::<Vec<_>>();
    if all.is_empty() || rng.chance(25) {
        let user = rng.below(USERS);
        let requests = found.users.get(&user).map_or(0, |requests| requests.len() as u64);
        return Key { batch, user, request: rng.below(requests + 3) };
    }
    let (user, request, _) = all[rng.index(all.len())];
    Key { batch, user, request }
}

fn deed(rng: &mut Rng, batch: u64, found: &Batch) -> Op {
    let key = key(rng, batch, found, |phase| phase == Phase::Reserved);
    let ttl_s = if rng.once_in(30) { 0 } else { rng.pick(&[1, 5, 30, 90]) };
    let deed = match rng.below(10) {
        0..=3 => Deed::Confirm,
        4..=7 => Deed::Cancel,
        _ => Deed::Extend(ttl_s),
    };
    Op::Deed(key, deed)
}

fn coupon_change(rng: &mut Rng, batch: u64, found: &Batch) -> Op {
    let operator = rng.chance(70);
    let mut order = rng.below(4);
    let mut action = rng.pick(&coupon::Action::ALL);
    if action == coupon::Action::Void && rng.chance(50) {
        action = coupon::Action::Lock;
    }
    if found.takers.is_empty() || rng.chance(5) {
        let serial = u32::try_from(rng.below(u64::from(found.serials_end) + 3)).unwrap_or(u32::MAX);
        return Op::Coupon(Change::new(batch, rng.below(USERS), serial, action, order), operator);
    }
    // Mostly the newer ones.
    let among = if rng.chance(60) { found.takers.len().min(12) } else { found.takers.len() };
    let place = rng.index(among);
    let (serial, (taker, _)) = found.takers.iter().rev().nth(place).expect("there are so many");
    if let Some(coupon) = found.coupons.get(serial).filter(|_| rng.chance(60)) {
        (order, action) = match coupon.now {
            Now::Locked(owner) => (owner, rng.pick(&[coupon::Action::Unlock, coupon::Action::Redeem])),
            Now::Redeemed(owner) => (owner, rng.pick(&[coupon::Action::Restore, coupon::Action::Redeem])),
            _ => (order, action),
        };
    }
    let user = if rng.chance(95) { *taker } else { rng.below(USERS) };
    Op::Coupon(Change::new(batch, user, *serial, action, order), operator)
}
