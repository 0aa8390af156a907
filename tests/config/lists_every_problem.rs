//! A bad configuration is refused with everything that is wrong in it: where, which key, which value, what is possible.

use std::ffi::OsString;

use stockade::config::{FILE_BYTES_MAX, Loader, Problems};

const SECRET: &str = "correct-horse-battery";

fn problems_of(text: &str) -> Vec<String> {
    lines(&Loader::new().text("a.toml", text).finish().expect_err("the text has problems"))
}

fn lines(problems: &Problems) -> Vec<String> {
    let lines: Vec<String> = problems.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), problems.all().len(), "one line each: {problems}");
    lines
}

#[test]
fn several_at_once_in_order_of_line() {
    let text = "
[server]
listen = \"localhost:7400\"
coers = 4
connections_max = 0
idle_timeout_ms = 1.5

[users]
shards_max = 100

[storage]
durability = \"fsnyc\"
data = \"\"

[log]
json = \"yes\"
";
    assert_eq!(
        problems_of(text),
        [
            "a.toml:3: server.listen = \"localhost:7400\": must be an IP address with a port, such as \
             \"127.0.0.1:7400\"",
            "a.toml:4: server.coers: unknown key; did you mean server.cores?",
            "a.toml:5: server.connections_max = 0: must be a whole number from 1 to 1000000",
            "a.toml:6: server.idle_timeout_ms = 1.5: must be a whole number from 1000 to 86400000, in milliseconds",
            "a.toml:9: users.shards_max = 100: must be a power of two from 1 to 4096",
            "a.toml:12: storage.durability = \"fsnyc\": must be one of \"fsync\", \"os\", \"memory\"",
            "a.toml:13: storage.data = \"\": must be the path of a folder, such as \"/var/lib/stockade\"",
            "a.toml:16: log.json = \"yes\": must be true or false",
        ]
    );
}

#[test]
fn unknown_names_name_the_nearest_valid_one() {
    for (text, expected) in [
        ("[server]\nlissten = 1", "a.toml:2: server.lissten: unknown key; did you mean server.listen?"),
        ("[server]\nmax_cores = 1", "a.toml:2: server.max_cores: unknown key; [server] has listen, cores, "),
        ("[storage]\nlisten = 1", "a.toml:2: storage.listen: unknown key; did you mean server.listen?"),
        ("[journal]\nshard_max = 1", "a.toml:2: journal.shard_max: unknown key; did you mean users.shards_max?"),
        ("cores = 1", "a.toml:1: cores: unknown key; did you mean server.cores?"),
        ("server.CORES = 1", "a.toml:1: server.CORES: unknown key; did you mean server.cores?"),
        ("x = 1", "a.toml:1: x: unknown key; keys stand below a table, one of [server], [admin], "),
        ("[sever]\ncores = 1", "a.toml:1: [sever]: unknown table; did you mean [server]?"),
        ("[tls]\ncores = 1", "a.toml:1: [tls]: unknown table; the tables are [server], [admin], "),
        ("[server.tls]\nx = 1", "a.toml:1: server.tls: unknown key; [server] has listen, "),
        ("server = 1", "a.toml:1: server: must be a table; write [server] on a line of its own"),
        ("[[log]]\njson = true", "a.toml:1: log: must be a table; write [log] on a line of its own"),
    ] {
        let problems = problems_of(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].starts_with(expected), "{text}: {}", problems[0]);
    }
}

#[test]
fn broken_syntax_is_named_by_line_beside_the_other_problems() {
    let problems = problems_of("[server]\ncores = = 4\nlisten = \"x\"\n[users]\nshards_max = 3\n");
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("a.toml:2: broken TOML: "), "{}", problems[0]);
    assert!(problems[1].starts_with("a.toml:3: server.listen"), "{}", problems[1]);
    assert!(problems[2].starts_with("a.toml:5: users.shards_max"), "{}", problems[2]);
    assert_eq!(problems_of("[server]\ncores = 1\ncores = 2"), ["a.toml:3: broken TOML: duplicate key"]);
}

#[test]
fn numbers_at_their_bounds_are_taken_and_beyond_are_not() {
    for (text, is_taken) in [
        ("server.cores = 0", true),
        ("server.cores = 256", true),
        ("server.cores = 257", false),
        ("server.cores = -1", false),
        ("server.cores = 0x10", true),
        ("server.cores = 99999999999999999999", false),
        ("server.cores = \"4\"", false),
        ("server.in_flight_claims_per_connection = 8_192", true),
        ("server.in_flight_claims_per_connection = 8_191", false),
        ("storage.segment_mib = 8", true),
        ("storage.segment_mib = 7", false),
        ("users.shards_max = 1", true),
        ("users.shards_max = 4096", true),
        ("users.shards_max = 8192", false),
    ] {
        assert_eq!(Loader::new().text("a.toml", text).finish().is_ok(), is_taken, "{text}");
    }
}

