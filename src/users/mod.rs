//! Users: who holds what of one batch. Limits and replays are decided here.
//!
//! [`Users`] maps a user to the claims that were granted to them. Only grants leave a trace, so memory is bounded by
//! stock, however many users ask. One lock covers all that a claim does with its user, so two requests of one user are
//! decided one after the other. No I/O, no async; the stock that a claim draws is the caller's business.

mod claims;
mod index;
mod shard;
mod slot;
mod staged;
mod table;

pub use slot::{Asked, Held};
pub use staged::Broken;
pub use table::{Entry, HashedUser, Users};
