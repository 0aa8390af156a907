//! The claims of one shard, in the order in which they came: pieces that never move.

use super::slot::Slot;

/// Claims of a full piece.
const PIECE_CLAIMS: usize = 512;

/// See the module.
#[derive(Default)]
pub(super) struct Claims {
    full: Vec<Vec<Slot>>,
    /// The newest ones. While it is the only piece it grows, so that small batches stay small; others have their size
    /// from the beginning. It is not among the others so that adding to it looks nowhere else.
    newest: Vec<Slot>,
}

impl Claims {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.full.len() * PIECE_CLAIMS + self.newest.len()
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> &Slot {
        let place = place as usize;
        &self.full.get(place / PIECE_CLAIMS).unwrap_or(&self.newest)[place % PIECE_CLAIMS]
    }

    pub(super) fn get_mut(&mut self, place: u32) -> &mut Slot {
        let place = place as usize;
        &mut self.full.get_mut(place / PIECE_CLAIMS).unwrap_or(&mut self.newest)[place % PIECE_CLAIMS]
    }

    /// Adds a claim.
    #[inline]
    pub(super) fn push(&mut self, slot: Slot) {
        if self.newest.len() == PIECE_CLAIMS {
            self.full.push(std::mem::replace(&mut self.newest, Vec::with_capacity(PIECE_CLAIMS)));
        }
        self.newest.push(slot);
    }

    /// The claims of the newest piece: all, while there are few.
    #[inline]
    pub(super) fn newest(&self) -> &[Slot] {
        &self.newest
    }

    /// Where the next claim goes, if there is room without growing: a hint for fetching that memory.
    #[inline]
    pub(super) fn tail(&self) -> *const Slot {
        self.newest.as_ptr().wrapping_add(self.newest.len())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.full.iter().flatten().chain(&self.newest)
    }
}
