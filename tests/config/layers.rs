//! Defaults < file < environment < flags.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use stockade::config::{Config, Loader, Origin, Shown};
use stockade_protocol::hello::Durability;

const FILE: &str = "[server]\ncores = 1\nconnections_max = 11\ndrain_timeout_ms = 1234\n[storage]\nsegment_mib = 16\n";

fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

fn refusal(pairs: &[(&str, &str)]) -> String {
    Loader::new().environment(variables(pairs)).finish().expect_err("a problem").to_string()
}

#[test]
fn the_stronger_layer_wins_and_the_others_stay() {
    let environment = variables(&[
        ("STOCKADE_SERVER_CONNECTIONS_MAX", "22"),
        ("STOCKADE_DATA", "/from/environment"),
        ("STOCKADE_LISTEN", "127.0.0.1:22"),
        ("STOCKADE_LOG_JSON", "true"),
    ]);
    let loaded = Loader::new()
        .text("a.toml", FILE)
        .environment(environment)
        .flag("--data", "storage.data", OsStr::new("/from/flag"))
        .flag("--durability", "storage.durability", OsStr::new("os"))
        .finish()
        .expect("nothing is wrong");
    let config = loaded.config();
    assert_eq!(config.server.cores, 1, "file over default");
    assert_eq!(config.server.connections_max, 22, "environment over file");
    assert_eq!(config.server.listen.port(), 22, "environment over default");
    assert_eq!(config.storage.data.as_os_str(), "/from/flag", "flag over environment");
    assert_eq!(config.storage.durability, Durability::Os, "flag over default");
    assert_eq!(config.server.idle_timeout, Config::default().server.idle_timeout, "default");
    assert_eq!(config.server.drain_timeout, Duration::from_millis(1234), "milliseconds");
    assert_eq!(config.storage.segment_bytes, 16 << 20, "mebibytes");
    assert!(config.log.json, "environment over default");

    let origin_of =
        |key: &str| loaded.effective().find(|effective| effective.key == key).expect("a key of ours").origin;
    assert_eq!(origin_of("server.cores"), Origin::File { path: "a.toml".to_owned(), line: Some(2) });
    assert_eq!(origin_of("server.connections_max"), Origin::Environment("STOCKADE_SERVER_CONNECTIONS_MAX".to_owned()));
    assert_eq!(origin_of("storage.data"), Origin::Flag("--data"));
    assert_eq!(origin_of("log.level"), Origin::Default);
}

#[test]
fn problems_of_every_layer_are_listed_together() {
    let problems = Loader::new()
        .text("a.toml", "[server]\ncores = 999\n")
        .environment(variables(&[("STOCKADE_USERS_SHARDS_MAX", "3"), ("STOCKADE_ADMIN_LISTEN", "7401")]))
        .flag("--listen", "server.listen", OsStr::new("localhost"))
        .finish()
        .expect_err("four problems")
        .to_string();
    assert_eq!(
        problems.lines().collect::<Vec<_>>(),
        [
            "a.toml:2: server.cores = 999: must be a whole number from 0 to 256",
            "STOCKADE_ADMIN_LISTEN: admin.listen = 7401: must be an IP address with a port, such as \"127.0.0.1:7400\"",
            "STOCKADE_USERS_SHARDS_MAX: users.shards_max = 3: must be a power of two from 1 to 4096",
            "--listen: server.listen = localhost: must be an IP address with a port, such as \"127.0.0.1:7400\"",
        ]
    );
}

#[test]
fn a_stronger_layer_does_not_hide_a_mistake_below() {
    let problems = Loader::new()
        .text("a.toml", "[server]\ncores = 999\n")
        .environment(variables(&[("STOCKADE_SERVER_CORES", "2")]))
        .finish()
        .expect_err("the file is still wrong");
    assert_eq!(problems.all().len(), 1);
}

#[test]
fn tokens_come_from_the_environment_separated_by_commas() {
    let environment = variables(&[("STOCKADE_AUTH_OPERATOR_TOKENS", "first-token-of-ours,second-token-of-ours")]);
    let loaded = Loader::new().environment(environment).finish().expect("two tokens");
    assert_eq!(loaded.config().auth.operator_tokens.len(), 2);
    let shown = loaded.effective().find(|effective| effective.key == "auth.operator_tokens").expect("the key").value;
    assert_eq!(shown, Shown::Hidden(2));
    let empty = refusal(&[("STOCKADE_AUTH_OPERATOR_TOKENS", "")]);
    assert!(empty.starts_with("STOCKADE_AUTH_OPERATOR_TOKENS: auth.operator_tokens: must be a list"), "{empty}");
}

#[test]
fn a_variable_that_is_nearly_ours_is_refused() {
    for (name, nearest) in [
        ("STOCKADE_LISTN", "STOCKADE_LISTEN"),
        ("STOCKADE_SERVER_LISTEN", "STOCKADE_LISTEN"),
        ("STOCKADE_STORAGE_DATA", "STOCKADE_DATA"),
        ("STOCKADE_CORES", "STOCKADE_SERVER_CORES"),
        ("STOCKADE_CLAIM_TOKENS", "STOCKADE_AUTH_CLAIM_TOKENS"),
    ] {
        assert_eq!(refusal(&[(name, "secret")]), format!("{name}: unknown variable; did you mean {nearest}?"));
    }
}

#[test]
fn variables_of_others_are_passed_over() {
    // What Kubernetes sets beside services called stockade and stockade-server, and what the commands read.
    let environment = variables(&[
        ("STOCKADE_SERVICE_HOST", "10.0.0.1"),
        ("STOCKADE_SERVICE_PORT", "7400"),
        ("STOCKADE_SERVICE_PORT_DATA", "7400"),
        ("STOCKADE_PORT", "tcp://10.0.0.1:7400"),
        ("STOCKADE_PORT_7400_TCP_ADDR", "10.0.0.1"),
        ("STOCKADE_SERVER_PORT", "tcp://10.0.0.1:7400"),
        ("STOCKADE_SERVER_SERVICE_HOST", "10.0.0.1"),
        ("STOCKADE_ADMIN_PORT", "tcp://10.0.0.1:7401"),
        ("STOCKADE_SERVER", "10.0.0.1:7400"),
        ("STOCKADE_TOKEN", "a-token-of-a-client"),
        ("STOCKADE_CONFIG", "a.toml"),
        ("stockade_listen", "x"),
        ("PATH", "/bin"),
    ]);
    let loaded = Loader::new().environment(environment).finish().unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.config(), &Config::default());
}

#[cfg(unix)]
#[test]
fn values_that_are_no_unicode() {
    use std::os::unix::ffi::OsStringExt;

    let odd = OsString::from_vec(b"/data/\xff".to_vec());
    let folder = Loader::new().environment([(OsString::from("STOCKADE_DATA"), odd.clone())]).finish();
    assert_eq!(folder.expect("a folder may be called so").config().storage.data.as_os_str(), odd.as_os_str());
    let address = Loader::new().environment([(OsString::from("STOCKADE_LISTEN"), odd)]).finish();
    assert_eq!(address.expect_err("no address").all().len(), 1);
}

#[test]
fn cores_are_counted_when_none_are_set() {
    let mut server = Config::default().server;
    assert!((1..=256).contains(&server.core_count()));
    server.cores = 7;
    assert_eq!(server.core_count(), 7);
}
