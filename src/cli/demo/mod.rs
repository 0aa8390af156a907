//! `stockade demo`: a flash sale on a real server that is killed in the middle, and an audit of everything that was
//! said.
//!
//! The buyers arrive on a schedule and talk TCP through the client library, double-click, retry and reconnect. The
//! server is a child process on a temporary folder; it gets SIGKILL when a share of the stock is acknowledged, and is
//! started again. The sale goes on meanwhile.

mod audit;
mod sale;
mod shop;

use std::ops::RangeInclusive;
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::exit::{Exit, Failure};
use super::output;
use sale::Sale;
use shop::Shop;

/// Buyers of a sale: enough to see something, few enough for a demo's memory.
const BUYERS: RangeInclusive<i64> = 100..=10_000_000;
/// Units of a sale.
const UNITS: RangeInclusive<i64> = 10..=1_000_000;
/// Buyers a second.
const RATES: RangeInclusive<i64> = 100..=1_000_000;

/// Runs a flash sale with a kill -9 in the middle, and audits it
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade demo --buyers 100000 --stock 10000\n\n\
    Starts its own server on a temporary folder and removes both. Exit status: 0 everything adds up, 1 it does not.")]
pub(super) struct Demo {
    /// Buyers; each claims one unit
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(BUYERS))]
    buyers: u32,

    /// Units for sale
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(UNITS))]
    stock: u32,

    /// Buyers that arrive in a second
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(RATES))]
    rate: u32,
}

impl Demo {
    pub(super) fn run(&self, json: bool) -> Result<Exit, Failure> {
        if self.buyers < self.stock {
            let sentence = format!("--buyers must be at least --stock ({}), or the sale cannot sell out", self.stock);
            return Err(Failure::usage(sentence));
        }
        let folder = tempfile::Builder::new().prefix("stockade-demo-").tempdir().map_err(|error| {
            Failure::other(format!("no temporary folder can be made ({error}): set TMPDIR to one that is yours"))
        })?;
        let shop = Shop::open(folder.path())?;
        let sale = Arc::new(Sale::new(shop.client()?, self.buyers, self.stock, self.rate));
        let bar = progress(self.buyers, json);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::other(format!("the system refuses to watch sockets ({error})")))?;
        let (shop, result) = runtime.block_on(async {
            sale.create().await?;
            let selling = tokio::spawn(Arc::clone(&sale).sell(bar.clone()));
            sale.until_partly_sold().await;
            bar.println(format!("kill -9 after {} acknowledged grants", sale.acknowledged()));
            let shop = shop.kill_and_reopen()?;
            bar.println("restarted on the same folder; the sale goes on");
            let sold = selling.await.map_err(|error| Failure::other(format!("the sale broke off: {error}")))?;
            bar.finish_and_clear();
            Ok::<_, Failure>((shop, audit::audit(&sale, sold).await?))
        })?;
        shop.close()?;
        let report = result.with_verification(folder.path())?;
        if json {
            output::json(&report)?;
        } else {
            output::write(&report.lines())?;
        }
        if report.holds() {
            return Ok(Exit::Done);
        }
        Err(Failure::other("the audit does not add up: please report this with the lines above".to_owned()))
    }
}

/// A bar on a terminal; nothing where nobody watches.
fn progress(buyers: u32, json: bool) -> ProgressBar {
    if json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("selling {bar:40} {pos}/{len} buyers answered, {msg}")
        .expect("the template is ours and well-formed");
    ProgressBar::new(u64::from(buyers)).with_style(style)
}
