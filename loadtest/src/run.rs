//! One run from beginning to end: batches, load, verification, report.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use stockade_protocol::hello::Welcome;

use crate::batches::{BatchError, Shown, prepare};
use crate::books::Books;
use crate::connection::{Connection, Record};
use crate::control::Control;
use crate::hash::scramble;
use crate::link::{Link, LinkError};
use crate::machine::allow_open_files;
use crate::plan::Plan;
use crate::population::Population;
use crate::progress::{Phase, Progress};
use crate::report::{Effort, Report};
use crate::tally::{Period, Tally};
use crate::time::{Clock, nanoseconds};
use crate::verify::{Evidence, verify};
use crate::worker::{Assignment, Yield, work};

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
    /// The operating system refused what the generator needs.
    System(io::Error),
}

impl RunError {
    /// Whether the one who called can mend it by calling otherwise.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            RunError::Plan(_) | RunError::Link(LinkError::Address { .. }) => true,
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
    let mut control = Control::open(&plan.server, &plan.token, plan.drain_limit).map_err(RunError::Link)?;
    let welcome = *control.welcome();
    fits(plan, &welcome)?;
    let run = scramble(plan.seed ^ nanoseconds(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()));
    let before = prepare(&mut control, plan, run).map_err(RunError::Batch)?;
    let ids = before.iter().map(|batch| batch.id).collect();
    let population = Arc::new(Population::new(plan, run, ids));
    let period = period(plan);
    let assignments = assign(plan, &population, period, &before)?;

    progress.enter(Phase::Claiming);
    let yields = load(assignments, progress).map_err(RunError::System)?;
    let finished_ns = yields.iter().map(|one| one.finished_ns).max().unwrap_or(0);
    let cpu_ns = yields.iter().map(|one| one.cpu_ns).sum();
    let (connections, record) = merge(yields, period, &before);
    let effort = Effort { measured_ns: finished_ns.min(period.end_ns).saturating_sub(period.warm_ns), cpu_ns };
    let tally = record.tally.clone();

    progress.enter(Phase::Verifying);
    let evidence = Evidence { population: &population, connections, record, before, sample: plan.sample };
    let verification = verify(&mut control, evidence, progress).map_err(RunError::Verification)?;
    Ok(Report::new(plan, &welcome, &tally, effort, verification))
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

/// Opens all connections and deals them out to the threads.
fn assign(
    plan: &Plan,
    population: &Arc<Population>,
    period: Period,
    batches: &[Shown],
) -> Result<Vec<Assignment>, RunError> {
    let mut dealt = (0..plan.threads).map(|_| Vec::new()).collect::<Vec<_>>();
    for number in 0..plan.connections {
        let (link, _) = Link::open(&plan.server, &plan.token).map_err(RunError::Link)?;
        let stream = link.into_nonblocking().map_err(RunError::System)?;
        let connection = Connection::new(number, plan, Arc::clone(population), period);
        dealt[(number % plan.threads) as usize].push((connection, stream));
    }
    let clock = Clock::starting_in(HEAD_START);
    let per_user = batches.iter().map(|batch| batch.per_user).collect::<Vec<_>>();
    let assignment = |(thread, connections)| Assignment {
        thread,
        connections,
        per_user: per_user.clone(),
        clock,
        period,
        drain_end_ns: period.end_ns + nanoseconds(plan.drain_limit),
        server: plan.server.clone(),
        token: plan.token.clone(),
    };
    Ok(dealt.into_iter().enumerate().map(assignment).collect())
}

fn load(assignments: Vec<Assignment>, progress: &Progress) -> io::Result<Vec<Yield>> {
    thread::scope(|scope| {
        let threads = assignments.into_iter().map(|assignment| scope.spawn(|| work(assignment, progress)));
        let threads = threads.collect::<Vec<_>>();
        let joined = threads.into_iter().map(|thread| thread.join().expect("a panic aborts the program"));
        joined.collect()
    })
}

fn merge(yields: Vec<Yield>, period: Period, batches: &[Shown]) -> (Vec<Connection>, Record) {
    let per_user = batches.iter().map(|batch| batch.per_user).collect::<Vec<_>>();
    let mut record = Record { tally: Tally::new(period), books: Books::new(&per_user) };
    let mut connections = Vec::new();
    for one in yields {
        record.tally.absorb(&one.record.tally);
        record.books.absorb(one.record.books);
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
