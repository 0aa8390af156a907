//! Claims over a real data port, counted by result, core, connection, byte and stage.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use stockade::access::Access;
use stockade::engine::{Engine, Running, Source};
use stockade::journal::{Reader, Store, StoreError, Visit};
use stockade::server::{Server, ServerOptions};
use stockade::types::Epoch;
use stockade_protocol::Status::{Granted, LimitReached, SoldOut};
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::hello::{Durability, Hello};
use stockade_protocol::limits::REPLY_BODY_BYTES_MAX;
use stockade_protocol::ping::Ping;
use stockade_protocol::{Header, Opcode};
use zerocopy::{FromZeros, Immutable, IntoBytes};

use crate::support::{ANY, admin_of, connect, creation, engine_on, memory_engine, scrape};

pub(crate) fn serve(engine: &Arc<Engine>) -> Server {
    let limit = Duration::from_mins(1);
    let options = ServerOptions {
        listen: ANY,
        durability: Durability::Memory,
        connections_max: 8,
        in_flight_per_connection_max: 100,
        in_flight_max: 100,
        reader_threads: 1,
        handshake_timeout: limit,
        frame_timeout: limit,
        write_stall_timeout: limit,
        idle_timeout: limit,
        drain_timeout: limit,
        access: Access::default(),
    };
    Server::start(Arc::clone(engine), options).expect("a free port")
}

/// A client of the data port that counts its bytes.
pub(crate) struct Gateway {
    pub(crate) stream: TcpStream,
    sent: u64,
    received: u64,
}

impl Gateway {
    pub(crate) fn connect(server: &Server) -> Self {
        let mut gateway = Self { stream: connect(server.address()), sent: 0, received: 0 };
        gateway.send(Opcode::Hello, &[Hello::new("gateway", "").expect("short texts")]);
        gateway.receive();
        gateway
    }

    pub(crate) fn send<T: IntoBytes + Immutable>(&mut self, opcode: Opcode, items: &[T]) {
        let header = Header::request(opcode, u32::try_from(items.len()).expect("few items"), 1, 0);
        let bytes = [header.as_bytes(), items.as_bytes()].concat();
        self.stream.write_all(&bytes).expect("the server reads");
        self.sent += bytes.len() as u64;
    }

    /// Reads one reply frame.
    pub(crate) fn receive(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            if let Some((frame, length)) = decode(Side::Client, &bytes, REPLY_BODY_BYTES_MAX).expect("a frame") {
                assert_ne!(frame.opcode, Opcode::Fault);
                assert_eq!(length, bytes.len(), "one reply for one request");
                return bytes;
            }
            let mut more = [0; 4_096];
            let read = self.stream.read(&mut more).expect("the server answers");
            assert!(read > 0, "the server hung up");
            bytes.extend_from_slice(&more[..read]);
            self.received += read as u64;
        }
    }

    fn claim(&mut self, claims: &[Claim]) -> Vec<ClaimReply> {
        self.send(Opcode::Claim, claims);
        let bytes = self.receive();
        let decoded = decode(Side::Client, &bytes, REPLY_BODY_BYTES_MAX).expect("a frame");
        let (frame, _) = decoded.expect("a whole frame");
        frame.items::<ClaimReply>().expect("replies to claims").to_vec()
    }
}

