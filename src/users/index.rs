//! Where a hash's claims stand: open addressing over words of 32 bits.
//!
//! A word is the place of a claim plus one, in as many low bits as places need, and bits of the hash above them, so
//! that nearly every claim of another user is passed over without a look at it. A hash picks its home by multiplication
//! (`hash × words ÷ 2⁶⁴`), so there may be any number of words: the index grows by half instead of doubling. Claims
//! themselves do not move.

use crate::prefetch::prefetch;

/// Words of an index when it is made.
const WORDS_MIN: usize = 16;

/// The index grows when more than this share of its words is taken: 4 ÷ 5.
const LOAD_MAX: (usize, usize) = (4, 5);

/// It then has this many times the words: 3 ÷ 2.
const GROWTH: (usize, usize) = (3, 2);

/// Words from which on the indexes of one table grow out of step.
const WORDS_SPREAD: usize = 64;

/// No claim.
const EMPTY: u32 = 0;

/// See the module.
#[derive(Default)]
pub(super) struct Index {
    words: Box<[u32]>,
    /// The low bits of a word that are a place plus one.
    place_mask: u32,
}

impl Index {
    pub(super) fn words(&self) -> &[u32] {
        &self.words
    }

    /// The places that may hold claims of this hash: all that do, and a few that do not.
    #[inline]
    pub(super) fn places(&self, hash: u64) -> Places<'_> {
        let (words, mask) = (&*self.words, self.place_mask);
        Places { words, at: home(hash, words.len()), mask, mark: mark(hash, mask) }
    }

    /// Asks the processor for the words where a hash begins to look.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        prefetch(self.words.as_ptr().wrapping_add(home(hash, self.words.len())), 1);
    }

    /// Whether another claim after `taken` fits.
    pub(super) fn has_room(&self, taken: usize) -> bool {
        taken * LOAD_MAX.1 < self.words.len() * LOAD_MAX.0
    }

    /// A larger, empty one.
    ///
    /// The shards of a table fill at the same pace. So that they do not all grow at the same moment, which claims would
    /// feel, each goes a part of one step of growth further, once: `phase` ÷ 256.
    pub(super) fn larger(&self, phase: u8) -> Self {
        let before = self.words.len();
        let mut length = (before * GROWTH.0 / GROWTH.1).max(WORDS_MIN);
        if before < WORDS_SPREAD && length >= WORDS_SPREAD {
            length += length * (GROWTH.0 - GROWTH.1) / GROWTH.1 * usize::from(phase) / 256;
        }
        Self::of(length)
    }

    /// An empty one for so many claims, with some room for more.
    pub(super) fn for_claims(claims: usize, phase: u8) -> Self {
        let least = claims * LOAD_MAX.1 / LOAD_MAX.0;
        Self::of(least + least * usize::from(phase) / 512 + WORDS_MIN)
    }

    fn of(length: usize) -> Self {
        // Beyond 2³¹ words a place takes all 32 bits; there are fewer claims than serials, so it still fits.
        let place_mask = u32::try_from(length.next_power_of_two() - 1).unwrap_or(u32::MAX);
        Self { words: vec![EMPTY; length].into_boxed_slice(), place_mask }
    }

    /// Adds the claim at `place`. There must be room.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, place: u32) {
        let mut at = home(hash, self.words.len());
        while self.words[at] != EMPTY {
            at = if at + 1 == self.words.len() { 0 } else { at + 1 };
        }
        self.words[at] = mark(hash, self.place_mask) | (place + 1);
    }
}

/// See [`Index::places`]. (Chained iterators said the same in one line and cost a third of a look-up: the compiler did
/// not inline them.)
pub(super) struct Places<'a> {
    words: &'a [u32],
    at: usize,
    mask: u32,
    mark: u32,
}

impl Iterator for Places<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        // There is always an empty word to end at, unless there are no words.
        while let Some(word) = self.words.get(self.at).filter(|word| **word != EMPTY) {
            self.at = if self.at + 1 == self.words.len() { 0 } else { self.at + 1 };
            if *word & !self.mask == self.mark {
                return Some((*word & self.mask) - 1);
            }
        }
        None
    }
}

/// The word where a hash begins to look.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the product's upper half is less than the number of words")]
pub(crate) fn home(hash: u64, words: usize) -> usize {
    ((u128::from(hash) * words as u128) >> 64) as usize
}

/// The bits of the hash that a word keeps: neither those that pick the shard (the lowest) nor those that pick the home
/// (the highest).
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "some bits in the middle are wanted")]
fn mark(hash: u64, place_mask: u32) -> u32 {
    (hash >> 12) as u32 & !place_mask
}
