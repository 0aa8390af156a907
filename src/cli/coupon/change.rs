//! `stockade coupon lock` and what else orders and operators do with a coupon.

use clap::Args;
use stockade_client::{ClientError, CouponAction as Action, CouponOutcome, CouponRequest, CouponState as State};

use super::super::advice::{self, About};
use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::record::{Record, Value};
use super::super::{id, output, trouble};
use super::shape;

/// Takes hold of a coupon for an order: no other order gets it, and it does not expire meanwhile
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade coupon lock 1 42 --user 7 --order 1001\n\n\
    Repeating it for the same order is safe. So it is with unlock, redeem and restore.")]
pub(in crate::cli) struct Lock {
    #[command(flatten)]
    coupon: Coupon,
    #[command(flatten)]
    order: Order,
}

/// Gives a coupon up that an order has locked; the order cannot have it again
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade coupon unlock 1 42 --user 7 --order 1001\n\n\
    Also safe before the lock has arrived: then the lock is refused when it comes.")]
pub(in crate::cli) struct Unlock {
    #[command(flatten)]
    coupon: Coupon,
    #[command(flatten)]
    order: Order,
}

/// Uses a coupon that the order has locked
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade coupon redeem 1 42 --user 7 --order 1001")]
pub(in crate::cli) struct Redeem {
    #[command(flatten)]
    coupon: Coupon,
    #[command(flatten)]
    order: Order,
}

/// Gives a coupon that the order redeemed back to its user, after a refund
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade coupon restore 1 42 --user 7 --order 1001")]
pub(in crate::cli) struct Restore {
    #[command(flatten)]
    coupon: Coupon,
    #[command(flatten)]
    order: Order,
}

/// Puts a coupon's unit back into stock, as a new serial
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade coupon return 1 42 --user 7\n\n\
    `new serial` is what the unit is now. Repeating it is safe.")]
pub(in crate::cli) struct Return {
    #[command(flatten)]
    coupon: Coupon,
    #[command(flatten)]
    reference: Reference,
}

/// Makes a coupon worthless, for good; for operators
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade coupon void 1 42 --user 7 --order 555\n\nRepeating it is safe.")]
pub(in crate::cli) struct Void {
    #[command(flatten)]
    coupon: Coupon,
    #[command(flatten)]
    reference: Reference,
}

/// Which coupon.
#[derive(Args, Debug)]
struct Coupon {
    /// Id of the batch
    #[arg(value_name = "BATCH", value_parser = id::id, allow_negative_numbers = true)]
    batch: u64,

    /// Serial of the coupon
    #[arg(value_name = "SERIAL", value_parser = id::serial, allow_negative_numbers = true)]
    serial: u32,

    /// Id of the user who holds it
    #[arg(long, value_name = "U", value_parser = id::id, allow_negative_numbers = true)]
    user: u64,
}

#[derive(Args, Debug)]
struct Order {
    /// Id of the order, a number or a UUID
    #[arg(long, value_name = "O", value_parser = id::request, allow_negative_numbers = true)]
    order: u64,
}

#[derive(Args, Debug)]
struct Reference {
    /// A reference for the log, a number or a UUID: of a refund, of a complaint
    #[arg(long, value_name = "O", default_value = "0", value_parser = id::request, allow_negative_numbers = true)]
    order: u64,
}

impl Lock {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        self.coupon.change(Action::Lock, self.order.order, connection)
    }
}

impl Unlock {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        self.coupon.change(Action::Unlock, self.order.order, connection)
    }
}

impl Redeem {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        self.coupon.change(Action::Redeem, self.order.order, connection)
    }
}

impl Restore {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        self.coupon.change(Action::Restore, self.order.order, connection)
    }
}

impl Return {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        self.coupon.change(Action::Return, self.reference.order, connection)
    }
}

impl Void {
    pub(in crate::cli) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        self.coupon.change(Action::Void, self.reference.order, connection)
    }
}

impl Coupon {
    fn change(&self, action: Action, order: u64, connection: &Connection) -> Result<Exit, Failure> {
        let &Coupon { batch, user, serial } = self;
        let request = CouponRequest { batch, user, serial, order };
        let result = connection.run(async |client| Ok(client.change_coupon(request, action).await))?;
        self.print(&result, connection.json)
    }

    fn print(&self, result: &Result<CouponOutcome, ClientError>, is_json: bool) -> Result<Exit, Failure> {
        let about = About::Coupon { batch: self.batch, serial: self.serial };
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(error) => {
                let failure = Failure::of_call(error, about);
                if is_json {
                    let line = output::status(trouble::word(error)).and(self.record());
                    output::json(&line.with("error", Value::Text(failure.sentence.clone())))?;
                }
                return Err(failure);
            }
        };
        let came_back = (outcome.state == Some(State::Returned)).then_some(outcome.serial.into());
        let changed = self
            .record()
            .with("state", Value::Word(outcome.state.map(State::name), "none"))
            .with("order", shape::order(outcome.state, outcome.order))
            .with("new_serial", Value::Number(came_back, "none"))
            .with("replayed", Value::Truth(outcome.replayed))
            .with("epoch", Value::number(outcome.epoch));
        let advice = advice::of_status(outcome.status, about);
        if is_json {
            let line = output::status(outcome.status.name()).and(changed);
            output::json(&line.with_some("error", advice.clone().map(Value::Text)))?;
        } else if advice.is_none() {
            output::write(&changed.lines())?;
        }
        if let Some(sentence) = advice {
            let state = outcome.state.map(|state| format!(" (the coupon is {})", state.name())).unwrap_or_default();
            output::complain(&(sentence + &state));
        }
        Ok(Exit::of_status(outcome.status))
    }

    fn record(&self) -> Record {
        Record::new()
            .with("batch", Value::number(self.batch))
            .with("serial", Value::number(self.serial))
            .with("user", Value::number(self.user))
    }
}
