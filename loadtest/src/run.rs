//! One run from beginning to end: batches, load, verification, report.

use std::fmt;
use std::io;
use std::net::TcpStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use stockade_protocol::hello::Welcome;

use crate::hash::scramble;
use crate::load::connection::{Connection, Record};
use crate::load::population::Population;
use crate::load::tally::{Period, Tally};
use crate::load::worker::{Assignment, Yield, work};
use crate::plan::Plan;
use crate::probe::http::HttpError;
use crate::probe::sample::Sample;
use crate::probe::{Probe, Readings, ServerSeries};
use crate::proof::books::Books;
use crate::report::machine::allow_open_files;
use crate::report::{Circumstances, Effort, Report};
use crate::time::{Clock, nanoseconds};
use crate::turnover::supply::Supply;
use crate::view::progress::{Phase, Progress};
use crate::wire::batches::BatchError;
use crate::wire::control::Control;
use crate::wire::link::{Link, LinkError};

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
    let first_sample = probe.as_ref().map(Probe::read).transpose().map_err(RunError::Metrics)?;
    let started = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let run = scramble(plan.seed ^ nanoseconds(started));
    let (supply, population) = Supply::new(plan, run, control).map_err(RunError::Batch)?;
    let period = period(plan);
    let dealt = connect(plan, &supply, &population, period)?;
    let clock = Clock::starting_in(HEAD_START);
    let assignments = assign(plan, dealt, clock, period, &supply);
    let books = supply.books(plan);

    progress.enter(Phase::Claiming);
    let ((yields, supply), readings) = watched(probe.as_ref().zip(first_sample), clock, period, || {
        supply.during(progress, || load(assignments, progress))
    });
    let (yields, supply) = (yields.map_err(RunError::System)?, supply.map_err(RunError::Batch)?);
    let finished_ns = yields.iter().map(|one| one.finished_ns).max().unwrap_or(0);
    let cpu_ns = yields.iter().map(|one| one.cpu_ns).sum();
    let (connections, record) = merge(yields, period, plan.planned_ns(), books);
    let measured_ns = finished_ns.min(period.end_ns).saturating_sub(period.warm_ns);
    let effort = Effort { measured_ns, finished_ns, cpu_ns };
    let tally = record.tally.clone();
    let seen = readings.map(|(address, readings)| ServerSeries::new(&address, &readings, tally.answered));

    progress.enter(Phase::Verifying);
    let verified = supply.verify(plan, &population, connections, record, progress);
    let (verification, turnover) = verified.map_err(RunError::Verification)?;
    let circumstances = Circumstances { plan, welcome: &welcome, started, seen, turnover };
    Ok(Report::new(circumstances, &tally, effort, verification))
}

fn fits(plan: &Plan, welcome: &Welcome) -> Result<(), RunError> {
    let max = welcome.claims_per_frame_max.get();
    if max > 0 && plan.claims_per_frame > max {
        let asked = plan.claims_per_frame;
        let text = format!("claims_per_frame is {asked}, and this server takes {max} claims a frame: lower it");
        return Err(RunError::Plan(text));
    }
    Ok(())
}

fn period(plan: &Plan) -> Period {
    let warm_ns = nanoseconds(plan.warm_up);
    Period { warm_ns, end_ns: warm_ns + nanoseconds(plan.duration) }
}

/// A connection with its greeted socket.
type Greeted = (Connection, TcpStream);

/// Opens all connections and deals them out to the threads.
fn connect(
    plan: &Plan,
    supply: &Supply,
    population: &Arc<Population>,
    period: Period,
) -> Result<Vec<Vec<Greeted>>, RunError> {
    let mut dealt = (0..plan.threads).map(|_| Vec::new()).collect::<Vec<_>>();
    for number in 0..plan.connections {
        let (link, _) = Link::open(&plan.server, &plan.token).map_err(RunError::Link)?;
        let stream = link.into_nonblocking().map_err(RunError::System)?;
        let connection = supply.connection(number, plan, population, period);
        dealt[(number % plan.threads) as usize].push((connection, stream));
    }
    Ok(dealt)
}

fn assign(plan: &Plan, dealt: Vec<Vec<Greeted>>, clock: Clock, period: Period, supply: &Supply) -> Vec<Assignment> {
    let assignment = |(thread, connections)| Assignment {
        thread,
        connections,
        books: supply.books(plan),
        gate: supply.gate(),
        clock,
        period,
        planned_ns: plan.planned_ns(),
        gather_ns: nanoseconds(plan.gather),
        drain_end_ns: period.end_ns + nanoseconds(plan.drain_limit),
        server: plan.server.clone(),
        token: plan.token.clone(),
    };
    dealt.into_iter().enumerate().map(assignment).collect()
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

fn load(assignments: Vec<Assignment>, progress: &Progress) -> io::Result<Vec<Yield>> {
    thread::scope(|scope| {
        let threads = assignments.into_iter().map(|assignment| scope.spawn(|| work(assignment, progress)));
        let threads = threads.collect::<Vec<_>>();
        let joined = threads.into_iter().map(|thread| thread.join().expect("a panic aborts the program"));
        joined.collect()
    })
}

fn merge(yields: Vec<Yield>, period: Period, planned_ns: u64, books: Books) -> (Vec<Connection>, Record) {
    let mut record = Record { tally: Tally::new(period, planned_ns), books };
    let mut connections = Vec::new();
    for one in yields {
        record.tally.absorb(&one.record.tally);
        record.books.absorb(&one.record.books);
        connections.extend(one.connections);
    }
    (connections, record)
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
