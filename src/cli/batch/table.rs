//! Batches as a table for people, page by page.

use stockade_client::Batch;

use super::shape::{instant, limit};

/// What the columns are called. The last one is as long as it likes.
const HEADING: [&str; 9] = ["ID", "STATE", "TOTAL", "GRANTED", "REMAINING", "PER USER", "STARTS", "ENDS", "NAME"];

/// Columns of numbers, which stand to the right.
const IS_NUMBER: [bool; 9] = [true, false, true, true, true, true, false, false, false];

/// The widths of the columns so far: they grow with what a page brings, and never shrink.
pub(super) struct Table {
    widths: [usize; HEADING.len()],
}

impl Table {
    pub(super) fn new() -> Self {
        Self { widths: HEADING.map(str::len) }
    }

    /// The lines of a page, below the heading if it is the first one.
    pub(super) fn page(&mut self, batches: &[Batch], is_first: bool) -> String {
        let rows: Vec<_> = batches.iter().map(cells).collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let heading = is_first.then(|| HEADING.map(str::to_owned));
        heading.iter().chain(&rows).map(|row| self.line(row)).collect()
    }

    fn line(&self, row: &[String; HEADING.len()]) -> String {
        let cell = |((cell, width), is_number): ((&String, usize), bool)| {
            if is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        };
        let cells: Vec<String> = row.iter().zip(self.widths).zip(IS_NUMBER).map(cell).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    }
}

fn cells(batch: &Batch) -> [String; HEADING.len()] {
    [
        batch.id.to_string(),
        batch.state.name().to_owned(),
        batch.total.to_string(),
        batch.granted.to_string(),
        batch.remaining.to_string(),
        limit(batch),
        instant(batch.starts_ms, "at once"),
        instant(batch.ends_ms, "never"),
        batch.name.clone(),
    ]
}
