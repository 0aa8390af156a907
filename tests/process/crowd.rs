//! The crowd: threads that claim over plain sockets, retry what was not answered, and write down every answer.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use stockade_protocol::batch::{BatchId, BatchInfo, Create, Terms};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::hello::Hello;
use stockade_protocol::limits::REPLY_BODY_BYTES_MAX;
use stockade_protocol::{Header, Opcode, Status};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Claims of one frame.
const FRAME_CLAIMS: usize = 32;

/// Users who are at the sale at one time: few enough that limits and repeated claims of one user are common.
const USERS: u64 = 60_000;

/// Claims of a thread after which one user leaves and another comes, so that there is always somebody to grant to.
const CLAIMS_PER_NEWCOMER: u64 = 256;

/// A claim's identity: batch, user, request.
type Key = (u64, u64, u64);

/// What was acknowledged.
#[derive(Clone, Default)]
pub(crate) struct Book {
    /// Key → first serial, units.
    pub(crate) grants: HashMap<Key, (u32, u8)>,
    /// Their keys, in the order in which they came.
    order: Vec<Key>,
    pub(crate) refusals: u64,
    /// Batches for which `SOLD_OUT` was answered to a claim of this many units.
    pub(crate) sold_out: HashMap<u64, u32>,
}

struct Shared {
    address: Mutex<SocketAddr>,
    book: Mutex<Book>,
    stopping: AtomicBool,
    answered: Condvar,
}

pub(crate) struct Crowd {
    shared: Arc<Shared>,
    pub(crate) answers: Arc<AtomicU64>,
    people: usize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A small generator of numbers (splitmix64): a run is repeated by its seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
}

impl Crowd {
    pub(crate) fn new(address: SocketAddr, people: usize) -> Self {
        let shared = Shared {
            address: Mutex::new(address),
            book: Mutex::default(),
            stopping: AtomicBool::new(false),
            answered: Condvar::new(),
        };
        Self { shared: Arc::new(shared), answers: Arc::default(), people, threads: Mutex::default() }
    }

    pub(crate) fn start(&self) {
        let person = |seed: usize| {
            let (shared, answers) = (Arc::clone(&self.shared), Arc::clone(&self.answers));
            std::thread::spawn(move || claim_until_stopped(seed as u64, &shared, &answers))
        };
        *lock(&self.threads) = (0..self.people).map(person).collect();
    }

