//! `stockade clients`.

use clap::Args;
use stockade_client::ClientName;

use super::connection::Connection;
use super::exit::{Exit, Failure};
use super::listing::{self, Listing, PAGE};
use super::record::{Record, Value};

/// Lists the clients that events name by number; for operators
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade clients")]
pub(super) struct Clients {}

impl Clients {
    #[expect(clippy::unused_self, reason = "commands are run alike")]
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let mut list = Listing::new(connection.json);
        connection.run(async |client| {
            let mut from = 0;
            loop {
                let page = client.clients(from, PAGE).await.map_err(|error| Failure::of_server(&error))?;
                list.page(&page.iter().map(record).collect::<Vec<_>>())?;
                match page.last() {
                    Some(last) if !listing::is_last(page.len()) => from = u32::from(last.client) + 1,
                    Some(_) | None => return Ok(()),
                }
            }
        })?;
        list.end()
    }
}

fn record(client: &ClientName) -> Record {
    Record::new().with("client", Value::number(client.client)).with("name", Value::Text(client.name.clone()))
}
