//! `stockade batch …`: creating, showing, changing and counting batches.

mod counts;
mod create;
mod edit;
mod list;
mod refusals;
mod shape;
mod stock;
mod terms;

use clap::{Args, Subcommand};
use stockade_client::Action;

use super::connection::Connection;
use super::exit::{Exit, Failure};
use super::id;
use shape::Asked;

/// What to do with batches.
#[derive(Subcommand, Debug)]
pub(super) enum Batch {
    Create(create::Create),
    Show(Show),
    List(list::List),
    Edit(edit::Edit),
    AddStock(stock::AddStock),
    Withdraw(stock::Withdraw),
    Activate(Activate),
    Pause(Pause),
    Resume(Resume),
    End(End),
    Close(Close),
    Purge(Purge),
    Stats(counts::Stats),
    Refusals(refusals::Refusals),
    Reconcile(counts::Reconcile),
}

/// Shows a batch: its state, its numbers and its terms
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch show 1")]
pub(super) struct Show {
    #[command(flatten)]
    batch: Id,
}

/// Makes a draft claimable, from its start on if it has one
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch activate 1")]
pub(super) struct Activate {
    #[command(flatten)]
    batch: Id,
}

/// Refuses claims until the batch is resumed
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch pause 1")]
pub(super) struct Pause {
    #[command(flatten)]
    batch: Id,
}

/// Makes a paused batch claimable again
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch resume 1")]
pub(super) struct Resume {
    #[command(flatten)]
    batch: Id,
}

/// Grants no claim any more, for good; coupons and reservations go on
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch end 1")]
pub(super) struct End {
    #[command(flatten)]
    batch: Id,
}

/// Gives the memory of an ended batch back; nothing of it changes any more
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch close 1\n\n\
    All of its reservations must have ended. Its coupons can still be shown and listed.")]
pub(super) struct Close {
    #[command(flatten)]
    batch: Id,
}

/// Forgets a closed batch and all of its history, for good
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch purge 1\n\n\
    Its id is unknown from then on, and free for another batch. To keep what was:\n  \
    stockade --json coupon list 1 > batch-1.json")]
pub(super) struct Purge {
    #[command(flatten)]
    batch: Id,
}

/// The batch that a command is about.
#[derive(Args, Debug)]
struct Id {
    /// Id of the batch
    #[arg(value_name = "ID", value_parser = id::id, allow_negative_numbers = true)]
    id: u64,
}

impl Batch {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        match self {
            Batch::Create(create) => create.run(connection),
            Batch::Show(Show { batch: Id { id } }) => {
                let result = connection.run(async |client| Ok(client.show_batch(*id).await))?;
                shape::print(Asked::of(*id), &result, connection.json)
            }
            Batch::List(list) => list.run(connection),
            Batch::Edit(edit) => edit.run(connection),
            Batch::AddStock(addition) => addition.run(connection),
            Batch::Withdraw(withdrawal) => withdrawal.run(connection),
            Batch::Activate(Activate { batch }) => batch.change(Action::Activate, connection),
            Batch::Pause(Pause { batch }) => batch.change(Action::Pause, connection),
            Batch::Resume(Resume { batch }) => batch.change(Action::Resume, connection),
            Batch::End(End { batch }) => batch.change(Action::End, connection),
            Batch::Close(Close { batch }) => batch.change(Action::Close, connection),
            Batch::Purge(Purge { batch }) => batch.change(Action::Purge, connection),
            Batch::Stats(stats) => stats.run(connection),
            Batch::Refusals(refusals) => refusals.run(connection),
            Batch::Reconcile(reconcile) => reconcile.run(connection),
        }
    }
}

impl Id {
    fn change(&self, action: Action, connection: &Connection) -> Result<Exit, Failure> {
        let result = connection.run(async |client| Ok(client.change_batch(self.id, action).await))?;
        shape::print(Asked::of(self.id), &result, connection.json)
    }
}
