//! Users: who holds what of one batch. Limits, replays, reservations and coupons are decided here.
//!
//! [`Users`] maps a user to the claims that took effect. Only those leave a trace, so memory is bounded by stock,
//! however many users ask. One lock covers all that a request does with its user, so two requests of one user are
//! decided one after the other. No I/O, no async; the stock that a claim draws is the caller's business.

mod ahead;
mod busy;
mod census;
mod claims;
mod coupon;
mod coupons;
mod entry;
mod holds;
mod index;
mod moves;
mod part;
mod recent;
mod record;
mod redeem;
mod settle;
mod shard;
mod slot;
mod staged;
mod table;
mod tally;
#[cfg(test)]
mod tests;

pub use coupon::{Action, Coupon, CouponRefusal, CouponState, Verdict};
pub use entry::Entry;
pub(crate) use index::home;
pub use moves::Due;
pub use part::{Part, Share};
pub use recent::Moment;
pub use redeem::{CouponChange, Unit};
pub use shard::Look;
pub use slot::{Asked, Claim, Phase};
pub use staged::{Broken, Move};
pub use table::{ClaimRef, HashedUser, Users};
pub use tally::{Standing, Tally};
