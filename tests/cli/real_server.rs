//! A real server: the same binary, on a folder of its own and free ports.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, stockade};

/// A server process; killed when it goes out of scope.
pub(crate) struct RealServer {
    child: Child,
    /// Kept open: a server whose output nobody can read would be another case.
    _stdout: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) address: String,
}

impl RealServer {
    /// Starts one on `data`, and waits until it says where it listens.
    pub(crate) fn start(data: &str, environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stockade"))
            .env_clear()
            .envs(environment.iter().copied())
            .args(["serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).expect("text"), 0, "the server ended without listening");
            if let Some(address) = line.strip_prefix("listening on ") {
                break address.trim_end().split([',', ' ']).next().expect("an address").to_owned();
            }
        };
        Self { child, _stdout: stdout, address }
    }

    /// Runs a command against it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        stockade(&[&["--server", &self.address], arguments].concat())
    }

    /// Tells it to leave and waits until it has left.
    pub(crate) fn leave(mut self) -> ExitStatus {
        let process = Pid::from_child(&self.child);
        kill_process(process, Signal::TERM).expect("it runs");
        self.child.wait().expect("it is ours")
    }

    /// Kills it on the spot, as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill().and_then(|()| self.child.wait().map(drop));
    }
}

/// A folder that goes away with the first value, and the path of data in it.
pub(crate) fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    (folder, data)
}

/// Runs a command, asserts its exit status and the status that it prints.
pub(crate) fn expect(server: &RealServer, exit: i32, status: &str, arguments: &[&str]) -> Value {
    let line = server.run(&[&["--json"], arguments].concat()).exits(exit).json();
    assert_eq!(line["status"], status, "{arguments:?}: {line}");
    line
}
