//! Whether coupons are as the answers to their changes said: redeemed, by the order that redeemed them.

use stockade_protocol::coupon::{CouponInfo, CouponKey, State};
use stockade_protocol::limits::BATCHES_PER_FRAME_MAX;
use stockade_protocol::{Opcode, Status};

use crate::load::connection::Connection;
use crate::load::pairs::{Named, Pairs};
use crate::proof::holdings::{Grant, Holdings};
use crate::proof::verdict::{Finding, Verification};
use crate::view::progress::Progress;
use crate::wire::batches::BatchError;
use crate::wire::control::Control;

/// Checks what `workers`, in order, did: each request has an answer or is found out about, and of the coupons that were
/// redeemed `sample` are so, at even distances.
///
/// # Errors
/// When the server no longer answers: nothing is proved then.
pub(super) fn check_work(
    control: &mut Control,
    workers: &mut [Connection],
    sample: u64,
    verification: &mut Verification,
    progress: &Progress,
) -> Result<(), BatchError> {
    for worker in &mut *workers {
        find_out(control, worker, verification)?;
    }
    let redeemed = Holdings::of(workers);
    let wanted = redeemed.grants().min(sample);
    (verification.redeemed, verification.redeemed_shown) = (redeemed.grants(), 0);
    let mut picked = redeemed.sample(wanted);
    loop {
        let chunk = picked.by_ref().take(BATCHES_PER_FRAME_MAX as usize);
        let coupons = chunk.filter_map(|grant| named(workers, grant)).collect::<Vec<_>>();
        if coupons.is_empty() {
            return Ok(());
        }
        for (coupon, info) in coupons.iter().zip(show(control, &coupons)?) {
            hold_against(coupon, &info, verification);
        }
        verification.redeemed_shown += coupons.len() as u64;
        progress.looked_up(verification.redeemed_shown, wanted);
    }
}

/// Asks what became of the coupons of `worker` whose last change has no answer. A page without one is lost.
fn find_out(control: &mut Control, worker: &mut Connection, verification: &mut Verification) -> Result<(), BatchError> {
    for slots in worker.unanswered().chunks(BATCHES_PER_FRAME_MAX as usize) {
        let coupons = slots.iter().filter_map(|slot| worker.pairs()?.coupon(*slot)).collect::<Vec<_>>();
        if coupons.is_empty() {
            verification.unresolved += slots.len() as u64;
            continue;
        }
        for ((slot, coupon), info) in slots.iter().zip(&coupons).zip(show(control, &coupons)?) {
            if is_redeemed(coupon, &info) {
                worker.found_redeemed(*slot, coupon.serial);
                verification.resolved_granted += 1;
            } else {
                worker.found_otherwise(*slot, Status::RequestUnknown);
                verification.resolved_refused += 1;
            }
        }
    }
    Ok(())
}

/// The coupon of a pair.
fn named(workers: &[Connection], pair: Grant) -> Option<Named> {
    workers.get(pair.connection as usize).and_then(Connection::pairs).and_then(|pairs: &Pairs| pairs.coupon(pair.slot))
}

/// `coupons`, at most a frame's, as they are now.
fn show(control: &mut Control, coupons: &[Named]) -> Result<Vec<CouponInfo>, BatchError> {
    let keys = coupons.iter().map(|coupon| CouponKey::new(coupon.batch, coupon.serial)).collect::<Vec<_>>();
    control.ask(Opcode::CouponShow, &keys).map_err(BatchError::Link)
}

fn is_redeemed(coupon: &Named, info: &CouponInfo) -> bool {
    // Which order it was is told to operators only.
    let is_ours = info.order.get() == coupon.order || info.order.get() == 0;
    info.status() == Some(Status::Done)
        && info.state() == Some(State::Redeemed)
        && info.user.get() == coupon.user
        && is_ours
}

/// One acknowledged redemption against what the server shows of the coupon.
fn hold_against(coupon: &Named, info: &CouponInfo, verification: &mut Verification) {
    if is_redeemed(coupon, info) {
        return;
    }
    verification.lost += 1;
    verification.note(Finding {
        batch: coupon.batch,
        user: coupon.user,
        request: coupon.order,
        acknowledged_serial: coupon.serial,
        found: match (info.status(), info.state()) {
            (Some(Status::Done), Some(state)) => {
                format!("{} for user {} and order {}", state.name(), info.user.get(), info.order.get())
            }
            (Some(status), _) => status.name().to_owned(),
            (None, _) => "an unknown status".to_owned(),
        },
    });
}
