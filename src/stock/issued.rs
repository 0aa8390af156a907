//! Which serials of a batch were issued, as runs: how a restart finds out what is left.

use std::collections::BTreeMap;

use super::run::Run;

/// Runs of issued serials, joined where they touch. Cores draw consecutively, so there are few.
#[derive(Default)]
pub struct Issued {
    /// First serial → serial after the last. Neither overlap nor touch.
    runs: BTreeMap<u32, u32>,
    units: u64,
}

impl Issued {
    /// Adds a run. False, and nothing is added, when a serial of it was issued before.
    #[must_use]
    pub fn insert(&mut self, run: Run) -> bool {
        let (mut first, mut end) = (run.first, run.end());
        let before = self.runs.range(..=first).next_back().map(|(first, end)| (*first, *end));
        let after = self.runs.range(first..).next().map(|(first, end)| (*first, *end));
        if before.is_some_and(|(_, before_end)| before_end > first) || after.is_some_and(|(start, _)| start < end) {
            return false;
        }
        if let Some((start, before_end)) = before
            && before_end == first
        {
            first = start;
        }
        if let Some((start, after_end)) = after
            && start == end
        {
            self.runs.remove(&start);
            end = after_end;
        }
        self.runs.insert(first, end);
        self.units += u64::from(run.count);
        true
    }

    /// Serials issued.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.units
    }

    /// The serials below `total` that were not issued.
    pub fn free(&self, total: u32) -> impl Iterator<Item = Run> + '_ {
        let starts = std::iter::once(0).chain(self.runs.values().copied());
        let ends = self.runs.keys().copied().chain(std::iter::once(total));
        starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| Run::new(start, end - start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_join_overlaps_are_refused_and_the_rest_is_free() {
        let mut issued = Issued::default();
        for (first, count) in [(10, 5), (20, 1), (15, 5), (0, 2)] {
            assert!(issued.insert(Run::new(first, count)));
        }
        for (first, count) in [(14, 1), (0, 1), (9, 2), (20, 5), (5, 100), (1, 1)] {
            assert!(!issued.insert(Run::new(first, count)), "{first}+{count} was issued");
        }
        assert_eq!(issued.runs.len(), 2);
        assert_eq!(issued.units(), 13);
        assert_eq!(issued.free(30).collect::<Vec<_>>(), [Run::new(2, 8), Run::new(21, 9)]);
    }

    #[test]
    fn nothing_issued_leaves_all_and_everything_issued_leaves_none() {
        let mut issued = Issued::default();
        assert_eq!(issued.free(7).collect::<Vec<_>>(), [Run::new(0, 7)]);
        assert!(issued.insert(Run::new(0, 7)));
        assert_eq!(issued.free(7).count(), 0);
    }
}
