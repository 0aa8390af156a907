//! `--server`, `--json`, `--token` and `--timeout` are taken before and after the command; flags beat the environment.

use crate::scripted::{WRONG_TOKEN, scripted_server};
use crate::support::stockade_with;

const NOWHERE: &str = "127.0.0.1:9";

#[test]
fn everywhere_on_the_command_line() {
    let server = scripted_server();
    // The environment points elsewhere: wherever a flag stands, it must win.
    let environment = [("STOCKADE_SERVER", NOWHERE), ("STOCKADE_TOKEN", WRONG_TOKEN)];
    let globals = ["--server", &server, "--json", "--token", "another-token", "--timeout", "2s"];
    for arguments in [
        [&globals[..], &["batch", "show", "1000"]].concat(),
        [&["batch"], &globals[..], &["show", "1000"]].concat(),
        [&["batch", "show"], &globals[..], &["1000"]].concat(),
        [&["batch", "show", "1000"], &globals[..]].concat(),
        [&globals[..3], &["batch"], &globals[3..5], &["show", "1000"], &globals[5..]].concat(),
    ] {
        let ran = stockade_with(&environment, &arguments);
        assert_eq!(ran.exits(0).json()["id"], 1000, "{arguments:?}");
    }
}

#[test]
fn the_environment_names_the_server_and_the_token() {
    let server = scripted_server();
    let show = ["batch", "show", "1000", "--timeout", "300ms"];
    stockade_with(&[("STOCKADE_SERVER", &server)], &show).exits(0);
    stockade_with(&[("STOCKADE_SERVER", &server), ("STOCKADE_TOKEN", WRONG_TOKEN)], &show).exits(1);
    stockade_with(&[("STOCKADE_SERVER", NOWHERE)], &show).exits(6);
}
