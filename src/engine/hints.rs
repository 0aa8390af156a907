//! Where batches probably stand, for the look-ahead: in one cache line for each id, which can be asked for before it is
//! read. The directory itself cannot be asked for, and its two or three misses, one after the other, were a sixth of
//! the time of claims on a million batches (28 November 2026).
//!
//! A hint may be missing, or that of another batch: whoever follows one looks at the batch's id, and looks into the
//! directory if it is not the one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::prefetch::prefetch;
use crate::users::home;

/// Hints of a line.
const HINTS: usize = 8;

/// Batches a line for which there are lines enough; with a few more, some lose their hint.
const BATCHES_PER_LINE: usize = 5;

/// Lines of the first table, and how many times as many each has as the one before.
const LINES_MIN: usize = 64;
const GROWTH: usize = 4;
const TABLES: usize = 12;

/// Bits of the hash above, number of the place plus one below; 0 = none.
#[repr(align(64))]
#[derive(Default)]
struct Line([AtomicU64; HINTS]);

/// See the module. Written under the directory's lock.
pub(super) struct Hints {
    tables: [OnceLock<Box<[Line]>>; TABLES],
    newest: AtomicUsize,
}

impl Hints {
    pub(super) fn new() -> Self {
        Self { tables: std::array::from_fn(|_| OnceLock::new()), newest: AtomicUsize::new(0) }
    }

    /// Asks the processor for the hint of an id of this hash.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        if let Some(line) = self.line(hash) {
            prefetch(line, 1);
        }
    }

    /// Where the batch whose id has this hash probably stands.
    #[inline]
    pub(super) fn find(&self, hash: u64) -> Option<u32> {
        let words = self.line(hash)?.0.iter().map(|word| word.load(Ordering::Acquire));
        words.filter(|word| word >> 32 == mark(hash)).find_map(place)
    }

    /// Whether `batches` are more than there are lines for.
    pub(super) fn is_full(&self, batches: usize) -> bool {
        let newest = self.newest.load(Ordering::Relaxed);
        batches > BATCHES_PER_LINE * lines(newest) && newest + 1 < TABLES || self.tables[newest].get().is_none()
    }

    /// Makes a larger table of all hints.
    pub(super) fn grow(&self, all: impl Iterator<Item = (u64, u32)>) {
        let newest = self.newest.load(Ordering::Relaxed);
        let next = if self.tables[newest].get().is_none() { newest } else { newest + 1 };
        let table = (0..lines(next)).map(|_| Line::default()).collect::<Box<[_]>>();
        all.for_each(|(hash, place)| add(&table, hash, place));
        assert!(self.tables[next].set(table).is_ok(), "each table is made once");
        self.newest.store(next, Ordering::Release);
    }

    /// Adds a hint, in place of another if its line is full.
    pub(super) fn add(&self, hash: u64, place: u32) {
        if let Some(table) = self.table() {
            add(table, hash, place);
        }
    }

    /// Takes a hint out.
    pub(super) fn remove(&self, hash: u64) {
        let words = self.line(hash).into_iter().flat_map(|line| &line.0);
        let ours = words.filter(|word| word.load(Ordering::Relaxed) >> 32 == mark(hash));
        ours.for_each(|word| word.store(0, Ordering::Release));
    }

    fn table(&self) -> Option<&[Line]> {
        self.tables[self.newest.load(Ordering::Acquire)].get().map(|table| &**table)
    }

    #[inline]
    fn line(&self, hash: u64) -> Option<&Line> {
        let table = self.table()?;
        table.get(home(hash, table.len()))
    }
}

fn lines(table: usize) -> usize {
    (0..table).fold(LINES_MIN, |lines, _| lines * GROWTH)
}

fn add(table: &[Line], hash: u64, place: u32) {
    let words = &table[home(hash, table.len())].0;
    let free = words.iter().find(|word| word.load(Ordering::Relaxed) == 0);
    let word = free.unwrap_or(&words[place as usize % HINTS]);
    word.store(mark(hash) << 32 | (u64::from(place) + 1), Ordering::Release);
}

/// The bits of the hash that a hint keeps: not those that pick the line.
#[inline]
fn mark(hash: u64) -> u64 {
    hash & u64::from(u32::MAX)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half of the word")]
fn place(word: u64) -> Option<u32> {
    (word as u32).checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(id: u32) -> u64 {
        u64::from(id + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn nearly_all_are_found_where_they_are_and_none_that_was_taken_out() {
        let hints = Hints::new();
        assert_eq!(hints.find(hash(0)), None);
        for id in 0..20_000 {
            if hints.is_full(id as usize + 1) {
                hints.grow((0..id).map(|id| (hash(id), id)));
            }
            hints.add(hash(id), id);
        }
        let found = (0..20_000).filter(|id| hints.find(hash(*id)).is_some()).count();
        assert!((0..20_000).all(|id| hints.find(hash(id)).is_none_or(|place| place == id)));
        assert!(found > 19_000, "{found} of 20,000");
        hints.remove(hash(7));
        assert_eq!(hints.find(hash(7)), None);
    }
}