#[test]
fn relations_between_keys() {
    for (text, expected) in [
        (
            "server.in_flight_claims_max = 9_000",
            "default: server.in_flight_claims_per_connection = 65536: must not be above server.in_flight_claims_max, \
             which is 9000",
        ),
        (
            "server.listen = \"0.0.0.0:7400\"",
            "a.toml:1: server.listen = \"0.0.0.0:7400\": other machines can reach it, and without tokens",
        ),
        ("admin.listen = \"[::]:7401\"", "a.toml:1: admin.listen = \"[::]:7401\": other machines can reach it"),
        (
            "admin.listen = \"127.0.0.1:7400\"",
            "a.toml:1: admin.listen = \"127.0.0.1:7400\": must be another address than server.listen",
        ),
        (
            "auth.claim_tokens = [\"correct-horse-battery\"]",
            "a.toml:1: auth.claim_tokens: with these alone nobody may create a batch",
        ),
        (
            "auth = { claim_tokens = [\"correct-horse-battery\"], operator_tokens = [\"correct-horse-battery\"] }",
            "a.toml:1: auth.claim_tokens: token 1 of the list is also in auth.operator_tokens",
        ),
        (
            "storage.segment_mib = 1024",
            "default: storage.free_space_floor_mib = 512: must be at least storage.segment_mib",
        ),
    ] {
        let problems = problems_of(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].starts_with(expected), "{text}: {}", problems[0]);
    }
}

#[test]
fn relations_that_hold_say_nothing() {
    for text in [
        "server.listen = \"[::1]:7400\"",
        "server.listen = \"[::ffff:127.0.0.1]:7400\"",
        "server.listen = \"0.0.0.0:7400\"\nauth.operator_tokens = [\"correct-horse-battery\"]",
        "server.listen = \"127.0.0.1:0\"\nadmin.listen = \"127.0.0.1:0\"",
        "server.in_flight_claims_max = 8192\nserver.in_flight_claims_per_connection = 8192",
    ] {
        if let Err(problems) = Loader::new().text("a.toml", text).finish() {
            panic!("{text}: {problems}");
        }
    }
}

#[test]
fn a_relation_is_not_judged_by_a_value_that_was_refused_or_misspelt() {
    for text in [
        "server.listen = \"0.0.0.0:7400\"\nauth.operator_tokens = [\"short\"]",
        "server.listen = \"0.0.0.0:7400\"\nauth.operator_token = [\"correct-horse-battery\"]",
        "server.listen = \"0.0.0.0:7400\"\n[auht]\noperator_tokens = [\"correct-horse-battery\"]",
        "server.listen = \"0.0.0.0:7400\"\nauth.operator_tokens = [\"correct-horse-battery]",
    ] {
        let problems = problems_of(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
    }
}

#[test]
fn no_problem_repeats_a_secret() {
    for text in [
        format!("[auth]\nclaim_tokens = [\"{SECRET} \"]"),
        format!("[auth]\nclaim_tokens = \"{SECRET}\""),
        format!("[auth]\nclaim_tokens = [\"{SECRET}\", \"{SECRET}\"]"),
        format!("[auth]\noperator_tokens = [\"{SECRET}\"]\nclaim_tokens = [\"{SECRET}\"]"),
        format!("[auth]\ntoken = \"{SECRET}\""),
        format!("auth = \"{SECRET}\""),
        format!("token = \"{SECRET}\""),
        format!("[auth]\nclaim_tokens = [\"{SECRET}]"),
        format!("[auth]\nclaim_tokens = [{SECRET}]"),
        format!("[auth]\nclaim_tokens = [\"\\q{SECRET}\"]"),
        format!("[auth]\nclaim_tokens = [\"{SECRET}\"\n{SECRET}"),
    ] {
        for problem in problems_of(&text) {
            assert!(!problem.contains(SECRET), "{text}: {problem}");
        }
    }
    let text = format!("[auth]\noperator_tokens = [\"{SECRET}\"]");
    let loaded = Loader::new().text("a.toml", &text).finish().expect("a good token");
    assert_eq!(loaded.config().auth.operator_tokens[0].bytes(), SECRET.as_bytes());
    assert!(!format!("{loaded:?}").contains(SECRET), "Debug shows a token");
    for effective in loaded.effective() {
        assert!(!effective.value.to_string().contains(SECRET), "{} shows a token", effective.key);
    }
}

#[test]
fn a_long_or_odd_value_stays_one_line() {
    let problems = problems_of(&format!("[server]\nlisten = \"\"\"{}\n{}\"\"\"", "a\nb\t".repeat(5), "b".repeat(500)));
    assert_eq!(problems.len(), 1, "{problems:?}");
    let variables = [(OsString::from("STOCKADE_LISTEN"), OsString::from("a\nb\u{1b}[31m"))];
    let problems = Loader::new().environment(variables).finish().expect_err("no address");
    assert!(!problems.to_string().contains(['\n', '\u{1b}']), "{problems}");
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let of = |name: &str| Loader::new().file(&folder.path().join(name)).finish().expect_err("unreadable").to_string();
    assert!(of("none.toml").contains("none.toml: there is no such file"), "{}", of("none.toml"));
    std::fs::write(folder.path().join("binary.toml"), [0xff, 0xfe]).expect("written");
    assert!(of("binary.toml").contains("is no UTF-8 text"), "{}", of("binary.toml"));
    let length = usize::try_from(FILE_BYTES_MAX).expect("fits") + 1;
    std::fs::write(folder.path().join("long.toml"), " ".repeat(length)).expect("written");
    assert!(of("long.toml").contains("is longer than"), "{}", of("long.toml"));
    std::fs::write(folder.path().join("full.toml"), " ".repeat(length - 1)).expect("written");
    assert!(Loader::new().file(&folder.path().join("full.toml")).finish().is_ok(), "a file of the full size is read");
    std::fs::create_dir(folder.path().join("folder.toml")).expect("made");
    assert!(of("folder.toml").contains("cannot be read"), "{}", of("folder.toml"));
}
