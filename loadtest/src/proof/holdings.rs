//! Grants in the hands of whoever verifies them: slot by slot, of all connections.

use crate::load::connection::Connection;
use crate::load::rounds::Share;
use crate::proof::ledger::NO_SERIAL;

/// A stretch of slots of one connection, and the serials that they were granted.
#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    connection: u32,
    first_slot: u64,
    /// One for each slot; [`NO_SERIAL`] = not granted.
    serials: &'a [u32],
}

/// One claim that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Number of its connection.
    pub connection: u32,
    /// Its origin.
    pub slot: u64,
    /// The unit that it holds.
    pub serial: u32,
}

/// Grants, in an order that does not change.
#[derive(Clone, Debug, Default)]
pub struct Holdings<'a> {
    pieces: Vec<Piece<'a>>,
    grants: u64,
}

impl<'a> Holdings<'a> {
    /// All that `connections` were granted.
    #[must_use]
    pub fn of(connections: &'a [Connection]) -> Self {
        let mut holdings = Self::default();
        for connection in connections {
            let Some(ledger) = connection.ledger() else { continue };
            for (first_slot, serials) in ledger.chunks() {
                holdings.pieces.push(Piece { connection: connection.number(), first_slot, serials });
            }
            holdings.grants += ledger.grants();
        }
        holdings
    }

    /// What `shares` were granted.
    #[must_use]
    pub fn of_shares(shares: &'a [Share]) -> Self {
        let piece = |share: &'a Share| Piece {
            connection: share.connection,
            first_slot: share.first_slot,
            serials: &share.serials,
        };
        Self { pieces: shares.iter().map(piece).collect(), grants: shares.iter().map(|share| share.grants).sum() }
    }

    /// Number of grants.
    #[must_use]
    pub fn grants(&self) -> u64 {
        self.grants
    }

    /// Every grant.
    pub fn iter(&self) -> impl Iterator<Item = Grant> + '_ {
        self.pieces.iter().flat_map(|piece| {
            let slots = (piece.first_slot..).zip(piece.serials);
            let granted = slots.filter(|(_, serial)| **serial != NO_SERIAL);
            granted.map(|(slot, serial)| Grant { connection: piece.connection, slot, serial: *serial })
        })
    }

    /// Exactly `wanted` of them, at most all, at even distances.
    pub fn sample(&self, wanted: u64) -> impl Iterator<Item = Grant> + '_ {
        let grants = self.grants;
        // Grant n is in it when n × wanted passes a multiple of `grants`.
        let mut due = 0_u64;
        self.iter().filter(move |_| {
            due += wanted.min(grants);
            let is_picked = due >= grants;
            due -= if is_picked { grants } else { 0 };
            is_picked
        })
    }
}
