//! The head of a checkpoint: the one record that makes a draft the checkpoint.
//!
//! ```text
//! offset  0  magic       4 bytes  "SKCP"
//!         4  format      u32      1
//!         8  generation  u64      counts checkpoints, abandoned ones too
//!        16  epoch       u64      of the last group that it replaces
//!        24  hash       16 bytes  of that group
//!        40  end        16 bytes  hash of the checkpoint's last group
//!        56  last_ms     u64      latest time of all that it replaces
//!        64  check       u64      XXH3-64 of the 64 bytes before
//! ```

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::journal::group::Hash;
use crate::journal::ledger::Mark;
use crate::types::TimeMs;

const MAGIC: [u8; 4] = *b"SKCP";
const FORMAT: u32 = 1;

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
    check: U64,
}

const CHECKED_BYTES: usize = 64;
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
            check: U64::ZERO,
        };
        stored.check.set(xxh3_64(&stored.as_bytes()[..CHECKED_BYTES]));
        stored.as_bytes().to_vec()
    }

    /// Reads the stored form; `None` when it is damaged, or of a format that this program does not know.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let stored = Stored::ref_from_bytes(bytes).ok()?;
        let intact = stored.magic == MAGIC
            && stored.format.get() == FORMAT
            && stored.check.get() == xxh3_64(&bytes[..CHECKED_BYTES]);
        intact.then(|| Self {
            generation: stored.generation.get(),
            replaced: Mark { epoch: stored.epoch.get(), hash: stored.hash },
            end: stored.end,
            last_ms: stored.last_ms.get(),
        })
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
