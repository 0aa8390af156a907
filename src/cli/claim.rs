//! `stockade claim`.

use clap::Args;
use stockade_client::ClaimRequest;

use super::answer::{self, Key};
use super::connection::Connection;
use super::exit::{Exit, Failure};
use super::flags::{self, Flags};
use super::id;

/// Takes units of a batch for a user.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade claim 1 --user 7 --quantity 2\n  \
    {\"status\":\"GRANTED\",\"serials\":[0,1],\"granted\":2,\"remaining\":9998,\"replayed\":false,…}\n\n\
    Repeat with the printed request id to get the original answer again: nothing is taken twice.\n\
    Exit status: 0 granted, 3 sold out (for today, too), 4 a limit of the user or the request reached, 5 batch \
    unknown or not active, 6 overloaded, unavailable or outcome unknown, 2 wrong usage, 1 anything else.")]
pub(super) struct Claim {
    /// Id of the batch
    #[arg(value_name = "BATCH", value_parser = id::id, allow_negative_numbers = true)]
    batch: u64,

    /// Id of the user
    #[arg(long, value_name = "U", value_parser = id::id, allow_negative_numbers = true)]
    user: u64,

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

impl Claim {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let request = self.request.unwrap_or_else(id::draw_request);
        let key = Key { batch: self.batch, user: self.user, request };
        let claim = ClaimRequest {
            batch: self.batch,
            user: self.user,
            request,
            audience: self.audience.0,
            quantity: self.quantity,
            up_to: self.up_to,
        };
        let result = connection.run(async |client| Ok(client.claim(claim).await))?;
        answer::print(key, &result, answer::surely_none(&result))
    }
}
