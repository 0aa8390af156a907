//! `stockade batch list`.

use clap::Args;
use stockade_client::Batch;

use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::output;
use super::shape;
use super::table::Table;

/// Batches asked for at a time: what one frame holds.
const PAGE_BATCHES: u32 = stockade_protocol::limits::BATCHES_PER_FRAME_MAX;

/// Lists every batch, in order of id
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade --json batch list")]
pub(in crate::cli) struct List {}

impl List {
    #[expect(clippy::unused_self, reason = "commands are run alike")]
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let is_json = connection.json;
        let shown = connection.run(async |client| {
            let (mut table, mut from, mut shown) = (Table::new(), 0, 0_u64);
            loop {
                let page = client.list_batches(from, PAGE_BATCHES).await.map_err(|error| Failure::of_call(&error))?;
                let is_first = shown == 0;
                output::write(&if is_json { items(&page, is_first) } else { table.page(&page, is_first) })?;
                shown += page.len() as u64;
                let next = page.last().and_then(|last| last.id.checked_add(1));
                match next {
                    Some(next) if page.len() == PAGE_BATCHES as usize => from = next,
                    Some(_) | None => return Ok(shown),
                }
            }
        })?;
        if is_json {
            output::line(if shown == 0 { "]" } else { "\n]" })?;
        }
        Ok(Exit::Done)
    }
}

/// The items of a page in one JSON array over all pages, a line each.
fn items(page: &[Batch], is_first: bool) -> String {
    let lines: Vec<String> = page.iter().map(|batch| output::json_text(&shape::Json::of(batch))).collect();
    let start = match (is_first, lines.is_empty()) {
        (true, true) => "[",
        (true, false) => "[\n",
        (false, true) => "",
        (false, false) => ",\n",
    };
    start.to_owned() + &lines.join(",\n")
}
