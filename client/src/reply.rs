//! Replies as the connections hand them out: one for each request, typed.

use stockade_protocol::Opcode;
use stockade_protocol::batch::{BatchInfo, RefusalCount, Stats};
use stockade_protocol::claim::{ClaimReply, SerialRun};
use stockade_protocol::coupon::{Changed, CouponInfo};
use stockade_protocol::feed::{Acknowledged, ConsumerInfo, Event};
use stockade_protocol::frame::Frame;
use stockade_protocol::hello::ClientInfo;
use stockade_protocol::ping::Ping;
use stockade_protocol::wallet::WalletItem;

/// A call returns only replies that were checked against their request, so callers that know what they asked for may
/// insist on the kind.
const KIND_CHECKED: &str = "the kind of a reply was checked against its request";

/// One table for each kind of reply and the method that insists on it, so that they cannot disagree.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($content:ty) => $into:ident;)*) => {
        /// The answer to one request.
        #[derive(Debug)]
        pub(crate) enum Reply { $($(#[$doc])* $kind($content),)* }

        impl Reply {
            $(pub(crate) fn $into(self) -> $content {
                let Reply::$kind(content) = self else { unreachable!("{KIND_CHECKED}") };
                content
            })*
        }
    };
}

kinds! {
    /// To `Claim`, `Lookup`, and all about reservations.
    Claim(ClaimReply) => into_claim;
    /// To `Serials`.
    Serials(Vec<SerialRun>) => into_serials;
    /// To each operation on one batch.
    Batch(Box<BatchInfo>) => into_batch;
    /// To `ListBatches`.
    Batches(Vec<BatchInfo>) => into_batches;
    /// To `BatchStats` and `ReconcileBatch`.
    Stats(Vec<Stats>) => into_stats;
    /// To `BatchRefusals`.
    Refusals(Vec<RefusalCount>) => into_refusals;
    /// To `ChangeCoupon`.
    Changed(Changed) => into_changed;
    /// To `ListCoupons`, and, one of them, to `ShowCoupon`: in place it would make every reply larger.
    Coupons(Vec<CouponInfo>) => into_coupons;
    /// To `CouponLog`.
    Events(Vec<Event>) => into_events;
    /// To `Wallet`.
    Wallet(Vec<WalletItem>) => into_wallet;
    /// To `Clients`.
    Clients(Vec<ClientInfo>) => into_clients;
    /// To `Consumers`.
    Consumers(Vec<ConsumerInfo>) => into_consumers;
    /// To `ForgetConsumer`.
    Forgotten(Acknowledged) => into_forgotten;
    /// To `Ping`.
    Ping(Ping) => into_ping;
}

/// The replies that a frame holds, one for each of the `waiting` requests of the frame it answers.
///
/// # Errors
/// What is impossible about it.
pub(crate) fn replies(frame: &Frame<'_>, waiting: usize) -> Result<Vec<Reply>, &'static str> {
    const COUNT_WRONG: &str = "a reply holds another number of items than its request";
    let replies: Vec<Reply> = match frame.opcode {
        Opcode::Claim | Opcode::Lookup | Opcode::Reserve | Opcode::Confirm | Opcode::Cancel | Opcode::Extend => {
            each(frame, Reply::Claim)?
        }
        Opcode::BatchCreate
        | Opcode::BatchShow
        | Opcode::BatchChange
        | Opcode::BatchAddStock
        | Opcode::BatchEdit
        | Opcode::BatchWithdraw => each(frame, |info| Reply::Batch(Box::new(info)))?,
        Opcode::CouponChange => each(frame, Reply::Changed)?,
        Opcode::CouponShow => each(frame, |info| Reply::Coupons(vec![info]))?,
        Opcode::FeedForget => each(frame, Reply::Forgotten)?,
        Opcode::Ping => each(frame, Reply::Ping)?,
        Opcode::Serials => vec![Reply::Serials(all(frame)?)],
        Opcode::BatchList => vec![Reply::Batches(all(frame)?)],
        Opcode::BatchStats | Opcode::BatchReconcile => vec![Reply::Stats(all(frame)?)],
        Opcode::BatchRefusals => vec![Reply::Refusals(all(frame)?)],
        Opcode::CouponList => vec![Reply::Coupons(all(frame)?)],
        Opcode::CouponLog => vec![Reply::Events(all(frame)?)],
        Opcode::Wallet => vec![Reply::Wallet(all(frame)?)],
        Opcode::ClientList => vec![Reply::Clients(all(frame)?)],
        Opcode::FeedList => vec![Reply::Consumers(all(frame)?)],
        Opcode::Hello | Opcode::FeedSubscribe | Opcode::FeedAcknowledge | Opcode::Fault => {
            return Err("a reply is of a kind that was not asked for");
        }
    };
    if replies.len() == waiting { Ok(replies) } else { Err(COUNT_WRONG) }
}

/// One reply for each item.
fn each<T: Item>(frame: &Frame<'_>, reply: impl Fn(T) -> Reply) -> Result<Vec<Reply>, &'static str> {
    Ok(items(frame)?.iter().copied().map(reply).collect())
}

/// All items, for one reply.
fn all<T: Item>(frame: &Frame<'_>) -> Result<Vec<T>, &'static str> {
    Ok(items(frame)?.to_vec())
}

/// What a frame can hold.
pub(crate) trait Item:
    Copy + zerocopy::FromBytes + zerocopy::KnownLayout + zerocopy::Immutable + zerocopy::Unaligned
{
}

impl<T> Item for T where
    T: Copy + zerocopy::FromBytes + zerocopy::KnownLayout + zerocopy::Immutable + zerocopy::Unaligned
{
}

/// The items of a frame.
///
/// # Errors
/// When they are of another size.
pub(crate) fn items<'a, T: Item>(frame: &Frame<'a>) -> Result<&'a [T], &'static str> {
    frame.items().map_err(|_| "the items of a reply have another size than its opcode says")
}