#[test]
fn every_answer_is_counted_where_it_belongs() {
    let running = memory_engine(2);
    let (server, admin) = (serve(&running.engine), admin_of(&running));
    let mut gateways = [Gateway::connect(&server), Gateway::connect(&server)];
    gateways[0].send(Opcode::BatchCreate, &[creation(7, 2)]);
    gateways[0].receive();

    let of = |user, request| Claim::new(7, user, request, 1);
    let replies = gateways[0].claim(&[of(1, 1), of(1, 1), of(1, 2), of(2, 1), of(3, 1), of(4, 1)]);
    let statuses = replies.iter().map(|reply| reply.status().unwrap()).collect::<Vec<_>>();
    assert_eq!(statuses, [Granted, Granted, LimitReached, Granted, SoldOut, SoldOut]);
    gateways[1].claim(&[of(1, 1), Claim::new(99, 1, 1, 1), Claim::new(7, 5, 1, 0)]);
    // A pong shows that the core has counted the bytes of the reply before.
    let before_pong = gateways.each_ref().map(|gateway| gateway.received).iter().sum::<u64>();
    for gateway in &mut gateways {
        gateway.send(Opcode::Ping, &[Ping::new_zeroed()]);
        gateway.receive();
    }

    let page = scrape(&admin);
    let mut results = page.family("stockade_claims_total").by("result");
    results.retain(|_, count| *count > 0);
    let expected = [
        ("batch_unknown", 1),
        ("granted", 2),
        ("limit_reached", 1),
        ("quantity_invalid", 1),
        ("replayed", 2),
        ("sold_out", 2),
    ];
    assert_eq!(results.into_iter().collect::<Vec<_>>(), expected);
    let mut by_core = page.family("stockade_core_claims_total").by("core").into_values().collect::<Vec<_>>();
    by_core.sort_unstable();
    assert_eq!(by_core, [3, 6], "connections are dealt out in turn");

    let count = |name: &str| page.count(name, &[]);
    assert_eq!(count("stockade_connections"), 2);
    assert_eq!(count("stockade_waiting_claims"), 0);
    let sent = gateways.each_ref().map(|gateway| gateway.sent).iter().sum::<u64>();
    assert_eq!(count("stockade_received_bytes_total"), sent);
    let received = gateways.each_ref().map(|gateway| gateway.received).iter().sum::<u64>();
    let counted = count("stockade_sent_bytes_total");
    assert!((before_pong..=received).contains(&counted), "{before_pong} ≤ {counted} ≤ {received}");
    // Two handshakes, one creation, two frames of claims, two pings: each was a burst of its own, and had answers.
    for stage in ["decide", "commit"] {
        let count = page.count("stockade_request_duration_seconds_count", &[("stage", stage)]);
        assert_eq!(count, 7, "{stage}");
    }
    drop(gateways);
    server.shutdown();
}

/// A store whose writes wait for a permit.
struct Gate {
    arrived: Sender<()>,
    permits: Receiver<()>,
}

impl Store for Gate {
    fn write(&mut self, _epoch: Epoch, _group: &[u8]) -> Result<(), StoreError> {
        self.arrived.send(()).expect("the test watches");
        self.permits.recv().map_err(|_| StoreError { reason: "the test is over".to_owned() })
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Reader for Gate {
    fn for_each(&self, _after: Epoch, _visit: &mut Visit<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn for_each_of_checkpoint(
        &self,
        _generation: u64,
        _after: Epoch,
        _visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        Ok(())
    }
}

/// An engine whose disk waits for permits. What it gives must be dropped before the engine, which ends only when its
/// last write does: a tuple's parts are dropped from the last to the first.
fn gated_engine() -> (Running, Sender<()>, Receiver<()>) {
    let ((arrived, arrivals), (permit, permits)) = (channel(), channel());
    let store = Box::new(Gate { arrived, permits });
    let source = Source { store, store_id: 1, witnessed: None, ledger: None, durability: Durability::Fsync };
    (engine_on(source, 1), permit, arrivals)
}

#[test]
fn claims_wait_while_the_disk_is_slow() {
    let (running, permit, arrivals) = gated_engine();
    let (server, admin) = (serve(&running.engine), admin_of(&running));
    let mut gateway = Gateway::connect(&server);
    permit.send(()).unwrap();
    gateway.send(Opcode::BatchCreate, &[creation(7, 10)]);
    gateway.receive();
    arrivals.recv().unwrap();

    gateway.send(Opcode::Claim, &[Claim::new(7, 1, 1, 1), Claim::new(7, 2, 1, 1), Claim::new(7, 3, 1, 1)]);
    arrivals.recv().unwrap();
    let waiting = || scrape(&admin).count("stockade_waiting_claims", &[]);
    let mut rounds = 0;
    // The core counts them just after it has handed them in.
    while waiting() != 3 {
        rounds += 1;
        assert!(rounds < 100_000, "three claims wait, not {}", waiting());
    }
    let granted = scrape(&admin).count("stockade_claims_total", &[("result", "granted")]);
    assert_eq!(granted, 3, "they are decided");
    permit.send(()).unwrap();
    gateway.receive();
    assert_eq!(waiting(), 0);
    drop(gateway);
    server.shutdown();
}
