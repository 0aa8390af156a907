//! Where the numbers come from: the machine and the build.

use std::fs;
use std::thread::available_parallelism;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;

/// The machine that the generator ran on.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Model of the processor.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Release of the kernel.
    pub kernel: String,
}

/// The program that measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Build {
    /// Version of the load test.
    pub version: &'static str,
    /// Commit that it was built from.
    pub commit: &'static str,
}

/// This build.
pub const BUILD: Build = Build { version: env!("CARGO_PKG_VERSION"), commit: env!("STOCKADE_COMMIT") };

/// Raises this process's limit of open files to what it may be raised to: each connection is one.
pub fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // Where it stays as it is, connecting says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

const UNKNOWN: &str = "unknown";

impl Machine {
    /// This machine; "unknown" for what it does not tell.
    #[must_use]
    pub fn here() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let mut fields = info.lines().filter_map(|line| line.split_once(':'));
        let model = fields.find(|(name, _)| name.trim() == "model name").map(|(_, model)| model.trim().to_owned());
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").map(|release| release.trim().to_owned());
        Self {
            cpu: model.unwrap_or_else(|| UNKNOWN.to_owned()),
            cores: available_parallelism().map_or(0, usize::from),
            kernel: kernel.map_or_else(|_| UNKNOWN.to_owned(), |release| format!("Linux {release}")),
        }
    }
}
