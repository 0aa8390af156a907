//! The client: a handle on the connections, and what its operations are made of. The operations stand with their nouns.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use stockade_protocol::Status;
use stockade_protocol::claim::{ClaimReply, RequestKey, SerialRun};
use tokio::time::Instant;

use crate::builder::{Builder, Options};
use crate::call::Call;
use crate::claim::{ClaimOutcome, serials_of};
use crate::error::ClientError;
use crate::handle::Handle;
use crate::limits::DEADLINE_MAX;
use crate::reply::Reply;
use crate::request::Request;

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

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) fn options(&self) -> &Options {
        &self.handle.pool.options
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The same client, on the same connections, with another deadline for its calls: at most [`DEADLINE_MAX`] is
    /// taken. With zero, calls fail with `Unavailable`.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Client {
        Self { handle: Arc::clone(&self.handle), deadline: deadline.min(DEADLINE_MAX) }
    }

    pub(crate) async fn call(&self, request: Request, start: Instant) -> Result<Reply, ClientError> {
        Call::new(&self.handle, request, start, self.deadline).run().await
    }

    /// A call whose answer may name units.
    pub(crate) async fn units_call(&self, request: Request, key: RequestKey) -> Result<ClaimOutcome, ClientError> {
        let start = Instant::now();
        let operation = request.operation();
        let reply = self.call(request, start).await?.into_claim();
        if !reply.is_split() {
            return Ok(ClaimOutcome::from_wire(&reply));
        }
        let outcome = self.with_serials(&reply, key, start).await;
        let Some(operation) = operation else { return outcome };
        let word = if reply.status() == Some(Status::Reserved) { "reserved" } else { "granted" };
        outcome.map_err(|error| ClientError::UnknownOutcome {
            operation,
            deadline: self.deadline,
            reason: format!("{} units were {word}, but their serials did not come: {error}", reply.granted),
        })
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

    pub(crate) fn broken(&self, reason: &str) -> ClientError {
        ClientError::Protocol { server: self.options().server.clone(), reason: reason.to_owned() }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("server", &self.options().server)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
