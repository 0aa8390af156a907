//! `stockade reserve`, and what becomes of a reservation: `confirm`, `cancel`, `extend`.

use clap::Args;
use stockade_client::ReserveRequest;

use super::answer::{self, Key};
use super::connection::Connection;
use super::exit::{Exit, Failure};
use super::flags::{self, Flags};
use super::{id, time};

/// Takes units of a batch for a user, for a while
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade reserve 1 --user 7 --ttl 15m --request 9\n\n\
    Then `stockade confirm` or `stockade cancel` with the same user and request; else the units go back into stock \
    when the time is over.\n\
    Repeat with the printed request id to get the original answer again: nothing is taken twice.\n\
    Exit status: 0 reserved, 3 sold out (for today or for reservations, too), 4 a limit of the user or the request \
    reached, 5 batch unknown or not active, 6 overloaded, unavailable or outcome unknown, 2 wrong usage, 1 anything \
    else.")]
pub(super) struct Reserve {
    /// Id of the batch
    #[arg(value_name = "BATCH", value_parser = id::id, allow_negative_numbers = true)]
    batch: u64,

    /// Id of the user
    #[arg(long, value_name = "U", value_parser = id::id, allow_negative_numbers = true)]
    user: u64,

    /// How long, such as 90s or 15m; the server has a longest time, an hour by default
    #[arg(long, value_name = "DURATION", value_parser = time::ttl_s)]
    ttl: u16,

    /// Id of this request, a number or a UUID: the same for every retry [default: a random number, which is printed]
    #[arg(long, value_name = "R", value_parser = id::request, allow_negative_numbers = true)]
    request: Option<u64>,

    /// Units to take
    #[arg(long, value_name = "Q", default_value = "1", value_parser = id::quantity, allow_negative_numbers = true)]
    quantity: u8,

    /// Take fewer units when there are fewer, instead of none
    #[arg(long)]
    up_to: bool,

    /// Flags that the user has, which the batch may ask for: numbers 0-31 such as 0,3, a mask such as 0x9, or `none`
    #[arg(long, value_name = "FLAGS", default_value = "none", value_parser = flags::flags)]
    audience: Flags,
}

/// Makes the units of a reservation the user's coupons
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade confirm 1 --user 7 --request 9\n\nRepeating it is safe.")]
pub(super) struct Confirm {
    #[command(flatten)]
    reservation: Reservation,
}

/// Gives the units of a reservation back into stock
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade cancel 1 --user 7 --request 9\n\n\
    Repeating it is safe. A reservation that has not come yet is cancelled ahead: it is refused when it comes.")]
pub(super) struct Cancel {
    #[command(flatten)]
    reservation: Reservation,
}

/// Lets a reservation live longer; works once
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade extend 1 --user 7 --request 9 --ttl 15m\n\n\
    Repeating it with the same --ttl is safe.")]
pub(super) struct Extend {
    #[command(flatten)]
    reservation: Reservation,

    /// How long from now on, such as 90s or 15m; a reservation that would live longer does so
    #[arg(long, value_name = "DURATION", value_parser = time::ttl_s)]
    ttl: u16,
}

/// Which reservation.
#[derive(Args, Debug)]
struct Reservation {
    /// Id of the batch
    #[arg(value_name = "BATCH", value_parser = id::id, allow_negative_numbers = true)]
    batch: u64,

    /// Id of the user
    #[arg(long, value_name = "U", value_parser = id::id, allow_negative_numbers = true)]
    user: u64,

    /// Id of the reservation, a number or a UUID
    #[arg(long, value_name = "R", value_parser = id::request, allow_negative_numbers = true)]
    request: u64,
}

impl Reserve {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let request = self.request.unwrap_or_else(id::draw_request);
        let reserve = ReserveRequest {
            batch: self.batch,
            user: self.user,
            request,
            audience: self.audience.0,
            quantity: self.quantity,
            up_to: self.up_to,
            ttl_s: self.ttl,
        };
        let result = connection.run(async |client| Ok(client.reserve(reserve).await))?;
        let key = Key { batch: self.batch, user: self.user, request };
        answer::print(key, &result, answer::surely_none(&result))
    }
}

// Where the next three have no outcome, the units may be reserved as before, or not any more: nothing is known.

impl Confirm {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let key = self.reservation.key();
        let result = connection.run(async |client| Ok(client.confirm(key.batch, key.user, key.request).await))?;
        answer::print(key, &result, None)
    }
}

impl Cancel {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let key = self.reservation.key();
        let result = connection.run(async |client| Ok(client.cancel(key.batch, key.user, key.request).await))?;
        answer::print(key, &result, None)
    }
}

impl Extend {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let (key, ttl_s) = (self.reservation.key(), self.ttl);
        let result = connection.run(async |client| Ok(client.extend(key.batch, key.user, key.request, ttl_s).await))?;
        answer::print(key, &result, None)
    }
}

impl Reservation {
    fn key(&self) -> Key {
        Key { batch: self.batch, user: self.user, request: self.request }
    }
}
