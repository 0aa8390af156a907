//! Requests as the connections carry them: one item each, typed.

use bytes::{BufMut, BytesMut};
use stockade_protocol::batch::{self, AddStock, BatchId, Create, Edit, StatsQuery, Withdraw};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::coupon::{self, CouponKey};
use stockade_protocol::feed::Forget;
use stockade_protocol::hello::Page;
use stockade_protocol::ping::Ping;
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::wallet::WalletQuery;
use stockade_protocol::{Opcode, limits};
use zerocopy::IntoBytes;

use crate::builder::invalid;
use crate::error::ClientError;
use crate::operation::Operation;

/// One item to send. What is large and asked for rarely is boxed: thousands of claims wait in queues at once.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Ping(Ping),
    Clients(Page),
    Claim(Claim),
    Lookup(RequestKey),
    Serials(RequestKey),
    Reserve(Reserve),
    Confirm(RequestKey),
    Cancel(RequestKey),
    Extend(Extend),
    CreateBatch(Box<Create>),
    ShowBatch(BatchId),
    ListBatches(batch::List),
    ChangeBatch(batch::Change),
    AddStock(AddStock),
    EditBatch(Box<Edit>),
    WithdrawStock(Withdraw),
    BatchStats(StatsQuery),
    BatchRefusals(BatchId),
    ReconcileBatch(BatchId),
    ChangeCoupon(coupon::Change),
    ShowCoupon(CouponKey),
    ListCoupons(coupon::List),
    CouponLog(CouponKey),
    Wallet(Box<WalletQuery>),
    Consumers(Page),
    ForgetConsumer(Box<Forget>),
}

/// The kinds whose requests share frames: those that come in crowds. Each other request travels alone.
pub(crate) const SHARED: [Opcode; 7] = [
    Opcode::Claim,
    Opcode::Reserve,
    Opcode::Confirm,
    Opcode::Cancel,
    Opcode::Extend,
    Opcode::CouponChange,
    Opcode::Lookup,
];

impl Request {
    pub(crate) fn opcode(&self) -> Opcode {
        match self {
            Request::Ping(_) => Opcode::Ping,
            Request::Clients(_) => Opcode::ClientList,
            Request::Claim(_) => Opcode::Claim,
            Request::Lookup(_) => Opcode::Lookup,
            Request::Serials(_) => Opcode::Serials,
            Request::Reserve(_) => Opcode::Reserve,
            Request::Confirm(_) => Opcode::Confirm,
            Request::Cancel(_) => Opcode::Cancel,
            Request::Extend(_) => Opcode::Extend,
            Request::CreateBatch(_) => Opcode::BatchCreate,
            Request::ShowBatch(_) => Opcode::BatchShow,
            Request::ListBatches(_) => Opcode::BatchList,
            Request::ChangeBatch(_) => Opcode::BatchChange,
            Request::AddStock(_) => Opcode::BatchAddStock,
            Request::EditBatch(_) => Opcode::BatchEdit,
            Request::WithdrawStock(_) => Opcode::BatchWithdraw,
            Request::BatchStats(_) => Opcode::BatchStats,
            Request::BatchRefusals(_) => Opcode::BatchRefusals,
            Request::ReconcileBatch(_) => Opcode::BatchReconcile,
            Request::ChangeCoupon(_) => Opcode::CouponChange,
            Request::ShowCoupon(_) => Opcode::CouponShow,
            Request::ListCoupons(_) => Opcode::CouponList,
            Request::CouponLog(_) => Opcode::CouponLog,
            Request::Wallet(_) => Opcode::Wallet,
            Request::Consumers(_) => Opcode::FeedList,
            Request::ForgetConsumer(_) => Opcode::FeedForget,
        }
    }

