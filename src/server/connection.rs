//! One connection: reads bursts, keeps replies until they may leave, and is held to its limits.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::admission::Admission;
use super::burst::BurstWork;
use super::core::Core;
use super::intake::Intake;
use super::outbox::Outbox;
use super::reader::Delivery;
use super::session::Session;
use crate::metrics::{add, subtract};

/// A connection with this many unsent bytes is not read from: its window's replies fit many times.
const UNSENT_BYTES_MAX: usize = 8 << 20;

/// Bursts of one connection before the others of its core have their turn.
const BURSTS_PER_TURN: u32 = 4;

/// A client's connection. Belongs to its core's thread.
pub(super) struct Connection {
    stream: TcpStream,
    /// Its number within its core.
    pub(super) number: u64,
    /// Requests that other threads have still to answer.
    handed_over: Cell<usize>,
    intake: RefCell<Intake>,
    outbox: RefCell<Outbox>,
    session: RefCell<Session>,
    /// Makes the task look again.
    changed: Notify,
    phase: Cell<Phase>,
    opened: Instant,
    last_heard: Cell<Instant>,
    /// Since when the client has not taken what we want to send.
    stalled_since: Cell<Option<Instant>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Requests are read.
    Open,
    /// Nothing is read any more; closes when the replies have left.
    Closing,
    /// All was said; what the client still sends is thrown away, so that it can read our last words.
    Lingering,
    /// Over.
    Closed,
}

enum Input {
    /// There may be more.
    Some,
    /// Nothing for now.
    Nothing,
    /// The core's share of the group is used up.
    NoRoom,
    /// The client has closed, or the connection is broken.
    End,
}

/// Serves one connection until it ends.
///
/// Cancel-safe: it is only dropped with its core, when nothing is answered any more.
pub(super) async fn run(connection: Rc<Connection>, core: Rc<Core>) {
    loop {
        if core.is_leaving() && connection.phase.get() == Phase::Open {
            connection.leave(&core);
        }
        if connection.is_finished() {
            break;
        }
        let Some(interest) = connection.interest() else {
            connection.changed.notified().await;
            continue;
        };
        let ready = tokio::select! {
            biased;
            ready = connection.stream.ready(interest) => ready,
            () = connection.changed.notified() => continue,
        };
        let Ok(ready) = ready else { break };
        if ready.is_writable() {
            connection.flush(&core);
        }
        if ready.is_readable() && !connection.take_turn(&core).await {
            break;
        }
    }
    connection.close(&core);
}

impl Connection {
    pub(super) fn new(stream: TcpStream, number: u64, now: Instant) -> Self {
        Self {
            stream,
            number,
            handed_over: Cell::new(0),
            intake: RefCell::default(),
            outbox: RefCell::default(),
            session: RefCell::default(),
            changed: Notify::new(),
            phase: Cell::new(Phase::Open),
            opened: now,
            last_heard: Cell::new(now),
            stalled_since: Cell::new(None),
        }
    }

    /// Sends what may leave.
    pub(super) fn flush(&self, core: &Core) {
        let journal = core.engine().journal();
        let mut outbox = self.outbox.borrow_mut();
        let mut released = 0;
        outbox.release(
            |epoch| journal.may_leave(epoch),
            |claims, decided| {
                released += claims;
                core.metrics().commit_ns.record_duration(decided.elapsed());
            },
        );
        if released > 0 {
            core.shared.in_flight.fetch_sub(released, Ordering::Relaxed);
            subtract(&core.metrics().waiting_claims, released as u64);
        }
        while !outbox.sendable().is_empty() && self.phase.get() != Phase::Closed {
            match self.stream.try_write(outbox.sendable()) {
                Ok(sent) => {
                    outbox.sent(sent);
                    add(&core.metrics().sent_bytes, sent as u64);
                    self.stalled_since.set(None);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.stalled_since.get().is_none() {
                        self.stalled_since.set(Some(core.now.get()));
                        self.changed.notify_one();
                    }
                    return;
                }
                Err(_) => {
                    self.cut();
                    return;
                }
            }
        }
        if (self.phase.get() == Phase::Closing || core.is_leaving()) && outbox.is_empty() {
            self.changed.notify_one();
        }
    }

    /// Takes frames from another thread.
    pub(super) fn deliver(&self, delivery: &Delivery, core: &Core) {
        if delivery.is_answer {
            self.handed_over.set(self.handed_over.get() - 1);
        }
        delivery.refused.into_iter().for_each(|status| core.metrics().refused_frame(status));
        self.outbox.borrow_mut().append(&delivery.frames);
        self.flush(core);
    }

    /// Whether no reply is due.
    fn owes_nothing(&self) -> bool {
        self.handed_over.get() == 0 && self.outbox.borrow().is_empty()
    }

    /// The server leaves: refuses what has arrived, and closes once no reply is due. Until then it goes on refusing.
    fn leave(self: &Rc<Self>, core: &Rc<Core>) {
        let has_room = self.outbox.borrow().len() < UNSENT_BYTES_MAX;
        let ended = has_room && matches!(self.read_burst(core), Input::End);
        if ended || self.owes_nothing() {
            self.begin_to_close();
        }
    }

