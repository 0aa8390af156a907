//! Stockade's client: claims over TCP, exact about what it knows and about what it does not.
//!
//! A [`Client`] is a handle on a small pool of connections. Clone it freely and call it from as many tasks as you like:
//! claims that queue while a write is under way leave together in one frame, many frames are in flight on each
//! connection, and the server's limits are kept. There is no linger timer: a lonely claim leaves at once.
//!
//! ```no_run
//! use stockade_client::{ClaimRequest, Client, ClientError, Status};
//!
//! # async fn sell() -> Result<(), ClientError> {
//! let client = Client::builder("stock.example:7400").name("shop-7").build()?;
//! let request = ClaimRequest { batch: 42, user: 7, request: 1, quantity: 1, up_to: false };
//!
//! let outcome = match client.claim(request).await {
//!     // Sent, but not answered in time: the coupon may be held. Never guess, ask.
//!     Err(ClientError::UnknownOutcome { .. }) => client.lookup(42, 7, 1).await?,
//!     other => other?,
//! };
//! match outcome.status {
//!     Status::Granted => println!("serial {}", outcome.serials[0]),
//!     refused => println!("{refused}"),
//! }
//! # Ok(()) }
//! ```
//!
//! # What a call promises
//!
//! - **A business result is no error.** `SOLD_OUT`, `LIMIT_REACHED`, `PAUSED` and the like are `Ok` with a [`Status`].
//! - **Every call ends** within its deadline ([`Builder::deadline`], [`Client::with_deadline`]).
//! - **A retry repeats the request id.** After a cut connection, or an answer whose [`Retry`] is `Later`, the call is
//!   sent again within its deadline, after a jittered pause. The server answers a repeated request with its original
//!   answer, so a retry never takes stock twice. It goes only to the store that may have seen the first copy: a server
//!   that comes back with other data gets no second copy.
//! - **Unknown is said.** [`ClientError::UnknownOutcome`] means that the request may have been done.
//!   Every other error means that it was not.
//! - **Everything is bounded**: connections, the queue behind them, frames, claims in flight. Where the queue is full a
//!   call waits for a place, within its deadline.
//!
//! One thing no client can rule out: if a proxy between client and server cuts a connection but delivers what it had
//! buffered later, that late copy of a claim meets the server after the retry was refused. It is then decided by what
//! is true at that moment. [`Client::lookup`] shows it.
//!
//! # Cancellation
//!
//! Dropping the future of a call is safe for the client: connections, windows and other calls are not affected. If the
//! request had not left yet it never will; if it had, its outcome is unknown and [`Client::lookup`] tells it.
//!
//! Calls must run inside a tokio runtime with I/O and time enabled.

mod backoff;
mod builder;
mod call;
mod client;
mod connection;
mod conversation;
mod dial;
mod error;
mod handle;
mod job;
mod limits;
mod outcome;
mod pending;
mod pool;
mod request;
mod trouble;

pub use builder::Builder;
pub use client::Client;
pub use error::{ClientError, Operation};
pub use limits::{CONNECTIONS_MAX, DEADLINE_MAX, QUEUED_REQUESTS_MAX};
pub use outcome::{Batch, BatchOutcome, ClaimOutcome, ClaimRequest, Server};
pub use stockade_protocol::batch::{Action, State, Terms};
pub use stockade_protocol::hello::Durability;
pub use stockade_protocol::{Retry, Status};
