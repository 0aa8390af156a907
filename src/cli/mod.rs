//! The command line: one file for each command, and here what they are.
//!
//! Commands give back an [`Exit`] or a [`Failure`]; results go to standard output, and one sentence that says what to
//! do goes to standard error for every exit status but 0. Refuses to know: how the server works. `main` hands in what
//! starts it.

mod advice;
mod answer;
mod batch;
mod check_config;
mod claim;
mod clients;
mod connection;
mod coupon;
mod demo;
mod event;
mod exit;
mod feed;
mod flags;
mod id;
mod limit;
mod listing;
mod lookup;
mod output;
mod record;
mod reservation;
mod serve;
mod table;
mod time;
mod trouble;
mod verify;
mod wallet;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{Exit, Failure};
pub use serve::Serve;

use crate::config::Config;

/// Hands out limited stock, exactly, to a crowd
#[derive(Parser, Debug)]
#[command(
    name = "stockade",
    version,
    after_help = "Example:\n  stockade serve\n  stockade batch create 1 --stock 10000     (in another terminal)\n  \
        stockade claim 1 --user 7\n\n\
        Exit status: 0 granted, reserved or done, 2 wrong usage or configuration, 3 sold out (for today or for \
        reservations, too), 4 a limit of the user or the request reached, 5 batch unknown \
        or not active, 6 overloaded, unavailable or outcome unknown, 1 anything else."
)]
struct Arguments {
    #[command(flatten)]
    connection: connection::Connection,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Serve(Serve),
    /// Creates, shows, changes and counts batches
    #[command(subcommand, after_help = "Example:\n  stockade batch create 1 --stock 10000 --per-user 2")]
    Batch(batch::Batch),
    Claim(claim::Claim),
    Lookup(lookup::Lookup),
    Reserve(reservation::Reserve),
    Confirm(reservation::Confirm),
    Cancel(reservation::Cancel),
    Extend(reservation::Extend),
    /// Locks, redeems, restores, returns, voids and shows coupons
    #[command(subcommand, after_help = "Example:\n  stockade coupon lock 1 42 --user 7 --order 1001")]
    Coupon(coupon::Coupon),
    Wallet(wallet::Wallet),
    Feed(feed::Feed),
    Clients(clients::Clients),
    CheckConfig(check_config::CheckConfig),
    Verify(verify::Verify),
    Demo(demo::Demo),
}

/// Runs the command that `arguments` (the program's name first) ask for; `start` starts a server and returns when it
/// has left.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    start: impl FnOnce(&Config) -> Result<(), Failure>,
) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help goes to standard output, complaints to standard error; where nobody reads, the status still tells.
            let _unread = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    match arguments.run(start) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::complain(&failure.sentence);
            failure.exit.into()
        }
    }
}

impl Arguments {
    fn run(&self, start: impl FnOnce(&Config) -> Result<(), Failure>) -> Result<Exit, Failure> {
        match &self.command {
            Command::Serve(serve) => {
                start(&serve.settings(std::env::vars_os())?.into_config())?;
                Ok(Exit::Done)
            }
            Command::Batch(batch) => batch.run(&self.connection),
            Command::Claim(claim) => claim.run(&self.connection),
            Command::Lookup(lookup) => lookup.run(&self.connection),
            Command::Reserve(reserve) => reserve.run(&self.connection),
            Command::Confirm(confirm) => confirm.run(&self.connection),
            Command::Cancel(cancel) => cancel.run(&self.connection),
            Command::Extend(extend) => extend.run(&self.connection),
            Command::Coupon(coupon) => coupon.run(&self.connection),
            Command::Wallet(wallet) => wallet.run(&self.connection),
            Command::Feed(feed) => feed.run(&self.connection),
            Command::Clients(clients) => clients.run(&self.connection),
            Command::CheckConfig(check) => check.run(std::env::vars_os(), self.connection.json),
            Command::Verify(verify) => verify.run(self.connection.json),
            Command::Demo(demo) => demo.run(self.connection.json),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Arguments::command().debug_assert();
    }
}
