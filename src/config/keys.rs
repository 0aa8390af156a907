//! The table of keys. Whatever must know a key (the file, the environment, the flags, the problems, the effective
//! values) reads it here.

use stockade_protocol::limits::CLAIMS_PER_FRAME_MAX;

use super::field::{Field, Place};

/// Longest file that is read, in bytes. The shipped one, comments and all, takes a hundredth of it; a file beyond is
/// another file, and would only be read to be refused.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// Start of every environment variable.
pub(super) const ENVIRONMENT_PREFIX: &str = "STOCKADE_";

/// Variables with that start which are the command line's own and set no key.
pub(super) const ENVIRONMENT_OF_COMMANDS: [&str; 3] = ["STOCKADE_CONFIG", "STOCKADE_SERVER", "STOCKADE_TOKEN"];

/// Network threads: the engine's bound.
pub(super) const CORES_MAX: u32 = 256;
const _: () = assert!(CORES_MAX as usize == crate::limits::CORES_MAX);

/// A frame of claims must fit whatever bounds claims, or it could never be answered with anything but `OVERLOADED`.
const FRAME: u32 = CLAIMS_PER_FRAME_MAX;

/// One key.
pub(super) struct Key {
    /// Table and name, such as `server.cores`.
    pub(super) path: &'static str,
    /// What it holds.
    pub(super) field: Field,
    /// Its environment variable where that is not made from the path.
    short_environment: Option<&'static str>,
}

impl Key {
    /// `server` of `server.cores`.
    pub(super) fn table(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(table, _)| table)
    }

    /// `cores` of `server.cores`.
    pub(super) fn name(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, name)| name)
    }

    /// Name of the environment variable that sets it.
    pub(super) fn environment(&self) -> String {
        self.short_environment.map_or_else(|| environment_of(self.path), str::to_owned)
    }

    /// Names that would have been as natural: of the whole path, and of the name alone.
    pub(super) fn environment_guesses(&self) -> [String; 2] {
        [environment_of(self.path), environment_of(self.name())]
    }
}

/// The key with this path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

fn environment_of(path: &str) -> String {
    ENVIRONMENT_PREFIX.to_owned() + &path.replace('.', "_").to_ascii_uppercase()
}

macro_rules! at {
    ($($step:ident).+) => {
        Place { get: |config| &config.$($step).+, get_mut: |config| &mut config.$($step).+ }
    };
}

const fn key(path: &'static str, field: Field) -> Key {
    Key { path, field, short_environment: None }
}

const fn short(path: &'static str, environment: &'static str, field: Field) -> Key {
    Key { path, field, short_environment: Some(environment) }
}

use Field::{Address, Folder, Mebibytes, Milliseconds, Number, PowerOfTwo, Switch, Tokens};

/// Every key with its bound; what each bound costs on either side stands in `config/stockade.toml`.
pub(super) static KEYS: &[Key] = &[
    short("server.listen", "STOCKADE_LISTEN", Address(at!(server.listen))),
    key("server.cores", Number(0..=CORES_MAX, at!(server.cores))),
    key("server.connections_max", Number(1..=1_000_000, at!(server.connections_max))),
    key(
        "server.in_flight_claims_per_connection",
        Number(FRAME..=1_048_576, at!(server.in_flight_claims_per_connection)),
    ),
    key("server.in_flight_claims_max", Number(FRAME..=16_777_216, at!(server.in_flight_claims_max))),
    key("server.handshake_timeout_ms", Milliseconds(100..=60_000, at!(server.handshake_timeout))),
    key("server.frame_timeout_ms", Milliseconds(100..=600_000, at!(server.frame_timeout))),
    key("server.write_stall_timeout_ms", Milliseconds(100..=600_000, at!(server.write_stall_timeout))),
    key("server.idle_timeout_ms", Milliseconds(1_000..=86_400_000, at!(server.idle_timeout))),
    key("server.drain_timeout_ms", Milliseconds(100..=600_000, at!(server.drain_timeout))),
    short("admin.listen", "STOCKADE_ADMIN_LISTEN", Address(at!(admin.listen))),
    key("auth.claim_tokens", Tokens(at!(auth.claim_tokens))),
    key("auth.operator_tokens", Tokens(at!(auth.operator_tokens))),
    short("storage.data", "STOCKADE_DATA", Folder(at!(storage.data))),
    short("storage.durability", "STOCKADE_DURABILITY", Field::Durability(at!(storage.durability))),
    key("storage.free_space_floor_mib", Mebibytes(16..=1_048_576, at!(storage.free_space_floor_bytes))),
    key("storage.ballast_mib", Mebibytes(0..=65_536, at!(storage.ballast_bytes))),
    key("storage.segment_mib", Mebibytes(8..=1_024, at!(storage.segment_bytes))),
    key("storage.checkpoint_dead_mib", Mebibytes(1..=65_536, at!(storage.checkpoint_dead_bytes))),
    key("journal.group_claims_max", Number(FRAME..=1_048_576, at!(journal.group_claims_max))),
    key("users.shards_max", PowerOfTwo(1..=4_096, at!(users.shards_max))),
    key("batches.batches_max", Number(1..=16_777_216, at!(batches.batches_max))),
    key("reservations.ttl_max_s", Number(1..=65_535, at!(reservations.ttl_max_s))),
    key("reservations.restart_grace_ms", Milliseconds(0..=600_000, at!(reservations.restart_grace))),
    key("reading.index", Switch(at!(reading.index))),
    key("reading.threads", Number(1..=64, at!(reading.threads))),
    key("feed.retained_mib", Mebibytes(0..=1_048_576, at!(feed.retained_bytes))),
    key("log.level", Field::Level(at!(log.level))),
    key("log.json", Switch(at!(log.json))),
];
