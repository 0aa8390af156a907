//! `stockade batch …`: creating, showing and changing batches.

mod create;
mod list;
mod shape;
mod table;

use clap::{Args, Subcommand};
use stockade_client::Action;

use super::connection::Connection;
use super::exit::{Exit, Failure};
use super::id;

/// What to do with batches.
#[derive(Subcommand, Debug)]
pub(super) enum Batch {
    Create(create::Create),
    Show(Show),
    List(list::List),
    Activate(Activate),
    Pause(Pause),
    Resume(Resume),
    End(End),
    Close(Close),
    AddStock(AddStock),
}

/// Shows a batch: its state and its numbers
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

/// Grants no claim any more, for good; earlier claims can still be looked up
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch end 1")]
pub(super) struct End {
    #[command(flatten)]
    batch: Id,
}

/// Gives the memory of an ended batch back; its claims can no longer be looked up
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch close 1")]
pub(super) struct Close {
    #[command(flatten)]
    batch: Id,
}

/// Adds units to a batch
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch add-stock 1 --units 500\n\n\
    Repeat with the printed request id if the outcome is unknown: the units are added once.")]
pub(super) struct AddStock {
    #[command(flatten)]
    batch: Id,

    /// Units to add
    #[arg(long, value_name = "N", value_parser = id::units, allow_negative_numbers = true)]
    units: u32,

    /// Id of this addition, a number or a UUID: the same for every retry [default: a random number, which is printed]
    #[arg(long, value_name = "R", value_parser = id::request, allow_negative_numbers = true)]
    request: Option<u64>,
}

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
                shape::print(*id, None, &result, connection.json)
            }
            Batch::List(list) => list.run(connection),
            Batch::Activate(Activate { batch }) => batch.change(Action::Activate, connection),
            Batch::Pause(Pause { batch }) => batch.change(Action::Pause, connection),
            Batch::Resume(Resume { batch }) => batch.change(Action::Resume, connection),
            Batch::End(End { batch }) => batch.change(Action::End, connection),
            Batch::Close(Close { batch }) => batch.change(Action::Close, connection),
            Batch::AddStock(addition) => addition.run(connection),
        }
    }
}

impl Id {
    fn change(&self, action: Action, connection: &Connection) -> Result<Exit, Failure> {
        let result = connection.run(async |client| Ok(client.change_batch(self.id, action).await))?;
        shape::print(self.id, None, &result, connection.json)
    }
}

impl AddStock {
    fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let (batch, request) = (self.batch.id, self.request.unwrap_or_else(id::draw_request));
        let result = connection.run(async |client| Ok(client.add_stock(batch, request, self.units).await))?;
        shape::print(batch, Some(request), &result, connection.json)
    }
}
