//! What one connection was granted: slot → serial, four bytes each, nothing for stretches without a grant.

/// Slots of one chunk: 16 KiB of serials.
const CHUNK_SLOTS: usize = 4_096;

/// No serial: stock is at most 2^32 − 1 units, so this number is never one.
pub const NO_SERIAL: u32 = u32::MAX;

type Chunk = Box<[u32; CHUNK_SLOTS]>;

/// The grants of one connection, by slot.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    chunks: Vec<Option<Chunk>>,
    grants: u64,
}

impl Ledger {
    /// The serial that the claim of `slot` got.
    #[must_use]
    #[inline]
    pub fn serial(&self, slot: u64) -> Option<u32> {
        let (chunk, offset) = position(slot);
        let serial = self.chunks.get(chunk)?.as_ref()?[offset];
        Some(serial).filter(|serial| *serial != NO_SERIAL)
    }

    /// Records that the claim of `slot` got `serial`. A slot has one grant: the caller looked first.
    #[inline]
    pub fn record(&mut self, slot: u64, serial: u32) {
        let (chunk, offset) = position(slot);
        if self.chunks.len() <= chunk {
            self.chunks.resize(chunk + 1, None);
        }
        let serials = self.chunks[chunk].get_or_insert_with(|| Box::new([NO_SERIAL; CHUNK_SLOTS]));
        debug_assert_eq!(serials[offset], NO_SERIAL, "slot {slot} was granted before");
        serials[offset] = serial;
        self.grants += 1;
    }

    /// What was recorded for `slot` does not hold any more.
    pub fn forget(&mut self, slot: u64) {
        let (chunk, offset) = position(slot);
        if let Some(Some(serials)) = self.chunks.get_mut(chunk)
            && serials[offset] != NO_SERIAL
        {
            serials[offset] = NO_SERIAL;
            self.grants -= 1;
        }
    }

    /// Number of grants.
    #[must_use]
    pub fn grants(&self) -> u64 {
        self.grants
    }

    /// Stretches of slots, in order, that hold all grants: the first slot, and a serial or [`NO_SERIAL`] for each slot
    /// from there on.
    pub fn chunks(&self) -> impl Iterator<Item = (u64, &[u32])> + '_ {
        let chunks = (0_u64..).zip(&self.chunks).filter_map(|(index, chunk)| Some((index, chunk.as_ref()?)));
        chunks.map(|(index, chunk)| (index * CHUNK_SLOTS as u64, chunk.as_slice()))
    }
}

fn position(slot: u64) -> (usize, usize) {
    let slot = usize::try_from(slot).expect("slots stay below 2^40");
    (slot / CHUNK_SLOTS, slot % CHUNK_SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_found_again_and_gaps_cost_no_memory() {
        let mut ledger = Ledger::default();
        for slot in [0, 4_095, 4_096, 1_000_000] {
            ledger.record(slot, u32::try_from(slot).unwrap() + 1);
        }
        assert_eq!(ledger.serial(4_095), Some(4_096));
        assert_eq!((ledger.serial(1), ledger.serial(500_000), ledger.serial(u64::from(u32::MAX))), (None, None, None));
        assert_eq!(ledger.grants(), 4);
        ledger.forget(4_096);
        ledger.forget(4_096);
        ledger.forget(9_000_000);
        assert_eq!((ledger.serial(4_096), ledger.grants()), (None, 3), "once");
        ledger.record(4_096, 4_097);
        let chunks = ledger.chunks().map(|(first, serials)| {
            (first, serials.iter().filter(|serial| **serial != NO_SERIAL).copied().collect::<Vec<_>>())
        });
        assert_eq!(chunks.collect::<Vec<_>>(), [(0, vec![1, 4_096]), (4_096, vec![4_097]), (999_424, vec![1_000_001])]);
    }
}
