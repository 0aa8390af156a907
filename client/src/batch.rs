//! Batches: creating, showing, changing them, adding and withdrawing stock.

use stockade_protocol::batch::{
    Action, AddStock, Audience, BatchId, BatchInfo, Change, Create, Edit, Fields, Holds, List, State, Terms, Validity,
    Withdraw,
};
use stockade_protocol::limits::ZONE_BYTES_MAX;
use stockade_protocol::{FixedText, Status, TextError};
use tokio::time::Instant;

use crate::builder::invalid;
use crate::client::Client;
use crate::error::ClientError;
use crate::request::{Request, page_limit};

/// What became of an operation on a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchOutcome {
    /// `DONE`, or why not.
    pub status: Status,
    /// The batch as it is now, if there is one. After a purge there is none.
    pub batch: Option<Batch>,
    /// Units that this operation added or withdrew, now or by an earlier copy.
    pub moved: u32,
    /// The epoch that had to be durable before this answer could leave. Readers that are given it see the effect.
    pub epoch: u64,
}

impl BatchOutcome {
    fn from_wire(info: &BatchInfo) -> Self {
        let status = info.status().expect("the status was checked when the reply came");
        Self { status, batch: Batch::from_wire(info), moved: info.moved.get(), epoch: info.epoch.get() }
    }
}

/// A batch at one instant: `total` = `granted` + `held` + `voided` + `remaining`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: u64,
    /// Its name, for people.
    pub name: String,
    /// Where it is in its life.
    pub state: State,
    /// Number of its last operation; its creation is 1. An edit can insist on it.
    pub version: u32,
    /// Units at the beginning and added since, less those withdrawn.
    pub total: u32,
    /// Units granted, and neither given back nor voided.
    pub granted: u32,
    /// Units reserved.
    pub held: u32,
    /// Units voided.
    pub voided: u32,
    /// Units that nobody has.
    pub remaining: u32,
    /// Units that were taken today; 0 where a day has no limit.
    pub day_units: u32,
    /// Units that one user may hold; `None` = as many as there are.
    pub per_user: Option<u32>,
    /// Units that one user may take on one day; `None` = unlimited.
    pub per_user_day: Option<u32>,
    /// Units that all users may take on one day; `None` = unlimited.
    pub per_day: Option<u32>,
    /// Units of one request; `None` = unlimited.
    pub quantity_max: Option<u8>,
    /// Who may claim.
    pub audience: Audience,
    /// How much may be reserved at once.
    pub holds: Holds,
    /// First instant at which claims are granted, in milliseconds since 1970; `None` = at once.
    pub starts_ms: Option<u64>,
    /// First instant at which they are not granted any more; `None` = never.
    pub ends_ms: Option<u64>,
    /// How long coupons are valid.
    pub validity: Validity,
    /// IANA name of the time zone of its days; empty = UTC.
    pub zone: String,
    /// When it was created, in milliseconds since 1970.
    pub created_ms: u64,
}

impl Batch {
    /// The batch that an answer is about; `None` when there is none.
    fn from_wire(info: &BatchInfo) -> Option<Self> {
        let state = info.state()?;
        let Terms {
            stock: total,
            per_user,
            per_user_day,
            per_day,
            quantity_max,
            audience,
            holds,
            starts_ms,
            ends_ms,
            validity,
            zone,
            draft: _,
            name,
        } = info.terms();
        Some(Self {
            id: info.batch.get(),
            name,
            state,
            version: info.version.get(),
            total,
            granted: info.granted.get(),
            held: info.held.get(),
            voided: info.voided.get(),
            remaining: info.remaining.get(),
            day_units: info.day_units.get(),
            per_user,
            per_user_day,
            per_day,
            quantity_max,
            audience,
            holds,
            starts_ms,
            ends_ms,
            validity,
            zone,
            created_ms: info.created_ms.get(),
        })
    }
}

impl Client {
    /// Creates a batch. `DONE` also when it exists with the same terms; `BATCH_CONFLICT` when it has others;
    /// `ZONE_INVALID` when no time zone has that name.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the batch may exist; creating it again is safe.
    ///
    /// # Errors
    /// `InvalidInput` when the name or the zone cannot be sent; else as [`claim`](Client::claim).
    pub async fn create_batch(&self, batch: u64, terms: &Terms) -> Result<BatchOutcome, ClientError> {
        let create = Create::new(batch, terms).map_err(|error| unfit(terms, error))?;
        self.batch_call(Request::CreateBatch(Box::new(create))).await
    }

