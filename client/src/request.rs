//! Requests and replies as the connections carry them: one item each, typed.

use bytes::{BufMut, BytesMut};
use stockade_protocol::batch::{AddStock, BatchId, BatchInfo, Change, Create, List};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey, SerialRun};
use stockade_protocol::frame::Frame;
use stockade_protocol::ping::Ping;
use stockade_protocol::{Opcode, Status};
use zerocopy::IntoBytes;

use crate::error::Operation;

/// One item to send. What is asked for rarely is boxed: thousands of claims wait in queues at once.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Claim(Claim),
    Lookup(RequestKey),
    Serials(RequestKey),
    Create(Box<Create>),
    Show(BatchId),
    List(List),
    Change(Change),
    AddStock(AddStock),
    Ping(Ping),
}

/// The answer to one request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// To `Claim` and `Lookup`.
    Claim(ClaimReply),
    /// To `Serials`.
    Serials(Vec<SerialRun>),
    /// To `Create`, `Show`, `Change` and `AddStock`.
    Batch(Box<BatchInfo>),
    /// To `List`.
    Batches(Vec<BatchInfo>),
    /// To `Ping`.
    Ping(Ping),
}

/// A call returns only replies that [`Request::status_of`] has checked, so callers that know what they asked for may
/// insist on the kind.
const KIND_CHECKED: &str = "the kind of a reply was checked against its request";

impl Reply {
    pub(crate) fn into_claim(self) -> ClaimReply {
        let Reply::Claim(reply) = self else { unreachable!("{KIND_CHECKED}") };
        reply
    }

    pub(crate) fn into_batch(self) -> Box<BatchInfo> {
        let Reply::Batch(info) = self else { unreachable!("{KIND_CHECKED}") };
        info
    }

    pub(crate) fn into_batches(self) -> Vec<BatchInfo> {
        let Reply::Batches(infos) = self else { unreachable!("{KIND_CHECKED}") };
        infos
    }

    pub(crate) fn into_serials(self) -> Vec<SerialRun> {
        let Reply::Serials(runs) = self else { unreachable!("{KIND_CHECKED}") };
        runs
    }
}

impl Request {
    pub(crate) fn opcode(&self) -> Opcode {
        match self {
            Request::Claim(_) => Opcode::Claim,
            Request::Lookup(_) => Opcode::Lookup,
            Request::Serials(_) => Opcode::Serials,
            Request::Create(_) => Opcode::BatchCreate,
            Request::Show(_) => Opcode::BatchShow,
            Request::List(_) => Opcode::BatchList,
            Request::Change(_) => Opcode::BatchChange,
            Request::AddStock(_) => Opcode::BatchAddStock,
            Request::Ping(_) => Opcode::Ping,
        }
    }

    /// Appends the item.
    pub(crate) fn encode(&self, body: &mut BytesMut) {
        let bytes = match self {
            Request::Claim(item) => item.as_bytes(),
            Request::Lookup(item) | Request::Serials(item) => item.as_bytes(),
            Request::Create(item) => item.as_bytes(),
            Request::Show(item) => item.as_bytes(),
            Request::List(item) => item.as_bytes(),
            Request::Change(item) => item.as_bytes(),
            Request::AddStock(item) => item.as_bytes(),
            Request::Ping(item) => item.as_bytes(),
        };
        body.put_slice(bytes);
    }

    /// What it changes; `None` when it only reads.
    pub(crate) fn operation(&self) -> Option<Operation> {
        match self {
            Request::Claim(claim) => Some(Operation::Claim {
                batch: claim.batch.get(),
                user: claim.user.get(),
                request: claim.request.get(),
            }),
            Request::Create(create) => Some(Operation::CreateBatch { batch: create.batch.get() }),
            Request::Change(change) => {
                let action = change.action().expect("built from an action, with no reserved bit set");
                Some(Operation::ChangeBatch { batch: change.batch.get(), action })
            }
            Request::AddStock(add) => Some(Operation::AddStock { batch: add.batch.get(), request: add.request.get() }),
            Request::Lookup(_) | Request::Serials(_) | Request::Show(_) | Request::List(_) | Request::Ping(_) => None,
        }
    }

