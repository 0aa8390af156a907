//! Coupons and wallets.

use stockade_protocol::coupon::{Action, Change, Changed, CouponInfo, CouponKey, List, REPLAYED, State};
use stockade_protocol::feed::{Event, Kind};
use stockade_protocol::frame::Frame;
use stockade_protocol::wallet::{Cursor, WalletItem, WalletQuery};
use stockade_protocol::{Opcode, Status};

use super::{LISTED, NOON_MS, fault, reply, status_of};

/// Coupons that every user has.
const OWNED: u32 = 3;

pub(super) fn answer(frame: &Frame<'_>) -> Vec<u8> {
    let correlation = frame.correlation;
    let key = || frame.items::<CouponKey>().expect("keys")[0];
    match frame.opcode {
        Opcode::CouponChange => {
            reply(frame.opcode, correlation, &[changed(&frame.items::<Change>().expect("changes")[0])])
        }
        Opcode::CouponShow => reply(frame.opcode, correlation, &[shown(key().batch.get(), key().serial.get())]),
        Opcode::CouponList => {
            let list = frame.item::<List>().expect("a list");
            match status_of(list.batch.get(), Status::Done) {
                Status::Done => {
                    let serials = list.from.get()..LISTED.min(list.from.get() + list.limit.get());
                    let listed: Vec<_> = serials.map(|serial| shown(list.batch.get(), serial)).collect();
                    reply(frame.opcode, correlation, &listed)
                }
                status => fault(correlation, status),
            }
        }
        Opcode::CouponLog => match status_of(key().batch.get(), Status::Done) {
            Status::Done => reply(frame.opcode, correlation, &log(key().batch.get(), key().serial.get())),
            status => fault(correlation, status),
        },
        Opcode::Wallet => wallet(frame),
        _ => fault(correlation, Status::OpcodeUnknown),
    }
}

fn changed(change: &Change) -> Changed {
    let status = status_of(change.user.get(), Status::Done);
    if status != Status::Done {
        return Changed::about(status, State::Redeemed, change.serial.get());
    }
    let (state, serial) = match change.action().expect("an action") {
        Action::Lock => (State::Locked, change.serial.get()),
        Action::Unlock | Action::Restore => (State::Granted, change.serial.get()),
        Action::Redeem => (State::Redeemed, change.serial.get()),
        Action::Return => (State::Returned, change.serial.get() + 100),
        Action::Void => (State::Voided, change.serial.get()),
    };
    let mut changed = Changed::about(Status::Done, state, serial);
    (changed.flags, changed.epoch) = (REPLAYED, 77.into());
    if matches!(state, State::Locked | State::Redeemed) {
        changed.order = change.order;
    }
    changed
}

fn shown(batch: u64, serial: u32) -> CouponInfo {
    let status = status_of(batch, Status::Done);
    if status != Status::Done {
        return CouponInfo::refused(status, batch, serial);
    }
    let mut coupon = CouponInfo::about(batch, serial, State::Locked);
    (coupon.user, coupon.request, coupon.order) = (7.into(), 9.into(), 1_001.into());
    (coupon.taken_ms, coupon.changed_ms, coupon.epoch) = (NOON_MS.into(), (NOON_MS + 1_000).into(), 77.into());
    coupon
}

fn log(batch: u64, serial: u32) -> [Event; 2] {
    let event = |kind, epoch: u64| {
        let mut event = Event::new(kind, batch, NOON_MS);
        (event.epoch, event.serial, event.units, event.user) = (epoch.into(), serial.into(), 1, 7.into());
        event
    };
    let (mut granted, mut locked) = (event(Kind::Granted, 41), event(Kind::Locked, 42));
    (granted.request, locked.order) = (9.into(), 1_001.into());
    [granted, locked]
}

/// Coupons in the first of the states that are asked for, from the one that the cursor names on.
fn wallet(frame: &Frame<'_>) -> Vec<u8> {
    let query = frame.item::<WalletQuery>().expect("a query");
    let status = status_of(query.user.get(), Status::Done);
    if status != Status::Done {
        return fault(frame.correlation, status);
    }
    let wanted = State::ALL.into_iter().find(|state| query.states.get() & state.bit() != 0);
    let from = query.cursor.index.get();
    let serials = from..OWNED.min(from + u32::from(query.limit.get()));
    let item = |serial: u32| {
        let mut item = WalletItem::new(1, serial, wanted.unwrap_or(State::Granted));
        (item.request, item.taken_ms, item.expires_ms) = (9.into(), NOON_MS.into(), (NOON_MS + 1_000).into());
        item.cursor = Cursor { index: (serial + 1).into(), ..Cursor::default() };
        item
    };
    reply(frame.opcode, frame.correlation, &serials.map(item).collect::<Vec<_>>())
}
