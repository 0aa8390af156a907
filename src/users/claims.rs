//! The claims of one shard, in the order in which they came: pieces that never move.

use super::slot::Slot;

/// Claims of a full piece. The first piece grows up to this, so that small batches stay small.
const PIECE_CLAIMS: usize = 512;

/// See the module.
#[derive(Default)]
pub(super) struct Claims {
    pieces: Vec<Vec<Slot>>,
    length: usize,
}

impl Claims {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn get(&self, place: u32) -> &Slot {
        let place = place as usize;
        &self.pieces[place / PIECE_CLAIMS][place % PIECE_CLAIMS]
    }

    #[inline]
    pub(super) fn push(&mut self, slot: Slot) {
        if self.length.is_multiple_of(PIECE_CLAIMS) {
            let room = if self.pieces.is_empty() { 0 } else { PIECE_CLAIMS };
            self.pieces.push(Vec::with_capacity(room));
        }
        self.pieces.last_mut().expect("there is one").push(slot);
        self.length += 1;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.pieces.iter().flatten()
    }
}
