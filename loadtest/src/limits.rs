//! The load test's bounds, each with its unit and what lies beyond it.

use std::time::Duration;

/// Connections of one run. More need file descriptors that few machines allow a process by default; a connection's
/// number also has to fit the 16 bits that it has in a claim's ordinal.
pub const CONNECTIONS_MAX: u32 = 16_384;

/// Generator threads. Each is a core that the server does not have.
pub const THREADS_MAX: u32 = 64;

/// Frames in flight on one connection. More only hides the server's queue in ours.
pub const WINDOW_FRAMES_MAX: u32 = 65_536;

/// Claims a second, all connections together.
pub const RATE_MAX: u64 = 1_000_000_000;

/// Batches of one run: what a server takes unless it is configured to take more. Each costs the generator some 70
/// bytes.
pub const BATCHES_MAX: u32 = 1_000_000;

/// Batches that a report lists one by one; it counts all. More would make it longer than `compare` reads.
pub const BATCHES_LISTED_MAX: usize = 1_024;

/// Ids that a run may give to its batches, from the one it draws: a power of two.
pub const BATCH_IDS_MAX: u64 = 1 << 24;

/// Claims on a batch that is replaced: at 4 bytes a claim, what each connection may keep of several rounds.
pub const TURNOVER_CLAIMS_MAX: u64 = 100_000_000;

/// Claims for which there should be batches before they are due, where batches come and go: about a second's.
pub const CLAIMS_AHEAD: u64 = 2_000_000;

/// Batches that are created ahead of need, at most; but always those of two rounds.
pub const BATCHES_AHEAD_MAX: u64 = 16_384;

/// Frames of batches in flight on the control connection: enough for the server to be busy while it syncs, and a
/// megabyte of replies at most.
pub const PAGES_IN_FLIGHT: usize = 8;

/// Claims sent on one connection: 40 bits of a claim's ordinal.
pub const SLOTS_PER_CONNECTION_MAX: u64 = 1 << 40;

/// Longest time to collect what is due. More would fill every window and measure nothing but itself.
pub const GATHER_MAX: Duration = Duration::from_millis(10);

/// Longest warm-up, measurement or drain.
pub const SPAN_MAX: Duration = Duration::from_hours(24);

/// Shares of repeats and of retries, each. Above it, finding an original claim to repeat takes too many steps.
pub const RATIO_MAX: f64 = 0.9;

/// Both shares together, for the same reason.
pub const RATIO_SUM_MAX: f64 = 0.95;

/// Distinct users with `users`; without it each claim has a new one.
pub const USERS_MAX: u64 = 1 << 48;

/// Coupons that are granted before a measurement: at 16 bytes each, what a generator may remember.
pub const GRANTS_MAX: u64 = 100_000_000;

/// Claims of one frame while those coupons are granted: the server takes fewer system calls for them, and they are not
/// measured.
pub const GRANTS_PER_FRAME: u32 = 64;

/// Frames in flight on one connection meanwhile.
pub const GRANT_FRAMES_IN_FLIGHT: u32 = 16;

/// Longest time that granting them may take.
pub const GRANTING_MAX: Duration = Duration::from_mins(30);

/// Life of a reservation, in seconds. Shorter, and a pause of the server would let reservations expire that are about
/// to be confirmed; longer, and those of a run that was cut off would stay.
pub const RESERVATION_TTL_S: u16 = 60;

/// Grants that may be looked up one by one: at 24 bytes a key, what a few minutes can ask for.
pub const SAMPLE_MAX: u64 = 100_000_000;

/// Units of all batches together when the scenario names no stock: no run reaches it, and serials still fit 32 bits.
pub const STOCK_WITHOUT_END: u32 = 4_000_000_000;

/// Bytes of new frames that one wake-up may encode for one connection, so that no connection starves the others.
pub const WRITE_BYTES_MAX: usize = 512 * 1024;

/// Bytes read from one connection at one wake-up. Holds the largest reply.
pub const READ_BYTES_MAX: usize = 512 * 1024;

/// How many claims back a retry or a repeat may reach on its connection.
pub const REACH_SLOTS_MAX: u64 = 65_536;

/// Later than this after its intended start, a frame counts as late.
pub const LATE_NS: u64 = 1_000_000;

/// Share of late frames from which the report says that the generator itself was late.
pub const LATE_SHARE_MAX: f64 = 0.01;

/// Latencies above this count as this: one hour.
pub const LATENCY_NS_MAX: u64 = 3_600_000_000_000;

/// How long the first connection waits for a server that is still starting.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// One attempt to connect.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// One answer on the control connection, or to a handshake.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// First pause before connecting again; each failure doubles it.
pub const BACKOFF_MIN: Duration = Duration::from_millis(10);

/// Longest pause before connecting again.
pub const BACKOFF_MAX: Duration = Duration::from_millis(500);

const _: () = assert!(
    READ_BYTES_MAX >= stockade_protocol::limits::HEADER_BYTES + stockade_protocol::limits::REPLY_BODY_BYTES_MAX,
    "a whole reply must fit the read buffer, or a connection would wait for ever"
);
const _: () = assert!(CONNECTIONS_MAX < 1 << 16);
const _: () = assert!((BATCHES_MAX as u64) < BATCH_IDS_MAX);
