//! The engine's bounds that no configuration moves. Each says what breaks on either side.
//! (Bounds that operators tune stand in `config/stockade.toml`; those of the wire in the protocol crate.)

/// Network threads, and so buckets of a batch and buffers of the journal. More would make a walk over the buckets
/// slower than a burst.
pub const CORES_MAX: usize = 256;

/// Additions of stock to one batch: their request ids are remembered as long as the batch lives.
pub const ADDITIONS_MAX: usize = 4_096;

/// Bytes of one packed group. RocksDB takes values below 4 GiB; a group of the largest configured size has a quarter of
/// a gibibyte.
pub const GROUP_BYTES_MAX: usize = 1 << 30;
