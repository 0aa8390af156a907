//! `stockade batch create`.

use clap::Args;
use stockade_client::Terms;

use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::{id, time};
use super::shape;

/// Creates a batch of coupons; claimable at once, unless it is a draft or starts later
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch create 1 --stock 10000 --name 'Double Eleven' \\\n    \
    --starts 2026-11-27T20:00:00+08:00 --ends 2026-11-27T22:00:00+08:00\n\n\
    Repeating it with the same terms is safe.")]
pub(in crate::cli) struct Create {
    /// Id of the new batch
    #[arg(value_name = "ID", value_parser = id::id, allow_negative_numbers = true)]
    id: u64,

    /// Units at the beginning
    #[arg(long, value_name = "N", value_parser = id::units, allow_negative_numbers = true)]
    stock: u32,

    /// Name, for people; at most 88 bytes
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    name: String,

    /// Units that one user may hold, or `unlimited`
    #[arg(long, value_name = "N", default_value = "1", value_parser = per_user, allow_negative_numbers = true)]
    per_user: Limit,

    /// First instant at which claims are granted, in RFC 3339 [default: at once]
    #[arg(long, value_name = "TIME", value_parser = time::instant_ms)]
    starts: Option<u64>,

    /// First instant at which they are not granted any more, in RFC 3339 [default: never]
    #[arg(long, value_name = "TIME", value_parser = time::instant_ms)]
    ends: Option<u64>,

    /// Leave it a draft: `stockade batch activate` makes it claimable
    #[arg(long)]
    draft: bool,
}

/// Units that one user may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit(Option<u32>);

impl Create {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let terms = Terms {
            stock: self.stock,
            per_user: self.per_user.0,
            starts_ms: self.starts,
            ends_ms: self.ends,
            draft: self.draft,
            name: self.name.clone(),
        };
        let result = connection.run(async |client| Ok(client.create_batch(self.id, &terms).await))?;
        shape::print(self.id, None, &result, connection.json)
    }
}

fn per_user(text: &str) -> Result<Limit, String> {
    if text == "unlimited" {
        return Ok(Limit(None));
    }
    match text.parse() {
        Ok(units) if units > 0 => Ok(Limit(Some(units))),
        Ok(_) | Err(_) => Err(format!("it must be a whole number from 1 to {}, or unlimited", u32::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_numbers_or_unlimited() {
        assert_eq!(per_user("3"), Ok(Limit(Some(3))));
        assert_eq!(per_user("4294967295"), Ok(Limit(Some(u32::MAX))));
        assert_eq!(per_user("unlimited"), Ok(Limit(None)));
        for text in ["0", "-1", "4294967296", "none", ""] {
            assert!(per_user(text).is_err(), "{text:?}");
        }
    }
}
