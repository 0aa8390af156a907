//! A list that comes page by page: as a table, or as one JSON array with a line for each item.

use super::exit::{Exit, Failure};
use super::output;
use super::record::Record;
use super::table::Table;

/// Items asked for at a time: what one frame holds.
pub(super) const PAGE: u32 = stockade_protocol::limits::BATCHES_PER_FRAME_MAX;

/// A list under way.
pub(super) struct Listing {
    is_json: bool,
    shown: u64,
    table: Table,
}

impl Listing {
    pub(super) fn new(is_json: bool) -> Self {
        Self { is_json, shown: 0, table: Table::default() }
    }

    /// Writes a page.
    pub(super) fn page(&mut self, records: &[Record]) -> Result<(), Failure> {
        let text = if self.is_json { self.items(records) } else { self.table.page(records) };
        self.shown += records.len() as u64;
        output::write(&text)
    }

    /// Writes what comes behind the last page.
    pub(super) fn end(self) -> Result<Exit, Failure> {
        match (self.is_json, self.shown) {
            (true, 0) => output::line("[]")?,
            (true, _) => output::line("\n]")?,
            (false, _) => {}
        }
        Ok(Exit::Done)
    }

    fn items(&self, records: &[Record]) -> String {
        let item = |(place, record): (u64, &Record)| {
            [if place == 0 { "[\n" } else { ",\n" }, &output::json_text(record)].concat()
        };
        (self.shown..).zip(records).map(item).collect()
    }
}

/// Whether a page of `count` items is the last one.
pub(super) fn is_last(count: usize) -> bool {
    u64::try_from(count).is_ok_and(|count| count < u64::from(PAGE))
}
