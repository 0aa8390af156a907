//! The shelf: batches side by side, appended and never moved, so that cores borrow them without counting references.
//!
//! A place on the shelf is known before anything on it is read. That is why this is no library's vector: each of them
//! reads a mark of the element before it gives a reference, which for one of a million batches means to wait for memory
//! (measured with boxcar 0.2.14 on 22 November 2026: a quarter of all time), where a place can be fetched ahead.

use std::sync::OnceLock;

use super::batch::Batch;

/// Places that are made at once.
const BOARD: usize = 1_024;

/// Places of a shelf. With every batch purged as soon as it is sold, they are enough for two days at full speed; then a
/// restart is due. The boards that are not made yet take a megabyte.
pub(super) const PLACES_MAX: usize = 1 << 26;

/// Where a batch stands, or will stand.
pub(super) type Place = OnceLock<Batch>;
// A board is as large as a size of the allocator's: the next one is an eighth larger.
const _: () = assert!(size_of::<Place>() * BOARD <= 224 << 10);

/// See the module.
pub(super) struct Shelf {
    boards: Box<[OnceLock<Box<[Place]>>]>,
}

impl Shelf {
    /// Takes memory as batches come.
    pub(super) fn new() -> Self {
        Self { boards: (0..PLACES_MAX / BOARD).map(|_| OnceLock::new()).collect() }
    }

    /// Puts a batch on an empty place and returns it.
    pub(super) fn put(&self, index: usize, batch: Batch) -> &Batch {
        let board = self.boards[index / BOARD].get_or_init(|| (0..BOARD).map(|_| OnceLock::new()).collect());
        let place = &board[index % BOARD];
        assert!(place.set(batch).is_ok(), "place {index} is taken");
        place.get().expect("it was just put there")
    }

    /// The place with this index, if there is one.
    #[inline]
    pub(super) fn place(&self, index: usize) -> Option<&Place> {
        self.boards.get(index / BOARD)?.get()?.get(index % BOARD)
    }
}
