//! `stockade batch create`.

use clap::Args;
use stockade_client::{Terms as Wanted, Validity};

use super::super::advice::About;
use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::id;
use super::super::limit::{self, Limit};
use super::super::time::{self, Edge};
use super::shape::{self, Asked};
use super::terms::Terms;

/// The zone that the server's days are in when it is told no other.
const UTC: &str = "UTC";

/// Units that one user may hold when nothing else is said.
const PER_USER: u32 = 1;

/// Creates a batch of coupons; claimable at once, unless it is a draft or starts later
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  stockade batch create 1 --stock 10000 --name 'Double Eleven' --per-user 3 \\\n    \
    --per-day 2000 --zone Asia/Shanghai --valid-days 30 --holds-share 20 \\\n    \
    --starts 2026-11-27T20:00:00+08:00 --ends 2026-12-27T22:00:00+08:00\n\n\
    What is not named: one unit a user, no other limit, from now on, for ever. Repeating it with the same terms is \
    safe."
)]
pub(in crate::cli) struct Create {
    /// Id of the new batch
    #[arg(value_name = "ID", value_parser = id::id, allow_negative_numbers = true)]
    id: u64,

    /// Units at the beginning
    #[arg(long, value_name = "N", value_parser = id::units, allow_negative_numbers = true)]
    stock: u32,

    #[command(flatten)]
    terms: Terms,

    /// Time zone of its days, by its name in the IANA database, such as Asia/Shanghai
    #[arg(long, value_name = "ZONE", default_value = UTC)]
    zone: String,

    /// Instant at which coupons expire, in RFC 3339, or `never`
    #[arg(long, value_name = "TIME", default_value = "never", value_parser = time::end)]
    expires: Edge,

    /// Days after the day of its claim at whose end a coupon expires, or `unlimited`
    #[arg(long, value_name = "N", default_value = "unlimited", value_parser = limit::short,
        allow_negative_numbers = true)]
    valid_days: Limit<u16>,

    /// Days after the day of its refund to whose end a restored coupon is valid at least
    #[arg(long, value_name = "N", default_value = "0", value_parser = id::days, allow_negative_numbers = true)]
    return_days: u16,

    /// Leave it a draft: `stockade batch activate` makes it claimable
    #[arg(long)]
    draft: bool,
}

impl Create {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let validity =
            Validity { expires_ms: self.expires.0, valid_days: self.valid_days.0, return_days: self.return_days };
        let terms = self.terms.over(Wanted {
            stock: self.stock,
            per_user: Some(PER_USER),
            validity,
            zone: if self.zone == UTC { String::new() } else { self.zone.clone() },
            draft: self.draft,
            ..Wanted::default()
        });
        let result = connection.run(async |client| Ok(client.create_batch(self.id, &terms).await))?;
        shape::print(Asked { about: About::Creation(self.id), ..Asked::of(self.id) }, &result, connection.json)
    }
}
