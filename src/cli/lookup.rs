//! `stockade lookup`.

use clap::Args;

use super::answer::{self, Key};
use super::connection::Connection;
use super::exit::{Exit, Failure};
use super::id;

/// Asks what became of an earlier claim.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade lookup 1 --user 7 --request 3141592653589793\n\n\
    It answers as the claim did. REQUEST_UNKNOWN, with exit status 1: the request had no effect.")]
pub(super) struct Lookup {
    /// Id of the batch
    #[arg(value_name = "BATCH", value_parser = id::id, allow_negative_numbers = true)]
    batch: u64,

    /// Id of the user
    #[arg(long, value_name = "U", value_parser = id::id, allow_negative_numbers = true)]
    user: u64,

    /// Id of the request, a number or a UUID
    #[arg(long, value_name = "R", value_parser = id::request, allow_negative_numbers = true)]
    request: u64,
}

impl Lookup {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let key = Key { batch: self.batch, user: self.user, request: self.request };
        let result = connection.run(async |client| Ok(client.lookup(key.batch, key.user, key.request).await))?;
        answer::print(key, &result, None)
    }
}
