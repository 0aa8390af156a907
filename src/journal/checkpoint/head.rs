//! The head of a checkpoint: the one record that makes a draft the checkpoint.
//!
//! ```text
//! offset  0  magic            4 bytes  "SKCP"
//!         4  format           u32      2
//!         8  generation       u64      counts checkpoints, abandoned ones too
//!        16  epoch            u64      of the last group that it replaces
//!        24  hash            16 bytes  of that group
//!        40  end             16 bytes  hash of the checkpoint's last group
//!        56  last_ms          u64      latest time of all that it replaces
//!        64  base generation  u64      of the checkpoint that it stands on; 0 = none
//!        72  base epoch       u64      of that one's last group
//!        80  base end        16 bytes  hash of that group
//!        96  check            u64      XXH3-64 of the 96 bytes before
//! ```
//!
//! Format 1 ended with `last_ms`: checkpoints that stand on none.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::journal::group::Hash;
use crate::journal::ledger::Mark;
use crate::journal::store::{Reader, StoreError, Visit};
use crate::types::{Epoch, TimeMs};

const MAGIC: [u8; 4] = *b"SKCP";
const FORMAT: u32 = 2;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the checkpoint.
    pub generation: u64,
    /// The last group that it replaces.
    pub replaced: Mark,
    /// Hash of the checkpoint's last group.
    pub end: Hash,
    /// Latest time of all that it replaces.
    pub last_ms: TimeMs,
    /// What it stands on: an earlier checkpoint, of which it repeats nothing.
    pub base: Option<Part>,
}

/// One of the at most two parts of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub generation: u64,
    /// Its last group.
    pub end: Mark,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Stored {
    magic: [u8; 4],
    format: U32,
    generation: U64,
    epoch: U64,
    hash: Hash,
    end: Hash,
    last_ms: U64,
    base_generation: U64,
    base_epoch: U64,
    base_end: Hash,
    check: U64,
}

const CHECKED_BYTES: usize = 96;

/// The same of format 1.
const FIRST_FORMAT_BYTES: usize = 64;

const _: () = assert!(size_of::<Stored>() == CHECKED_BYTES + size_of::<U64>());

impl Head {
    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut stored = Stored {
            magic: MAGIC,
            format: U32::new(FORMAT),
            generation: U64::new(self.generation),
            epoch: U64::new(self.replaced.epoch),
            hash: self.replaced.hash,
            end: self.end,
            last_ms: U64::new(self.last_ms),
            base_generation: U64::new(self.base.map_or(0, |base| base.generation)),
            base_epoch: U64::new(self.base.map_or(0, |base| base.end.epoch)),
            base_end: self.base.map_or([0; 16], |base| base.end.hash),
            check: U64::ZERO,
        };
        stored.check.set(xxh3_64(&stored.as_bytes()[..CHECKED_BYTES]));
        stored.as_bytes().to_vec()
    }

    /// Reads the stored form; `None` when it is damaged, or of a format that this program does not know.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, check) = bytes.split_last_chunk::<8>()?;
        if u64::from_le_bytes(*check) != xxh3_64(content) {
            return None;
        }
        // What an older head ends before is zero: it stands on none.
        let mut all = [0; size_of::<Stored>()];
        all.get_mut(..content.len())?.copy_from_slice(content);
        let stored = Stored::ref_from_bytes(&all).ok()?;
        let bytes_of_format = match stored.format.get() {
            1 => FIRST_FORMAT_BYTES,
            FORMAT => CHECKED_BYTES,
            _ => return None,
        };
        let end = Mark { epoch: stored.base_epoch.get(), hash: stored.base_end };
        let base = Part { generation: stored.base_generation.get(), end };
        (stored.magic == MAGIC && content.len() == bytes_of_format).then(|| Self {
            generation: stored.generation.get(),
            replaced: Mark { epoch: stored.epoch.get(), hash: stored.hash },
            end: stored.end,
            last_ms: stored.last_ms.get(),
            base: Some(base).filter(|base| base.generation != 0),
        })
    }

    /// The parts of the checkpoint, in order.
    pub fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let newest = Part { generation: self.generation, end: Mark { epoch: self.replaced.epoch, hash: self.end } };
        self.base.into_iter().chain([newest])
    }

    /// Their numbers.
    #[must_use]
    pub fn generations(&self) -> Vec<u64> {
        self.parts().map(|part| part.generation).collect()
    }

    /// What the next checkpoint may stand on: the first of its parts.
    #[must_use]
    pub fn first_part(&self) -> Part {
        self.parts().next().expect("there is at least one")
    }

    /// Visits each group of the checkpoint after the epoch `after`, as [`Reader::for_each_of_checkpoint`] does of one
    /// part.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn for_each(&self, reader: &dyn Reader, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let mut goes_on = true;
        for part in self.parts() {
            if goes_on {
                reader.for_each_of_checkpoint(part.generation, after, &mut |epoch, group| {
                    goes_on = visit(epoch, group);
                    goes_on
                })?;
            }
        }
        Ok(())
    }
}

/// What the first group of a checkpoint names as its predecessor: another one in each store and generation, so that
/// groups of another checkpoint never fit.
pub(super) fn genesis(store_id: u64, generation: u64) -> Hash {
    let mut seed = [0; 20];
    seed[..4].copy_from_slice(&MAGIC);
    seed[4..12].copy_from_slice(&store_id.to_le_bytes());
    seed[12..].copy_from_slice(&generation.to_le_bytes());
    xxh3_128(&seed).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_of_the_first_format_stands_on_no_other_checkpoint() {
        let mark = |number| Mark { epoch: u64::from(number), hash: [number; 16] };
        let base = Some(Part { generation: 2, end: mark(5) });
        let head = Head { generation: 3, replaced: mark(9), end: [7; 16], last_ms: 1_000, base };
        assert_eq!(Head::decode(&head.encode()), Some(head));
        let of_format = |format: u8, bytes: usize| {
            let mut stored = head.encode();
            stored[4] = format;
            stored.truncate(bytes);
            stored.extend(xxh3_64(&stored).to_le_bytes());
            Head::decode(&stored)
        };
        assert_eq!(of_format(1, FIRST_FORMAT_BYTES), Some(Head { base: None, ..head }));
        assert_eq!((of_format(1, CHECKED_BYTES), of_format(2, FIRST_FORMAT_BYTES)), (None, None));
        assert_eq!((of_format(3, CHECKED_BYTES), of_format(2, CHECKED_BYTES)), (None, Some(head)));
    }
}
