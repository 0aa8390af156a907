//! Stockade's client: claims, reservations and coupons over TCP, exact about what it knows and about what it does not.
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
//! let request = ClaimRequest { batch: 42, user: 7, request: 1, quantity: 1, ..ClaimRequest::default() };
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
//! Besides claims there are
//!
//! - reservations, for as long as a checkout runs: [`reserve`](Client::reserve), then [`confirm`](Client::confirm) or
//!   [`cancel`](Client::cancel);
//! - coupons, which orders [lock](Client::lock_coupon), [redeem](Client::redeem_coupon) and
//!   [restore](Client::restore_coupon);
//! - readers: [`wallet`](Client::wallet), [`show_coupon`](Client::show_coupon), [`batch_stats`](Client::batch_stats)
//!   and others. Those that take a `see_epoch` show the effect of the answer whose `epoch` it was;
//! - the operations on batches, for operators;
//! - the [feed](Client::subscribe): every effect, in order.
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
//!   [`Operation`] names the request and what tells its outcome.
//! - **Everything is bounded**: connections, the queue behind them, frames, claims in flight. Where the queue is full a
//!   call waits for a place, within its deadline.
//!
//! One thing no client can rule out: if a proxy between client and server cuts a connection but delivers what it had
//! buffered later, that late copy of a claim meets the server after the retry was refused. It is then decided by what
//! is true at that moment. [`Client::lookup`] shows it.
//!
//! # The feed
//!
//! A [`Feed`] is a connection of its own. It gives each event at least once, in order: whoever deals with events keeps
//! the [`Place`] of the last one with its effect, and passes over what came before.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use stockade_client::{Client, ClientError, FeedStart, Place};
//!
//! # async fn deal_with(_: &stockade_client::Event) {}
//! # async fn consume(client: Client) -> Result<(), ClientError> {
//! loop {
//!     let mut feed = client.subscribe(FeedStart::Stored { or: Place::FIRST }, 10_000, "mails").await?;
//!     let end = loop {
//!         match feed.next().await {
//!             Ok(events) => {
//!                 for event in &events {
//!                     deal_with(event).await;
//!                 }
//!                 feed.acknowledge(events[events.len() - 1].place)?;
//!             }
//!             Err(end) => break end,
//!         }
//!     };
//!     // The connection was lost: go on where the server's cursor stands.
//!     let ClientError::Unavailable { .. } = end else { return Err(end) };
//!     tokio::time::sleep(Duration::from_secs(1)).await;
//! }
//! # }
//! ```
//!
//! # Cancellation
//!
//! Dropping the future of a call is safe for the client: connections, windows and other calls are not affected. If the
//! request had not left yet it never will; if it had, its outcome is unknown and [`Client::lookup`] tells it.
//!
//! Calls must run inside a tokio runtime with I/O and time enabled.

mod backoff;
mod batch;
mod builder;
mod call;
mod claim;
mod client;
mod connection;
mod contradiction;
mod conversation;
mod coupon;
mod dial;
mod error;
mod event;
mod feed;
mod handle;
mod job;
mod limits;
mod operation;
mod pending;
mod pool;
mod reply;
mod request;
mod reservation;
mod server;
mod stats;
mod trouble;
mod wallet;

pub use batch::{Batch, BatchOutcome};
pub use builder::Builder;
pub use claim::{ClaimOutcome, ClaimRequest};
pub use client::Client;
pub use coupon::{Coupon, CouponFound, CouponOutcome, CouponRequest};
pub use error::ClientError;
pub use event::{Event, Place};
pub use feed::{Consumer, Feed, FeedStart};
pub use limits::{CONNECTIONS_MAX, DEADLINE_MAX, QUEUED_REQUESTS_MAX};
pub use operation::Operation;
pub use reservation::ReserveRequest;
pub use server::{ClientName, Server};
pub use stats::{BatchStats, Counts, Day, RefusalCount};
pub use stockade_protocol::batch::{Action, Audience, Fields, Holds, State, Terms, Validity};
pub use stockade_protocol::coupon::{Action as CouponAction, State as CouponState};
pub use stockade_protocol::feed::Kind as EventKind;
pub use stockade_protocol::hello::Durability;
pub use stockade_protocol::{Retry, Status};
pub use wallet::{Cursor, WalletItem, WalletPage};
