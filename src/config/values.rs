//! The values themselves, typed, with their defaults.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use stockade_protocol::hello::Durability;

/// Bytes of a mebibyte, the unit of sizes in the file.
pub(super) const MEBIBYTE_BYTES: u64 = 1 << 20;

/// Everything that can be set. One that came out of [`super::Loader::finish`] is valid as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The data port and its bounds.
    pub server: Server,
    /// The port for metrics and probes.
    pub admin: Admin,
    /// Who may do what.
    pub auth: Auth,
    /// Where and how safely data is kept.
    pub storage: Storage,
    /// The group commit.
    pub journal: Journal,
    /// The tables of users.
    pub users: Users,
    /// The directory of batches.
    pub batches: Batches,
    /// The life of reservations.
    pub reservations: Reservations,
    /// Wallets, coupons and statistics.
    pub reading: Reading,
    /// The feed of events.
    pub feed: Feed,
    /// What is logged, and how.
    pub log: Log,
}

/// `[server]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Address of the data port.
    pub listen: SocketAddr,
    /// Network threads; 0 = as many as the process may use. See [`Server::core_count`].
    pub cores: u32,
    /// Connections at one time.
    pub connections_max: u32,
    /// Claims of one connection that wait for their answer.
    pub in_flight_claims_per_connection: u32,
    /// Claims of the whole server that wait for their answer.
    pub in_flight_claims_max: u32,
    /// From accepting a connection to its complete handshake.
    pub handshake_timeout: Duration,
    /// From the first byte of a frame to its last.
    pub frame_timeout: Duration,
    /// How long a client may take no byte of its replies.
    pub write_stall_timeout: Duration,
    /// How long a connection may say nothing.
    pub idle_timeout: Duration,
    /// From the signal to leave until open connections are cut.
    pub drain_timeout: Duration,
}

/// `[admin]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Address of the HTTP port.
    pub listen: SocketAddr,
}

/// `[auth]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// Tokens that may claim and look up.
    pub claim_tokens: Vec<Token>,
    /// Tokens that may do everything.
    pub operator_tokens: Vec<Token>,
}

/// `[storage]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Folder of the data.
    pub data: PathBuf,
    /// What an answer survives.
    pub durability: Durability,
    /// Free bytes on the disk below which no new claim is taken.
    pub free_space_floor_bytes: u64,
    /// Bytes kept in a file that can be deleted on a full disk; 0 = no such file.
    pub ballast_bytes: u64,
    /// Bytes of journal after which a segment becomes a table file.
    pub segment_bytes: u64,
    /// Bytes of the journal that a checkpoint gives back at least.
    pub checkpoint_dead_bytes: u64,
}

/// `[journal]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Claims in one group commit.
    pub group_claims_max: u32,
}

/// `[users]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users {
    /// Lock shards of the largest batch's table; a power of two.
    pub shards_max: u32,
}

/// `[batches]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    /// Batches that exist at one time, closed ones included.
    pub batches_max: u32,
}

/// `[reservations]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservations {
    /// Seconds that a reservation may live.
    pub ttl_max_s: u32,
    /// How long after a start none expires.
    pub restart_grace: Duration,
}

/// `[reading]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whether an index is kept for it.
    pub index: bool,
    /// Threads that answer it.
    pub threads: u32,
}

/// `[feed]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Bytes of the journal that are kept for consumers which are behind.
    pub retained_bytes: u64,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Least important level that is written.
    pub level: Level,
    /// One JSON object a line instead of text.
    pub json: bool,
}

/// How important a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something will fail if nobody acts.
    Warn,
    /// Starts, stops, recoveries, changes of batches.
    Info,
    /// Connections.
    Debug,
    /// Bursts and groups: for development, far too much under load.
    Trace,
}

/// A secret that a client shows. It has no way into a log: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Server {
    /// Network threads to start: what is set, or as many as the process may use (its cgroup's share included), and at
    /// least 1.
    #[must_use]
    pub fn core_count(&self) -> usize {
        let usable = || std::thread::available_parallelism().map_or(1, usize::from);
        let most = super::keys::CORES_MAX as usize;
        match self.cores {
            0 => usable().min(most),
            cores => cores as usize,
        }
    }
}

impl Level {
    /// Every level, the most important first.
    pub const ALL: [Level; 5] = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }

    /// The level with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl Token {
    /// Fewest bytes: fewer can be guessed over the network.
    pub const BYTES_MIN: usize = 16;
    /// Most bytes: the field of the handshake.
    pub const BYTES_MAX: usize = stockade_protocol::limits::TOKEN_BYTES_MAX;

    /// A token, if it can be one: printable ASCII without space and comma (the environment separates tokens by commas).
    #[must_use]
    pub fn new(text: &str) -> Option<Token> {
        let fits = (Self::BYTES_MIN..=Self::BYTES_MAX).contains(&text.len());
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        (fits && printable).then(|| Token(text.to_owned()))
    }

    /// The secret, for comparing it in constant time.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(hidden)")
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7400)),
            cores: 0,
            connections_max: 10_000,
            in_flight_claims_per_connection: 65_536,
            in_flight_claims_max: 1_048_576,
            handshake_timeout: Duration::from_secs(3),
            frame_timeout: Duration::from_secs(5),
            write_stall_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_mins(1),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7401)) }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            data: PathBuf::from("stockade-data"),
            durability: Durability::Fsync,
            free_space_floor_bytes: 512 * MEBIBYTE_BYTES,
            ballast_bytes: 64 * MEBIBYTE_BYTES,
            segment_bytes: 16 * MEBIBYTE_BYTES,
            checkpoint_dead_bytes: 64 * MEBIBYTE_BYTES,
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self { group_claims_max: 262_144 }
    }
}

impl Default for Users {
    fn default() -> Self {
        Self { shards_max: 256 }
    }
}

impl Default for Batches {
    fn default() -> Self {
        Self { batches_max: 1_000_000 }
    }
}

impl Default for Reservations {
    fn default() -> Self {
        Self { ttl_max_s: 3_600, restart_grace: Duration::from_secs(2) }
    }
}

impl Default for Reading {
    fn default() -> Self {
        Self { index: true, threads: 1 }
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self { retained_bytes: 4_096 * MEBIBYTE_BYTES }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: Level::Info, json: false }
    }
}
