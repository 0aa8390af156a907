//! `stockade coupon show`, `stockade coupon list` and `stockade coupon log`.

use clap::Args;

use super::super::advice::{self, About};
use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::listing::{self, Listing, PAGE};
use super::super::record::{Record, Value};
use super::super::{event, id, output, trouble};
use super::shape;

/// Shows a unit that was taken: its state, who has it, what it came back as
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade coupon show 1 42")]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    unit: Unit,
}

/// Lists the units of a batch that were ever taken, in order of serial; for operators
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade --json coupon list 1 > batch-1.json")]
pub(in crate::cli) struct List {
    /// Id of the batch
    #[arg(value_name = "BATCH", value_parser = id::id, allow_negative_numbers = true)]
    batch: u64,

    /// Serial to begin with
    #[arg(long, value_name = "SERIAL", default_value = "0", value_parser = id::serial, allow_negative_numbers = true)]
    from: u32,
}

/// Tells all that happened to one unit, oldest first
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade coupon log 1 42")]
pub(in crate::cli) struct Log {
    #[command(flatten)]
    unit: Unit,
}

/// Which unit.
#[derive(Args, Debug)]
struct Unit {
    /// Id of the batch
    #[arg(value_name = "BATCH", value_parser = id::id, allow_negative_numbers = true)]
    batch: u64,

    /// Serial of the unit
    #[arg(value_name = "SERIAL", value_parser = id::serial, allow_negative_numbers = true)]
    serial: u32,
}

impl Unit {
    fn about(&self) -> About {
        About::Coupon { batch: self.batch, serial: self.serial }
    }
}

impl Show {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let Unit { batch, serial } = self.unit;
        let found = match connection.run(async |client| Ok(client.show_coupon(batch, serial).await))? {
            Ok(found) => found,
            Err(error) => return trouble::print(&error, self.unit.about(), connection.json),
        };
        let advice = advice::of_status(found.status, self.unit.about());
        let shown = found.coupon.as_ref().map(shape::record);
        if connection.json {
            let unknown = || Record::new().with("batch", Value::number(batch)).with("serial", Value::number(serial));
            let line = output::status(found.status.name()).and(shown.unwrap_or_else(unknown));
            output::json(&line.with_some("error", advice.clone().map(Value::Text)))?;
        } else if let (Some(shown), None) = (shown, &advice) {
            output::write(&shown.lines())?;
        }
        if let Some(sentence) = advice {
            output::complain(&sentence);
        }
        Ok(Exit::of_status(found.status))
    }
}

impl List {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let mut list = Listing::new(connection.json);
        connection.run(async |client| {
            let mut from = self.from;
            loop {
                let page = client.list_coupons(self.batch, from, PAGE, 0).await;
                let page = page.map_err(|error| Failure::of_call(&error, About::Batch(self.batch)))?;
                list.page(&page.iter().map(shape::record).collect::<Vec<_>>())?;
                match page.last().and_then(|last| last.serial.checked_add(1)) {
                    Some(next) if !listing::is_last(page.len()) => from = next,
                    Some(_) | None => return Ok(()),
                }
            }
        })?;
        list.end()
    }
}

impl Log {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let Unit { batch, serial } = self.unit;
        let call = connection.run(async |client| Ok(client.coupon_log(batch, serial).await))?;
        let events = call.map_err(|error| Failure::of_call(&error, self.unit.about()))?;
        if connection.json {
            // As any list: one array, a line for each item.
            let mut list = Listing::new(true);
            list.page(&events.iter().map(event::record).collect::<Vec<_>>())?;
            return list.end();
        }
        output::write(&events.iter().map(event::line).collect::<String>())?;
        Ok(Exit::Done)
    }
}
