//! `stockade feed consumers` and `stockade feed forget`.

use clap::Args;
use stockade_client::Consumer;

use super::super::advice::{self, About};
use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::listing::{self, Listing, PAGE};
use super::super::record::{Record, Value};
use super::super::{output, trouble};

/// Lists the consumers whose places the server keeps, and how far they are behind
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade feed consumers")]
pub(super) struct Consumers {}

/// Forgets a consumer that will not come back, so that nothing is kept for it
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade feed forget mails")]
pub(super) struct Forget {
    /// Name of the consumer
    #[arg(value_name = "NAME")]
    name: String,
}

impl Consumers {
    #[expect(clippy::unused_self, reason = "commands are run alike")]
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let mut list = Listing::new(connection.json);
        connection.run(async |client| {
            let mut from = 0;
            loop {
                let page = client.feed_consumers(from, PAGE).await.map_err(|error| Failure::of_server(&error))?;
                list.page(&page.iter().map(record).collect::<Vec<_>>())?;
                if listing::is_last(page.len()) {
                    return Ok(());
                }
                from += PAGE;
            }
        })?;
        list.end()
    }
}

impl Forget {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let status = match connection.run(async |client| Ok(client.forget_consumer(&self.name).await))? {
            Ok(status) => status,
            Err(error) => return trouble::print(&error, About::Feed, connection.json),
        };
        let advice = advice::of_status(status, About::Feed);
        if connection.json {
            let line = output::status(status.name()).with("consumer", Value::Text(self.name.clone()));
            output::json(&line.with_some("error", advice.clone().map(Value::Text)))?;
        } else if advice.is_none() {
            output::line(&format!("consumer {} is forgotten", self.name))?;
        }
        if let Some(sentence) = advice {
            output::complain(&sentence);
        }
        Ok(Exit::of_status(status))
    }
}

fn record(consumer: &Consumer) -> Record {
    Record::new()
        .with("consumer", Value::Text(consumer.name.clone()))
        .with("epoch", Value::number(consumer.cursor.epoch))
        .with("index", Value::number(consumer.cursor.index))
        .with("connected", Value::Truth(consumer.is_connected))
        .with("behind_bytes", Value::number(consumer.behind_bytes))
}
