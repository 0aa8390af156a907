//! A server that does what the test says, frame by frame or by a closure.

pub(crate) mod events;

use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use stockade_client::{Builder, ClaimRequest, Client, Durability, Status};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};
use stockade_protocol::fault::Fault;
use stockade_protocol::frame::{self, Side};
use stockade_protocol::hello::{Hello, Welcome};
use stockade_protocol::limits::REQUEST_BODY_BYTES_MAX;
use stockade_protocol::{Header, Opcode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Longer than any test runs, so that no test depends on how fast the machine is.
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// The claim that most tests make.
pub(crate) const CLAIM: ClaimRequest =
    ClaimRequest { batch: 1, user: 9, request: 7, audience: 0, quantity: 1, up_to: false };

/// The same claim of another user.
pub(crate) fn claim_of(user: u64) -> ClaimRequest {
    ClaimRequest { user, ..CLAIM }
}

/// Runs calls against the server's script. Calls that end while the script still waits for them fail the test, with
/// their result, instead of hanging it.
pub(crate) async fn play<C: Debug, S>(calls: impl Future<Output = C>, script: impl Future<Output = S>) -> (C, S) {
    let (mut calls, mut script) = (pin!(calls), pin!(script));
    tokio::select! {
        biased;
        played = &mut script => (calls.await, played),
        result = &mut calls => tokio::select! {
            biased;
            played = &mut script => (result, played),
            () = settle() => panic!("the script still waits, but the calls ended with {result:?}"),
        },
    }
}

/// The same for calls that get nothing more from the server once the script has ended: then the clock jumps from timer
/// to timer until they end.
pub(crate) async fn play_out<C: Debug, S>(calls: impl Future<Output = C>, script: impl Future<Output = S>) -> (C, S) {
    let played = play(calls, async {
        let played = script.await;
        time::pause();
        played
    });
    let played = played.await;
    time::resume();
    played
}

/// The result of a call that needs nothing from the network.
pub(crate) async fn at_once<C>(call: impl Future<Output = C>) -> C {
    tokio::select! {
        biased;
        result = call => result,
        () = settle() => panic!("the call waits for something"),
    }
}

/// Lets every other task run until it waits for something that only the test can do.
pub(crate) async fn settle() {
    // The scheduler looks at its sockets every 61 turns at the latest.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

/// A listener on a free loopback port, and what it says in its welcomes.
pub(crate) struct FakeServer {
    listener: TcpListener,
    pub(crate) welcome: Welcome,
}

impl FakeServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let mut welcome = Welcome::new(Durability::Fsync, "0.1.0-fake");
        welcome.cores = 4.into();
        welcome.claims_per_frame_max = 8_192.into();
        welcome.in_flight_claims_max = 65_536.into();
        welcome.ttl_s_max = 3_600.into();
        welcome.store_id = 77.into();
        welcome.durable_epoch = 5.into();
        Self { listener, welcome }
    }

    pub(crate) fn address(&self) -> String {
        self.listener.local_addr().expect("bound").to_string()
    }

    /// A client of this server: one connection, short pauses, and limits that no test reaches by the wall clock.
    pub(crate) fn client(&self) -> Builder {
        Client::builder(self.address())
            .connections(1)
            .deadline(HOUR)
            .silence_limit(2 * HOUR)
            .backoff(Duration::from_millis(1), Duration::from_millis(2))
    }

    /// The next connection, before its handshake.
    pub(crate) async fn accept_silently(&self) -> Peer {
        let (stream, _) = self.listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a live socket");
        Peer { stream, buffer: BytesMut::new() }
    }

    /// The next connection, its handshake done.
    pub(crate) async fn accept(&self) -> Peer {
        self.welcomed(self.accept_silently().await).await
    }

    /// A connection that another listener accepted, its handshake done.
    pub(crate) async fn adopt(&self, stream: TcpStream) -> Peer {
        self.welcomed(Peer { stream, buffer: BytesMut::new() }).await
    }

    async fn welcomed(&self, mut peer: Peer) -> Peer {
        let hello = peer.frame().await;
        assert_eq!(hello.opcode, Opcode::Hello);
        peer.reply(&hello, &[self.welcome]).await;
        peer
    }

    /// Answers every connection from a closure until the test ends. Returns a count of the connections.
    pub(crate) fn serve(self, answer: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static) -> Arc<AtomicUsize> {
        let (count, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(answer));
        let accepted = Arc::clone(&count);
        tokio::spawn(async move {
            loop {
                let mut peer = self.accept().await;
                accepted.fetch_add(1, Ordering::Relaxed);
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    while let Some(received) = peer.next_frame().await {
                        peer.send(&answer(&received)).await;
                    }
                });
            }
        });
        count
    }
}

