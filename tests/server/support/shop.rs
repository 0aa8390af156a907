//! A server on an engine in memory, and its end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use stockade::access::Access;
use stockade::engine::{self, Engine, EngineOptions, Running, Source};
use stockade::journal::MemoryStore;
use stockade::metrics::CoreMetrics;
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
        handshake_timeout: NEVER,
        frame_timeout: NEVER,
        write_stall_timeout: NEVER,
        idle_timeout: NEVER,
        drain_timeout: Duration::ZERO,
        access: Access::default(),
    }
}

/// Terms without a window, a limit or a name.
pub(crate) fn terms(stock: u32) -> Terms {
    Terms { stock, per_user: None, starts_ms: None, ends_ms: None, draft: false, name: String::new() }
}

/// A creation with these terms.
pub(crate) fn creation(batch: u64, terms: &Terms) -> Create {
    Create::new(batch, terms).expect("a short name")
}

impl Shop {
    /// Opens on a store of its own.
    pub(crate) fn open(cores: usize, options: ServerOptions) -> Self {
        let gate = Gate::default();
        let store = Box::new(GatedStore { store: MemoryStore::default(), around: gate.clone() });
        let durability = options.durability;
        let source = Source { store, store_id: 9, witnessed: None, ledger: None, durability };
        let on_failure = Arc::new(|reason: &str| panic!("the journal failed: {reason}"));
        let running = engine::start(source, EngineOptions::new(cores, on_failure)).expect("an empty store");
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
        wait_until("the claims are decided", || self.sum(|core| core.claims_answered(status)) >= claims);
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
