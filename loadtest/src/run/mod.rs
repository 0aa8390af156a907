//! One run from beginning to end: batches, coupons that have to be there first, load, verification, report.

mod crew;
mod endowment;

use std::fmt;
use std::io;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use stockade_protocol::hello::Welcome;

use crate::hash::scramble;
use crate::limits::RESERVATION_TTL_S;
use crate::load::connection::Connection;
use crate::load::population::Population;
use crate::load::tally::Period;
use crate::plan::Plan;
use crate::plan::operation::Operation;
use crate::probe::http::HttpError;
use crate::probe::sample::Sample;
use crate::probe::{Probe, Readings, ServerSeries};
use crate::proof::verify::Aftermath;
use crate::report::machine::allow_open_files;
use crate::report::{Circumstances, Report};
use crate::time::{Clock, nanoseconds};
use crate::turnover::supply::Supply;
use crate::view::progress::{Phase, Progress};
use crate::wire::batches::BatchError;
use crate::wire::control::Control;
use crate::wire::link::LinkError;
use crew::Shift;
use endowment::Endowment;

/// Time for the threads to start before the schedule does.
const HEAD_START: Duration = Duration::from_millis(10);

/// Why there is no report.
#[derive(Debug)]
pub enum RunError {
    /// The plan does not fit the server: change it.
    Plan(String),
    /// The server gave no answer, or refused.
    Link(LinkError),
    /// The batches could not be created or shown.
    Batch(BatchError),
    /// The load is over, but the server gave no answer to verify it with: nothing is proved.
    Verification(BatchError),
    /// The server's metrics were asked for and cannot be read.
    Metrics(HttpError),
    /// The operating system refused what the generator needs.
    System(io::Error),
}

impl RunError {
    /// Whether the one who called can mend it by calling otherwise.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            RunError::Plan(_) | RunError::Link(LinkError::Address { .. }) => true,
            RunError::Metrics(error) => error.is_usage(),
            RunError::Link(_) | RunError::Batch(_) | RunError::Verification(_) | RunError::System(_) => false,
        }
    }
}

/// Carries out `plan` and verifies it. Blocks until the report is there; `progress` may be watched meanwhile.
///
/// # Errors
/// When the run could not begin, or could not be verified for want of a server.
pub fn run(plan: &Plan, progress: &Progress) -> Result<Report, RunError> {
    let result = run_through(plan, progress);
    progress.enter(Phase::Over);
    result
}

fn run_through(plan: &Plan, progress: &Progress) -> Result<Report, RunError> {
    progress.enter(Phase::Preparing);
    allow_open_files();
    let control = Control::open(&plan.server, &plan.token, plan.drain_limit).map_err(RunError::Link)?;
    let welcome = *control.welcome();
    fits(plan, &welcome)?;
    let probe = plan.admin.as_ref().map(|address| Probe::new(address, &plan.token));
    let first_sample = read(probe.as_ref())?;
    let started = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let run = scramble(plan.seed ^ nanoseconds(started));
    let (supply, population) = Supply::new(plan, run, control).map_err(RunError::Batch)?;
    let endowment = endow(plan, &welcome, &supply, &population, progress)?;
    // What was granted before the load is no part of it.
    let first_sample = if endowment.is_some() { read(probe.as_ref())? } else { first_sample };
    let period = period(plan);
    let dealt = crew::connect(plan, |number| match &endowment {
        Some(endowment) => Connection::working(number, plan, endowment.work(number, plan), period),
        None => supply.connection(number, plan, &population, period),
    })?;
    let clock = Clock::starting_in(HEAD_START);
    let shift = Shift { plan, period, books: supply.books(plan), gate: supply.gate() };
    let assignments = shift.assign(dealt, clock);

    progress.enter(Phase::Claiming);
    let ((yields, supply), readings) = watched(probe.as_ref().zip(first_sample), clock, period, || {
        supply.during(progress, || crew::load(assignments, progress))
    });
    let (yields, supply) = (yields.map_err(RunError::System)?, supply.map_err(RunError::Batch)?);
    let (effort, connections, record) = shift.collect(yields);
    let tally = record.tally.clone();
    let seen = readings.map(|(address, readings)| ServerSeries::new(&address, &readings, tally.answered));

    progress.enter(Phase::Verifying);
    let setup = endowment.as_ref().map(|endowment| endowment.setup);
    let aftermath = match endowment {
        Some(endowment) => endowment.aftermath(connections, record),
        None => Aftermath { connections, workers: Vec::new(), record },
    };
    let verified = supply.verify(plan, &population, aftermath, progress);
    let (verification, turnover) = verified.map_err(RunError::Verification)?;
    let circumstances = Circumstances { plan, welcome: &welcome, started, seen, setup, turnover };
    Ok(Report::new(circumstances, &tally, effort, verification))
}

