//! A small and correct server of the protocol, in this process, that can be told to lie or to break down.
//!
//! Threads and one lock: nothing in it is fast, so that nothing in it is clever.

pub(crate) mod admin;
mod coupons;
pub(crate) mod files;
mod stock;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use stockade_loadtest::{Plan, Progress, Report, run};
use stockade_protocol::batch::{BatchId, Change, Create, Terms};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::coupon::{self, CouponKey};
use stockade_protocol::fault::Fault;
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::hello::{Durability, Welcome};
use stockade_protocol::limits::{CLAIMS_PER_FRAME_MAX, REQUEST_BODY_BYTES_MAX};
use stockade_protocol::reservation::Reserve;
use stockade_protocol::wallet::WalletQuery;
use stockade_protocol::{Frame, Header, Opcode, Status};
use zerocopy::{Immutable, IntoBytes};

pub(crate) use stock::Lie;
use stock::Stock;

/// What goes wrong without a lie. "Claims" are whatever a run does over and over.
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
    /// This frame of claims is decided and never answered.
    Swallows { number: u64 },
    /// Every so many frames of claims, one is answered twice.
    AnswersTwice { every: u64 },
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

    pub(crate) fn lying_and_troubled(lie: Lie, trouble: Trouble) -> Self {
        Self::start(lie, trouble)
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

    /// The terms of some batch.
    pub(crate) fn terms(&self) -> Terms {
        self.shared.lock().stock.terms()
    }

    /// Coupons that were redeemed.
    pub(crate) fn redeemed(&self) -> u64 {
        self.shared.lock().stock.redeemed()
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
            Opcode::Claim | Opcode::Reserve | Opcode::Confirm | Opcode::CouponChange | Opcode::Wallet => {
                return self.work(&mut state, frame);
            }
            Opcode::Hello => reply(frame, &[welcome()]),
            Opcode::Lookup => reply(frame, &map(frame.items::<RequestKey>(), |key| stock.look_up(key))),
            Opcode::BatchCreate => {
                let room = if let Trouble::HasRoomFor { batches } = self.trouble { batches } else { usize::MAX };
                reply(frame, &map(frame.items::<Create>(), |create| stock.create(create, room)))
            }
            Opcode::CouponShow => reply(frame, &map(frame.items::<CouponKey>(), |key| stock.show_coupon(key))),
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

    /// What a run does over and over: each of the troubles may befall it.
    fn work(&self, state: &mut State, frame: &Frame<'_>) -> Reaction {
        state.claim_frames += 1;
        let number = state.claim_frames;
        if matches!(self.trouble, Trouble::Overloads { every } if number.is_multiple_of(every)) {
            let fault = Fault::new(Status::Overloaded, "try later");
            let header = Header::reply(Opcode::Fault, 1, frame.correlation);
            return Reaction::Reply([header.as_bytes(), fault.as_bytes()].concat());
        }
        let (count, items) = decided(&mut state.stock, frame);
        let told = |count: u32, correlation: u64, items: &[u8]| {
            Reaction::Reply([Header::reply(frame.opcode, count, correlation).as_bytes(), items].concat())
        };
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
            Trouble::Swallows { number: swallowed } if number == swallowed => Reaction::Silence,
            Trouble::AnswersOthers => told(count, frame.correlation ^ 0xff, &items),
            Trouble::AnswersTwice { every } if number.is_multiple_of(every) => {
                let once = [Header::reply(frame.opcode, count, frame.correlation).as_bytes(), &items].concat();
                Reaction::Reply([&once[..], &once[..]].concat())
            }
            Trouble::AnswersFewer { every } if number.is_multiple_of(every) => {
                told(count - 1, frame.correlation, &items[items.len() / count as usize..])
            }
            Trouble::None
            | Trouble::AnswersFewer { .. }
            | Trouble::AnswersTwice { .. }
            | Trouble::LosesReplies { .. }
            | Trouble::Restarts { .. }
            | Trouble::SwallowsFirst
            | Trouble::Swallows { .. }
            | Trouble::Overloads { .. }
            | Trouble::LosesBatchReplies { .. }
            | Trouble::HasRoomFor { .. }
            | Trouble::AnswersBackwards => told(count, frame.correlation, &items),
        }
    }
}

/// The items of the reply to `frame`, and how many they are.
fn decided(stock: &mut Stock, frame: &Frame<'_>) -> (u32, Vec<u8>) {
    let items = match frame.opcode {
        Opcode::Claim => map(frame.items::<Claim>(), |claim| stock.claim(claim)).as_bytes().to_vec(),
        Opcode::Reserve => map(frame.items::<Reserve>(), |reserve| stock.reserve(reserve)).as_bytes().to_vec(),
        Opcode::Confirm => map(frame.items::<RequestKey>(), |key| stock.confirm(key)).as_bytes().to_vec(),
        Opcode::CouponChange => {
            map(frame.items::<coupon::Change>(), |change| stock.change_coupon(change)).as_bytes().to_vec()
        }
        Opcode::Wallet => {
            let page = stock.wallet(frame.item::<WalletQuery>().unwrap());
            return (u32::try_from(page.len()).unwrap(), page.as_bytes().to_vec());
        }
        opcode => panic!("{opcode:?} is not done over and over"),
    };
    (frame.count, items)
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
    welcome.ttl_s_max = 3_600.into();
    welcome
}
