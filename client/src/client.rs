//! The client: each operation of the protocol as one async call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use stockade_protocol::batch::{Action, AddStock, BatchId, Change, Create, List, Terms};
use stockade_protocol::claim::{ClaimReply, RequestKey, SerialRun};
use stockade_protocol::limits::BATCHES_PER_FRAME_MAX;
use stockade_protocol::ping::Ping;
use tokio::time::Instant;

use crate::builder::{Builder, invalid};
use crate::call::Call;
use crate::error::{ClientError, Operation};
use crate::handle::Handle;
use crate::limits::DEADLINE_MAX;
use crate::outcome::{Batch, BatchOutcome, ClaimOutcome, ClaimRequest, Server, serials_of};
use crate::request::{Reply, Request};

/// What a ping sends. The correlation id tells pings apart; this only has to come back as it went.
const PING_NONCE: u64 = u64::from_le_bytes(*b"STOCKADE");

/// A handle on a pool of connections to one server. Cheap to clone; the connections close with the last clone.
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
    deadline: Duration,
}

impl Client {
    /// Starts setting up a client of `server`, written as `HOST:PORT`. Names are resolved at each connecting.
    #[must_use]
    pub fn builder(server: impl Into<String>) -> Builder {
        Builder::new(server.into())
    }

    pub(crate) fn new(handle: Arc<Handle>, deadline: Duration) -> Self {
        Self { handle, deadline }
    }

    #[cfg(test)]
    pub(crate) fn into_handle(self) -> Arc<Handle> {
        self.handle
    }

