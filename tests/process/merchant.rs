//! The merchant: one short sale after the other, each sold out, ended and closed, so that there is always something
//! that a checkpoint gives back. A step that was not answered is taken again.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use stockade_protocol::batch::{Action, BatchInfo, Change, State};
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::{Opcode, Status};

use crate::crowd::Connection;

/// Units of a sale, and claims of its one frame.
const STOCK: u32 = 8_192;

/// The first sale's batch.
const FIRST: u64 = 1_000;

#[derive(Default)]
struct Shared {
    address: Mutex<Option<SocketAddr>>,
    stopping: AtomicBool,
    /// Sales whose closing was answered.
    closed: Mutex<Vec<u64>>,
}

pub(crate) struct Merchant {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Merchant {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let shared = Arc::new(Shared { address: Mutex::new(Some(address)), ..Shared::default() });
        let work = Arc::clone(&shared);
        Self { shared, thread: std::thread::spawn(move || sell_until_stopped(&work)) }
    }

    pub(crate) fn moved_to(&self, address: SocketAddr) {
        *lock(&self.shared.address) = Some(address);
    }

    /// The sales that were answered as closed so far.
    pub(crate) fn closed(&self) -> Vec<u64> {
        lock(&self.shared.closed).clone()
    }

    pub(crate) fn stop(self) -> Vec<u64> {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.thread.join().expect("the merchant saw no wrong answer");
        lock(&self.shared.closed).clone()
    }
}

/// What a closed sale must look like: sold out to the last unit.
pub(crate) fn assert_sold_and_closed(info: &BatchInfo, context: &str) {
    let numbers = (info.total.get(), info.granted.get(), info.remaining.get());
    assert_eq!((info.state(), numbers), (Some(State::Closed), (STOCK, STOCK, 0)), "{context}: {info:?}");
}

fn sell_until_stopped(shared: &Shared) {
    let (mut batch, mut connection) = (FIRST, None);
    while !shared.stopping.load(Ordering::SeqCst) {
        let Some(open) = connection.as_mut() else {
            connection = lock(&shared.address).and_then(Connection::open);
            std::thread::yield_now();
            continue;
        };
        if sale(open, batch).is_some() {
            lock(&shared.closed).push(batch);
            batch += 1;
        } else {
            connection = None;
        }
    }
}

/// All steps of a sale, some of which may have been taken before. `None` when the connection broke.
fn sale(connection: &mut Connection, batch: u64) -> Option<()> {
    connection.try_create(batch, STOCK, 1)?;
    let claims = (0..u64::from(STOCK)).map(|user| Claim::new(batch, user, batch, 1)).collect::<Vec<_>>();
    let replies = connection.ask::<Claim, ClaimReply>(Opcode::Claim, &claims)?;
    let first = replies.first().and_then(ClaimReply::status);
    assert!(matches!(first, Some(Status::Granted | Status::Closed)), "batch {batch}: {first:?}");
    assert!(replies.iter().all(|reply| reply.status() == first), "batch {batch}: sold in part, though stock suffices");
    for action in [Action::End, Action::Close] {
        let info = connection.ask::<Change, BatchInfo>(Opcode::BatchChange, &[Change::new(batch, action)])?[0];
        let closed_before = action == Action::End && info.status() == Some(Status::StateConflict);
        assert!(info.status() == Some(Status::Done) || closed_before, "batch {batch}: {info:?}");
    }
    Some(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