    /// Appends the item.
    pub(crate) fn encode(&self, body: &mut BytesMut) {
        let bytes = match self {
            Request::Ping(item) => item.as_bytes(),
            Request::Clients(item) | Request::Consumers(item) => item.as_bytes(),
            Request::Claim(item) => item.as_bytes(),
            Request::Lookup(item) | Request::Serials(item) | Request::Confirm(item) | Request::Cancel(item) => {
                item.as_bytes()
            }
            Request::Reserve(item) => item.as_bytes(),
            Request::Extend(item) => item.as_bytes(),
            Request::CreateBatch(item) => item.as_bytes(),
            Request::ShowBatch(item) | Request::BatchRefusals(item) | Request::ReconcileBatch(item) => item.as_bytes(),
            Request::ListBatches(item) => item.as_bytes(),
            Request::ChangeBatch(item) => item.as_bytes(),
            Request::AddStock(item) | Request::WithdrawStock(item) => item.as_bytes(),
            Request::EditBatch(item) => item.as_bytes(),
            Request::BatchStats(item) => item.as_bytes(),
            Request::ChangeCoupon(item) => item.as_bytes(),
            Request::ShowCoupon(item) | Request::CouponLog(item) => item.as_bytes(),
            Request::ListCoupons(item) => item.as_bytes(),
            Request::Wallet(item) => item.as_bytes(),
            Request::ForgetConsumer(item) => item.as_bytes(),
        };
        body.put_slice(bytes);
    }

    /// What it changes; `None` when it only reads.
    pub(crate) fn operation(&self) -> Option<Operation> {
        let key = |key: &RequestKey| (key.batch.get(), key.user.get(), key.request.get());
        match self {
            Request::Claim(claim) => {
                let (batch, user, request) = (claim.batch.get(), claim.user.get(), claim.request.get());
                Some(Operation::Claim { batch, user, request })
            }
            Request::Reserve(reserve) => {
                let (batch, user, request) = (reserve.batch.get(), reserve.user.get(), reserve.request.get());
                Some(Operation::Reserve { batch, user, request })
            }
            Request::Confirm(of) => {
                let (batch, user, request) = key(of);
                Some(Operation::Confirm { batch, user, request })
            }
            Request::Cancel(of) => {
                let (batch, user, request) = key(of);
                Some(Operation::Cancel { batch, user, request })
            }
            Request::Extend(extend) => {
                let (batch, user, request) = (extend.batch.get(), extend.user.get(), extend.request.get());
                Some(Operation::Extend { batch, user, request })
            }
            Request::CreateBatch(create) => Some(Operation::CreateBatch { batch: create.batch.get() }),
            Request::ChangeBatch(change) => {
                let action = change.action().expect("built from an action, with no reserved bit set");
                Some(Operation::ChangeBatch { batch: change.batch.get(), action })
            }
            Request::AddStock(add) => Some(Operation::AddStock { batch: add.batch.get(), request: add.request.get() }),
            Request::EditBatch(edit) => Some(Operation::EditBatch { batch: edit.batch() }),
            Request::WithdrawStock(withdraw) => {
                Some(Operation::WithdrawStock { batch: withdraw.batch.get(), request: withdraw.request.get() })
            }
            Request::ChangeCoupon(change) => Some(Operation::ChangeCoupon {
                batch: change.batch.get(),
                serial: change.serial.get(),
                action: change.action().expect("built from an action, with no reserved bit set"),
                order: change.order.get(),
            }),
            Request::ForgetConsumer(_) => Some(Operation::ForgetConsumer),
            Request::Ping(_)
            | Request::Clients(_)
            | Request::Lookup(_)
            | Request::Serials(_)
            | Request::ShowBatch(_)
            | Request::ListBatches(_)
            | Request::BatchStats(_)
            | Request::BatchRefusals(_)
            | Request::ReconcileBatch(_)
            | Request::ShowCoupon(_)
            | Request::ListCoupons(_)
            | Request::CouponLog(_)
            | Request::Wallet(_)
            | Request::Consumers(_) => None,
        }
    }
}

/// Checks the limit of a page.
///
/// # Errors
/// `InvalidInput` when it is out of range.
pub(crate) fn page_limit(limit: u32) -> Result<u32, ClientError> {
    let max = limits::BATCHES_PER_FRAME_MAX;
    if (1..=max).contains(&limit) {
        return Ok(limit);
    }
    Err(invalid("limit", format!("{limit} is not within 1..={max}")))
}
