//! A core: one network thread, its connections, and what they share.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::task::LocalSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::connection::{self, Connection};
use super::intake::INTAKE_BYTES;
use super::options::ServerOptions;
use crate::engine::Engine;
use crate::journal::Wake;
use crate::metrics::CoreMetrics;
use crate::types::Epoch;

/// How often connections are held against their time limits.
const SWEEP: Duration = Duration::from_millis(100);

/// What all cores share.
pub(super) struct Shared {
    pub(super) engine: Arc<Engine>,
    pub(super) options: ServerOptions,
    /// Claims whose answers wait for their epoch, on all cores. Each core adds and takes its own; read for admission.
    pub(super) in_flight: AtomicUsize,
    /// Open connections. The acceptor adds, cores take.
    pub(super) connections: AtomicUsize,
    /// Set once, before the cores are told to end: requests that are not decided yet are refused.
    pub(super) draining: AtomicBool,
}

/// What the connections of one core share. Everything here belongs to the core's thread.
pub(super) struct Core {
    pub(super) index: usize,
    pub(super) shared: Arc<Shared>,
    /// Bytes are read into this; only incomplete frames are kept by their connection.
    pub(super) intake: RefCell<Vec<u8>>,
    connections: RefCell<Vec<Rc<Connection>>>,
    /// Connections with replies that wait, in the order of their epochs.
    waiting: RefCell<VecDeque<(Epoch, Rc<Connection>)>>,
    /// The last epoch in which this core used up its share of the group.
    pub(super) full_epoch: Cell<Epoch>,
    /// Woken when this core's share of a group has room again.
    pub(super) room: Notify,
    /// Time of the last sweep: good enough for limits of seconds, and free.
    pub(super) now: Cell<Instant>,
}

struct CoreWake(Arc<Notify>);

impl Wake for CoreWake {
    fn wake(&self) {
        self.0.notify_one();
    }
}

/// A running core.
pub(super) struct CoreHandle {
    /// New connections. Dropping every sender tells the core to answer what it has received, and to end.
    pub(super) streams: mpsc::Sender<std::net::TcpStream>,
    pub(super) thread: JoinHandle<()>,
}

/// Starts the thread of core `index`.
pub(super) fn start(index: usize, shared: Arc<Shared>) -> std::io::Result<CoreHandle> {
    let (streams, arriving) = mpsc::channel(shared.options.connections_max.max(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let thread = thread::Builder::new()
        .name(format!("core-{index}"))
        .spawn(move || LocalSet::new().block_on(&runtime, run(index, shared, arriving)))?;
    Ok(CoreHandle { streams, thread })
}

async fn run(index: usize, shared: Arc<Shared>, mut arriving: mpsc::Receiver<std::net::TcpStream>) {
    let durable = Arc::new(Notify::new());
    shared.engine.journal().set_wake(index, Box::new(CoreWake(Arc::clone(&durable))));
    let core = Rc::new(Core {
        index,
        shared,
        intake: RefCell::new(vec![0; INTAKE_BYTES]),
        connections: RefCell::default(),
        waiting: RefCell::default(),
        full_epoch: Cell::new(0),
        room: Notify::new(),
        now: Cell::new(Instant::now()),
    });
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut draining_until = None;
    loop {
        tokio::select! {
            biased;
            () = durable.notified() => core.flush_durable(),
            stream = arriving.recv(), if draining_until.is_none() => {
                match stream.map(TcpStream::from_std) {
                    Some(Ok(stream)) => core.adopt(stream),
                    // Our runtime is out of files: the client sees a closed connection and comes back.
                    Some(Err(_)) => core.forget(),
                    None => {
                        draining_until = Some(Instant::now() + core.shared.options.drain_timeout);
                        core.wake_all();
                    }
                }
            }
            _ = sweep.tick() => core.sweep(),
        }
        let Some(until) = draining_until else { continue };
        if core.connections.borrow().is_empty() || Instant::now() >= until {
            return;
        }
    }
}

impl Core {
    pub(super) fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    pub(super) fn metrics(&self) -> &CoreMetrics {
        &self.shared.engine.metrics().cores[self.index]
    }

    /// Whether the server leaves.
    pub(super) fn is_leaving(&self) -> bool {
        self.shared.draining.load(Ordering::Relaxed)
    }

    /// Lets `connection` wait for `epoch`, or flushes it if that is durable.
    pub(super) fn flush_when_durable(&self, epoch: Epoch, connection: &Rc<Connection>) {
        let journal = self.engine().journal();
        if journal.may_leave(epoch) {
            connection.flush(self);
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        let is_first = waiting.is_empty();
        if waiting.back().is_none_or(|(last, other)| *last != epoch || !Rc::ptr_eq(other, connection)) {
            waiting.push_back((epoch, Rc::clone(connection)));
        }
        drop(waiting);
        if is_first && journal.wait(self.index, epoch) {
            self.flush_durable();
        }
    }

    /// Sends the replies of all durable epochs, and asks to be woken for the next.
    fn flush_durable(self: &Core) {
        let journal = self.engine().journal();
        loop {
            let due = self.waiting.borrow_mut().pop_front_if(|(epoch, _)| journal.may_leave(*epoch));
            if let Some((_, connection)) = due {
                connection.flush(self);
                continue;
            }
            let next = self.waiting.borrow().front().map(|(epoch, _)| *epoch);
            let durable_meanwhile = next.is_some_and(|epoch| journal.wait(self.index, epoch));
            if !durable_meanwhile || journal.failure().is_some() {
                break;
            }
        }
        self.room.notify_waiters();
    }

    fn adopt(self: &Rc<Self>, stream: TcpStream) {
        let connection = Rc::new(Connection::new(stream, self.now.get()));
        self.connections.borrow_mut().push(Rc::clone(&connection));
        crate::metrics::add(&self.metrics().connections, 1);
        tokio::task::spawn_local(connection::run(connection, Rc::clone(self)));
    }

    fn forget(&self) {
        self.shared.connections.fetch_sub(1, Ordering::Relaxed);
    }

    fn sweep(&self) {
        self.now.set(Instant::now());
        let mut connections = self.connections.borrow_mut();
        connections.retain(|connection| !connection.is_closed());
        for connection in connections.iter().filter(|connection| connection.is_overdue(self)) {
            connection.cut();
        }
    }

    fn wake_all(&self) {
        self.connections.borrow_mut().retain(|connection| !connection.is_closed());
        self.connections.borrow().iter().for_each(|connection| connection.wake());
    }
}
