//! A small and correct server of the protocol, in this process, that can be told to lie or to break down.
//!
//! Threads and one lock: nothing in it is fast, so that nothing in it is clever.

pub(crate) mod admin;
pub(crate) mod files;
mod stock;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use stockade_loadtest::{Plan, Progress, Report, run};
use stockade_protocol::batch::{BatchId, Change, Create};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::fault::Fault;
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::hello::{Durability, Welcome};
use stockade_protocol::limits::{CLAIMS_PER_FRAME_MAX, REQUEST_BODY_BYTES_MAX};
use stockade_protocol::{Frame, Header, Opcode, Status};
use zerocopy::{Immutable, IntoBytes};

pub(crate) use stock::Lie;
use stock::Stock;

/// What goes wrong without a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// Every so many frames of claims, the connection closes after deciding one and before answering it.
    LosesReplies { every: u64 },
    /// Once, after so many frames of claims, all connections close and the port is opened anew.
    Restarts { after: u64 },
    /// The first frame of claims is decided and never answered.
    SwallowsFirst,
    /// Every so many frames of claims, one is refused as a whole with `OVERLOADED`.
    Overloads { every: u64 },
    /// The frames of one read are answered last to first.
    AnswersBackwards,
    /// Every reply to claims has a correlation id that nobody asked for.
    AnswersOthers,
    /// Every so many frames of claims, the reply leaves out the last claim.
    AnswersFewer { every: u64 },
    /// Every so many frames of batches, the connection closes after they are created or found and before the answer.
    LosesBatchReplies { every: u64 },
    /// No more than so many batches are created.
    HasRoomFor { batches: usize },
}

/// A running server. It stops when it is dropped.
pub(crate) struct FakeServer {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    trouble: Trouble,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stock: Stock,
    claim_frames: u64,
    batch_frames: u64,
    connections: HashMap<SocketAddr, TcpStream>,
    reopens: bool,
    is_over: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a panic aborts the test")
    }
}

/// What becomes of one frame.
enum Reaction {
    Reply(Vec<u8>),
    Silence,
    Close,
}

impl FakeServer {
    pub(crate) fn honest() -> Self {
        Self::start(Lie::None, Trouble::None)
    }

    pub(crate) fn lying(lie: Lie) -> Self {
        Self::start(lie, Trouble::None)
    }

    pub(crate) fn troubled(trouble: Trouble) -> Self {
        Self::start(Lie::None, trouble)
    }

    fn start(lie: Lie, trouble: Trouble) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { stock: Stock::new(lie), ..State::default() };
        let shared = Arc::new(Shared { trouble, state: Mutex::new(state) });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(listener, address, &accepting));
        Self { address, shared }
    }

    /// A plan against this server: a closed loop of exactly `claims`, all of them measured. The duration is only a
    /// bound.
    pub(crate) fn plan(&self, claims: u64) -> Plan {
        let mut plan = Plan { server: self.address.to_string(), closed: true, claims: Some(claims), ..Plan::default() };
        (plan.connections, plan.window, plan.claims_per_frame) = (4, 4, 8);
        (plan.warm_up, plan.duration) = (std::time::Duration::ZERO, std::time::Duration::from_mins(2));
        plan
    }

    /// Batches that are there, and those that are closed.
    pub(crate) fn batches(&self) -> (usize, usize) {
        self.shared.lock().stock.batches()
    }

    /// Units that the server granted, as it knows in truth.
    pub(crate) fn granted_in_truth(&self) -> u64 {
        self.shared.lock().stock.granted_in_truth()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        // After a panic of a server thread there is nothing to end.
        if let Ok(mut state) = self.shared.state.lock() {
            state.is_over = true;
        }
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

/// Carries out `plan`.
pub(crate) fn report(plan: &Plan) -> Report {
    run(plan, &Progress::new(plan.threads)).unwrap()
}

/// The names of the faults that the verification of `report` found.
pub(crate) fn faults(report: &Report) -> Vec<&'static str> {
    report.verification.faults().iter().filter(|(_, count)| *count > 0).map(|(name, _)| *name).collect()
}

fn accept(mut listener: TcpListener, address: SocketAddr, shared: &Arc<Shared>) {
    while let Ok((stream, peer)) = listener.accept() {
        let mut state = shared.lock();
        if state.is_over {
            return;
        }
        if std::mem::take(&mut state.reopens) {
            drop(listener);
            listener = TcpListener::bind(address).unwrap();
            continue;
        }
        state.connections.insert(peer, stream.try_clone().unwrap());
        drop(state);
        let shared = Arc::clone(shared);
        thread::spawn(move || serve(stream, peer, &shared));
    }
}

