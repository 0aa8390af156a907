//! Sets of serials, as runs: which a batch has had, which of them were issued. So a restart finds out what is left.

use std::collections::BTreeMap;

use super::run::Run;

/// Runs of issued serials, joined where they touch. Cores draw consecutively, so there are few.
#[derive(Default)]
pub struct Issued {
    /// First serial → serial after the last. Neither overlap nor touch.
    runs: BTreeMap<u32, u32>,
    /// The run that grew last; its end in `runs` may be behind. A journal mostly goes on where it was, so most
    /// insertions end here.
    growing: Growing,
    units: u64,
}

#[derive(Default)]
struct Growing {
    first: u32,
    end: u32,
    /// First serial of the run after it: growth ends before.
    next: u32,
}

impl Issued {
    /// Adds a run. False, and nothing is added, when a serial of it was issued before.
    #[must_use]
    pub fn insert(&mut self, run: Run) -> bool {
        if run.first == self.growing.end && run.end() < self.growing.next {
            self.growing.end = run.end();
            self.units += u64::from(run.count);
            return true;
        }
        self.settle();
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
        let next = self.runs.range(end..).next().map_or(u32::MAX, |(start, _)| *start);
        self.growing = Growing { first, end, next };
        self.units += u64::from(run.count);
        true
    }

    /// Serials issued.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.units
    }

    /// The serial after the last.
    #[must_use]
    pub fn end(&mut self) -> u32 {
        self.settle();
        self.runs.last_key_value().map_or(0, |(_, end)| *end)
    }

    /// Whether all serials of a run were issued.
    #[must_use]
    pub fn contains(&self, run: Run) -> bool {
        let is_within = |first: u32, end: u32| first <= run.first && run.end() <= end;
        if is_within(self.growing.first, self.growing.end) {
            return true;
        }
        let before = self.runs.range(..=run.first).next_back();
        before.is_some_and(|(first, end)| is_within(*first, *end))
    }

    /// Those of these serials that are not among `others`, which must be among these.
    pub fn without<'a>(&'a mut self, others: &'a mut Issued) -> impl Iterator<Item = Run> + 'a {
        self.settle();
        others.settle();
        self.runs.iter().flat_map(|(first, end)| {
            let taken = others.runs.range(first..end);
            let starts = std::iter::once(*first).chain(taken.clone().map(|(_, end)| *end));
            let ends = taken.map(|(first, _)| *first).chain(std::iter::once(*end));
            let gaps = starts.zip(ends).filter(|(start, end)| start < end);
            gaps.map(|(start, end)| Run::new(start, end - start)).collect::<Vec<_>>()
        })
    }

    /// Writes down how far the growing run came.
    fn settle(&mut self) {
        if self.growing.end > self.growing.first {
            self.runs.insert(self.growing.first, self.growing.end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The serials below `total` that were not issued.
    fn free(issued: &mut Issued, total: u32) -> Vec<Run> {
        let mut all = Issued::default();
        assert!(all.insert(Run::new(0, total)));
        all.without(issued).collect()
    }

    #[test]
    fn what_is_left_of_several_pieces() {
        let (mut all, mut issued) = (Issued::default(), Issued::default());
        for (first, count) in [(0, 10), (20, 5), (40, 1), (30, 2), (32, 2)] {
            assert!(all.insert(Run::new(first, count)));
        }
        for (first, count) in [(0, 3), (9, 1), (22, 3), (40, 1)] {
            assert!(all.contains(Run::new(first, count)), "{first}+{count}");
            assert!(issued.insert(Run::new(first, count)));
        }
        for (first, count) in [(9, 2), (10, 1), (19, 2), (24, 2), (39, 1), (33, 2), (u32::MAX - 1, 1)] {
            assert!(!all.contains(Run::new(first, count)), "{first}+{count}");
        }
        let left = all.without(&mut issued).collect::<Vec<_>>();
        assert_eq!(left, [Run::new(3, 6), Run::new(20, 2), Run::new(30, 4)]);
    }

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
        assert_eq!(free(&mut issued, 30), [Run::new(2, 8), Run::new(21, 9)]);
    }

    #[test]
    fn a_run_that_grows_is_seen_by_all_that_comes_after() {
        let mut issued = Issued::default();
        for (first, count) in [(0, 1), (1, 1), (2, 3), (8, 2), (5, 1), (6, 1)] {
            assert!(issued.insert(Run::new(first, count)), "{first}+{count} is new");
        }
        for (first, count) in [(6, 1), (2, 1), (7, 2), (4, 1), (9, 1)] {
            assert!(!issued.insert(Run::new(first, count)), "{first}+{count} was issued");
        }
        assert!(issued.insert(Run::new(7, 1)), "the gap closes exactly");
        assert_eq!(free(&mut issued, 12), [Run::new(10, 2)]);
        assert_eq!((issued.runs.len(), issued.units()), (1, 10));
    }

    #[test]
    fn nothing_issued_leaves_all_and_everything_issued_leaves_none() {
        let mut issued = Issued::default();
        assert_eq!(free(&mut issued, 7), [Run::new(0, 7)]);
        assert!(issued.insert(Run::new(0, 7)));
        assert_eq!(free(&mut issued, 7), []);
    }
}
