//! Files of a test, and the program that writes them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use super::FakeServer;

/// A path in a folder for the tests of this crate, with nothing there.
pub(crate) fn fresh(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    let _ = fs::remove_file(&path);
    let _ = fs::remove_dir_all(&path);
    path
}

/// The program, with one of its commands.
pub(crate) fn program(command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_stockade-loadtest"));
    program.arg(command).env_remove("STOCKADE_SERVER").env_remove("STOCKADE_TOKEN");
    program
}

/// A run of `claims` in a closed loop against `server`, with more arguments.
pub(crate) fn run(server: &FakeServer, claims: u64, arguments: &[&str]) -> Output {
    let mut command = program("run");
    command.args(["--server", &server.address.to_string(), "--closed", "--claims", &claims.to_string()]);
    command.args(["--connections", "3", "--warm-up", "0s", "--duration", "10m", "--claims-per-frame", "8"]);
    command.args(["--window", "4", "--seed", "5"]).args(arguments).output().unwrap()
}

/// Standard error of `output`.
pub(crate) fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
