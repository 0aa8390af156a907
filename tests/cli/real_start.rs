//! Starting where one cannot: one sentence, and nothing changes. And who may do what once it runs.

use std::fs;

use crate::real_server::RealServer;
use crate::support::{stockade, stockade_with};

const OPERATOR: &str = "an-operator-token-of-ours";
const CLAIMER: &str = "a-claimers-token-of-ours";

#[test]
fn a_folder_or_a_port_that_another_server_uses() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    let (data, other) = (data.display().to_string(), other.display().to_string());
    let server = RealServer::start(&data, &[]);
    let serve = |data: &str, listen: &str| {
        stockade(&["serve", "--data", data, "--listen", listen, "--admin-listen", "127.0.0.1:0"])
    };
    let same_folder = serve(&data, "127.0.0.1:0");
    assert_eq!(same_folder.exit, 1, "{}", same_folder.stderr);
    assert!(same_folder.stderr.contains(&data), "{}", same_folder.stderr);
    let same_port = serve(&other, &server.address);
    assert_eq!(same_port.exit, 1, "{}", same_port.stderr);
    assert!(same_port.stderr.contains(&server.address), "{}", same_port.stderr);
    server.run(&["batch", "list"]).exits(0);
}

#[test]
fn a_folder_that_is_not_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().display().to_string();
    fs::write(folder.path().join("letter.txt"), "dear").expect("written");
    for arguments in [
        &["serve", "--data", &data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"][..],
        &["verify", &data],
        &["verify", "/nowhere/at/all"],
    ] {
        let ran = stockade(arguments);
        assert_eq!(ran.exit, 1, "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stdout.contains("listening"), "{}", ran.stdout);
    }
    let names: Vec<_> =
        fs::read_dir(folder.path()).expect("there").map(|entry| entry.expect("read").file_name()).collect();
    assert_eq!(names, ["letter.txt"], "nothing changed on disk");
}

#[test]
fn tokens_decide_who_may_do_what() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let tokens = [("STOCKADE_AUTH_OPERATOR_TOKENS", OPERATOR), ("STOCKADE_AUTH_CLAIM_TOKENS", CLAIMER)];
    let server = RealServer::start(&data, &tokens);
    let run = |token: &str, arguments: &[&str], exit: i32, status: &str| {
        let environment = [("STOCKADE_SERVER", server.address.as_str()), ("STOCKADE_TOKEN", token)];
        let line = stockade_with(&environment, &[arguments, &["--json"]].concat()).exits(exit).json();
        assert_eq!(line["status"], status, "{arguments:?}");
    };
    let (create, claim) = (&["batch", "create", "1", "--stock", "5"], &["claim", "1", "--user", "1"]);
    run("", create, 1, "TOKEN_INVALID");
    run("no-token-that-it-knows", claim, 1, "TOKEN_INVALID");
    run(CLAIMER, create, 1, "FORBIDDEN");
    run(OPERATOR, create, 0, "DONE");
    run(CLAIMER, claim, 0, "GRANTED");
}
