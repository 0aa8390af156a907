//! One generator thread: waits for replies and for intended starts, and serves each connection with one read and one
//! write per wake-up.
//!
//! It waits with epoll itself, since an async runtime's timers are no finer than a millisecond: an open loop would be
//! late by more than a claim takes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::TcpStream;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::thread::set_current_timer_slack;
use rustix::time::{ClockId, clock_gettime};

use crate::limits::READ_BYTES_MAX;
use crate::load::connection::{Connection, Record};
use crate::load::lane::{Broken, Lane};
use crate::load::rounds::Gate;
use crate::load::tally::{Period, Tally};
use crate::proof::books::Books;
use crate::time::{Clock, nanoseconds};
use crate::view::progress::Progress;
use crate::wire::reconnect::Reconnector;

/// Replies taken from the kernel at one wake-up; more wait for the next.
const EVENTS_MAX: usize = 256;

/// How often to look for new sockets while a connection is broken.
const RECONNECT_POLL_NS: u64 = 2_000_000;

/// How often to look for new batches where batches come and go.
const GATE_POLL_NS: u64 = 1_000_000;

/// How often outcomes and latencies are shown to watchers: each time costs a microsecond.
const SHOW_INTERVAL_NS: u64 = 100_000_000;

/// How late the kernel may wake this thread. Its default of 50 µs is as long as a claim takes.
const TIMER_SLACK_NS: Option<NonZeroU64> = NonZeroU64::new(1_000);

/// What a thread starts with.
#[derive(Debug)]
pub struct Assignment {
    /// Its number, for the progress.
    pub thread: usize,
    /// Its connections with their greeted sockets.
    pub connections: Vec<(Connection, TcpStream)>,
    /// What it counts with, nothing yet.
    pub tally: Tally,
    /// Empty books for the batches of the run.
    pub books: Books,
    /// Which batches exist, where they come and go.
    pub gate: Option<Arc<Gate>>,
    /// The run's clock.
    pub clock: Clock,
    /// What is measured.
    pub period: Period,
    /// How long to collect what is due before the sockets are served; 0 = not at all.
    pub gather_ns: u64,
    /// When to stop waiting for replies.
    pub drain_end_ns: u64,
    /// Where broken connections are opened again.
    pub server: String,
    /// With which token.
    pub token: String,
}

/// What a thread ends with.
#[derive(Debug)]
pub struct Yield {
    /// Its connections, with their ledgers.
    pub connections: Vec<Connection>,
    /// Its counts.
    pub record: Record,
    /// Processor time that it took.
    pub cpu_ns: u64,
    /// When it was done.
    pub finished_ns: u64,
}

/// A running thread.
struct Worker {
    clock: Clock,
    gate: Option<Arc<Gate>>,
    /// Rounds that were open at the last look.
    open: u64,
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    lanes: Vec<Lane>,
    /// Lanes with a frame that is due later, by the instant.
    due: BinaryHeap<Reverse<(u64, u32)>>,
    is_queued: Vec<bool>,
    /// Lanes whose socket is watched for room to write.
    is_watched: Vec<bool>,
    is_done: Vec<bool>,
    lanes_left: usize,
    lanes_broken: usize,
    buffer: Vec<u8>,
    out: Vec<u8>,
    record: Record,
    reconnector: Reconnector,
}

