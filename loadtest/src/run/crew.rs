//! The threads of a load and their connections: greeted, dealt out, put to work, and what they bring back.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use super::RunError;
use crate::load::connection::{Connection, Record};
use crate::load::rounds::Gate;
use crate::load::tally::{Period, Tally};
use crate::load::worker::{Assignment, Yield, work};
use crate::plan::Plan;
use crate::proof::books::Books;
use crate::report::Effort;
use crate::time::{Clock, nanoseconds};
use crate::view::progress::Progress;
use crate::wire::link::Link;

/// A connection with its greeted socket.
type Greeted = (Connection, TcpStream);

/// What all threads of a load have in common.
#[derive(Debug)]
pub(super) struct Shift<'a> {
    /// The load.
    pub(super) plan: &'a Plan,
    /// What of it is measured.
    pub(super) period: Period,
    /// Empty books for its batches.
    pub(super) books: Books,
    /// Which batches exist, where they come and go.
    pub(super) gate: Option<Arc<Gate>>,
}

/// Opens all connections, which `make` makes of their numbers, and deals them out to the threads.
pub(super) fn connect(plan: &Plan, make: impl Fn(u32) -> Connection) -> Result<Vec<Vec<Greeted>>, RunError> {
    let mut dealt = (0..plan.threads).map(|_| Vec::new()).collect::<Vec<_>>();
    for number in 0..plan.connections {
        let (link, _) = Link::open(&plan.server, &plan.token).map_err(RunError::Link)?;
        let stream = link.into_nonblocking().map_err(RunError::System)?;
        dealt[(number % plan.threads) as usize].push((make(number), stream));
    }
    Ok(dealt)
}

/// Has all threads do their part.
pub(super) fn load(assignments: Vec<Assignment>, progress: &Progress) -> io::Result<Vec<Yield>> {
    thread::scope(|scope| {
        let threads = assignments.into_iter().map(|assignment| scope.spawn(|| work(assignment, progress)));
        let threads = threads.collect::<Vec<_>>();
        let joined = threads.into_iter().map(|thread| thread.join().expect("a panic aborts the program"));
        joined.collect()
    })
}

impl Shift<'_> {
    /// What each thread starts with.
    pub(super) fn assign(&self, dealt: Vec<Vec<Greeted>>, clock: Clock) -> Vec<Assignment> {
        let assignment = |(thread, connections)| Assignment {
            thread,
            connections,
            tally: self.tally(),
            books: self.books.clone(),
            gate: self.gate.clone(),
            clock,
            period: self.period,
            gather_ns: nanoseconds(self.plan.gather),
            drain_end_ns: self.period.end_ns + nanoseconds(self.plan.drain_limit),
            server: self.plan.server.clone(),
            token: self.plan.token.clone(),
        };
        dealt.into_iter().enumerate().map(assignment).collect()
    }

    fn tally(&self) -> Tally {
        let tally = Tally::new(self.period, self.plan.planned_ns());
        if self.plan.operation.steps().is_empty() { tally } else { tally.in_two_steps() }
    }

    /// What all threads brought back: at what cost, the connections in order, and all counts.
    pub(super) fn collect(&self, yields: Vec<Yield>) -> (Effort, Vec<Connection>, Record) {
        let finished_ns = yields.iter().map(|one| one.finished_ns).max().unwrap_or(0);
        let cpu_ns = yields.iter().map(|one| one.cpu_ns).sum();
        let measured_ns = finished_ns.min(self.period.end_ns).saturating_sub(self.period.warm_ns);
        let mut record = Record { tally: self.tally(), books: self.books.clone() };
        let mut connections = Vec::new();
        for one in yields {
            record.tally.absorb(&one.record.tally);
            record.books.absorb(&one.record.books);
            connections.extend(one.connections);
        }
        connections.sort_by_key(Connection::number);
        (Effort { measured_ns, finished_ns, cpu_ns }, connections, record)
    }
}