/// Counters of the server now, if there is a probe for them.
fn read(probe: Option<&Probe>) -> Result<Option<Sample>, RunError> {
    probe.map(Probe::read).transpose().map_err(RunError::Metrics)
}

/// Has the coupons granted that the plan's operation needs.
fn endow(
    plan: &Plan,
    welcome: &Welcome,
    supply: &Supply,
    population: &Arc<Population>,
    progress: &Progress,
) -> Result<Option<Endowment>, RunError> {
    let Some(grants) = plan.grants.filter(|_| plan.operation.needs_grants()) else { return Ok(None) };
    progress.enter(Phase::Granting);
    Endowment::new(plan, grants, welcome, supply, population).map(Some)
}

fn fits(plan: &Plan, welcome: &Welcome) -> Result<(), RunError> {
    let max = welcome.claims_per_frame_max.get();
    if max > 0 && plan.claims_per_frame > max {
        let asked = plan.claims_per_frame;
        let text = format!("claims_per_frame is {asked}, and this server takes {max} claims a frame: lower it");
        return Err(RunError::Plan(text));
    }
    let ttl_s_max = welcome.ttl_s_max.get();
    if plan.operation == Operation::ReserveConfirm && ttl_s_max < RESERVATION_TTL_S {
        let text = format!(
            "this server's reservations live for {ttl_s_max} s at most, and those of a load for {RESERVATION_TTL_S} s: \
             raise its reservations.ttl_s_max"
        );
        return Err(RunError::Plan(text));
    }
    Ok(())
}

fn period(plan: &Plan) -> Period {
    let warm_ns = nanoseconds(plan.warm_up);
    Period { warm_ns, end_ns: warm_ns + nanoseconds(plan.duration) }
}

/// Does `work`, and reads the server's metrics meanwhile if there is a probe for them.
fn watched<T>(
    probe: Option<(&Probe, Sample)>,
    clock: Clock,
    period: Period,
    work: impl FnOnce() -> T,
) -> (T, Option<(String, Readings)>) {
    let Some((probe, first)) = probe else { return (work(), None) };
    thread::scope(|scope| {
        let (until, is_over) = mpsc::channel();
        let readings = scope.spawn(move || probe.watch(first, clock, period, &is_over));
        let result = work();
        drop(until);
        let readings = readings.join().expect("a panic aborts the program");
        (result, Some((probe.address().to_owned(), readings)))
    })
}

impl fmt::Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Plan(text) => formatter.write_str(text),
            RunError::Link(error) => error.fmt(formatter),
            RunError::Batch(error) => error.fmt(formatter),
            RunError::Metrics(error) => error.fmt(formatter),
            RunError::Verification(error) => write!(formatter, "the load is over and could not be verified: {error}"),
            RunError::System(error) => {
                write!(
                    formatter,
                    "the operating system refuses ({error}): are there enough file descriptors (ulimit -n)?"
                )
            }
        }
    }
}

impl std::error::Error for RunError {}
