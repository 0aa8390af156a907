//! `stockade feed`: every effect, in order; and the consumers whose places in it the server keeps.

mod consumers;
mod follow;
mod start;

use clap::{Args, Subcommand};

use super::connection::Connection;
use super::exit::{Exit, Failure};

/// Prints every event, a line each, until it is interrupted; for operators
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade feed --from oldest --count 100\n  \
    stockade feed --json --consumer mails --acknowledge\n\n\
    An event is told at least once, in order; epoch and index are its place. Where the connection is lost, the command \
    ends and says how to go on.\n\
    Exit status: 0 interrupted, or all of --count told; 6 connection lost; 2 wrong usage, or no such place; 1 anything \
    else.")]
pub(super) struct Feed {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    follow: follow::Follow,
}

#[derive(Subcommand, Debug)]
enum Command {
    Consumers(consumers::Consumers),
    Forget(consumers::Forget),
}

impl Feed {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        // Clap can tell this, too, but it would also refuse --json and the other options of all commands.
        if self.command.is_some() && !self.follow.is_default() {
            return Err(Failure::usage("--from, --consumer, --count and --acknowledge are for `stockade feed` alone"));
        }
        match &self.command {
            Some(Command::Consumers(consumers)) => consumers.run(connection),
            Some(Command::Forget(forget)) => forget.run(connection),
            None => self.follow.run(connection),
        }
    }
}
