//! `stockade batch list`.

use clap::Args;
use stockade_client::Batch;

use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::output;
use super::shape;

/// Batches asked for at a time: what one frame holds.
const PAGE_BATCHES: u32 = stockade_protocol::limits::BATCHES_PER_FRAME_MAX;

/// Lists every batch, in order of id
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade --json batch list")]
pub(in crate::cli) struct List {}

impl List {
    #[expect(clippy::unused_self, reason = "commands are run alike")]
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let json = connection.json;
        let shown = connection.run(async |client| {
            let (mut from, mut shown) = (0, 0_u64);
            loop {
                let page = client.list_batches(from, PAGE_BATCHES).await.map_err(|error| Failure::of_call(&error))?;
                shown += write(&page, shown == 0, json)?;
                let next = page.last().and_then(|last| last.id.checked_add(1));
                match next {
                    Some(next) if page.len() == PAGE_BATCHES as usize => from = next,
                    Some(_) | None => return Ok(shown),
                }
            }
        })?;
        match (shown, json) {
            (0, true) => output::line("[]")?,
            (0, false) => output::line("no batches; `stockade batch create ID --stock N` makes one")?,
            (_, true) => output::line("\n]")?,
            (_, false) => {}
        }
        Ok(Exit::Done)
    }
}

/// Writes one page; gives the number of batches on it.
fn write(page: &[Batch], is_first: bool, json: bool) -> Result<u64, Failure> {
    let mut text = String::new();
    for (index, batch) in page.iter().enumerate() {
        let starts_list = is_first && index == 0;
        if json {
            text += if starts_list { "[\n" } else { ",\n" };
            text += &output::json_text(&shape::Json::of(batch));
        } else {
            if starts_list {
                text += &shape::heading();
            }
            text += &shape::row(batch);
        }
    }
    output::write(&text)?;
    Ok(page.len() as u64)
}
