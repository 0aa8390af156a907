//! `stockade serve`: the server's settings from defaults, file, environment and flags.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::exit::Failure;
use crate::config::{Loaded, Loader};

/// Starts a server and stays until it is told to leave (SIGTERM or Ctrl-C)
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade serve --data /var/lib/stockade --listen 127.0.0.1:7400\n\n\
    Flags are stronger than the environment (STOCKADE_DATA …), which is stronger than the file; every key stands in \
    config/stockade.toml. Loopback addresses need no token; others are refused without one.\n\
    Exit status: 0 told to leave, 2 wrong usage or configuration, 1 anything else.")]
pub struct Serve {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = "STOCKADE_CONFIG")]
    config: Option<PathBuf>,

    #[arg(long, value_name = "DIR", help = "Folder of the data [env: STOCKADE_DATA] [default: stockade-data]")]
    data: Option<OsString>,

    #[arg(
        long,
        value_name = "ADDR",
        help = "Address of the data port; port 0 takes a free one [env: STOCKADE_LISTEN] [default: 127.0.0.1:7400]"
    )]
    listen: Option<OsString>,

    #[arg(
        long,
        value_name = "ADDR",
        help = "Address of /metrics, /livez and /readyz [env: STOCKADE_ADMIN_LISTEN] [default: 127.0.0.1:7401]"
    )]
    admin_listen: Option<OsString>,

    #[arg(
        long,
        value_name = "fsync|os|memory",
        help = "What an answer survives: fsync (loss of power), os (death of the process) or memory (nothing) \
                [env: STOCKADE_DURABILITY] [default: fsync]"
    )]
    durability: Option<OsString>,
}

impl Serve {
    /// The settings: file < environment < flags.
    ///
    /// # Errors
    /// Every problem of every layer, a line each, with exit status 2.
    pub fn settings(&self, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Loaded, Failure> {
        let flags: [(&'static str, &str, &Option<OsString>); 4] = [
            ("--data", "storage.data", &self.data),
            ("--listen", "server.listen", &self.listen),
            ("--admin-listen", "admin.listen", &self.admin_listen),
            ("--durability", "storage.durability", &self.durability),
        ];
        let below = match &self.config {
            Some(path) => Loader::new().file(path),
            None => Loader::new(),
        };
        let given = flags.into_iter().filter_map(|(flag, key, value)| Some((flag, key, value.as_deref()?)));
        let all = given.fold(below.environment(environment), |below, (flag, key, value)| below.flag(flag, key, value));
        all.finish().map_err(|problems| Failure::usage(problems.to_string()))
    }
}
