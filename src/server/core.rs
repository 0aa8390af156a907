//! A core: one network thread, its connections, and what they share.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::task::LocalSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::connection::{self, Connection};
use super::desk::Desk;
use super::feeder::Feeder;
use super::intake::INTAKE_BYTES;
use super::options::ServerOptions;
use super::reader::{Delivery, Readers};
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
    pub(super) readers: Readers,
    pub(super) feeder: Option<Feeder>,
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
    /// Those that other threads send frames to, by number.
    addressed: RefCell<HashMap<u64, Weak<Connection>>>,
    /// Number of the next connection.
    next_number: Cell<u64>,
    /// Where requests go that no core answers.
    pub(super) desk: Desk,
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
pub(super) fn start(
    index: usize,
    shared: Arc<Shared>,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
) -> std::io::Result<CoreHandle> {
    let (streams, arriving) = mpsc::channel(shared.options.connections_max.max(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let thread = thread::Builder::new()
        .name(format!("core-{index}"))
        .spawn(move || LocalSet::new().block_on(&runtime, run(index, shared, arriving, deliveries)))?;
    Ok(CoreHandle { streams, thread })
}

async fn run(
    index: usize,
    shared: Arc<Shared>,
    mut arriving: mpsc::Receiver<std::net::TcpStream>,
    mut deliveries: mpsc::UnboundedReceiver<Delivery>,
) {
    let desk = Desk::new(index, shared.readers.jobs(), shared.feeder.as_ref().and_then(Feeder::asks));
    let durable = Arc::new(Notify::new());
    shared.engine.journal().set_wake(index, Box::new(CoreWake(Arc::clone(&durable))));
    let core = Rc::new(Core {
        index,
        shared,
        intake: RefCell::new(vec![0; INTAKE_BYTES]),
        connections: RefCell::default(),
        addressed: RefCell::default(),
        next_number: Cell::new(0),
        desk,
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
            Some(delivery) = deliveries.recv() => core.deliver(&delivery),
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
        let number = self.next_number.replace(self.next_number.get() + 1);
        let connection = Rc::new(Connection::new(stream, number, self.now.get()));
        self.connections.borrow_mut().push(Rc::clone(&connection));
        crate::metrics::add(&self.metrics().connections, 1);
        tokio::task::spawn_local(connection::run(connection, Rc::clone(self)));
    }

    /// Lets other threads send frames to a connection.
    pub(super) fn address(&self, connection: &Rc<Connection>) {
        self.addressed.borrow_mut().entry(connection.number).or_insert_with(|| Rc::downgrade(connection));
    }

    /// No thread sends anything to a connection any more.
    pub(super) fn unaddress(&self, connection: &Connection) {
        self.addressed.borrow_mut().remove(&connection.number);
    }

    fn deliver(&self, delivery: &Delivery) {
        let connection = self.addressed.borrow().get(&delivery.connection).and_then(Weak::upgrade);
        connection.iter().for_each(|connection| connection.deliver(delivery, self));
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