    /// Reads nothing more. What was cut stays so.
    fn begin_to_close(&self) {
        if self.phase.get() == Phase::Open {
            self.phase.set(Phase::Closing);
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.phase.get() == Phase::Closed
    }

    /// Ends the connection without another word.
    pub(super) fn cut(&self) {
        self.phase.set(Phase::Closed);
        self.changed.notify_one();
    }

    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Whether a time limit has passed.
    pub(super) fn is_overdue(&self, core: &Core) -> bool {
        let (now, options) = (core.now.get(), &core.shared.options);
        let passed = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        let greeted = self.session.borrow().is_greeted();
        let late_frame = self.intake.borrow().since.is_some_and(|since| passed(since, options.frame_timeout));
        let stalled = self.stalled_since.get().is_some_and(|since| passed(since, options.write_stall_timeout));
        let silent = passed(self.last_heard.get(), options.idle_timeout) && self.owes_nothing();
        let lingers = self.phase.get() == Phase::Lingering && passed(self.last_heard.get(), options.handshake_timeout);
        (!greeted && passed(self.opened, options.handshake_timeout)) || late_frame || stalled || silent || lingers
    }

    /// What the socket must be ready for; `None` = nothing to do until something changes.
    fn interest(&self) -> Option<Interest> {
        let reads = match self.phase.get() {
            Phase::Open => self.outbox.borrow().len() < UNSENT_BYTES_MAX,
            Phase::Lingering => true,
            Phase::Closing | Phase::Closed => false,
        };
        let writes = self.stalled_since.get().is_some();
        match (reads, writes) {
            (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
            (true, false) => Some(Interest::READABLE),
            (false, true) => Some(Interest::WRITABLE),
            (false, false) => None,
        }
    }

    fn is_finished(&self) -> bool {
        match self.phase.get() {
            Phase::Closed => true,
            Phase::Closing if self.owes_nothing() => {
                // Our last words must not be overtaken by the reset that unread input would cause.
                let shut = rustix::net::shutdown(&self.stream, rustix::net::Shutdown::Write);
                self.phase.set(Phase::Lingering);
                shut.is_err()
            }
            Phase::Open | Phase::Closing | Phase::Lingering => false,
        }
    }

    /// Reads and decides a few bursts. False when the connection is over.
    async fn take_turn(self: &Rc<Self>, core: &Rc<Core>) -> bool {
        match self.phase.get() {
            Phase::Lingering => return self.discard(core),
            // Cut by a failed write, while the same failure woke the reading side.
            Phase::Closed => return false,
            Phase::Open | Phase::Closing => {}
        }
        for _ in 0..BURSTS_PER_TURN {
            match self.read_burst(core) {
                Input::Some => {}
                Input::Nothing => return true,
                Input::NoRoom => {
                    core.room.notified().await;
                    return true;
                }
                Input::End => return self.hear_no_more(),
            }
            if self.phase.get() != Phase::Open || self.outbox.borrow().len() >= UNSENT_BYTES_MAX {
                return true;
            }
        }
        tokio::task::yield_now().await;
        true
    }

    /// The client sends nothing more. It may still listen: what it is owed leaves. False when it is owed nothing.
    fn hear_no_more(&self) -> bool {
        self.begin_to_close();
        !self.owes_nothing()
    }

    /// Reads what is there and decides it as one burst.
    fn read_burst(self: &Rc<Self>, core: &Rc<Core>) -> Input {
        let leaving = core.is_leaving();
        // To refuse takes no room.
        if !leaving && core.full_epoch.get() == core.engine().journal().current() {
            return Input::NoRoom;
        }
        let (mut intake, mut buffer) = (self.intake.borrow_mut(), core.intake.borrow_mut());
        let engine = core.engine();
        // Read first: a burst pins its epoch, and no system call should be made within it.
        let carried = intake.carry_into(&mut buffer);
        let received = match self.stream.try_read(&mut buffer[carried..]) {
            Ok(0) => return Input::End,
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Input::Nothing,
            Err(_) => return Input::End,
        };
        let now = Instant::now();
        self.last_heard.set(now);
        let burst = engine.burst(core.index);
        let mut outbox = self.outbox.borrow_mut();
        let window = core.shared.options.in_flight_per_connection_max.saturating_sub(outbox.in_flight);
        let in_flight = core.shared.in_flight.load(Ordering::Relaxed);
        let admission = Admission::new(window, core.shared.options.in_flight_max.saturating_sub(in_flight));
        let start = outbox.len();
        let mut session = self.session.borrow_mut();
        let age = intake.since.map_or(std::time::Duration::ZERO, |since| now - since);
        let (options, metrics, late) = (&core.shared.options, core.metrics(), (admission, age));
        let mut work = BurstWork::new(engine, options, &mut session, burst, outbox.open(), late, metrics);
        work.leaving = leaving;
        work.post = Some((&core.desk, self.number));
        let input = &buffer[..carried + received];
        let result = work.run(input);
        intake.keep(&input[result.consumed..], now, result.consumed > 0);

        metrics.decide_ns.record_duration(now.elapsed());
        add(&metrics.received_bytes, received as u64);
        if let Some(epoch) = result.full {
            core.full_epoch.set(epoch);
        }
        if result.close {
            self.begin_to_close();
        }
        if result.handed_over > 0 {
            // The core's own thread takes the answers: none can have come yet.
            self.handed_over.set(self.handed_over.get() + result.handed_over);
            core.address(self);
        }
        if outbox.len() > start {
            outbox.seal(start, result.epoch, result.claims, now.into_std());
            core.shared.in_flight.fetch_add(result.claims, Ordering::Relaxed);
            add(&metrics.waiting_claims, result.claims as u64);
            drop((outbox, intake, buffer, session));
            core.flush_when_durable(result.epoch, self);
        }
        Input::Some
    }

    /// Throws away what the client sends after our last words. False at its end.
    fn discard(&self, core: &Core) -> bool {
        match self.stream.try_read(&mut core.intake.borrow_mut()) {
            Ok(0) => false,
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    fn close(&self, core: &Core) {
        self.phase.set(Phase::Closed);
        if self.session.borrow().subscribes {
            core.desk.gone(self.number);
        }
        core.unaddress(self);
        subtract(&core.metrics().connections, 1);
        core.shared.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
