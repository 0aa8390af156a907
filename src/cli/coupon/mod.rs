//! `stockade coupon …`: what becomes of a unit once it was taken.

mod change;
mod shape;
mod unit;

use clap::Subcommand;

use super::connection::Connection;
use super::exit::{Exit, Failure};
pub(super) use shape::{order, state};

/// What to do with coupons.
#[derive(Subcommand, Debug)]
pub(super) enum Coupon {
    Lock(change::Lock),
    Unlock(change::Unlock),
    Redeem(change::Redeem),
    Restore(change::Restore),
    Return(change::Return),
    Void(change::Void),
    Show(unit::Show),
    List(unit::List),
    Log(unit::Log),
}

impl Coupon {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        match self {
            Coupon::Lock(lock) => lock.run(connection),
            Coupon::Unlock(unlock) => unlock.run(connection),
            Coupon::Redeem(redemption) => redemption.run(connection),
            Coupon::Restore(restoration) => restoration.run(connection),
            Coupon::Return(giving_back) => giving_back.run(connection),
            Coupon::Void(void) => void.run(connection),
            Coupon::Show(show) => show.run(connection),
            Coupon::List(list) => list.run(connection),
            Coupon::Log(log) => log.run(connection),
        }
    }
}