/// Runs a thread's part of the load, from the start of the clock until all is answered or the time is up.
///
/// # Errors
/// When the operating system gives no epoll instance or does not accept a socket for it.
pub fn work(assignment: Assignment, progress: &Progress) -> io::Result<Yield> {
    let (thread, clock, period) = (assignment.thread, assignment.clock, assignment.period);
    let (gather_ns, drain_end_ns) = (assignment.gather_ns, assignment.drain_end_ns);
    let mut worker = Worker::new(assignment)?;
    // Refused in some sandboxes: then the lateness that the report shows is what it is.
    let _ = set_current_timer_slack(TIMER_SLACK_NS);
    clock.wait_for_start();
    let cpu_before = cpu_ns();
    worker.send_all();
    let (mut is_stopped, mut next_show_ns) = (false, 0);
    let finished_ns = loop {
        let now_ns = clock.now_ns();
        if (now_ns >= period.end_ns || worker.is_shut_out()) && !is_stopped {
            is_stopped = true;
            worker.stop();
        }
        if worker.lanes_left == 0 || now_ns >= drain_end_ns {
            break now_ns;
        }
        worker.look_at_gate(now_ns);
        worker.send_due(now_ns);
        gather(gather_ns, clock);
        worker.wait(if is_stopped { drain_end_ns } else { period.end_ns })?;
        worker.take_reconnected();
        progress.claimed(thread, worker.record.tally.answered, worker.record.tally.granted);
        if now_ns >= next_show_ns {
            next_show_ns = now_ns + SHOW_INTERVAL_NS;
            progress.show(thread, &worker.record.tally);
        }
    };
    progress.show(thread, &worker.record.tally);
    Ok(worker.finish(cpu_before, finished_ns))
}

impl Worker {
    fn new(assignment: Assignment) -> io::Result<Self> {
        let count = assignment.connections.len();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let record = Record { tally: assignment.tally, books: assignment.books };
        let mut worker = Self {
            clock: assignment.clock,
            open: assignment.gate.as_ref().map_or(0, |gate| gate.open()),
            gate: assignment.gate,
            epoll,
            events: Vec::with_capacity(EVENTS_MAX),
            lanes: Vec::with_capacity(count),
            due: BinaryHeap::with_capacity(count),
            is_queued: vec![false; count],
            is_watched: vec![false; count],
            is_done: vec![false; count],
            lanes_left: count,
            lanes_broken: 0,
            buffer: vec![0; READ_BYTES_MAX],
            out: Vec::new(),
            record,
            reconnector: Reconnector::new(&assignment.server, &assignment.token, count),
        };
        for (index, (connection, stream)) in (0..).zip(assignment.connections) {
            worker.lanes.push(Lane::new(connection));
            worker.attach(index, stream)?;
        }
        Ok(worker)
    }

    fn attach(&mut self, index: u32, stream: TcpStream) -> io::Result<()> {
        let data = epoll::EventData::new_u64(index.into());
        epoll::add(&self.epoll, &stream, data, epoll::EventFlags::IN)?;
        self.is_watched[index as usize] = false;
        let attached = self.lanes[index as usize].attach(stream, self.clock, &mut self.record.tally);
        self.after(index, attached);
        Ok(())
    }

