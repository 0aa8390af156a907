//! What clients ask, what they are answered, and what they had been answered before they asked.

use stockade::engine::Burst;
use stockade::stock::Run;
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, AddStock, BatchInfo, Create, Terms};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};

/// A request.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Claim(Claim),
    Lookup(RequestKey),
    Create(u64, Terms),
    Add(AddStock),
    Change(u64, Action),
    Show(u64),
}

/// The answer to it.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there are a few thousand, and a box would be in the way of each match")]
pub(crate) enum Answer {
    /// With all serials, where it grants.
    Claim(ClaimReply, Vec<Run>),
    Batch(BatchInfo),
}

/// What had been answered when the request's burst began: the answer must take it into account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Units of the batch; none when its creation was not answered.
    pub(crate) units: Option<u64>,
    /// Changes so far that may have permitted claims.
    pub(crate) permits: u64,
    /// Whether a pause or an end was answered before the burst began, and nothing undid it until the burst ended.
    pub(crate) forbidden: bool,
    /// The serials that the same batch, user and request id were granted.
    pub(crate) granted: Option<Vec<Run>>,
}

/// One request with its answer.
#[derive(Clone, Debug)]
pub(crate) struct Trade {
    pub(crate) request: Request,
    pub(crate) answer: Answer,
    pub(crate) known: Known,
    /// The time of its burst.
    pub(crate) now_ms: u64,
    /// The epoch that the answer waits for.
    pub(crate) epoch: u64,
}

impl Request {
    /// The batch that it is about.
    pub(crate) fn batch(&self) -> u64 {
        match self {
            Request::Claim(claim) => claim.batch.get(),
            Request::Lookup(key) => key.batch.get(),
            Request::Create(batch, _) | Request::Change(batch, _) | Request::Show(batch) => *batch,
            Request::Add(add) => add.batch.get(),
        }
    }

    /// Batch, user and request id of a claim or a look-up.
    pub(crate) fn key(&self) -> Option<(u64, u64, u64)> {
        let key = match self {
            Request::Claim(claim) => RequestKey { batch: claim.batch, user: claim.user, request: claim.request },
            Request::Lookup(key) => *key,
            Request::Create(..) | Request::Add(_) | Request::Change(..) | Request::Show(_) => return None,
        };
        Some((key.batch.get(), key.user.get(), key.request.get()))
    }
}

/// Decides one request.
pub(crate) fn answer(burst: &mut Burst<'_>, request: &Request) -> Answer {
    match request {
        Request::Claim(claim) => {
            let reply = burst.claim(claim);
            with_serials(burst, reply, RequestKey { batch: claim.batch, user: claim.user, request: claim.request })
        }
        Request::Lookup(key) => {
            let reply = burst.lookup(key);
            with_serials(burst, reply, *key)
        }
        Request::Create(batch, terms) => {
            let create = Create::new(*batch, terms).expect("the name fits");
            Answer::Batch(burst.create(&create))
        }
        Request::Add(add) => Answer::Batch(burst.add_stock(add)),
        Request::Change(batch, action) => Answer::Batch(burst.change(*batch, *action)),
        Request::Show(batch) => Answer::Batch(burst.show(*batch)),
    }
}

fn with_serials(burst: &mut Burst<'_>, reply: ClaimReply, key: RequestKey) -> Answer {
    let runs = if reply.granted > 0 { burst.serials(&key) } else { Err(Status::RequestUnknown) };
    // A batch that is closed in this instant has no serials to tell any more.
    let first = Run { first: reply.serial.get(), count: u32::from(reply.run) };
    let runs = match runs {
        Ok(runs) => runs.iter().collect::<Vec<_>>(),
        Err(_) if reply.granted > 0 => vec![first],
        Err(_) => Vec::new(),
    };
    Answer::Claim(reply, runs)
}
