//! `stockade batch refusals`.

use clap::Args;
use stockade_client::RefusalCount;

use super::super::advice::About;
use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::listing::Listing;
use super::super::record::{Record, Value};

/// Counts how often claims and reservations of a batch were refused since the server started, by status
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch refusals 1")]
pub(in crate::cli) struct Refusals {
    #[command(flatten)]
    batch: super::Id,
}

impl Refusals {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let id = self.batch.id;
        let call = connection.run(async |client| Ok(client.batch_refusals(id).await))?;
        let counts = call.map_err(|error| Failure::of_call(&error, About::Batch(id)))?;
        let mut list = Listing::new(connection.json);
        list.page(&counts.iter().map(record).collect::<Vec<_>>())?;
        list.end()
    }
}

fn record(refused: &RefusalCount) -> Record {
    let status = refused.status.map_or_else(|| format!("STATUS_{}", refused.number), |status| status.name().to_owned());
    Record::new().with("status", Value::Text(status)).with("count", Value::number(refused.count))
}
