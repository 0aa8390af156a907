//! A set of serials.

use std::collections::BTreeMap;

/// Ranges by their first serial, each with its length; they do not touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges(BTreeMap<u32, u32>);

impl Ranges {
    /// Adds serials. False when one was there already.
    #[must_use]
    pub(crate) fn insert(&mut self, first: u32, count: u32) -> bool {
        let (mut start, mut end) = (u64::from(first), u64::from(first) + u64::from(count));
        if let Some((before, length)) = self.0.range(..=first).next_back().map(|(before, length)| (*before, *length)) {
            let its_end = u64::from(before) + u64::from(length);
            if its_end > start {
                return false;
            }
            if its_end == start {
                self.0.remove(&before);
                start = before.into();
            }
        }
        if let Some((next, length)) = self.0.range(first..).next().map(|(next, length)| (*next, *length)) {
            if u64::from(next) < end {
                return false;
            }
            if u64::from(next) == end {
                self.0.remove(&next);
                end += u64::from(length);
            }
        }
        self.0.insert(u32::try_from(start).expect("a serial"), u32::try_from(end - start).expect("serials"));
        true
    }

    /// Takes serials away. False when one of them was not there.
    #[must_use]
    pub(crate) fn remove(&mut self, first: u32, count: u32) -> bool {
        let Some((start, length)) = self.0.range(..=first).next_back().map(|(start, length)| (*start, *length)) else {
            return false;
        };
        let (end, its_end) = (u64::from(first) + u64::from(count), u64::from(start) + u64::from(length));
        if end > its_end {
            return false;
        }
        self.0.remove(&start);
        if start < first {
            self.0.insert(start, first - start);
        }
        if end < its_end {
            let rest = u32::try_from(its_end - end).expect("serials");
            self.0.insert(u32::try_from(end).expect("a serial"), rest);
        }
        true
    }

    pub(crate) fn contains(&self, serial: u32) -> bool {
        let before = self.0.range(..=serial).next_back();
        before.is_some_and(|(first, length)| u64::from(serial) < u64::from(*first) + u64::from(*length))
    }
}