    /// Gives a batch the values that `terms` have for `fields`; all else of `terms` is ignored. With a `version` that
    /// is not 0 the batch must have it, or those values already: else `BATCH_CONFLICT`. `STATE_CONFLICT` when a field
    /// may not change in the batch's state. Either all fields change or none.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the edit may be made: [`show_batch`](Client::show_batch)
    /// tells.
    ///
    /// # Errors
    /// `InvalidInput` when there is no such field, or a text of `terms` cannot be sent; else as
    /// [`claim`](Client::claim).
    pub async fn edit_batch(
        &self,
        batch: u64,
        fields: Fields,
        terms: &Terms,
        version: u32,
    ) -> Result<BatchOutcome, ClientError> {
        if !Fields::ALL.has(fields) {
            return Err(invalid("fields", format!("{:#x} has bits that name no field", fields.0)));
        }
        let edit = Edit::new(batch, fields, terms, version).map_err(|error| unfit(terms, error))?;
        self.batch_call(Request::EditBatch(Box::new(edit))).await
    }

    /// Shows a batch; `BATCH_UNKNOWN` and no batch when there is none.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `Unavailable`, `Refused` or `Protocol`.
    pub async fn show_batch(&self, batch: u64) -> Result<BatchOutcome, ClientError> {
        self.batch_call(Request::ShowBatch(BatchId { batch: batch.into() })).await
    }

    /// Lists up to `limit` (1..=1,024) batches in order of id, from id `from` on. The next page starts at the last id +
    /// 1; fewer than `limit` are the last page.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `InvalidInput` when the limit is out of range; else `Unavailable`, `Refused` or `Protocol`.
    pub async fn list_batches(&self, from: u64, limit: u32) -> Result<Vec<Batch>, ClientError> {
        let list = List::new(from, page_limit(limit)?);
        let infos = self.call(Request::ListBatches(list), Instant::now()).await?.into_batches();
        infos.iter().map(|info| Batch::from_wire(info).ok_or_else(|| self.broken("a list names no batch"))).collect()
    }

    /// Activates, pauses, resumes, ends, closes or purges a batch; `STATE_CONFLICT` when its state does not allow that.
    /// A purge forgets the batch and all of its history: its `DONE` has no batch.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the change may be made:
    /// [`show_batch`](Client::show_batch) tells.
    ///
    /// # Errors
    /// As [`claim`](Client::claim).
    pub async fn change_batch(&self, batch: u64, action: Action) -> Result<BatchOutcome, ClientError> {
        self.batch_call(Request::ChangeBatch(Change::new(batch, action))).await
    }

    /// Adds `units` to a batch. The same `request` adds once, however often it is sent. Additions and withdrawals share
    /// their request ids.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the units may be added; adding again with the same
    /// request id is safe and tells.
    ///
    /// # Errors
    /// As [`claim`](Client::claim).
    pub async fn add_stock(&self, batch: u64, request: u64, units: u32) -> Result<BatchOutcome, ClientError> {
        self.batch_call(Request::AddStock(AddStock::new(batch, request, units))).await
    }

    /// Takes units that nobody has away from a batch, as many as there are up to `units`: `moved` of the outcome says
    /// how many, which may be none. The same `request` withdraws once, however often it is sent.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the units may be withdrawn; withdrawing again with the
    /// same request id is safe and tells.
    ///
    /// # Errors
    /// As [`claim`](Client::claim).
    pub async fn withdraw_stock(&self, batch: u64, request: u64, units: u32) -> Result<BatchOutcome, ClientError> {
        self.batch_call(Request::WithdrawStock(Withdraw::new(batch, request, units))).await
    }

    async fn batch_call(&self, request: Request) -> Result<BatchOutcome, ClientError> {
        let info = self.call(request, Instant::now()).await?.into_batch();
        Ok(BatchOutcome::from_wire(&info))
    }
}

/// Which text of the terms it was that did not fit.
fn unfit(terms: &Terms, error: TextError) -> ClientError {
    if FixedText::<ZONE_BYTES_MAX>::new(&terms.zone).is_err() {
        return invalid("zone", format!("the batch's time zone: {error}"));
    }
    invalid("name", format!("the batch's name: {error}"))
}
