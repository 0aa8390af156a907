//! `stockade batch list`.

use clap::Args;

use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::listing::{self, Listing, PAGE};
use super::shape;

/// Lists every batch with all that it has, in order of id
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch list | less -S\n  stockade --json batch list")]
pub(in crate::cli) struct List {}

impl List {
    #[expect(clippy::unused_self, reason = "commands are run alike")]
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let mut list = Listing::new(connection.json);
        connection.run(async |client| {
            let mut from = 0;
            loop {
                let page = client.list_batches(from, PAGE).await.map_err(|error| Failure::of_server(&error))?;
                list.page(&page.iter().map(shape::record).collect::<Vec<_>>())?;
                match page.last().and_then(|last| last.id.checked_add(1)) {
                    Some(next) if !listing::is_last(page.len()) => from = next,
                    Some(_) | None => return Ok(()),
                }
            }
        })?;
        list.end()
    }
}
