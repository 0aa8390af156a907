//! The consumers whose cursors the server stores.

use stockade_protocol::Status;
use stockade_protocol::feed::{ConsumerInfo, Forget};
use stockade_protocol::hello::Page;
use tokio::time::Instant;

use crate::builder::invalid;
use crate::client::Client;
use crate::error::ClientError;
use crate::event::Place;
use crate::request::{Request, page_limit};

/// A consumer of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// Its cursor: the first place that it has not acknowledged.
    pub cursor: Place,
    /// Whether it has a subscription now.
    pub is_connected: bool,
    /// How far it is behind the newest event, in bytes of the journal.
    pub behind_bytes: u64,
}

impl Consumer {
    fn from_wire(info: &ConsumerInfo) -> Self {
        Self {
            name: info.consumer().to_owned(),
            cursor: Place { epoch: info.epoch.get(), index: info.index.get() },
            is_connected: info.is_connected(),
            behind_bytes: info.behind_bytes.get(),
        }
    }
}

impl Client {
    /// Lists up to `limit` (1..=1,024) consumers whose cursors are stored, after passing over `from` of them. Fewer
    /// than `limit` are the last page. For operators.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `InvalidInput` when the limit is out of range; else `Unavailable`, `Refused` or `Protocol`.
    pub async fn feed_consumers(&self, from: u32, limit: u32) -> Result<Vec<Consumer>, ClientError> {
        let page = Page { from: from.into(), limit: page_limit(limit)?.into() };
        let infos = self.call(Request::Consumers(page), Instant::now()).await?.into_consumers();
        Ok(infos.iter().map(Consumer::from_wire).collect())
    }

    /// Forgets a consumer that will not come back, so that the journal is not kept for it: `DONE`, or `REQUEST_UNKNOWN`
    /// when there is none of this name, which may also mean that an earlier copy of this call was done. For operators.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the consumer may be forgotten;
    /// [`feed_consumers`](Client::feed_consumers) tells.
    ///
    /// # Errors
    /// `InvalidInput` when the name cannot be sent; else as [`claim`](Client::claim).
    pub async fn forget_consumer(&self, consumer: &str) -> Result<Status, ClientError> {
        let forget =
            Forget::new(consumer).map_err(|error| invalid("consumer", format!("the consumer's name: {error}")))?;
        let request = Request::ForgetConsumer(Box::new(forget));
        let forgotten = self.call(request, Instant::now()).await?.into_forgotten();
        Ok(forgotten.status().expect("the status was checked when the reply came"))
    }
}