    /// The same client, on the same connections, with another deadline for its calls: at most [`DEADLINE_MAX`] is
    /// taken. With zero, calls fail with `Unavailable`.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Client {
        Self { handle: Arc::clone(&self.handle), deadline: deadline.min(DEADLINE_MAX) }
    }

    /// Takes units of a batch for a user. Refusals such as `SOLD_OUT` are outcomes.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the claim may still be granted:
    /// [`lookup`](Client::lookup) tells, and so does claiming again with the same request id.
    ///
    /// # Errors
    /// `UnknownOutcome` when the claim may have been granted without our knowing its serials. `Unavailable`, `Refused`
    /// and `Protocol`: it was surely not granted.
    pub async fn claim(&self, request: ClaimRequest) -> Result<ClaimOutcome, ClientError> {
        let start = Instant::now();
        let reply = self.call(Request::Claim(request.to_wire()), start).await?.into_claim();
        if !reply.is_split() {
            return Ok(ClaimOutcome::from_wire(&reply));
        }
        let ClaimRequest { batch, user, request, .. } = request;
        let outcome = self.with_serials(&reply, RequestKey::new(batch, user, request), start).await;
        outcome.map_err(|error| ClientError::UnknownOutcome {
            operation: Operation::Claim { batch, user, request },
            deadline: self.deadline,
            reason: format!("{} units were granted, but their serials did not come: {error}", reply.granted),
        })
    }

    /// Asks what became of an earlier claim: its grant, or `REQUEST_UNKNOWN` when it has had no effect so far.
    ///
    /// After an unknown outcome `REQUEST_UNKNOWN` is not yet a "never": a copy that is still on its way may be granted
    /// when it arrives. Claiming again with the same request id settles it.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `Unavailable`, `Refused` or `Protocol`.
    pub async fn lookup(&self, batch: u64, user: u64, request: u64) -> Result<ClaimOutcome, ClientError> {
        let start = Instant::now();
        let key = RequestKey::new(batch, user, request);
        let reply = self.call(Request::Lookup(key), start).await?.into_claim();
        if reply.is_split() { self.with_serials(&reply, key, start).await } else { Ok(ClaimOutcome::from_wire(&reply)) }
    }

    /// Creates a batch. `DONE` also when it exists with the same terms; `BATCH_CONFLICT` when it has others.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the batch may exist; creating it again is safe.
    ///
    /// # Errors
    /// `InvalidInput` when the name cannot be sent; else as [`claim`](Client::claim).
    pub async fn create_batch(&self, batch: u64, terms: &Terms) -> Result<BatchOutcome, ClientError> {
        let create =
            Create::new(batch, terms).map_err(|error| invalid("name", format!("the batch's name: {error}")))?;
        self.batch_call(Request::Create(Box::new(create))).await
    }

    /// Shows a batch; `BATCH_UNKNOWN` and no batch when there is none.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `Unavailable`, `Refused` or `Protocol`.
    pub async fn show_batch(&self, batch: u64) -> Result<BatchOutcome, ClientError> {
        self.batch_call(Request::Show(BatchId { batch: batch.into() })).await
    }

    /// Lists up to `limit` (1..=1,024) batches in order of id, from id `from` on. The next page starts at the last id +
    /// 1.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `InvalidInput` when the limit is out of range; else `Unavailable`, `Refused` or `Protocol`.
    pub async fn list_batches(&self, from: u64, limit: u32) -> Result<Vec<Batch>, ClientError> {
        if !(1..=BATCHES_PER_FRAME_MAX).contains(&limit) {
            return Err(invalid("limit", format!("{limit} is not within 1..={BATCHES_PER_FRAME_MAX}")));
        }
        let infos = self.call(Request::List(List::new(from, limit)), Instant::now()).await?.into_batches();
        infos.iter().map(|info| Batch::from_wire(info).ok_or_else(|| self.broken("a list names no batch"))).collect()
    }

    /// Activates, pauses, resumes, ends or closes a batch; `STATE_CONFLICT` when its state does not allow that.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the change may be made:
    /// [`show_batch`](Client::show_batch) tells.
    ///
    /// # Errors
    /// As [`claim`](Client::claim).
    pub async fn change_batch(&self, batch: u64, action: Action) -> Result<BatchOutcome, ClientError> {
        self.batch_call(Request::Change(Change::new(batch, action))).await
    }

    /// Adds `units` to a batch. The same `request` adds once, however often it is sent.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the units may be added; adding again with the same
    /// request id is safe and tells.
    ///
    /// # Errors
    /// As [`claim`](Client::claim).
    pub async fn add_stock(&self, batch: u64, request: u64, units: u32) -> Result<BatchOutcome, ClientError> {
        self.batch_call(Request::AddStock(AddStock::new(batch, request, units))).await
    }

    /// Asks whether the server answers. Returns the time that took from the call on: the queue, and connecting where it
    /// was needed, included.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    /// `Unavailable`, `Refused` or `Protocol`.
    pub async fn ping(&self) -> Result<Duration, ClientError> {
        let start = Instant::now();
        self.call(Request::Ping(Ping { nonce: PING_NONCE.into() }), start).await?;
        Ok(start.elapsed())
    }

    /// What the server said in the newest handshake: version, durability, limits, identity. Connects if no connection
    /// is open.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    /// `Unavailable`, `Refused` or `Protocol`.
    pub async fn server(&self) -> Result<Server, ClientError> {
        if let Some(server) = self.handle.pool.server(true) {
            return Ok(server);
        }
        self.ping().await?;
        self.handle.pool.server(false).ok_or_else(|| self.broken("it answered a ping without a handshake"))
    }

    async fn call(&self, request: Request, start: Instant) -> Result<Reply, ClientError> {
        Call::new(&self.handle, request, start, self.deadline).run().await
    }

    async fn batch_call(&self, request: Request) -> Result<BatchOutcome, ClientError> {
        let info = self.call(request, Instant::now()).await?.into_batch();
        Ok(BatchOutcome::from_wire(&info))
    }

    /// The outcome of a grant whose serials are several runs: these are asked for in what is left of the deadline.
    async fn with_serials(
        &self,
        reply: &ClaimReply,
        key: RequestKey,
        start: Instant,
    ) -> Result<ClaimOutcome, ClientError> {
        let runs = self.call(Request::Serials(key), start).await?.into_serials();
        let total: u64 = runs.iter().map(|run| u64::from(run.count.get())).sum();
        let is_in_range = |run: &SerialRun| run.first.get().checked_add(run.count.get()).is_some();
        if total != u64::from(reply.granted) || !runs.iter().all(is_in_range) {
            return Err(self.broken("the list of serials contradicts the grant"));
        }
        let serials = runs.iter().flat_map(|run| serials_of(run.first.get(), run.count.get())).collect();
        Ok(ClaimOutcome { serials, ..ClaimOutcome::from_wire(reply) })
    }

    fn broken(&self, reason: &str) -> ClientError {
        ClientError::Protocol { server: self.handle.pool.options.server.clone(), reason: reason.to_owned() }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = &self.handle.pool.options.server;
        formatter
            .debug_struct("Client")
            .field("server", server)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
