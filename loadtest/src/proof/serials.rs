//! A set of serials: one bit each, in pages, since a batch's grants lie close together in a few places.

/// Words of one page.
const PAGE_WORDS: usize = 1_024;

/// Serials of one page.
const PAGE_SERIALS: u32 = 65_536;

type Page = Box<[u64; PAGE_WORDS]>;

/// Serials that were granted. A batch of N units with all of them granted takes N / 8 bytes.
#[derive(Clone, Debug, Default)]
pub struct SerialSet {
    pages: Vec<Option<Page>>,
}

impl SerialSet {
    /// Adds `serial`; false when it was in the set.
    #[inline]
    pub fn insert(&mut self, serial: u32) -> bool {
        let (page, word, bit) = position(serial);
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        let words = self.pages[page].get_or_insert_with(|| Box::new([0; PAGE_WORDS]));
        let is_new = words[word] & bit == 0;
        words[word] |= bit;
        is_new
    }

    /// How many serials are at or above `total`, where no serial of a batch of `total` units can be.
    #[must_use]
    pub fn count_from(&self, total: u32) -> u64 {
        let (first_page, first_word, first_bit) = position(total);
        let mut count = 0;
        for (page, words) in self.pages.iter().enumerate().skip(first_page) {
            let Some(words) = words else { continue };
            let skipped_words = if page == first_page { first_word } else { 0 };
            for (word, bits) in words.iter().enumerate().skip(skipped_words) {
                let is_first = page == first_page && word == first_word;
                let counted = if is_first { bits & !(first_bit - 1) } else { *bits };
                count += u64::from(counted.count_ones());
            }
        }
        count
    }
}

fn position(serial: u32) -> (usize, usize, u64) {
    ((serial / PAGE_SERIALS) as usize, (serial % PAGE_SERIALS / 64) as usize, 1 << (serial % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_is_new_once() {
        let mut set = SerialSet::default();
        for serial in [0, 63, 64, 65_535, 65_536, 4_000_000_000, u32::MAX - 1] {
            assert!(set.insert(serial), "{serial}");
            assert!(!set.insert(serial), "{serial}");
        }
        assert_eq!(set.count_from(0), 7);
        assert_eq!(set.count_from(64), 5);
        assert_eq!(set.count_from(65), 4);
        assert_eq!(set.count_from(65_536), 3);
        assert_eq!(set.count_from(u32::MAX), 0);
    }
}
