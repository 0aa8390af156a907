//! `stockade batch edit`.

use clap::Args;
use stockade_client::{Batch, BatchOutcome, Client, ClientError, Status, Terms as Wanted};

use super::super::advice::About;
use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::id;
use super::shape::{self, Asked};
use super::terms::Terms;

/// Times that an edit is made anew because others changed the batch meanwhile. Each needs another of them at the very
/// same time.
const TRIES: u32 = 5;

/// Changes what is named of a batch's terms, and nothing else
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch edit 1 --per-day 5000 --ends never --version 4\n\n\
    What a user holds stays theirs, also above a lower limit. --starts can change before the batch starts, the name \
    until it is closed, the rest until it has ended; zone and validity never. Repeating it is safe.")]
pub(in crate::cli) struct Edit {
    /// Id of the batch
    #[arg(value_name = "ID", value_parser = id::id, allow_negative_numbers = true)]
    id: u64,

    #[command(flatten)]
    terms: Terms,

    /// Edit it only if this is its version, as `stockade batch show` tells it [default: any]
    #[arg(long, value_name = "V", value_parser = id::version, allow_negative_numbers = true)]
    version: Option<u32>,
}

impl Edit {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        if self.terms.fields().is_empty() {
            return Err(Failure::usage(
                "an edit must name what to change, such as --per-user 2; --help lists the rest",
            ));
        }
        let result = connection.run(async |client| Ok(self.edit(&client).await))?;
        shape::print(Asked { about: About::Edit(self.id), ..Asked::of(self.id) }, &result, connection.json)
    }

    async fn edit(&self, client: &Client) -> Result<BatchOutcome, ClientError> {
        if !self.terms.is_partial() {
            return self.send(client, Wanted::default(), self.version.unwrap_or(0)).await;
        }
        // The server takes all flags of an audience together, and both bounds of reservations: those that are not named
        // are read first, and the edit insists on the version that they were read from.
        let mut tries = 0;
        loop {
            tries += 1;
            let shown = client.show_batch(self.id).await?;
            let Some(batch) = &shown.batch else { return Ok(shown) };
            let edited = self.send(client, terms_of(batch), self.version.unwrap_or(batch.version)).await?;
            let is_overtaken = edited.status == Status::BatchConflict && self.version.is_none();
            if !is_overtaken || tries == TRIES {
                return Ok(edited);
            }
        }
    }

    async fn send(&self, client: &Client, base: Wanted, version: u32) -> Result<BatchOutcome, ClientError> {
        client.edit_batch(self.id, self.terms.fields(), &self.terms.over(base), version).await
    }
}

/// Those that an edit can name in part.
fn terms_of(batch: &Batch) -> Wanted {
    Wanted { audience: batch.audience, holds: batch.holds, ..Wanted::default() }
}