    pub(crate) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for thread in lock(&self.threads).drain(..) {
            thread.join().expect("nobody in the crowd saw a wrong answer");
        }
    }

    pub(crate) fn moved_to(&self, address: SocketAddr) {
        *lock(&self.shared.address) = address;
    }

    pub(crate) fn wait_for_answers(&self, target: u64) {
        let mut book = lock(&self.shared.book);
        while self.answers.load(Ordering::SeqCst) < target {
            assert!(!lock(&self.threads).iter().all(JoinHandle::is_finished), "the crowd has gone");
            book = self.shared.answered.wait(book).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn book(&self) -> Book {
        lock(&self.shared.book).clone()
    }

    /// How many grants were acknowledged.
    pub(crate) fn granted(&self) -> usize {
        lock(&self.shared.book).grants.len()
    }

    /// The newest grants, at most so many, and what was sold out.
    pub(crate) fn newest(&self, most: usize) -> (HashMap<Key, (u32, u8)>, HashMap<u64, u32>) {
        let book = lock(&self.shared.book);
        let keys = &book.order[book.order.len().saturating_sub(most)..];
        (keys.iter().map(|key| (*key, book.grants[key])).collect(), book.sold_out.clone())
    }

    pub(crate) fn operator(&self) -> Connection {
        Connection::open(*lock(&self.shared.address)).expect("the server listens")
    }
}

impl Book {
    pub(crate) fn units_of(&self, batch: u64) -> u64 {
        self.grants.iter().filter(|((of, ..), _)| *of == batch).map(|(_, (_, units))| u64::from(*units)).sum()
    }

    /// No serial twice, no user over the limit.
    pub(crate) fn assert_exact(&self, per_user: u32) {
        let (mut serials, mut held) = (HashSet::new(), HashMap::new());
        for ((batch, user, _), (serial, units)) in &self.grants {
            for serial in *serial..*serial + u32::from(*units) {
                assert!(serials.insert((*batch, serial)), "serial {serial} of batch {batch} was given twice");
            }
            *held.entry((batch, user)).or_insert(0) += u32::from(*units);
        }
        let over = held.iter().find(|(_, units)| **units > per_user);
        assert_eq!(over, None, "a user over the limit");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One person of the crowd: sends frames of claims, and sends a frame again on the next connection until it is
/// answered.
fn claim_until_stopped(seed: u64, shared: &Shared, answers: &AtomicU64) {
    let (mut dice, mut request) = (Dice::new(seed), seed << 48);
    let mut connection = None;
    let mut frame: Vec<Claim> = Vec::new();
    while !shared.stopping.load(Ordering::SeqCst) || !frame.is_empty() {
        if frame.is_empty() {
            frame = (0..FRAME_CLAIMS).map(|_| claim(&mut dice, &mut request)).collect();
        }
        let Some(open) = connection.as_mut() else {
            connection = Connection::open(*lock(&shared.address));
            if connection.is_none() {
                // The server is down: let it come up.
                std::thread::yield_now();
            }
            continue;
        };
        let Some(replies) = open.ask::<Claim, ClaimReply>(Opcode::Claim, &frame) else {
            connection = None;
            continue;
        };
        write_down(shared, &frame, &replies);
        answers.fetch_add(replies.len() as u64, Ordering::SeqCst);
        shared.answered.notify_all();
        frame.clear();
    }
    shared.answered.notify_all();
}

fn claim(dice: &mut Dice, request: &mut u64) -> Claim {
    *request += 1;
    let batch = [1, 2, 2, 3, 3, 3, 3, 3, 3, 4][usize::try_from(dice.below(10)).expect("small")];
    let quantity = u8::try_from(1 + dice.below(2)).expect("small");
    // One in eight repeats the number of an earlier request, by whoever: mostly another user's, sometimes a replay.
    let number = if dice.below(8) == 0 { *request - dice.below(*request & 0xFFFF_FFFF) } else { *request };
    let newcomers = (*request & 0xFFFF_FFFF) / CLAIMS_PER_NEWCOMER;
    Claim::new(batch, newcomers + dice.below(USERS), number, quantity)
}

fn write_down(shared: &Shared, claims: &[Claim], replies: &[ClaimReply]) {
    let mut book = lock(&shared.book);
    for (claim, reply) in claims.iter().zip(replies) {
        let key = (claim.batch.get(), claim.user.get(), claim.request.get());
        match reply.status().expect("a known status") {
            Status::Granted => {
                assert!(!reply.is_split() && reply.granted == claim.quantity || reply.is_split());
                let got = (reply.serial.get(), reply.run);
                let before = book.grants.insert(key, got);
                assert!(before.is_none_or(|before| before == got), "{key:?} had {before:?}, now {got:?}");
                if before.is_none() {
                    book.order.push(key);
                }
            }
            Status::SoldOut => {
                book.refusals += 1;
                let most = book.sold_out.entry(key.0).or_insert(u32::MAX);
                *most = (*most).min(u32::from(claim.quantity));
                // A smaller refused quantity says more.
            }
            Status::LimitReached | Status::RequestConflict => book.refusals += 1,
            other => panic!("{key:?} was answered {other}"),
        }
    }
}

/// A plain blocking connection.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nodelay(true).ok()?;
        let mut connection = Self { stream, received: Vec::new() };
        let hello = Hello::new("kill test", "").expect("fits");
        connection.ask::<Hello, stockade_protocol::hello::Welcome>(Opcode::Hello, &[hello])?;
        Some(connection)
    }

    /// Sends one frame and waits for its reply. `None` when the connection broke: nobody knows what happened.
    pub(crate) fn ask<Q, R>(&mut self, opcode: Opcode, items: &[Q]) -> Option<Vec<R>>
    where
        Q: IntoBytes + Immutable,
        R: FromBytes + KnownLayout + Immutable + Unaligned + Clone,
    {
        let count = u32::try_from(items.len()).expect("a frame");
        let mut bytes = Header::request(opcode, count, 1, 0).as_bytes().to_vec();
        bytes.extend_from_slice(items.as_bytes());
        self.stream.write_all(&bytes).ok()?;
        let mut chunk = vec![0; 64 << 10];
        loop {
            if let Some((frame, length)) =
                decode(Side::Client, &self.received, REPLY_BODY_BYTES_MAX).expect("the server keeps to the protocol")
            {
                assert_eq!(frame.opcode, opcode, "answered with {:?}", frame.opcode);
                let replies = frame.items::<R>().expect("the right items").to_vec();
                self.received.drain(..length);
                return Some(replies);
            }
            let read = self.stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
            self.received.extend_from_slice(&chunk[..read]);
        }
    }

    pub(crate) fn create(mut self, batches: &[(u64, u32)], per_user: u32) {
        for (batch, stock) in batches {
            self.try_create(*batch, *stock, per_user).expect("an answer");
        }
    }

    /// Creates one batch, or finds that it is there. `None` when the connection broke.
    pub(crate) fn try_create(&mut self, batch: u64, stock: u32, per_user: u32) -> Option<()> {
        let terms = Terms { stock, per_user: Some(per_user), ..Terms::default() };
        let create = Create::new(batch, &terms).expect("fits");
        let replies = self.ask::<Create, BatchInfo>(Opcode::BatchCreate, &[create])?;
        assert_eq!(replies[0].status(), Some(Status::Done));
        Some(())
    }

    pub(crate) fn show(&mut self, batch: u64) -> BatchInfo {
        let id = BatchId { batch: batch.into() };
        self.ask::<BatchId, BatchInfo>(Opcode::BatchShow, &[id]).expect("an answer")[0]
    }

    /// The grants that the server does not know, or knows otherwise.
    pub(crate) fn lookup_all(&mut self, grants: &HashMap<Key, (u32, u8)>) -> Vec<Key> {
        let all = grants.iter().collect::<Vec<_>>();
        let mut wrong = Vec::new();
        for part in all.chunks(8_192) {
            let keys = part.iter().map(|((batch, user, request), _)| RequestKey::new(*batch, *user, *request));
            let replies = self.ask::<RequestKey, ClaimReply>(Opcode::Lookup, &keys.collect::<Vec<_>>());
            for ((key, got), reply) in part.iter().zip(replies.expect("an answer")) {
                if reply.status() != Some(Status::Granted) || (reply.serial.get(), reply.run) != **got {
                    wrong.push(**key);
                }
            }
        }
        wrong
    }
}
