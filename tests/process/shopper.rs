//! The shopper: takes units and does with them what becomes of units. They are reserved and confirmed or cancelled,
//! locked and redeemed, restored, given back. A step that was not answered is taken again.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use stockade_protocol::batch::{BatchId, Stats};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};
use stockade_protocol::coupon::{Action, Change, Changed, State};
use stockade_protocol::reservation::Reserve;
use stockade_protocol::{Opcode, Status};
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::crowd::Connection;

/// Where it shops.
const BATCH: u64 = 5;

/// More than it can ever take.
const STOCK: u32 = 1_000_000_000;

/// Units that go the same way together, in one frame.
const TOGETHER: u64 = 8;

/// Units that an audit asks about in one frame.
const ASKED_TOGETHER: usize = 4_096;

/// Seconds that a reservation lives: none lasts so long here.
const TTL_S: u16 = 600;

/// One request of a unit's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Claim,
    Reserve,
    Confirm,
    Cancel,
    Coupon(Action),
}

/// The ways that units go.
const WAYS: [&[Step]; 5] = [
    &[Step::Reserve, Step::Confirm, Step::Coupon(Action::Lock), Step::Coupon(Action::Redeem)],
    &[Step::Reserve, Step::Cancel],
    &[Step::Claim, Step::Coupon(Action::Lock), Step::Coupon(Action::Unlock)],
    &[Step::Claim, Step::Coupon(Action::Lock), Step::Coupon(Action::Redeem), Step::Coupon(Action::Restore)],
    &[Step::Claim, Step::Coupon(Action::Return)],
];

/// A unit in the hands of the user of its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purchase {
    /// Its user, request and order.
    number: u64,
    serial: Option<u32>,
    /// Of a unit that was given back, its new serial.
    back: Option<u32>,
}

#[derive(Default)]
struct Shared {
    address: Mutex<Option<SocketAddr>>,
    stopping: AtomicBool,
    /// Units whose last step was answered, in order.
    done: Mutex<Vec<Purchase>>,
}

pub(crate) struct Shopper {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Shopper {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let shared = Arc::new(Shared { address: Mutex::new(Some(address)), ..Shared::default() });
        let work = Arc::clone(&shared);
        Self { shared, thread: std::thread::spawn(move || shop_until_stopped(&work)) }
    }

    pub(crate) fn moved_to(&self, address: SocketAddr) {
        *lock(&self.shared.address) = Some(address);
    }

    /// The newest of the units whose life is over, at most so many.
    pub(crate) fn newest(&self, most: usize) -> Vec<Purchase> {
        let done = lock(&self.shared.done);
        done[done.len().saturating_sub(most)..].to_vec()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        lock(&self.shared.done).len()
    }

    /// Ends after the life of the units in hand; all units.
    pub(crate) fn stop(self) -> Vec<Purchase> {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.thread.join().expect("the shopper saw no wrong answer");
        std::mem::take(&mut *lock(&self.shared.done))
    }
}

/// Takes the last step of all these units once more: the server must know that it was taken.
pub(crate) fn assert_all_known(connection: &mut Connection, purchases: &[Purchase], context: &str) {
    let serials = purchases.iter().filter_map(|purchase| purchase.serial).collect::<HashSet<_>>();
    assert_eq!(serials.len(), purchases.len(), "{context}: a unit was taken twice");
    for way in WAYS {
        let mut same = purchases.iter().filter(|purchase| way_of(purchase.number) == way).copied().collect::<Vec<_>>();
        for part in same.chunks_mut(ASKED_TOGETHER) {
            let last = *way.last().expect("a way has steps");
            let replayed = take(connection, last, part).expect("an answer");
            let lost = part.iter().zip(replayed).find(|(_, replayed)| !replayed);
            assert!(lost.is_none(), "{context}: {last:?} was acknowledged and is lost: {lost:?}");
        }
    }
}

/// The batch's numbers, counted again from its history, are those of these units.
pub(crate) fn assert_counted(connection: &mut Connection, purchases: &[Purchase]) {
    let of_way = |wanted: usize| {
        let same = purchases.iter().filter(|purchase| way_of(purchase.number) == WAYS[wanted]);
        u32::try_from(same.count()).expect("fewer than the stock")
    };
    let [redeemed, cancelled, unlocked, restored, returned] = std::array::from_fn(of_way);
    let id = BatchId { batch: BATCH.into() };
    let counted = connection.ask::<BatchId, Stats>(Opcode::BatchReconcile, &[id]).expect("an answer")[0];
    let numbers = [counted.redeemed, counted.cancelled, counted.granted, counted.returned, counted.reserved];
    let granted = redeemed + unlocked + restored;
    let wanted = [redeemed, cancelled, granted, returned, 0];
    assert_eq!(numbers.map(U32::get), wanted, "redeemed, cancelled, granted, returned, reserved");
    assert_eq!(counted.remaining.get(), STOCK - granted, "conservation: {counted:?}");
}