fn serve(mut stream: TcpStream, peer: SocketAddr, shared: &Shared) {
    let mut received = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut chunk) {
        received.extend_from_slice(&chunk[..length]);
        let mut replies = Vec::new();
        let mut used = 0;
        let mut closes = false;
        while let Some((frame, length)) = decode(Side::Server, &received[used..], REQUEST_BODY_BYTES_MAX).unwrap() {
            used += length;
            match shared.react(&frame) {
                Reaction::Reply(bytes) => replies.push(bytes),
                Reaction::Silence => {}
                Reaction::Close => {
                    closes = true;
                    break;
                }
            }
        }
        received.drain(..used);
        if shared.trouble == Trouble::AnswersBackwards {
            replies.reverse();
        }
        if stream.write_all(&replies.concat()).is_err() || closes {
            break;
        }
    }
    // The state keeps a second handle of the socket: without this, it would stay open.
    let _ = stream.shutdown(Shutdown::Both);
    shared.lock().connections.remove(&peer);
}

impl Shared {
    fn react(&self, frame: &Frame<'_>) -> Reaction {
        let mut state = self.lock();
        let stock = &mut state.stock;
        let bytes = match frame.opcode {
            Opcode::Claim => return self.claim(&mut state, frame),
            Opcode::Hello => reply(frame, &[welcome()]),
            Opcode::Lookup => reply(frame, &map(frame.items::<RequestKey>(), |key| stock.look_up(key))),
            Opcode::BatchCreate => {
                let room = if let Trouble::HasRoomFor { batches } = self.trouble { batches } else { usize::MAX };
                reply(frame, &map(frame.items::<Create>(), |create| stock.create(create, room)))
            }
            Opcode::BatchShow => reply(frame, &map(frame.items::<BatchId>(), |id| stock.show(id.batch.get()))),
            Opcode::BatchChange => reply(frame, &map(frame.items::<Change>(), |change| stock.change(change))),
            opcode => panic!("the load test does not send {opcode:?}"),
        };
        if matches!(frame.opcode, Opcode::BatchCreate | Opcode::BatchShow | Opcode::BatchChange) {
            state.batch_frames += 1;
            let number = state.batch_frames;
            if matches!(self.trouble, Trouble::LosesBatchReplies { every } if number.is_multiple_of(every)) {
                return Reaction::Close;
            }
        }
        Reaction::Reply(bytes)
    }

    fn claim(&self, state: &mut State, frame: &Frame<'_>) -> Reaction {
        state.claim_frames += 1;
        let number = state.claim_frames;
        if matches!(self.trouble, Trouble::Overloads { every } if number.is_multiple_of(every)) {
            let fault = Fault::new(Status::Overloaded, "try later");
            let header = Header::reply(Opcode::Fault, 1, frame.correlation);
            return Reaction::Reply([header.as_bytes(), fault.as_bytes()].concat());
        }
        let items = map(frame.items::<Claim>(), |claim| state.stock.claim(claim));
        match self.trouble {
            Trouble::LosesReplies { every } if number.is_multiple_of(every) => Reaction::Close,
            Trouble::Restarts { after } if number == after => {
                state.reopens = true;
                for connection in state.connections.values() {
                    let _ = connection.shutdown(Shutdown::Both);
                }
                Reaction::Close
            }
            Trouble::SwallowsFirst if number == 1 => Reaction::Silence,
            Trouble::AnswersOthers => {
                let header = Header::reply(Opcode::Claim, frame.count, frame.correlation ^ 0xff);
                Reaction::Reply([header.as_bytes(), items.as_bytes()].concat())
            }
            Trouble::AnswersFewer { every } if number.is_multiple_of(every) => {
                let header = Header::reply(Opcode::Claim, frame.count - 1, frame.correlation);
                Reaction::Reply([header.as_bytes(), items[1..].as_bytes()].concat())
            }
            Trouble::None
            | Trouble::AnswersFewer { .. }
            | Trouble::LosesReplies { .. }
            | Trouble::Restarts { .. }
            | Trouble::SwallowsFirst
            | Trouble::Overloads { .. }
            | Trouble::LosesBatchReplies { .. }
            | Trouble::HasRoomFor { .. }
            | Trouble::AnswersBackwards => Reaction::Reply(reply(frame, &items)),
        }
    }
}

fn map<Item, Answer>(items: Result<&[Item], Status>, answer: impl FnMut(&Item) -> Answer) -> Vec<Answer> {
    items.unwrap().iter().map(answer).collect()
}

fn reply<Item: IntoBytes + Immutable>(frame: &Frame<'_>, items: &[Item]) -> Vec<u8> {
    let header = Header::reply(frame.opcode, frame.count, frame.correlation);
    [header.as_bytes(), items.as_bytes()].concat()
}

fn welcome() -> Welcome {
    let mut welcome = Welcome::new(Durability::Memory, "fake 1.0");
    welcome.cores = 1.into();
    welcome.claims_per_frame_max = CLAIMS_PER_FRAME_MAX.into();
    welcome.in_flight_claims_max = (1 << 20).into();
    welcome
}
