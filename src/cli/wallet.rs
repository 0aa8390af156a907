//! `stockade wallet`.

use std::fmt::Write;

use clap::Args;
use stockade_client::{CouponState as State, Cursor, WalletItem};

use super::advice::About;
use super::connection::Connection;
use super::exit::{Exit, Failure};
use super::record::{Record, Value};
use super::table::Table;
use super::{coupon, id, output, trouble};

/// Shows what a user has, of all batches, newest first
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade wallet 7 --state granted --state locked --limit 20\n\n\
    States: reserved, granted, locked, redeemed, returned, voided, expired, cancelled, lapsed (the reservation's time \
    was over).")]
pub(super) struct Wallet {
    /// Id of the user
    #[arg(value_name = "USER", value_parser = id::id, allow_negative_numbers = true)]
    user: u64,

    /// Only coupons in this state; repeat it, or write several with commas between [default: all]
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    state: Vec<State>,

    /// Most coupons to show, up to 1024
    #[arg(long, value_name = "N", default_value = "100", value_parser = id::page, allow_negative_numbers = true)]
    limit: u32,

    /// Where the page before ended, as it printed it
    #[arg(long, value_name = "CURSOR", value_parser = cursor)]
    cursor: Option<Cursor>,
}

impl Wallet {
    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let call = async |client: stockade_client::Client| {
            Ok(client.wallet(self.user, &self.state, self.limit, self.cursor, 0).await)
        };
        let page = match connection.run(call)? {
            Ok(page) => page,
            Err(error) => return trouble::print(&error, About::Wallet(self.user), connection.json),
        };
        let coupons: Vec<Record> = page.items.iter().map(record).collect();
        let next = page.next.map(hexadecimal);
        if connection.json {
            let next = next.map_or(Value::Word(None, ""), Value::Text);
            let line = output::done().with("user", Value::number(self.user)).with("coupons", Value::Records(coupons));
            output::json(&line.with("next", next))?;
        } else {
            let more = next.map(|next| format!("more with --cursor {next}\n")).unwrap_or_default();
            output::write(&(Table::default().page(&coupons) + &more))?;
        }
        Ok(Exit::Done)
    }
}

fn record(item: &WalletItem) -> Record {
    Record::new()
        .with("batch", Value::number(item.batch))
        .with("serial", Value::number(item.serial))
        .with("state", coupon::state(item.state))
        .with("request", Value::number(item.request))
        .with("order", coupon::order(item.state, item.order))
        .with("taken", Value::Instant(Some(item.taken_ms), ""))
        .with("expires", Value::Instant(item.expires_ms, "never"))
}

fn state(text: &str) -> Result<State, String> {
    State::ALL.into_iter().find(|state| state.name() == text).ok_or_else(|| {
        let (last, others) = State::ALL.split_last().expect("there are states");
        let others: Vec<&str> = others.iter().map(|state| state.name()).collect();
        format!("it must be {} or {}", others.join(", "), last.name())
    })
}

fn hexadecimal(cursor: Cursor) -> String {
    cursor.to_bytes().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes any digits");
        text
    })
}

fn cursor(text: &str) -> Result<Cursor, String> {
    let is_hexadecimal = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hexadecimal);
    let wanted = || "it must be the 32 hexadecimal digits behind --cursor that the page before ended with".to_owned();
    number.map(|number| Cursor::from_bytes(number.to_be_bytes())).ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_they_are_written() {
        let text = "000102030405060708090a0b0c0d0eff";
        assert_eq!(hexadecimal(cursor(text).expect("a good one")), text);
        for text in ["", "00", "+00102030405060708090a0b0c0d0eff", "g00102030405060708090a0b0c0d0eff"] {
            assert!(cursor(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn states_go_by_their_names() {
        for of in State::ALL {
            assert_eq!(state(of.name()), Ok(of));
        }
        assert!(state("used").expect_err("no state").ends_with("cancelled or lapsed"));
    }
}
