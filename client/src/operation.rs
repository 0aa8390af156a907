//! What a call may have changed, and how to find out.

use std::fmt;

use stockade_protocol::batch::Action;
use stockade_protocol::{Status, coupon};

/// A request that changes something, as far as it is needed to find out later what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A claim: `lookup` with these three tells its outcome.
    Claim {
        /// Batch claimed from.
        batch: u64,
        /// Who claims.
        user: u64,
        /// Request id.
        request: u64,
    },
    /// A reservation: `lookup` with these three tells its outcome; so does reserving again.
    Reserve {
        /// Batch reserved from.
        batch: u64,
        /// Who reserves.
        user: u64,
        /// Request id.
        request: u64,
    },
    /// The confirmation of a reservation: confirming again is safe and tells, and so does `lookup`.
    Confirm {
        /// Batch reserved from.
        batch: u64,
        /// Who reserved.
        user: u64,
        /// Request id of the reservation.
        request: u64,
    },
    /// The cancellation of a reservation: cancelling again is safe and tells, and so does `lookup`.
    Cancel {
        /// Batch reserved from.
        batch: u64,
        /// Who reserved.
        user: u64,
        /// Request id of the reservation.
        request: u64,
    },
    /// The extension of a reservation: extending again by the same time is safe and tells.
    Extend {
        /// Batch reserved from.
        batch: u64,
        /// Who reserved.
        user: u64,
        /// Request id of the reservation.
        request: u64,
    },
    /// A change of a coupon: repeating it by the same order is safe and tells; `show_coupon` tells the state.
    ChangeCoupon {
        /// Batch of the coupon.
        batch: u64,
        /// The coupon.
        serial: u32,
        /// What was to be done with it.
        action: coupon::Action,
        /// The order that asked.
        order: u64,
    },
    /// A creation: `show_batch` tells whether the batch exists; repeating it with the same terms is safe.
    CreateBatch {
        /// Id of the batch.
        batch: u64,
    },
    /// A change of state: `show_batch` tells the state.
    ChangeBatch {
        /// Id of the batch.
        batch: u64,
        /// What was to be done with it.
        action: Action,
    },
    /// An edit: `show_batch` tells the terms and the version.
    EditBatch {
        /// Id of the batch.
        batch: u64,
    },
    /// An addition of stock: repeating it with the same request id adds nothing twice and tells the outcome.
    AddStock {
        /// Id of the batch.
        batch: u64,
        /// Request id.
        request: u64,
    },
    /// A withdrawal of stock: repeating it with the same request id withdraws nothing twice and tells the outcome.
    WithdrawStock {
        /// Id of the batch.
        batch: u64,
        /// Request id.
        request: u64,
    },
    /// The forgetting of a consumer of the feed: `feed_consumers` tells; repeating it is safe.
    ForgetConsumer,
}

impl Operation {
    /// Whether this answer to a later copy also tells what became of an earlier one that was never answered.
    ///
    /// `CLOSED` does not: a closed batch has forgotten its requests, so the earlier copy may have been done. Nor does
    /// `BATCH_UNKNOWN`: the batch may have been closed and purged meanwhile. Where others may change the same thing, a
    /// refusal does not either: the change may have been made, and another after it.
    pub(crate) fn is_settled_by(self, status: Status) -> bool {
        if matches!(status, Status::Closed | Status::BatchUnknown) {
            return false;
        }
        match self {
            // The longest life is a setting: it may have been longer when the earlier copy came.
            Operation::Reserve { .. } | Operation::Extend { .. } => status != Status::TtlInvalid,
            Operation::Claim { .. }
            | Operation::Confirm { .. }
            | Operation::Cancel { .. }
            | Operation::AddStock { .. }
            | Operation::WithdrawStock { .. }
            | Operation::ForgetConsumer => true,
            Operation::ChangeBatch { .. } => status != Status::StateConflict,
            // An edit may have changed its terms since.
            Operation::CreateBatch { .. } => status != Status::BatchConflict,
            Operation::EditBatch { .. } => status == Status::Done,
            Operation::ChangeCoupon { action, .. } => match action {
                // What an order has done only the order itself undoes, and what came back or is void stays so: whatever
                // the answer says, the coupon is not in the state that was asked for.
                coupon::Action::Lock
                | coupon::Action::Unlock
                | coupon::Action::Redeem
                | coupon::Action::Return
                | coupon::Action::Void => true,
                // A coupon that was restored is free for others.
                coupon::Action::Restore => {
                    !matches!(status, Status::OrderConflict | Status::CouponStateConflict | Status::CouponExpired)
                }
            },
        }
    }

    /// How to find out what became of it, as the end of a sentence.
    pub(crate) fn resolution(self) -> String {
        match self {
            Operation::Claim { batch, user, request } => format!(
                "claim again with the same request id, or ask lookup(batch {batch}, user {user}, request {request})"
            ),
            Operation::Reserve { batch, user, request } => format!(
                "reserve again with the same request id, or ask lookup(batch {batch}, user {user}, request {request})"
            ),
            Operation::Confirm { request, .. } => format!("confirm request {request} again"),
            Operation::Cancel { request, .. } => format!("cancel request {request} again"),
            Operation::Extend { request, .. } => format!("extend request {request} again by the same time"),
            Operation::ChangeCoupon { batch, serial, action, order } => format!(
                "{} it again for the same order {order}, or ask show_coupon(batch {batch}, serial {serial})",
                action.name()
            ),
            Operation::CreateBatch { batch } => format!("create batch {batch} again with the same terms, or show it"),
            Operation::ChangeBatch { batch, action: Action::Purge } => {
                format!("show batch {batch}: it is unknown once it was purged")
            }
            Operation::ChangeBatch { batch, .. } => format!("show batch {batch} and compare its state"),
            Operation::EditBatch { batch } => format!("show batch {batch} and compare its terms and its version"),
            Operation::AddStock { request, .. } => format!("add the stock again with the same request id {request}"),
            Operation::WithdrawStock { request, .. } => {
                format!("withdraw the stock again with the same request id {request}")
            }
            Operation::ForgetConsumer => String::from("list the consumers, or forget it again"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Claim { batch, user, request } => {
                write!(formatter, "claim {request} of user {user} on batch {batch}")
            }
            Operation::Reserve { batch, user, request } => {
                write!(formatter, "reservation {request} of user {user} on batch {batch}")
            }
            Operation::Confirm { batch, user, request } => {
                write!(formatter, "confirmation of reservation {request} of user {user} on batch {batch}")
            }
            Operation::Cancel { batch, user, request } => {
                write!(formatter, "cancellation of reservation {request} of user {user} on batch {batch}")
            }
            Operation::Extend { batch, user, request } => {
                write!(formatter, "extension of reservation {request} of user {user} on batch {batch}")
            }
            Operation::ChangeCoupon { batch, serial, action, order } => {
                write!(formatter, "{} of coupon {serial} of batch {batch} for order {order}", action.name())
            }
            Operation::CreateBatch { batch } => write!(formatter, "creation of batch {batch}"),
            Operation::ChangeBatch { batch, action } => write!(formatter, "change {action:?} of batch {batch}"),
            Operation::EditBatch { batch } => write!(formatter, "edit of batch {batch}"),
            Operation::AddStock { batch, request } => write!(formatter, "addition {request} to batch {batch}"),
            Operation::WithdrawStock { batch, request } => write!(formatter, "withdrawal {request} from batch {batch}"),
            Operation::ForgetConsumer => write!(formatter, "forgetting of a consumer"),
        }
    }
}
