//! What a server must check in the items before it may act on any of them.

use stockade_protocol::batch::{self, AddStock, Create, Edit, StatsQuery};
use stockade_protocol::claim::Claim;
use stockade_protocol::coupon::{self, CouponKey};
use stockade_protocol::feed::{Acknowledge, Forget, Subscribe};
use stockade_protocol::hello::{Hello, Page};
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::wallet::WalletQuery;
use stockade_protocol::{Frame, Opcode, Status};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

fn all<T: FromBytes + KnownLayout + Immutable + Unaligned>(
    frame: &Frame<'_>,
    check: impl Fn(&T) -> bool,
) -> Result<bool, Status> {
    Ok(frame.items::<T>()?.iter().all(check))
}

/// `Malformed` if one item of the request is not well-formed.
pub(crate) fn check_items(frame: &Frame<'_>) -> Result<(), Status> {
    let well_formed = match frame.opcode {
        Opcode::Hello => all(frame, |hello: &Hello| hello.texts().is_ok()),
        Opcode::ClientList | Opcode::FeedList => all(frame, Page::is_well_formed),
        Opcode::Claim => all(frame, Claim::is_well_formed),
        Opcode::Reserve => all(frame, Reserve::is_well_formed),
        Opcode::Extend => all(frame, Extend::is_well_formed),
        Opcode::BatchCreate => all(frame, Create::is_well_formed),
        Opcode::BatchList => all(frame, batch::List::is_well_formed),
        Opcode::BatchChange => all(frame, |change: &batch::Change| change.action().is_some()),
        Opcode::BatchAddStock | Opcode::BatchWithdraw => all(frame, AddStock::is_well_formed),
        Opcode::BatchEdit => all(frame, Edit::is_well_formed),
        Opcode::BatchStats => all(frame, StatsQuery::is_well_formed),
        Opcode::CouponChange => all(frame, |change: &coupon::Change| change.action().is_some()),
        Opcode::CouponShow | Opcode::CouponLog => all(frame, CouponKey::is_well_formed),
        Opcode::CouponList => all(frame, coupon::List::is_well_formed),
        Opcode::Wallet => all(frame, WalletQuery::is_well_formed),
        Opcode::FeedSubscribe => all(frame, Subscribe::is_well_formed),
        Opcode::FeedAcknowledge => all(frame, Acknowledge::is_well_formed),
        Opcode::FeedForget => all(frame, Forget::is_well_formed),
        Opcode::Ping
        | Opcode::Lookup
        | Opcode::Serials
        | Opcode::Confirm
        | Opcode::Cancel
        | Opcode::BatchShow
        | Opcode::BatchRefusals
        | Opcode::BatchReconcile
        | Opcode::Fault => Ok(true),
    };
    if well_formed? { Ok(()) } else { Err(Status::Malformed) }
}
