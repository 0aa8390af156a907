//! Answers that cannot be true: each reply is held against its request before anybody believes it.

use std::cmp::Ordering;

use stockade_protocol::Status;
use stockade_protocol::batch::{Action, BatchInfo, Stats, WHOLE};
use stockade_protocol::claim::ClaimReply;
use stockade_protocol::coupon::{self, Changed, CouponInfo, State};
use zerocopy::IntoBytes;

use crate::reply::Reply;
use crate::request::Request;

/// Why an answer cannot be understood.
pub(crate) enum Unclear {
    /// It has a status that this client does not know. By the protocol that is a refusal: nothing was done.
    Status(u8),
    /// It cannot be true: who knows what was done.
    Contradiction(&'static str),
}

const OTHER_KIND: Unclear = Unclear::Contradiction("a reply is of another kind than its request");

impl Request {
    /// Checks that `reply` can be the answer, and returns its status if it has one.
    ///
    /// # Errors
    /// What cannot be understood about it.
    pub(crate) fn status_of(&self, reply: &Reply) -> Result<Option<Status>, Unclear> {
        match (self, reply) {
            (Request::Claim(claim), Reply::Claim(reply)) => {
                check_quantity(reply, claim.quantity, claim.is_up_to())?;
                units_status(reply, &[Status::Granted]).map(Some)
            }
            (Request::Reserve(reserve), Reply::Claim(reply)) => {
                check_quantity(reply, reserve.quantity, reserve.is_up_to())?;
                units_status(reply, &[Status::Reserved]).map(Some)
            }
            (Request::Lookup(_), Reply::Claim(reply)) => {
                units_status(reply, &[Status::Granted, Status::Reserved]).map(Some)
            }
            (Request::Confirm(_), Reply::Claim(reply)) => units_status(reply, &[Status::Granted]).map(Some),
            (Request::Cancel(_), Reply::Claim(reply)) => units_status(reply, &[Status::Done]).map(Some),
            (Request::Extend(_), Reply::Claim(reply)) => units_status(reply, &[Status::Reserved]).map(Some),
            (Request::CreateBatch(create), Reply::Batch(info)) => batch_status(info, create.batch.get(), false),
            (Request::ShowBatch(show), Reply::Batch(info)) => batch_status(info, show.batch.get(), false),
            (Request::ChangeBatch(change), Reply::Batch(info)) => {
                batch_status(info, change.batch.get(), change.action() == Some(Action::Purge))
            }
            (Request::AddStock(stock) | Request::WithdrawStock(stock), Reply::Batch(info)) => {
                batch_status(info, stock.batch.get(), false)
            }
            (Request::EditBatch(edit), Reply::Batch(info)) => batch_status(info, edit.batch(), false),
            (Request::ChangeCoupon(change), Reply::Changed(changed)) => change_status(change, changed).map(Some),
            (Request::ShowCoupon(key), Reply::Coupons(infos)) => {
                let [info] = &infos[..] else { return Err(OTHER_KIND) };
                coupon_status(info, key.batch.get(), key.serial.get()).map(Some)
            }
            (Request::ForgetConsumer(_), Reply::Forgotten(answer)) => {
                let status = answer.status().ok_or_else(|| Unclear::Status(answer.as_bytes()[0]))?;
                check_success(status, &[Status::Done])?;
                Ok(Some(status))
            }
            (
                Request::Ping(_)
                | Request::Clients(_)
                | Request::Serials(_)
                | Request::ListBatches(_)
                | Request::BatchStats(_)
                | Request::BatchRefusals(_)
                | Request::ReconcileBatch(_)
                | Request::ListCoupons(_)
                | Request::CouponLog(_)
                | Request::Wallet(_)
                | Request::Consumers(_),
                reply,
            ) => self.check_reading(reply).map(|()| None),
            (
                Request::Claim(_)
                | Request::Lookup(_)
                | Request::Reserve(_)
                | Request::Confirm(_)
                | Request::Cancel(_)
                | Request::Extend(_)
                | Request::CreateBatch(_)
                | Request::ShowBatch(_)
                | Request::ChangeBatch(_)
                | Request::AddStock(_)
                | Request::EditBatch(_)
                | Request::WithdrawStock(_)
                | Request::ChangeCoupon(_)
                | Request::ShowCoupon(_)
                | Request::ForgetConsumer(_),
                _,
            ) => Err(OTHER_KIND),
        }
    }