fn way_of(number: u64) -> &'static [Step] {
    let way = number / TOGETHER % WAYS.len() as u64;
    WAYS[usize::try_from(way).expect("small")]
}

fn shop_until_stopped(shared: &Shared) {
    let (mut first, mut step, mut connection, mut party) = (0, 0, None, Vec::new());
    while !shared.stopping.load(Ordering::SeqCst) || !party.is_empty() {
        let Some(open) = connection.as_mut() else {
            connection = lock(&shared.address).and_then(Connection::open);
            let created = connection.as_mut().map(|open: &mut Connection| open.try_create(BATCH, STOCK, 1));
            connection = connection.filter(|_| created.flatten().is_some());
            std::thread::yield_now();
            continue;
        };
        if party.is_empty() {
            let purchase = |number| Purchase { number, serial: None, back: None };
            party = (first..first + TOGETHER).map(purchase).collect::<Vec<_>>();
        }
        let way = way_of(first);
        if take(open, way[step], &mut party).is_none() {
            connection = None;
            continue;
        }
        step += 1;
        if step == way.len() {
            lock(&shared.done).append(&mut party);
            (first, step) = (first + TOGETHER, 0);
        }
    }
}

/// Takes one step for all units: whether each answer was a replay. `None` when the connection broke.
fn take(connection: &mut Connection, step: Step, purchases: &mut [Purchase]) -> Option<Vec<bool>> {
    let key = |purchase: &Purchase| RequestKey::new(BATCH, purchase.number, purchase.number);
    match step {
        Step::Claim => {
            let claim = |purchase: &Purchase| Claim::new(BATCH, purchase.number, purchase.number, 1);
            Some(units(step, purchases, &ask(connection, Opcode::Claim, purchases, claim)?, Status::Granted))
        }
        Step::Reserve => {
            let reserve = |purchase: &Purchase| Reserve::new(BATCH, purchase.number, purchase.number, 1, TTL_S);
            Some(units(step, purchases, &ask(connection, Opcode::Reserve, purchases, reserve)?, Status::Reserved))
        }
        Step::Confirm => {
            Some(units(step, purchases, &ask(connection, Opcode::Confirm, purchases, key)?, Status::Granted))
        }
        Step::Cancel => {
            let replies = ask::<_, ClaimReply>(connection, Opcode::Cancel, purchases, key)?;
            let all_done = replies.iter().all(|reply| reply.status() == Some(Status::Done));
            assert!(all_done, "{step:?} of {purchases:?} was answered {replies:?}");
            Some(replies.iter().map(ClaimReply::is_replayed).collect())
        }
        Step::Coupon(action) => {
            let change = |purchase: &Purchase| {
                let serial = purchase.serial.expect("it was taken before");
                Change::new(BATCH, purchase.number, serial, action, purchase.number)
            };
            let replies = ask::<_, Changed>(connection, Opcode::CouponChange, purchases, change)?;
            for (purchase, reply) in purchases.iter_mut().zip(&replies) {
                let is_done = (reply.status(), reply.state()) == (Some(Status::Done), Some(state_after(action)));
                assert!(is_done, "{step:?} of {purchase:?} was answered {reply:?}");
                let told = Some(reply.serial.get());
                let known = if action == Action::Return { &mut purchase.back } else { &mut purchase.serial };
                assert!(known.is_none() || *known == told, "{step:?}: had {known:?}, now {told:?}");
                *known = told;
            }
            Some(replies.iter().map(Changed::is_replayed).collect())
        }
    }
}

/// Enters which units the answers name: the same each time.
fn units(step: Step, purchases: &mut [Purchase], replies: &[ClaimReply], status: Status) -> Vec<bool> {
    for (purchase, reply) in purchases.iter_mut().zip(replies) {
        assert_eq!(reply.status(), Some(status), "{step:?} of {purchase:?}");
        let told = Some(reply.serial.get());
        assert!(purchase.serial.is_none() || purchase.serial == told, "{step:?} of {purchase:?} now has {told:?}");
        purchase.serial = told;
    }
    replies.iter().map(ClaimReply::is_replayed).collect()
}

fn ask<Q, R>(
    connection: &mut Connection,
    opcode: Opcode,
    purchases: &[Purchase],
    item: impl Fn(&Purchase) -> Q,
) -> Option<Vec<R>>
where
    Q: IntoBytes + Immutable,
    R: FromBytes + KnownLayout + Immutable + Unaligned + Clone,
{
    connection.ask(opcode, &purchases.iter().map(item).collect::<Vec<_>>())
}

fn state_after(action: Action) -> State {
    match action {
        Action::Lock => State::Locked,
        Action::Unlock | Action::Restore => State::Granted,
        Action::Redeem => State::Redeemed,
        Action::Return => State::Returned,
        Action::Void => State::Voided,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
