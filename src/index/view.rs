//! The index's files as they are at one moment.

use rocksdb::{ReadOptions, Snapshot};
use zerocopy::FromBytes;

use super::counts::{Counts, Days};
use super::segment::{BLOCK_SERIALS, Owner};
use super::store::{IndexError, day_of, index_error, key};
use crate::types::{BatchId, Epoch};

/// The files at one moment.
pub(super) struct View<'a> {
    pub(super) snapshot: Snapshot<'a>,
    /// The epoch up to which they reach.
    pub(super) sealed: Epoch,
}

impl View<'_> {
    /// Adds owners of a batch from a serial on: at least `least`, or all.
    pub(super) fn owners(
        &self,
        batch: BatchId,
        from: u32,
        least: usize,
        owners: &mut Vec<Owner>,
    ) -> Result<(), IndexError> {
        let prefix = key(b's', &batch.to_be_bytes(), &[]);
        let start = key(b's', &batch.to_be_bytes(), &(from / BLOCK_SERIALS).to_be_bytes());
        let (mut found, mut last) = (0, None);
        self.scan_from(&prefix, &start, |key, value| {
            let block = key.first_chunk::<4>().copied();
            // Whole blocks: what comes later in a block may stand in a later file.
            if found >= least && last != block {
                return false;
            }
            last = block;
            let runs = <[Owner]>::ref_from_bytes(value).unwrap_or(&[]);
            let wanted = runs.iter().filter(|owner| owner.serial.get() + owner.units.get() > from);
            owners.extend(wanted.inspect(|owner| found += owner.units.get() as usize));
            true
        })
    }

    /// Adds the owners of one serial, oldest first.
    pub(super) fn owner(&self, batch: BatchId, serial: u32, owners: &mut Vec<Owner>) -> Result<(), IndexError> {
        let block = (serial / BLOCK_SERIALS).to_be_bytes();
        self.scan(&key(b's', &batch.to_be_bytes(), &block), |_, value| {
            let runs = <[Owner]>::ref_from_bytes(value).unwrap_or(&[]);
            owners.extend(runs.iter().filter(|owner| owner.has(serial)));
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
