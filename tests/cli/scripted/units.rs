//! Claims and reservations.

use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};
use stockade_protocol::frame::Frame;
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::{Opcode, Status};

use super::{HANG_UP, fault, reply, status_of};

/// The epoch of answers. The seconds of a reservation and the flags of an audience are added, so that a test sees them.
const EPOCH: u64 = 77;

pub(super) fn answer(frame: &Frame<'_>) -> Option<Vec<u8>> {
    let key = || frame.items::<RequestKey>().expect("keys")[0];
    let (user, quantity, wanted, told) = match frame.opcode {
        Opcode::Claim => {
            let claim = frame.items::<Claim>().expect("claims")[0];
            (claim.user.get(), claim.quantity, Status::Granted, u64::from(claim.audience.get()))
        }
        Opcode::Reserve => {
            let reserve = frame.items::<Reserve>().expect("reservations")[0];
            let told = u64::from(reserve.audience.get()) + u64::from(reserve.ttl_s.get());
            (reserve.user.get(), reserve.quantity, Status::Reserved, told)
        }
        Opcode::Extend => {
            let extend = frame.items::<Extend>().expect("extensions")[0];
            (extend.user.get(), 1, Status::Reserved, extend.ttl_s.get().into())
        }
        Opcode::Confirm | Opcode::Lookup => (key().user.get(), 1, Status::Granted, 0),
        Opcode::Cancel => (key().user.get(), 1, Status::Done, 0),
        _ => return Some(fault(frame.correlation, Status::OpcodeUnknown)),
    };
    let answer = units(status_of(user, wanted), quantity, EPOCH + told);
    (user != HANG_UP).then(|| reply(frame.opcode, frame.correlation, &[answer]))
}

fn units(status: Status, quantity: u8, epoch: u64) -> ClaimReply {
    let mut answer = match status {
        Status::Granted => ClaimReply::granted(quantity, 40, quantity),
        Status::Reserved => ClaimReply::reserved(quantity, 40, quantity),
        status => ClaimReply::refused(status),
    };
    let took = answer.granted > 0;
    answer.remaining = if took { 90 } else { 3 }.into();
    if took {
        (answer.user_units, answer.day_units, answer.epoch) = (5.into(), 4.into(), epoch.into());
    }
    answer
}
