//! The claims of one shard, in the order in which they came: pieces that never move.

use super::slot::Slot;

/// Claims of a full piece.
const PIECE_CLAIMS: usize = 512;

/// See the module.
#[derive(Default)]
pub(super) struct Claims {
    /// The first piece grows up to its size, so that small batches stay small, and then does not move either.
    first: Vec<Slot>,
    others: Vec<Vec<Slot>>,
}

impl Claims {
    pub(super) fn len(&self) -> usize {
        let full = self.others.len().saturating_sub(1) * PIECE_CLAIMS;
        self.first.len() + full + self.others.last().map_or(0, Vec::len)
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> &Slot {
        let place = place as usize;
        match place.checked_sub(PIECE_CLAIMS) {
            None => &self.first[place],
            Some(place) => &self.others[place / PIECE_CLAIMS][place % PIECE_CLAIMS],
        }
    }

    pub(super) fn get_mut(&mut self, place: u32) -> &mut Slot {
        let place = place as usize;
        match place.checked_sub(PIECE_CLAIMS) {
            None => &mut self.first[place],
            Some(place) => &mut self.others[place / PIECE_CLAIMS][place % PIECE_CLAIMS],
        }
    }

    /// Adds a claim.
    #[inline]
    pub(super) fn push(&mut self, slot: Slot) {
        if self.first.len() < PIECE_CLAIMS {
            return self.first.push(slot);
        }
        if self.others.last().is_none_or(|last| last.len() == PIECE_CLAIMS) {
            self.others.push(Vec::with_capacity(PIECE_CLAIMS));
        }
        self.others.last_mut().expect("there is one").push(slot);
    }

    /// The claims of the first piece: all, while there are few.
    #[inline]
    pub(super) fn first(&self) -> &[Slot] {
        &self.first
    }

    /// Where the next claim goes, if there is room without growing: a hint for fetching that memory.
    #[inline]
    pub(super) fn tail(&self) -> *const Slot {
        let last = self.others.last().unwrap_or(&self.first);
        last.as_ptr().wrapping_add(last.len())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.first.iter().chain(self.others.iter().flatten())
    }
}
