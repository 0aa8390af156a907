//! The server of the demo: a child process that can be killed and started again at the same address.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stockade_client::Client;

use crate::cli::exit::Failure;

/// How long a buyer keeps trying: a restart must fit in.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server.
pub(super) struct Shop {
    child: Child,
    folder: PathBuf,
    address: String,
}

impl Shop {
    /// Starts a server on `folder` and a free port.
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        Self::start(folder, "127.0.0.1:0")
    }

    fn start(folder: &Path, listen: &str) -> Result<Self, Failure> {
        let failed = |what: &str| Failure::other(format!("the demo's server {what}"));
        let program = std::env::current_exe().map_err(|error| failed(&format!("is not found ({error})")))?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", listen, "--admin-listen", "127.0.0.1:0", "--durability", "fsync", "--data"])
            .arg(folder.join("data"))
            .env("STOCKADE_LOG_LEVEL", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&format!("does not start ({error})")))?;
        let output = child.stdout.take().ok_or_else(|| failed("has no output"))?;
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let address =
            lines.find_map(|line| Some(line.strip_prefix("listening on ")?.split([',', ' ']).next()?.to_owned()));
        let Some(address) = address else {
            let _gone = child.wait();
            return Err(failed("ended before it listened: see its message above"));
        };
        Ok(Self { child, folder: folder.to_owned(), address })
    }

    /// A client as a gateway would have one.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let client = Client::builder(&self.address).name("stockade demo").connections(4).deadline(PATIENCE);
        // As often as it takes: the server is away for a moment.
        let client = client.attempts(u32::MAX).backoff(Duration::from_millis(5), Duration::from_millis(100));
        client.build().map_err(|error| Failure::of_server(&error))
    }

    /// SIGKILL, and a new server on the same folder and address.
    pub(super) fn kill_and_reopen(mut self) -> Result<Self, Failure> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map_err(|error| Failure::other(format!("the demo's server cannot be killed ({error})")))?;
        Self::start(&self.folder, &self.address)
    }

    /// SIGTERM, and wait until it has left.
    pub(super) fn close(mut self) -> Result<(), Failure> {
        let failed =
            |what: String| Failure::other(format!("the demo's server did not leave when it was told to ({what})"));
        let pid = rustix::process::Pid::from_child(&self.child);
        let told = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        told.map_err(|error| failed(error.to_string()))?;
        let status = self.child.wait().map_err(|error| failed(error.to_string()))?;
        if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // Whatever ends the demo, no server stays behind. One that has left already is no error.
        let _left = self.child.kill();
        let _left = self.child.wait();
    }
}