    /// Checks that `reply` can be the answer, and returns its status if it has one.
    ///
    /// # Errors
    /// What cannot be understood about it.
    pub(crate) fn status_of(&self, reply: &Reply) -> Result<Option<Status>, Unclear> {
        match (self, reply) {
            (Request::Claim(claim), Reply::Claim(reply)) => {
                let status = claim_status(reply)?;
                let is_partial = reply.granted > 0 && reply.granted < claim.quantity && !claim.is_up_to();
                if reply.granted > claim.quantity || is_partial {
                    return Err(Unclear::Contradiction("the grant is of another quantity than was asked for"));
                }
                Ok(Some(status))
            }
            (Request::Lookup(_), Reply::Claim(reply)) => claim_status(reply).map(Some),
            (Request::Create(_) | Request::Show(_) | Request::Change(_) | Request::AddStock(_), Reply::Batch(info)) => {
                info.status().map(Some).ok_or_else(|| Unclear::Status(info.as_bytes()[0]))
            }
            (Request::Ping(sent), Reply::Ping(back)) if sent.nonce != back.nonce => {
                Err(Unclear::Contradiction("the ping came back changed"))
            }
            (Request::Ping(_), Reply::Ping(_))
            | (Request::Serials(_), Reply::Serials(_))
            | (Request::List(_), Reply::Batches(_)) => Ok(None),
            (_, Reply::Claim(_) | Reply::Serials(_) | Reply::Batch(_) | Reply::Batches(_) | Reply::Ping(_)) => {
                Err(Unclear::Contradiction("a reply is of another kind than its request"))
            }
        }
    }
}

/// Why an answer cannot be understood.
pub(crate) enum Unclear {
    /// It has a status that this client does not know. By the protocol that is a refusal: nothing was done.
    Status(u8),
    /// It cannot be true: who knows what was done.
    Contradiction(&'static str),
}

fn claim_status(reply: &ClaimReply) -> Result<Status, Unclear> {
    let status = reply.status().ok_or_else(|| Unclear::Status(reply.as_bytes()[0]))?;
    if (status == Status::Granted) != (reply.granted > 0) {
        return Err(Unclear::Contradiction("the status and the number of units granted contradict each other"));
    }
    if reply.run > reply.granted || reply.is_split() != (reply.run < reply.granted) {
        return Err(Unclear::Contradiction("the run of serials and the number of units granted contradict each other"));
    }
    if reply.serial.get().checked_add(reply.run.into()).is_none() {
        return Err(Unclear::Contradiction("the serials are beyond the largest"));
    }
    Ok(status)
}

/// The replies that a frame holds, one for each of the `waiting` requests of the frame it answers.
///
/// # Errors
/// What is impossible about it.
pub(crate) fn replies(frame: &Frame<'_>, waiting: usize) -> Result<Vec<Reply>, &'static str> {
    const COUNT_WRONG: &str = "a reply holds another number of items than its request";
    let replies: Vec<Reply> = match frame.opcode {
        Opcode::Claim | Opcode::Lookup => items::<ClaimReply>(frame)?.iter().copied().map(Reply::Claim).collect(),
        Opcode::BatchCreate | Opcode::BatchShow | Opcode::BatchChange | Opcode::BatchAddStock => {
            items::<BatchInfo>(frame)?.iter().map(|info| Reply::Batch(Box::new(*info))).collect()
        }
        Opcode::BatchList => vec![Reply::Batches(items(frame)?.to_vec())],
        Opcode::Serials => vec![Reply::Serials(items(frame)?.to_vec())],
        Opcode::Ping => items::<Ping>(frame)?.iter().copied().map(Reply::Ping).collect(),
        Opcode::Hello | Opcode::Fault => return Err("a reply is of a kind that was not asked for"),
    };
    if replies.len() == waiting { Ok(replies) } else { Err(COUNT_WRONG) }
}

fn items<'a, T>(frame: &Frame<'a>) -> Result<&'a [T], &'static str>
where
    T: zerocopy::FromBytes + zerocopy::KnownLayout + zerocopy::Immutable + zerocopy::Unaligned,
{
    frame.items().map_err(|_| "the items of a reply have another size than its opcode says")
}
