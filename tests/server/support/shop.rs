//! A server on an engine, in memory or in a folder, and its end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use stockade::access::Access;
use stockade::engine::{self, Engine, EngineOptions, Running, Source, StorageOptions};
use stockade::journal::MemoryStore;
use stockade::metrics::{CoreMetrics, Operation};
use stockade::server::{Server, ServerOptions};
use stockade_protocol::batch::{BatchInfo, Create, Terms};
use stockade_protocol::hello::Durability;
use stockade_protocol::{Opcode, Status};

use super::gate::{Gate, GatedStore};
use super::link::Link;
use super::patience::wait_until;

/// Any free port of this machine.
const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Longer than any test.
const NEVER: Duration = Duration::from_hours(1);

/// A server, its engine, and the gate before the engine's disk.
pub(crate) struct Shop {
    pub(crate) gate: Gate,
    pub(crate) server: Option<Server>,
    running: Running,
    address: SocketAddr,
}

/// Bounds that no test meets by accident.
pub(crate) fn options() -> ServerOptions {
    ServerOptions {
        listen: ANY,
        durability: Durability::Fsync,
        connections_max: 64,
        in_flight_per_connection_max: 1 << 16,
        in_flight_max: 1 << 20,
        reader_threads: 1,
        handshake_timeout: NEVER,
        frame_timeout: NEVER,
        write_stall_timeout: NEVER,
        idle_timeout: NEVER,
        drain_timeout: Duration::ZERO,
        access: Access::default(),
    }
}

/// The shipped bounds, except that reservations may expire at once after a start.
fn engine_options(cores: usize) -> EngineOptions {
    let on_failure = Arc::new(|reason: &str| panic!("the journal failed: {reason}"));
    EngineOptions { restart_grace: Duration::ZERO, ..EngineOptions::new(cores, on_failure) }
}

/// Terms without a window, a limit or a name.
pub(crate) fn terms(stock: u32) -> Terms {
    Terms { stock, ..Terms::default() }
}

/// A creation with these terms.
pub(crate) fn creation(batch: u64, terms: &Terms) -> Create {
    Create::new(batch, terms).expect("a short name")
}

impl Shop {
    /// Opens on a store in memory, behind the gate. Readers have nothing to read there.
    pub(crate) fn open(cores: usize, options: ServerOptions) -> Self {
        let gate = Gate::default();
        let store = Box::new(GatedStore { store: MemoryStore::default(), around: gate.clone() });
        let durability = options.durability;
        let source = Source { store, store_id: 9, witnessed: None, ledger: None, durability };
        let running = engine::start(source, engine_options(cores)).expect("an empty store");
        Self::serve(running, gate, options)
    }

    /// Opens on a folder, with an index and a feed; the gate is before nothing.
    pub(crate) fn kept(folder: &Path, options: ServerOptions) -> Self {
        Self::stored(folder, true, options)
    }

    /// The same, where no index is wanted.
    pub(crate) fn kept_without_index(folder: &Path, options: ServerOptions) -> Self {
        Self::stored(folder, false, options)
    }

    fn stored(folder: &Path, index: bool, options: ServerOptions) -> Self {
        let storage = StorageOptions {
            folder: folder.join("data"),
            // The process does not die here, and the disk of the test is nobody's concern.
            durability: Durability::Os,
            segment_bytes: 4 << 20,
            free_space_floor_bytes: 0,
            ballast_bytes: 0,
            checkpoint_dead_bytes: 64 << 20,
            index,
            feed_retained_bytes: 64 << 20,
        };
        let running = engine::open(&storage, engine_options(2)).expect("a folder that can be used");
        Self::serve(running, Gate::default(), options)
    }

    fn serve(running: Running, gate: Gate, options: ServerOptions) -> Self {
        let server = Server::start(Arc::clone(&running.engine), options).expect("a free port");
        let address = server.address();
        Self { gate, server: Some(server), running, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.running.engine
    }

    /// A client where no token is asked for.
    pub(crate) fn client(&self) -> Link {
        Link::greeted(self.address, "")
    }

    /// A client, and a batch that it has created.
    pub(crate) fn client_with_batch(&self, batch: u64, terms: &Terms) -> Link {
        let mut client = self.client();
        let info = client.ask(Opcode::BatchCreate, &[creation(batch, terms)]).items::<BatchInfo>(Opcode::BatchCreate);
        assert_eq!(info[0].status(), Some(Status::Done));
        client
    }

    /// The sum of a counter over all cores.
    pub(crate) fn sum(&self, counter: impl Fn(&CoreMetrics) -> u64) -> u64 {
        self.engine().metrics().cores.iter().map(|core| counter(core)).sum()
    }

    /// Waits until so many claims were answered so, whether or not the answers could leave.
    pub(crate) fn wait_until_decided(&self, status: Status, claims: u64) {
        self.wait_until_answered(Operation::Claim, status, claims);
    }

    /// The same for another operation.
    pub(crate) fn wait_until_answered(&self, operation: Operation, status: Status, items: u64) {
        wait_until("the items are decided", || self.sum(|core| core.answers(operation, status)) >= items);
    }

    /// Waits until the answers of exactly so many claims wait for the disk.
    pub(crate) fn wait_until_waiting(&self, claims: u64) {
        let waiting = |core: &CoreMetrics| core.waiting_claims.load(Ordering::Relaxed);
        wait_until("the answers wait", || self.sum(waiting) == claims);
    }

    /// Bytes that the server has read so far, on all connections.
    pub(crate) fn received_bytes(&self) -> u64 {
        self.sum(|core| core.received_bytes.load(Ordering::Relaxed))
    }

    /// Sends bytes on a connection and waits until the server has read them.
    pub(crate) fn send_and_see(&self, link: &mut Link, bytes: &[u8]) {
        let before = self.received_bytes();
        link.send(bytes);
        wait_until("the bytes are read", || self.received_bytes() >= before + bytes.len() as u64);
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.gate.open();
        if let Some(server) = self.server.take() {
            server.shutdown();
        }
    }
}
