//! The real server as a child process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A running `stockade serve`.
pub(crate) struct ServerProcess {
    child: Child,
    address: SocketAddr,
}

/// What `stockade verify` said.
pub(crate) struct VerifyResult {
    pub(crate) clean: bool,
    pub(crate) text: String,
    /// The epoch up to which a checkpoint stands for the journal.
    pub(crate) checkpoint_epoch: u64,
}

impl ServerProcess {
    /// Starts a server on `data` and waits until it listens.
    pub(crate) fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stockade"))
            .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
            .arg(data)
            // Small segments: the run crosses some flushes. A low floor: it must run on a nearly full disk, too.
            .env("STOCKADE_STORAGE_SEGMENT_MIB", "8")
            // And many checkpoints are taken.
            .env("STOCKADE_STORAGE_CHECKPOINT_DEAD_MIB", "1")
            .env("STOCKADE_STORAGE_FREE_SPACE_FLOOR_MIB", "16")
            .env("STOCKADE_STORAGE_BALLAST_MIB", "0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ")?.split([',', ' ']).next()?.parse().ok())
            .expect("the server says where it listens");
        Self { child, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// SIGKILL, and wait until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the server was running");
        self.child.wait().expect("the server is gone");
    }

    /// SIGTERM, and wait until it has left.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the server was running");
        self.child.wait().expect("the server has left")
    }

    /// Runs `stockade verify` on a folder that no server uses.
    pub(crate) fn verify(data: &Path) -> VerifyResult {
        let output =
            Command::new(env!("CARGO_BIN_EXE_stockade")).arg("verify").arg(data).output().expect("verify runs");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let checkpoint = text.lines().find_map(|line| line.split_once("checkpoint up to ")?.1.parse().ok());
        VerifyResult { clean: output.status.success(), checkpoint_epoch: checkpoint.unwrap_or(0), text }
    }
}

impl Drop for ServerProcess {
    /// No server outlives a test that failed.
    fn drop(&mut self) {
        let _has_left = self.child.kill();
        let _reaped = self.child.wait();
    }
}
