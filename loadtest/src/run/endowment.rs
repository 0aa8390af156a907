//! Coupons that users are given before a load that works with coupons. Granting them is a load too, of claims that are
//! not measured; it is verified with the rest.

use std::sync::Arc;
use std::time::Duration;

use stockade_protocol::hello::Welcome;

use super::RunError;
use super::crew::{self, Shift};
use crate::limits::{GRANT_FRAMES_IN_FLIGHT, GRANTING_MAX, GRANTS_PER_FRAME};
use crate::load::connection::{Connection, Record};
use crate::load::pages::{Owner, Pages};
use crate::load::pairs::{Coupon, Pairs};
use crate::load::population::Population;
use crate::load::tally::Period;
use crate::load::work::Work;
use crate::plan::Plan;
use crate::plan::operation::Operation;
use crate::proof::books::Books;
use crate::proof::holdings::Holdings;
use crate::proof::verify::Aftermath;
use crate::report::setup::Setup;
use crate::time::{Clock, nanoseconds, seconds};
use crate::turnover::supply::Supply;
use crate::view::progress::Progress;

/// Coupons in the hands of users.
#[derive(Debug)]
pub(super) struct Endowment {
    /// For the report.
    pub(super) setup: Setup,
    population: Arc<Population>,
    /// Those that claimed, in order.
    connections: Vec<Connection>,
    books: Books,
    /// Each user once.
    owners: Arc<[Owner]>,
}

impl Endowment {
    /// Has `grants` coupons of the batches of `supply` granted to the users of `population`.
    ///
    /// # Errors
    /// When the server does not answer, or grants none.
    pub(super) fn new(
        plan: &Plan,
        grants: u64,
        welcome: &Welcome,
        supply: &Supply,
        population: &Arc<Population>,
    ) -> Result<Self, RunError> {
        let plan = granting(plan, grants, welcome);
        let period = Period { warm_ns: 0, end_ns: nanoseconds(plan.duration) };
        let dealt = crew::connect(&plan, |number| supply.connection(number, &plan, population, period))?;
        let clock = Clock::starting_in(Duration::ZERO);
        let shift = Shift { plan: &plan, period, books: supply.books(&plan), gate: None };
        let assignments = shift.assign(dealt, clock);
        // Nobody watches the claims of a setup.
        let yields = crew::load(assignments, &Progress::new(plan.threads)).map_err(RunError::System)?;
        let (effort, connections, record) = shift.collect(yields);
        let holdings = Holdings::of(&connections);
        if holdings.grants() == 0 {
            let outcomes = record.tally.outcomes().into_keys().collect::<Vec<_>>().join(", ");
            return Err(RunError::Plan(format!(
                "no coupon was granted before the measurement, so there is nothing to work with; the answers were \
                 {outcomes}"
            )));
        }
        let owners = owners(&holdings, population);
        let setup = Setup {
            asked: grants,
            granted: holdings.grants(),
            users: owners.len() as u64,
            took_s: seconds(effort.finished_ns),
        };
        let population = Arc::clone(population);
        Ok(Self { setup, population, connections, books: record.books, owners })
    }

    /// What connection `number` of `plan`'s does with them.
    ///
    /// # Panics
    /// When the plan's operation does nothing with coupons.
    #[must_use]
    pub(super) fn work(&self, number: u32, plan: &Plan) -> Work {
        match plan.operation {
            Operation::LockRedeem => {
                let of_the_same_number = std::slice::from_ref(&self.connections[number as usize]);
                let coupons = Holdings::of(of_the_same_number);
                let coupons = coupons.iter().map(|grant| Coupon { slot: grant.slot, serial: grant.serial }).collect();
                Work::Pairs(Box::new(Pairs::of_coupons(number, Arc::clone(&self.population), coupons)))
            }
            Operation::Wallet => {
                let page_size = plan.page_size.expect("a plan that reads wallets says how large a page is");
                Work::Pages(Pages::new(number, Arc::clone(&self.owners), page_size, plan.seed))
            }
            Operation::Claim | Operation::ReserveConfirm => panic!("{} needs no coupons", plan.operation.name()),
        }
    }

    /// What is left of it and of the load, `workers` and their `record`.
    pub(super) fn aftermath(self, workers: Vec<Connection>, mut record: Record) -> Aftermath {
        record.books.absorb(&self.books);
        Aftermath { connections: self.connections, workers, record }
    }
}

/// The load that has the coupons granted for `plan`.
fn granting(plan: &Plan, grants: u64, welcome: &Welcome) -> Plan {
    let stated = |limit: u32| if limit == 0 { u32::MAX } else { limit };
    let in_flight_max = stated(welcome.in_flight_claims_max.get());
    let claims_per_frame = GRANTS_PER_FRAME.min(stated(welcome.claims_per_frame_max.get())).min(in_flight_max);
    Plan {
        operation: Operation::Claim,
        closed: true,
        claims: Some(grants),
        claims_per_frame,
        window: GRANT_FRAMES_IN_FLIGHT.min(in_flight_max / claims_per_frame),
        gather: Duration::ZERO,
        warm_up: Duration::ZERO,
        duration: GRANTING_MAX,
        ..plan.clone()
    }
}

/// Who has how many of `holdings`.
fn owners(holdings: &Holdings<'_>, population: &Population) -> Arc<[Owner]> {
    let users = holdings.iter().map(|grant| population.identity(grant.connection, grant.slot).user);
    let mut users = users.collect::<Vec<_>>();
    users.sort_unstable();
    let runs = users.chunk_by(|one, next| one == next);
    runs.map(|run| Owner { user: run[0], coupons: run.len() as u64 }).collect()
}
