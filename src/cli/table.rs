//! Records as a table for people, page by page.

use super::record::{Record, Value};

/// Spaces between columns.
const GAP: &str = "  ";

/// The widths of the columns so far: they grow with what a page brings, and never shrink.
#[derive(Default)]
pub(super) struct Table {
    widths: Vec<usize>,
}

impl Table {
    /// The lines of a page, below the headings if it is the first one. All records have the same values; the last one
    /// is as long as it likes.
    pub(super) fn page(&mut self, records: &[Record]) -> String {
        let Some(first) = records.first() else { return String::new() };
        let headings = self.widths.is_empty().then(|| first.headings());
        let rows: Vec<Vec<String>> = records.iter().map(|record| record.values().map(Value::text).collect()).collect();
        self.widths.resize(first.values().count(), 0);
        for row in headings.iter().chain(&rows) {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let is_number: Vec<bool> = first.values().map(Value::is_number).collect();
        headings.iter().chain(&rows).map(|row| self.line(row, &is_number)).collect()
    }

    fn line(&self, row: &[String], is_number: &[bool]) -> String {
        let cell = |((cell, width), is_number): ((&String, &usize), &bool)| {
            if *is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        };
        let cells: Vec<String> = row.iter().zip(&self.widths).zip(is_number).map(cell).collect();
        cells.join(GAP).trim_end().to_owned() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_widths_never_shrink() {
        let record = |id: u32, name: &str| {
            Record::new().with("id", Value::number(id)).with("the_name", Value::Text(name.to_owned()))
        };
        let mut table = Table::default();
        assert_eq!(table.page(&[record(7, "a"), record(1000, "b")]), "  ID  THE NAME\n   7  a\n1000  b\n");
        assert_eq!(table.page(&[record(8, "c")]), "   8  c\n");
        assert_eq!(table.page(&[]), "");
    }
}