    /// Checks the answers that have no status of the request: a refusal of these is a fault.
    fn check_reading(&self, reply: &Reply) -> Result<(), Unclear> {
        match (self, reply) {
            (Request::Ping(sent), Reply::Ping(back)) => check(sent.nonce == back.nonce, "the ping came back changed"),
            (Request::Serials(_), Reply::Serials(_))
            | (Request::BatchRefusals(_), Reply::Refusals(_))
            | (Request::CouponLog(_), Reply::Events(_)) => Ok(()),
            (Request::ListBatches(list), Reply::Batches(infos)) => {
                check_page(infos.len(), list.limit.get())?;
                check(infos.iter().all(|info| info.state().is_some()), "a list names no batch")
            }
            (Request::BatchStats(query), Reply::Stats(items)) => {
                check_page(items.len(), query.limit.get())?;
                check_stats(items, query.from_day.get())
            }
            (Request::ReconcileBatch(_), Reply::Stats(items)) => check_stats(items, 0),
            (Request::ListCoupons(list), Reply::Coupons(infos)) => {
                check_page(infos.len(), list.limit.get())?;
                check_coupons(infos, list.batch.get(), list.from.get())
            }
            (Request::Wallet(query), Reply::Wallet(items)) => check_page(items.len(), query.limit.get().into()),
            (Request::Clients(page), Reply::Clients(infos)) => check_page(infos.len(), page.limit.get()),
            (Request::Consumers(page), Reply::Consumers(infos)) => check_page(infos.len(), page.limit.get()),
            (
                _,
                Reply::Claim(_)
                | Reply::Serials(_)
                | Reply::Batch(_)
                | Reply::Batches(_)
                | Reply::Stats(_)
                | Reply::Refusals(_)
                | Reply::Changed(_)
                | Reply::Coupons(_)
                | Reply::Events(_)
                | Reply::Wallet(_)
                | Reply::Clients(_)
                | Reply::Consumers(_)
                | Reply::Forgotten(_)
                | Reply::Ping(_),
            ) => Err(OTHER_KIND),
        }
    }
}

fn check(holds: bool, contradiction: &'static str) -> Result<(), Unclear> {
    if holds { Ok(()) } else { Err(Unclear::Contradiction(contradiction)) }
}

/// A status that says "yes" must be the "yes" to what was asked.
fn check_success(status: Status, wanted: &[Status]) -> Result<(), Unclear> {
    let is_success = matches!(status, Status::Granted | Status::Done | Status::Reserved);
    check(!is_success || wanted.contains(&status), "the status is of another kind than what was asked for")
}

fn check_quantity(reply: &ClaimReply, asked: u8, is_up_to: bool) -> Result<(), Unclear> {
    let is_partial = reply.granted > 0 && reply.granted < asked && !is_up_to;
    check(reply.granted <= asked && !is_partial, "the grant is of another quantity than was asked for")
}

fn units_status(reply: &ClaimReply, wanted: &[Status]) -> Result<Status, Unclear> {
    let status = reply.status().ok_or_else(|| Unclear::Status(reply.as_bytes()[0]))?;
    check_success(status, wanted)?;
    let has_units = matches!(status, Status::Granted | Status::Reserved);
    check(has_units == (reply.granted > 0), "the status and the number of units granted contradict each other")?;
    check(
        reply.run <= reply.granted && reply.is_split() == (reply.run < reply.granted),
        "the run of serials and the number of units granted contradict each other",
    )?;
    check(reply.serial.get().checked_add(reply.run.into()).is_some(), "the serials are beyond the largest")?;
    Ok(status)
}

fn batch_status(info: &BatchInfo, asked: u64, is_purge: bool) -> Result<Option<Status>, Unclear> {
    let [number, state, ..] = *info.as_bytes() else { unreachable!("a batch has more than two bytes") };
    let status = info.status().ok_or(Unclear::Status(number))?;
    check_success(status, &[Status::Done])?;
    check(info.batch.get() == asked, "the answer is about another batch")?;
    // What was purged is gone; after all else that is done, there is a batch.
    check(status != Status::Done || (state == 0) == is_purge, "the status and the state contradict each other")?;
    Ok(Some(status))
}

fn change_status(change: &coupon::Change, changed: &Changed) -> Result<Status, Unclear> {
    let [number, state, ..] = *changed.as_bytes() else { unreachable!("an answer has more than two bytes") };
    let status = changed.status().ok_or(Unclear::Status(number))?;
    check_success(status, &[Status::Done])?;
    if status != Status::Done {
        return Ok(status);
    }
    let action = change.action().expect("built from an action, with no reserved bit set");
    let is_possible = state != 0 && changed.state().is_none_or(|state| can_leave(action, state));
    check(is_possible, "the action and the coupon's state contradict each other")?;
    let has_new_serial = changed.state() == Some(State::Returned);
    check(has_new_serial || changed.serial == change.serial, "the answer is about another coupon")?;
    Ok(status)
}

/// Whether `action` was done where the coupon's state is this now.
fn can_leave(action: coupon::Action, state: State) -> bool {
    match action {
        // A copy of the lock may come after the redemption.
        coupon::Action::Lock => matches!(state, State::Locked | State::Redeemed),
        coupon::Action::Redeem => state == State::Redeemed,
        coupon::Action::Return => state == State::Returned,
        coupon::Action::Void => state == State::Voided,
        // An order may give up what it does not hold, in whatever state that is. What is restored can expire at once.
        coupon::Action::Unlock | coupon::Action::Restore => true,
    }
}

fn coupon_status(info: &CouponInfo, batch: u64, serial: u32) -> Result<Status, Unclear> {
    let [number, state, ..] = *info.as_bytes() else { unreachable!("a coupon has more than two bytes") };
    let status = info.status().ok_or(Unclear::Status(number))?;
    check_success(status, &[Status::Done])?;
    check((info.batch.get(), info.serial.get()) == (batch, serial), "the answer is about another coupon")?;
    check((status == Status::Done) == (state != 0), "the status and the state contradict each other")?;
    Ok(status)
}

fn check_page(items: usize, limit: u32) -> Result<(), Unclear> {
    check(items <= limit as usize, "a page holds more than was asked for")
}

/// The batch as a whole comes first, then days, in order.
fn check_stats(items: &[Stats], from_day: i32) -> Result<(), Unclear> {
    let [whole, days @ ..] = items else { return Err(Unclear::Contradiction("no numbers of the batch as a whole")) };
    let in_order = days.is_sorted_by(|one, next| one.day.get().cmp(&next.day.get()) == Ordering::Less);
    let in_range = days.iter().all(|day| day.day.get() != WHOLE && day.day.get() >= from_day);
    check(whole.day.get() == WHOLE && in_order && in_range, "the days of the numbers are not those asked for")
}

fn check_coupons(infos: &[CouponInfo], batch: u64, from: u32) -> Result<(), Unclear> {
    for info in infos {
        let status = coupon_status(info, batch, info.serial.get())?;
        check(status == Status::Done, "a list names no coupon")?;
    }
    let in_order = infos.is_sorted_by(|one, next| one.serial.get() < next.serial.get());
    check(in_order && infos.iter().all(|info| info.serial.get() >= from), "a list is not in order")
}
