//! `stockade batch stats` and `stockade batch reconcile`: a batch's units in numbers.

use clap::Args;
use stockade_client::{BatchStats, Client, ClientError, Counts, Day};

use super::super::advice::About;
use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::listing::{self, PAGE};
use super::super::record::{Record, Value};
use super::super::table::Table;
use super::super::{output, time, trouble};

/// Tells what became of a batch's units: as a whole, as it is now, and day by day
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch stats 1 --from-day 2026-11-27\n\n\
    As a whole, `reserved`, `locked`, `redeemed` and `expired` say what is now, and added - withdrawn = remaining + \
    reserved + granted + voided. Of a day, all numbers say what happened on it. Days are those of the batch's zone.")]
pub(in crate::cli) struct Stats {
    #[command(flatten)]
    batch: super::Id,

    /// First day to tell of [default: the first one of all]
    #[arg(long, value_name = "DAY", value_parser = time::day, allow_negative_numbers = true)]
    from_day: Option<i32>,
}

/// Has the server count a batch anew, from its memory and from its journal, and compare
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade batch reconcile 1\n\n\
    A server that finds a difference stops, so as to sell nothing on wrong books; its log says what differs.")]
pub(in crate::cli) struct Reconcile {
    #[command(flatten)]
    batch: super::Id,
}

impl Stats {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let id = self.batch.id;
        let stats = match connection.run(async |client| Ok(self.all(&client).await))? {
            Ok(stats) => stats,
            Err(error) => return trouble::print(&error, About::Batch(id), connection.json),
        };
        let days: Vec<Record> = stats.days.iter().map(day).collect();
        let whole = Record::new().with("batch", Value::number(id)).and(record(&stats.whole));
        if connection.json {
            output::json(&output::done().and(whole).with("days", Value::Records(days)))?;
        } else {
            let gap = if days.is_empty() { "" } else { "\n" };
            output::write(&[&whole.lines(), gap, &Table::default().page(&days)].concat())?;
        }
        Ok(Exit::Done)
    }

    /// The numbers of all days, over as many pages as they fill. The whole is that of the last page, the newest.
    async fn all(&self, client: &Client) -> Result<BatchStats, ClientError> {
        let (mut from_day, mut days) = (self.from_day.unwrap_or(0), Vec::new());
        loop {
            let page = client.batch_stats(self.batch.id, from_day, PAGE, 0).await?;
            // The whole is an item of the page, too.
            let (count, last) = (page.days.len() + 1, page.days.last().and_then(|last| last.day.checked_add(1)));
            days.extend(page.days);
            match last {
                Some(next) if !listing::is_last(count) => from_day = next,
                Some(_) | None => return Ok(BatchStats { whole: page.whole, days }),
            }
        }
    }
}

impl Reconcile {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let id = self.batch.id;
        match connection.run(async |client| Ok(client.reconcile_batch(id).await))? {
            Ok(counts) => {
                let counts = Record::new().with("batch", Value::number(id)).and(record(&counts));
                if connection.json {
                    output::json(&output::done().and(counts))?;
                } else {
                    output::write(&counts.lines())?;
                    output::line("memory and journal agree")?;
                }
                Ok(Exit::Done)
            }
            Err(error) => {
                let printed = trouble::print(&error, About::Batch(id), connection.json);
                printed.map_err(|failure| match error {
                    ClientError::Unavailable { .. } => Failure {
                        sentence: failure.sentence + "; if it stopped at this, its log says what differs",
                        ..failure
                    },
                    _ => failure,
                })
            }
        }
    }
}

fn day(day: &Day) -> Record {
    let happened = record(&day.counts).without("remaining");
    Record::new().with("day", Value::Text(time::date_of(day.day))).and(happened)
}

/// All numbers, under their names. What remains is a number of the whole only.
fn record(counts: &Counts) -> Record {
    let Counts {
        added,
        withdrawn,
        remaining,
        reserved,
        granted,
        locked,
        redeemed,
        unlocked,
        restored,
        returned,
        voided,
        expired,
        cancelled,
        lapsed,
        confirmed,
    } = *counts;
    [
        ("added", added),
        ("withdrawn", withdrawn),
        ("remaining", remaining),
        ("reserved", reserved),
        ("granted", granted),
        ("voided", voided),
        ("locked", locked),
        ("redeemed", redeemed),
        ("expired", expired),
        ("confirmed", confirmed),
        ("cancelled", cancelled),
        ("lapsed", lapsed),
        ("unlocked", unlocked),
        ("restored", restored),
        ("returned", returned),
    ]
    .into_iter()
    .fold(Record::new(), |record, (name, count)| record.with(name, Value::number(count)))
}
