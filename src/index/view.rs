//! The index's files as they are at one moment.

use rocksdb::{ReadOptions, Snapshot};
use zerocopy::FromBytes;

use super::counts::{Counts, Days};
use super::error::{IndexError, index_error};
use super::owner::{BLOCK_SERIALS, Held, Owner};
use super::store::{day_of, key};
use crate::types::{BatchId, Epoch};

/// The files at one moment.
pub(super) struct View<'a> {
    pub(super) snapshot: Snapshot<'a>,
    /// The epoch up to which they reach.
    pub(super) sealed: Epoch,
}

impl View<'_> {
    /// Adds what was taken of a batch after the epoch `gone`, from a serial on: at least so many units, or all.
    pub(super) fn held(
        &self,
        batch: BatchId,
        gone: Epoch,
        (from, least): (u32, usize),
        all: &mut Vec<Held>,
    ) -> Result<(), IndexError> {
        let prefix = key(b's', &batch.to_be_bytes(), &[]);
        let start = key(b's', &batch.to_be_bytes(), &(from / BLOCK_SERIALS).to_be_bytes());
        let (mut found, mut last) = (0, None);
        self.scan_from(&prefix, &start, |key, value| {
            let (Some(block), true) = (block_of(key), is_after(key, gone)) else { return true };
            // Whole blocks: what comes later in a block may stand in a later file.
            if found >= least && last != Some(block) {
                return false;
            }
            last = Some(block);
            let held = owners(value).iter().map(|owner| owner.held(block));
            all.extend(held.filter(|held| held.reaches(from)).inspect(|held| found += held.units as usize));
            true
        })
    }

    /// Adds who took one serial after the epoch `gone`.
    pub(super) fn holder(
        &self,
        batch: BatchId,
        gone: Epoch,
        serial: u32,
        all: &mut Vec<Held>,
    ) -> Result<(), IndexError> {
        let block = serial / BLOCK_SERIALS;
        self.scan(&key(b's', &batch.to_be_bytes(), &block.to_be_bytes()), |key, value| {
            let held = owners(value).iter().map(|owner| owner.held(block));
            all.extend(held.filter(|held| is_after(key, gone) && held.has(serial)));
            true
        })
    }

    /// Adds the numbers of a batch.
    pub(super) fn days(&self, batch: BatchId, days: &mut Days) -> Result<(), IndexError> {
        self.scan(&key(b'd', &batch.to_be_bytes(), &[]), |key, value| {
            let (day, counts) = (key.first_chunk::<4>(), Counts::ref_from_bytes(value));
            if let (Some(day), Ok(counts)) = (day, counts) {
                days.add(day_of(*day), counts);
            }
            true
        })
    }

    pub(super) fn scan(&self, prefix: &[u8], visit: impl FnMut(&[u8], &[u8]) -> bool) -> Result<(), IndexError> {
        self.scan_from(prefix, prefix, visit)
    }

    /// Visits what begins with `prefix`, from `start` on, until the visitor has enough; it is given the rest of the
    /// key.
    fn scan_from(
        &self,
        prefix: &[u8],
        start: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), IndexError> {
        let mut iterator = self.snapshot.raw_iterator_opt(ReadOptions::default());
        iterator.seek(start);
        while let Some((key, value)) = iterator.item() {
            let Some(rest) = key.strip_prefix(prefix) else { break };
            if !visit(rest, value) {
                break;
            }
            iterator.next();
        }
        iterator.status().map_err(index_error)
    }
}

/// The block that a key of owners names behind its batch.
fn block_of(key: &[u8]) -> Option<u32> {
    key.first_chunk::<4>().map(|block| u32::from_be_bytes(*block))
}

/// Whether the file of a key reaches further than this epoch.
fn is_after(key: &[u8], epoch: Epoch) -> bool {
    key.last_chunk::<8>().is_some_and(|through| Epoch::from_be_bytes(*through) > epoch)
}

fn owners(value: &[u8]) -> &[Owner] {
    <[Owner]>::ref_from_bytes(value).unwrap_or(&[])
}
