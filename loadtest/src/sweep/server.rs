//! A `stockade serve` of the sweep's own: started, asked for its addresses, and killed.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::SweepError;
use super::grid::Setting;
use super::premises::Premises;

/// Name of the server's program.
const PROGRAM: &str = "stockade";

/// How long a server may take to listen: it starts on an empty folder.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// What a server's output calls its addresses.
const LISTENING: &str = "listening on ";
const METRICS: &str = "metrics and probes on http://";

/// Bytes of a server's log that an error shows.
const LOG_BYTES_SHOWN_MAX: usize = 2_000;

/// How to start servers.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The program.
    pub program: PathBuf,
    /// The configuration file below the sweep's own settings, if there is one.
    pub config: Option<PathBuf>,
    /// What their answers survive.
    pub durability: String,
}

/// Where a server can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Of its data port.
    pub data: String,
    /// Of its admin port.
    pub admin: String,
}

/// The server's program: the one that is named, or the one beside this program.
///
/// # Errors
/// When it is not there.
pub fn find_program(named: Option<PathBuf>) -> Result<PathBuf, SweepError> {
    let program = named.map_or_else(|| Ok(env::current_exe()?.with_file_name(PROGRAM)), io::Result::Ok);
    let program = program.map_err(SweepError::System)?;
    if program.is_file() { Ok(program) } else { Err(SweepError::Program(program)) }
}

impl Launcher {
    /// Asks the program whether it would accept `setting`, before anything is measured.
    ///
    /// # Errors
    /// With what it says if not.
    pub fn check(&self, setting: Setting, premises: &Premises) -> Result<(), SweepError> {
        let empty = premises.folder().join("empty.toml");
        fs::write(&empty, "").map_err(SweepError::System)?;
        let file = self.config.as_deref().unwrap_or(&empty);
        let mut command = self.command(setting);
        command.arg("check-config").arg(file).env("STOCKADE_DURABILITY", &self.durability);
        let output = command.output().map_err(|source| self.does_not_run(source))?;
        if output.status.success() {
            return Ok(());
        }
        Err(SweepError::Configuration(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    /// Starts a server with `setting` on the folder `data` of the premises, in place of the one that was there.
    ///
    /// # Errors
    /// When it does not listen, with the end of its log.
    pub fn start(&self, setting: Setting, premises: &Premises, data: &Path) -> Result<Addresses, SweepError> {
        let log = data.with_extension("log");
        let errors = File::create(&log).map_err(SweepError::System)?;
        let mut command = self.command(setting);
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        command.args(["--durability", &self.durability]).arg("--data").arg(data);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let output = premises.start(&mut command).map_err(|source| self.does_not_run(source))?;
        let addresses = output.and_then(addresses);
        addresses.ok_or_else(|| SweepError::Start { log: end_of(&log) })
    }

    /// The program with nothing in its environment that sets a key, but what the sweep sets.
    fn command(&self, setting: Setting) -> Command {
        let mut command = Command::new(&self.program);
        let foreign =
            env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("STOCKADE_"));
        for name in foreign {
            command.env_remove(name);
        }
        command
            .env("STOCKADE_SERVER_CORES", setting.cores.to_string())
            .env("STOCKADE_JOURNAL_GROUP_CLAIMS_MAX", setting.group_claims_max.to_string())
            // A file that does nothing but take space would be written for every run.
            .env("STOCKADE_STORAGE_BALLAST_MIB", "0")
            .env("STOCKADE_LOG_LEVEL", "warn");
        command
    }

    fn does_not_run(&self, source: io::Error) -> SweepError {
        SweepError::Spawn { program: self.program.clone(), source }
    }
}

/// The addresses that a server prints. `None` when it ends, or the patience does, before it has printed both.
fn addresses(output: ChildStdout) -> Option<Addresses> {
    let (sender, lines) = mpsc::channel();
    // Reads on when the addresses are known: a full pipe would block the server.
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Nobody may listen any more.
            let _ = sender.send(line);
        }
    });
    let deadline = Instant::now() + START_PATIENCE;
    let (mut data, mut admin) = (None, None);
    while data.is_none() || admin.is_none() {
        let line = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?;
        data = data.or_else(|| address_in(&line, LISTENING));
        admin = admin.or_else(|| address_in(&line, METRICS));
    }
    Some(Addresses { data: data?, admin: admin? })
}

fn address_in(line: &str, opening: &str) -> Option<String> {
    let address = line.strip_prefix(opening)?.split([',', ' ', '/']).next()?;
    Some(address.to_owned())
}

/// The last lines of a log.
fn end_of(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let from = text.len().saturating_sub(LOG_BYTES_SHOWN_MAX);
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[from..].trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_what_stands_behind_the_words() {
        assert_eq!(address_in("listening on 127.0.0.1:37223", LISTENING).unwrap(), "127.0.0.1:37223");
        assert_eq!(address_in("listening on [::1]:7400, tokens", LISTENING).unwrap(), "[::1]:7400");
        assert_eq!(address_in("metrics and probes on http://127.0.0.1:1", METRICS).unwrap(), "127.0.0.1:1");
        assert_eq!(address_in("2 cores, listening on x", LISTENING), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = find_program(Some("/nowhere/stockade".into())).unwrap_err();
        let text = error.to_string();
        assert!(error.is_usage() && text.contains("/nowhere/stockade") && text.contains("--stockade"), "{text}");
    }
}