    fn lane_numbers(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.lanes.len()).expect("a run has at most CONNECTIONS_MAX connections")
    }

    fn send_all(&mut self) {
        for index in self.lane_numbers() {
            self.send(index);
        }
    }

    /// The schedule is over: a last chance for what is due, then nothing new.
    fn stop(&mut self) {
        self.send_all();
        for index in self.lane_numbers() {
            self.lanes[index as usize].connection.stop();
            self.after(index, Ok(()));
        }
    }

    /// Sends what waited for batches that exist now.
    fn look_at_gate(&mut self, now_ns: u64) {
        let Some(open) = self.gate.as_ref().map(|gate| gate.open()).filter(|open| *open != self.open) else { return };
        for index in self.lane_numbers() {
            let connection = &mut self.lanes[index as usize].connection;
            if connection.waited_for_batches(self.open, now_ns) {
                self.record.tally.batch_waits += 1;
                connection.able_from(now_ns);
            }
            self.after(index, Ok(()));
        }
        self.open = open;
    }

    /// Whether no more batches will come.
    fn is_shut_out(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.is_shut())
    }

    fn send_due(&mut self, now_ns: u64) {
        while let Some(Reverse((due_ns, index))) = self.due.peek().copied() {
            if due_ns > now_ns {
                return;
            }
            self.due.pop();
            self.is_queued[index as usize] = false;
            self.send(index);
        }
    }

    fn send(&mut self, index: u32) {
        let sent = self.lanes[index as usize].send_due(&mut self.out, self.clock, &mut self.record.tally);
        self.after(index, sent);
    }

    /// Keeps the worker's lists in step with a lane that was just served.
    fn after(&mut self, index: u32, served: Result<(), Broken>) {
        let place = index as usize;
        if let Err(broken) = served {
            self.broke(index, broken);
        }
        let lane = &self.lanes[place];
        if lane.is_done() {
            if !self.is_done[place] {
                self.is_done[place] = true;
                self.lanes_left -= 1;
            }
            return;
        }
        if let Some(stream) = lane.stream().filter(|_| lane.is_blocked() != self.is_watched[place]) {
            let write = if lane.is_blocked() { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
            let data = epoll::EventData::new_u64(index.into());
            // It can only fail for a socket that is not registered, and this one is.
            let _ = epoll::modify(&self.epoll, stream, data, epoll::EventFlags::IN | write);
            self.is_watched[place] = lane.is_blocked();
        }
        if let Some(due_ns) = lane.next_due_ns().filter(|_| !self.is_queued[place]) {
            self.is_queued[place] = true;
            self.due.push(Reverse((due_ns, index)));
        }
    }

    fn broke(&mut self, index: u32, broken: Broken) {
        let lane = &mut self.lanes[index as usize];
        // Closing the socket takes it off the epoll instance.
        lane.detach();
        if lane.is_done() {
            return;
        }
        self.lanes_broken += 1;
        self.record.tally.connections_broken += 1;
        self.record.tally.complaint = self.record.tally.complaint.take().or(broken.complaint);
        self.reconnector.request(index);
    }

    fn take_reconnected(&mut self) {
        while self.lanes_broken > 0 {
            let Some((index, stream)) = self.reconnector.next() else { return };
            self.lanes_broken -= 1;
            if self.attach(index, stream).is_err() {
                self.after(index, Err(Broken { complaint: None }));
            }
            self.send(index);
        }
    }

    /// Waits for replies, the next due frame or `until_ns`, and serves the lanes with replies.
    fn wait(&mut self, until_ns: u64) -> io::Result<()> {
        let now_ns = self.clock.now_ns();
        let mut wake_ns = self.due.peek().map_or(until_ns, |Reverse((due_ns, _))| until_ns.min(*due_ns));
        if self.lanes_broken > 0 {
            wake_ns = wake_ns.min(now_ns + RECONNECT_POLL_NS);
        }
        if self.gate.is_some() {
            wake_ns = wake_ns.min(now_ns + GATE_POLL_NS);
        }
        let pause = Duration::from_nanos(wake_ns.saturating_sub(now_ns));
        let timeout = Timespec::try_from(pause).map_err(io::Error::other)?;
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let events = std::mem::take(&mut self.events);
        for event in &events {
            let (data, flags) = (event.data, event.flags);
            let index = u32::try_from(data.u64()).expect("the number that attach registered");
            self.serve(index, flags);
        }
        self.events = events;
        Ok(())
    }

    fn serve(&mut self, index: u32, flags: epoll::EventFlags) {
        let lane = &mut self.lanes[index as usize];
        let mut served = Ok(());
        if flags.contains(epoll::EventFlags::OUT) {
            served = lane.write_on(self.clock);
        }
        if served.is_ok() && flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::ERR | epoll::EventFlags::HUP) {
            served = lane.read(&mut self.buffer, self.clock, &mut self.record);
        }
        if served.is_ok() {
            served = lane.send_due(&mut self.out, self.clock, &mut self.record.tally);
        }
        self.after(index, served);
    }

    fn finish(mut self, cpu_before: u64, finished_ns: u64) -> Yield {
        let tally = &mut self.record.tally;
        self.lanes.iter_mut().for_each(|lane| lane.connection.finish(finished_ns, tally));
        tally.close();
        let connections = self.lanes.into_iter().map(|lane| lane.connection).collect();
        Yield { connections, record: self.record, cpu_ns: cpu_ns().saturating_sub(cpu_before), finished_ns }
    }
}

/// Sleeps until the next multiple of `gather_ns`: what comes due and what arrives meanwhile is served together.
fn gather(gather_ns: u64, clock: Clock) {
    if gather_ns > 0 {
        let into = clock.now_ns() % gather_ns;
        std::thread::sleep(Duration::from_nanos(gather_ns - into));
    }
}

/// Processor time of this thread so far.
fn cpu_ns() -> u64 {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).map_or(0, nanoseconds)
}
