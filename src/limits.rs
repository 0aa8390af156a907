//! The engine's bounds that no configuration moves. Each says what breaks on either side.
//! (Bounds that operators tune stand in `config/stockade.toml`; those of the wire in the protocol crate.)

/// Network threads, and so buckets of a batch and buffers of the journal. More would make a walk over the buckets
/// slower than a burst.
pub const CORES_MAX: usize = 256;

/// Reservations of one batch that ended without a grant and are remembered, so that their request ids stay used: so
/// many for each unit of its stock, and so many besides. More would let a crowd that reserves and cancels fill the
/// memory; with fewer, a batch that nobody confirms could not be offered often enough.
pub const ENDED_PER_UNIT_MAX: u64 = 4;
/// See [`ENDED_PER_UNIT_MAX`].
pub const ENDED_MAX: u64 = 65_536;

/// Names of clients that are remembered; others stand in the journal as unnamed. More would let a crowd of names fill
/// the memory.
pub const CLIENTS_MAX: u16 = 4_096;

/// Additions to and withdrawals from one batch: their request ids are remembered as long as the batch lives.
pub const SUPPLIES_MAX: usize = 4_096;

/// Bytes of one packed group. RocksDB takes values below 4 GiB; a group of the largest configured size has a quarter of
/// a gibibyte.
pub const GROUP_BYTES_MAX: usize = 1 << 30;

/// Consumers of the feed whose cursors are stored. All stand in one file, which each acknowledgement writes anew.
pub const CONSUMERS_MAX: usize = 64;