/// The server's end of one connection.
pub(crate) struct Peer {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Peer {
    /// The next frame; `None` when the client has closed.
    pub(crate) async fn next_frame(&mut self) -> Option<Received> {
        loop {
            if let Some(received) = self.decoded() {
                return Some(received);
            }
            // A reset is an end, too: the client may close with bytes unread.
            if matches!(self.stream.read_buf(&mut self.buffer).await, Ok(0) | Err(_)) {
                return None;
            }
        }
    }

    /// The next frame, which must come.
    pub(crate) async fn frame(&mut self) -> Received {
        self.next_frame().await.expect("the client closed where a frame was due")
    }

    /// A frame that is there already, once every other task has sent what it can.
    pub(crate) async fn frame_if_any(&mut self) -> Option<Received> {
        settle().await;
        // Every error, "would block" among them, means that nothing more is there.
        while self.stream.try_read_buf(&mut self.buffer).is_ok_and(|bytes| bytes > 0) {}
        self.decoded()
    }

    /// Whether the client has closed, and sent nothing before that is not read yet.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.stream.try_read(&mut [0]), Ok(0))
    }

    fn decoded(&mut self) -> Option<Received> {
        let decoded = frame::decode(Side::Server, &self.buffer, REQUEST_BODY_BYTES_MAX);
        let (frame, length) = decoded.expect("the client sends valid frames")?;
        let received = Received {
            opcode: frame.opcode,
            count: frame.count,
            correlation: frame.correlation,
            deadline_ms: frame.deadline_ms,
            body: frame.body().to_vec(),
        };
        self.buffer.advance(length);
        Some(received)
    }

    pub(crate) async fn reply<T: IntoBytes + Immutable>(&mut self, to: &Received, items: &[T]) {
        self.send(&to.answered(items)).await;
    }

    pub(crate) async fn refuse(&mut self, to: &Received, status: Status, text: &str) {
        self.send(&to.refused(status, text)).await;
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the client is there");
    }
}

/// A request frame, owned.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) opcode: Opcode,
    pub(crate) count: u32,
    pub(crate) correlation: u64,
    pub(crate) deadline_ms: u32,
    body: Vec<u8>,
}

impl Received {
    pub(crate) fn items<T: FromBytes + KnownLayout + Immutable + Unaligned>(&self) -> &[T] {
        <[T]>::ref_from_bytes(&self.body).expect("items of that kind")
    }

    pub(crate) fn claims(&self) -> &[Claim] {
        assert_eq!(self.opcode, Opcode::Claim);
        self.items()
    }

    /// The only claim, as (batch, user, request).
    pub(crate) fn claim_key(&self) -> (u64, u64, u64) {
        let [claim] = self.claims() else { panic!("{} claims where one was due", self.count) };
        (claim.batch.get(), claim.user.get(), claim.request.get())
    }

    pub(crate) fn hello(&self) -> (&str, &str) {
        let [hello] = self.items::<Hello>() else { panic!("not a handshake") };
        hello.texts().expect("well-formed texts")
    }

    pub(crate) fn keys(&self) -> &[RequestKey] {
        assert!(matches!(self.opcode, Opcode::Lookup | Opcode::Serials | Opcode::Confirm | Opcode::Cancel));
        self.items()
    }

    pub(crate) fn answered<T: IntoBytes + Immutable>(&self, items: &[T]) -> Vec<u8> {
        let count = u32::try_from(items.len()).expect("a test's frame");
        let mut bytes = Header::reply(self.opcode, count, self.correlation).as_bytes().to_vec();
        bytes.extend_from_slice(items.as_bytes());
        bytes
    }

    pub(crate) fn refused(&self, status: Status, text: &str) -> Vec<u8> {
        let mut bytes = Header::reply(Opcode::Fault, 1, self.correlation).as_bytes().to_vec();
        bytes.extend_from_slice(Fault::new(status, text).as_bytes());
        bytes
    }

    /// Grants every claim: each user gets the serial that is the user's number.
    pub(crate) fn granted(&self) -> Vec<u8> {
        let serial = |claim: &Claim| u32::try_from(claim.user.get()).expect("a test's user");
        let replies: Vec<_> = self.claims().iter().map(|claim| ClaimReply::granted(1, serial(claim), 1)).collect();
        self.answered(&replies)
    }
}
