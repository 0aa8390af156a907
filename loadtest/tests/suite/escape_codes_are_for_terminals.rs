//! The view while a load runs, on a terminal and elsewhere.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::FakeServer;
use crate::support::files::program;

const ESCAPE: char = '\u{1b}';

/// A load of so many claims, or of a minute.
fn load(server: &FakeServer, claims: Option<&str>) -> Command {
    let mut command = program("run");
    command.args(["--server", &server.address.to_string(), "--closed", "--connections", "2", "--window", "2"]);
    command.args(["--warm-up", "0s", "--duration", "60s", "--sample", "100"]).stdout(Stdio::null());
    command.args(claims.into_iter().flat_map(|claims| ["--claims", claims]));
    command
}

/// A terminal as the program that shows it sees it, and `command` with its standard error on it.
fn on_a_terminal(mut command: Command, kind: &str) -> (File, Child) {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let name = ptsname(&keyboard, Vec::new()).unwrap();
    let screen = OpenOptions::new().read(true).write(true).open(OsStr::from_bytes(name.as_bytes())).unwrap();
    let child = command.env("TERM", kind).stderr(screen).spawn().unwrap();
    // `command` holds the terminal open and ends here: the terminal ends with the child.
    (File::from(keyboard), child)
}

/// All that the terminal shows until it ends or `is_enough`.
fn seen(terminal: &mut File, is_enough: impl Fn(&str) -> bool) -> String {
    let (mut seen, mut chunk) = (String::new(), [0; 4_096]);
    // The end of a terminal is an error.
    while let Ok(length @ 1..) = terminal.read(&mut chunk) {
        seen += &String::from_utf8_lossy(&chunk[..length]);
        if is_enough(&seen) {
            break;
        }
    }
    seen
}

#[test]
fn a_terminal_shows_rates_percentiles_and_outcomes_while_they_change() {
    let server = FakeServer::honest();
    let (mut terminal, mut child) = on_a_terminal(load(&server, None), "xterm");
    let parts = ["claiming", "answered", "claims/s", "on average", "latency", "p99.9", "outcomes", "GRANTED"];
    let seen = seen(&mut terminal, |seen| parts.iter().all(|part| seen.contains(part)));
    child.kill().unwrap();
    child.wait().unwrap();
    for part in parts {
        assert!(seen.contains(part), "{part:?} was never on the screen: {seen:?}");
    }
    assert!(seen.contains(ESCAPE), "nothing changed: {seen:?}");
}

#[test]
fn a_terminal_without_a_cursor_gets_lines() {
    let server = FakeServer::honest();
    let (mut terminal, mut child) = on_a_terminal(load(&server, Some("1000")), "dumb");
    let seen = seen(&mut terminal, |_| false);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!seen.contains(ESCAPE), "{seen:?}");
    assert!(seen.ends_with("100 grants looked up\r\n"), "{seen:?}");
}

#[test]
fn a_pipe_gets_lines() {
    let server = FakeServer::honest();
    let mut command = load(&server, Some("1000"));
    let output = command.env("TERM", "xterm").stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let seen = String::from_utf8(output.stderr).unwrap();
    assert!(!seen.contains(ESCAPE), "{seen:?}");
    assert!(seen.ends_with("100 grants looked up\n"), "{seen:?}");
}
