//! `stockade batch add-stock` and `stockade batch withdraw`.

use clap::Args;

use super::super::advice::About;
use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::id;
use super::shape::{self, Asked};

/// Adds units to a batch
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch add-stock 1 --units 500\n\n\
    Repeat with the printed request id if the outcome is unknown: the units are added once.")]
pub(in crate::cli) struct AddStock {
    #[command(flatten)]
    moving: Moving,
}

/// Takes units that nobody has away from a batch, as many as there are
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch withdraw 1 --units 500\n\n\
    `moved` says how many were there to be taken away, which may be none. What is granted or reserved stays.\n\
    Repeat with the printed request id if the outcome is unknown: units are withdrawn once.")]
pub(in crate::cli) struct Withdraw {
    #[command(flatten)]
    moving: Moving,
}

/// Units that come or go.
#[derive(Args, Debug)]
struct Moving {
    /// Id of the batch
    #[arg(value_name = "ID", value_parser = id::id, allow_negative_numbers = true)]
    id: u64,

    /// How many
    #[arg(long, value_name = "N", value_parser = id::units, allow_negative_numbers = true)]
    units: u32,

    /// Id of this addition or withdrawal, a number or a UUID: the same for every retry [default: a random number, which
    /// is printed]
    #[arg(long, value_name = "R", value_parser = id::request, allow_negative_numbers = true)]
    request: Option<u64>,
}

impl AddStock {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let (asked, request, Moving { id, units, .. }) = self.moving.asked();
        let result = connection.run(async |client| Ok(client.add_stock(*id, request, *units).await))?;
        shape::print(asked, &result, connection.json)
    }
}

impl Withdraw {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let (asked, request, Moving { id, units, .. }) = self.moving.asked();
        let result = connection.run(async |client| Ok(client.withdraw_stock(*id, request, *units).await))?;
        shape::print(asked, &result, connection.json)
    }
}

impl Moving {
    fn asked(&self) -> (Asked, u64, &Self) {
        let request = self.request.unwrap_or_else(id::draw_request);
        (Asked { id: self.id, about: About::Stock(self.id), moving: Some(request) }, request, self)
    }
}
