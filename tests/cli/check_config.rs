//! `check-config`, and `serve` with a configuration that is wrong.

use std::path::PathBuf;

use crate::support::{stockade, stockade_with};
use serde_json::json;

/// A file in a folder that goes away with the first value.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("a.toml");
    std::fs::write(&path, text).expect("written");
    (folder, path.display().to_string())
}

#[test]
fn a_good_file_prints_ok_and_every_value_with_its_origin() {
    let (_folder, path) = file("[server]\ncores = 3\n[auth]\noperator_tokens = [\"correct-horse-battery\"]\n");
    let ran = stockade_with(&[("STOCKADE_LOG_LEVEL", "warn")], &["check-config", &path]);
    let lines: Vec<String> =
        ran.exits(0).stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines[0], "ok");
    assert!(lines.contains(&format!("server.cores = 3 # {path}:2")), "{lines:?}");
    assert!(lines.contains(&"log.level = \"warn\" # STOCKADE_LOG_LEVEL".to_owned()), "{lines:?}");
    assert!(lines.contains(&"users.shards_max = 256 # default".to_owned()), "{lines:?}");
    assert!(lines.contains(&format!("auth.operator_tokens = [1 token, hidden] # {path}:4")), "{lines:?}");
    assert!(!ran.stdout.contains("correct-horse-battery"), "{}", ran.stdout);
}

#[test]
fn a_good_file_as_json() {
    let (_folder, path) = file("[server]\ncores = 3\n[auth]\noperator_tokens = [\"correct-horse-battery\"]\n");
    let ran = stockade(&["check-config", &path, "--json"]);
    let result = ran.exits(0).json();
    assert_eq!(result["ok"], json!(true));
    assert_eq!(result["values"]["server.cores"], json!({ "value": 3, "origin": format!("{path}:2") }));
    assert_eq!(result["values"]["auth.operator_tokens"]["value"], json!({ "hidden_tokens": 1 }));
    assert!(!ran.stdout.contains("correct-horse-battery"), "{}", ran.stdout);
}

const BAD: &str = "[server]\ncoers = 3\n[users]\nshards_max = 3\n";

#[test]
fn a_bad_file_lists_every_problem() {
    let (_folder, path) = file(BAD);
    let ran = stockade(&["check-config", &path]);
    assert!(ran.exits(2).stdout.is_empty(), "{}", ran.stdout);
    assert_eq!(
        ran.stderr,
        format!(
            "stockade: {path}:2: server.coers: unknown key; did you mean server.cores?\n\
             stockade: {path}:4: users.shards_max = 3: must be a power of two from 1 to 4096\n"
        )
    );
}

#[test]
fn a_bad_file_as_json() {
    let (_folder, path) = file(BAD);
    let result = stockade(&["check-config", &path, "--json"]).exits(2).json();
    assert_eq!(result["ok"], json!(false));
    let first = &result["problems"][0];
    assert_eq!(
        (&first["file"], &first["line"], &first["key"], &first["nearest"]),
        (&json!(path), &json!(2), &json!("server.coers"), &json!("server.cores"))
    );
    assert_eq!(result["problems"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_missing_file() {
    let ran = stockade(&["check-config", "/nowhere/a.toml"]);
    ran.exits(2);
    assert_eq!(ran.stderr, "stockade: /nowhere/a.toml: there is no such file; name one that exists, or leave it out\n");
}

#[test]
fn serve_refuses_to_start_and_lists_every_problem_of_every_layer() {
    let (folder, path) = file(BAD);
    let data = folder.path().join("data").display().to_string();
    let environment = [("STOCKADE_LISTN", "127.0.0.1:0"), ("STOCKADE_DURABILITY", "some")];
    let arguments = ["serve", "--config", &path, "--data", &data, "--listen", "0.0.0.0:0", "--admin-listen", "here"];
    let ran = stockade_with(&environment, &arguments);
    ran.exits(2);
    let expected = [
        format!("{path}:2: server.coers: unknown key"),
        format!("{path}:4: users.shards_max = 3: "),
        "STOCKADE_DURABILITY: storage.durability = some: must be one of".to_owned(),
        "STOCKADE_LISTN: unknown variable; did you mean STOCKADE_LISTEN?".to_owned(),
        "--admin-listen: admin.listen = here: must be an IP address".to_owned(),
        "--listen: server.listen = \"0.0.0.0:0\": other machines can reach it".to_owned(),
    ];
    assert_eq!(ran.stderr.lines().count(), expected.len(), "{}", ran.stderr);
    for (line, start) in ran.stderr.lines().zip(&expected) {
        assert!(line.starts_with(&format!("stockade: {start}")), "{line}");
    }
    assert!(!folder.path().join("data").exists(), "nothing changed on disk");
}

#[test]
fn serve_takes_its_file_from_the_environment() {
    let (_folder, path) = file(BAD);
    let ran = stockade_with(&[("STOCKADE_CONFIG", &path)], &["serve"]);
    ran.exits(2);
    assert!(ran.stderr.contains(&format!("{path}:2: server.coers")), "{}", ran.stderr);
}
