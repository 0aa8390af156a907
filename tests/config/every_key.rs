//! Every key sets its own value, in its own unit. No two values here are equal, so that none can pass for another.

use std::time::Duration;

use stockade::config::{
    Admin, Auth, Batches, Config, Feed, Journal, Level, Loader, Log, Reading, Reservations, Server, Storage, Token,
    Users,
};
use stockade_protocol::hello::Durability;

const FILE: &str = "
[server]
listen = \"127.0.0.1:1\"
cores = 2
connections_max = 3
in_flight_claims_per_connection = 8_193
in_flight_claims_max = 8_194
handshake_timeout_ms = 1_001
frame_timeout_ms = 1_002
write_stall_timeout_ms = 1_003
idle_timeout_ms = 1_004
drain_timeout_ms = 1_005

[admin]
listen = \"127.0.0.1:4\"

[auth]
claim_tokens = [\"claim-token-of-ours\"]
operator_tokens = [\"operator-token-of-ours\"]

[storage]
data = \"/data\"
durability = \"os\"
free_space_floor_mib = 33
ballast_mib = 34
segment_mib = 9
checkpoint_dead_mib = 10

[journal]
group_claims_max = 8_195

[users]
shards_max = 16

[batches]
batches_max = 5

[reservations]
ttl_max_s = 6
restart_grace_ms = 1_006

[reading]
index = false
threads = 7

[feed]
retained_mib = 35

[log]
level = \"debug\"
json = true
";

#[test]
fn sets_its_own_value() {
    let token = |text: &str| Token::new(text).expect("a token");
    let expected = Config {
        server: Server {
            listen: "127.0.0.1:1".parse().expect("an address"),
            cores: 2,
            connections_max: 3,
            in_flight_claims_per_connection: 8_193,
            in_flight_claims_max: 8_194,
            handshake_timeout: Duration::from_millis(1_001),
            frame_timeout: Duration::from_millis(1_002),
            write_stall_timeout: Duration::from_millis(1_003),
            idle_timeout: Duration::from_millis(1_004),
            drain_timeout: Duration::from_millis(1_005),
        },
        admin: Admin { listen: "127.0.0.1:4".parse().expect("an address") },
        auth: Auth {
            claim_tokens: vec![token("claim-token-of-ours")],
            operator_tokens: vec![token("operator-token-of-ours")],
        },
        storage: Storage {
            data: "/data".into(),
            durability: Durability::Os,
            free_space_floor_bytes: 33 << 20,
            ballast_bytes: 34 << 20,
            segment_bytes: 9 << 20,
            checkpoint_dead_bytes: 10 << 20,
        },
        journal: Journal { group_claims_max: 8_195 },
        users: Users { shards_max: 16 },
        batches: Batches { batches_max: 5 },
        reservations: Reservations { ttl_max_s: 6, restart_grace: Duration::from_millis(1_006) },
        reading: Reading { index: false, threads: 7 },
        feed: Feed { retained_bytes: 35 << 20 },
        log: Log { level: Level::Debug, json: true },
    };
    let loaded = Loader::new().text("a.toml", FILE).finish().unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.config(), &expected);
    let of_file = FILE.lines().filter(|line| line.contains(" = ")).count();
    assert_eq!(loaded.effective().count(), of_file, "every key stands in the file above");
}
