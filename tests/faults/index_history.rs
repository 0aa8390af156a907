//! The index on a real disk: what readers are told stays the same through restarts and checkpoints, and an index that
//! was lost is made anew of what the journal still has.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::support::clock::ManualClock;
use crate::support::folder::storage;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, wait_until};
use stockade::engine::{Engine, EngineOptions, Rights, Running, StorageOptions, open};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, Stats, StatsQuery};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::coupon::{self, Change, State};
use stockade_protocol::feed::{Event, Kind};
use stockade_protocol::hello::Durability;
use stockade_protocol::reservation::Reserve;
use stockade_protocol::wallet::{WalletItem, WalletQuery};
use zerocopy::little_endian::{I32, U32, U64};

const LIVE: u64 = 1;
const SHORT: u64 = 2;
const USERS: u64 = 50;

fn start(folder: &Path, checkpoint_dead_bytes: u64) -> Running {
    let on_failure = Arc::new(|reason: &str| panic!("the engine stopped: {reason}"));
    let options = EngineOptions { clock: Box::new(ManualClock::at(1_000)), ..EngineOptions::new(2, on_failure) };
    let storage = StorageOptions { index: true, checkpoint_dead_bytes, ..storage(folder, Durability::Os) };
    open(&storage, options).unwrap_or_else(|error| panic!("{error}"))
}

fn change(engine: &Engine, batch: u64, user: u64, serial: u32, action: coupon::Action, order: u64) -> Status {
    let change = Change::new(batch, user, serial, action, order);
    let changed = answered(engine, 0, |burst| burst.change_coupon(&change, Rights::Operator));
    changed.status().expect("a known status")
}

/// Every user claims one unit of each batch; some coupons go on living.
fn trade(engine: &Engine) {
    create(engine, LIVE, &terms(100));
    create(engine, SHORT, &terms(100));
    for user in 0..USERS {
        for batch in [LIVE, SHORT] {
            let reply = answered(engine, 1, |burst| burst.claim(&Claim::new(batch, user, 1, 1)));
            assert_eq!(reply.status(), Some(Status::Granted));
            if user < 10 {
                let serial = reply.serial.get();
                for action in [coupon::Action::Lock, coupon::Action::Redeem] {
                    assert_eq!(change(engine, batch, user, serial, action, 70 + user), Status::Done);
                }
            }
            if user == 20 {
                assert_eq!(change(engine, batch, user, reply.serial.get(), coupon::Action::Return, 5), Status::Done);
            }
        }
        let key = RequestKey::new(LIVE, user, 2);
        answered(engine, 1, |burst| burst.reserve(&Reserve::new(LIVE, user, 2, 1, 60)));
        let end = if user % 2 == 0 {
            answered(engine, 1, |burst| burst.confirm(&key))
        } else {
            answered(engine, 1, |burst| burst.cancel(&key))
        };
        let wanted = if user % 2 == 0 { Status::Granted } else { Status::Done };
        assert_eq!(end.status(), Some(wanted), "user {user}");
    }
}

/// Batch, serial, state and order.
type Owned = (u64, u32, Option<State>, u64);

/// Serial, state, user and new serial.
type Taken = (u32, Option<State>, u64, u32);

/// What readers are told.
#[derive(Debug, PartialEq)]
struct Told {
    wallets: Vec<Vec<Owned>>,
    coupons: Vec<Vec<Taken>>,
    stats: Vec<Vec<Stats>>,
    log: Vec<Option<Kind>>,
}

fn wallet(engine: &Engine, user: u64) -> Vec<WalletItem> {
    let query = WalletQuery::new(user, &[], 1_024);
    engine.wallet(&query, Rights::Operator).expect("there is an index")
}

fn told(engine: &Engine) -> Told {
    let brief = |item: &WalletItem| (item.batch.get(), item.serial.get(), item.state(), item.order.get());
    let wallets = (0..USERS).map(|user| wallet(engine, user).iter().map(brief).collect()).collect();
    let list = |batch| {
        let list =
            coupon::List { batch: U64::new(batch), from: U32::ZERO, limit: U32::new(1_024), see_epoch: U64::ZERO };
        let page = engine.list_coupons(&list, Rights::Operator).expect("there is an index");
        page.iter().map(|info| (info.serial.get(), info.state(), info.user.get(), info.new_serial.get())).collect()
    };
    let coupons = [LIVE, SHORT].map(list).into();
    let log = engine.coupon_log(SHORT, wallet(engine, 0)[2].serial.get(), Rights::Operator).expect("it was taken");
    let log = log.iter().map(Event::kind).collect();
    Told { wallets, coupons, stats: [LIVE, SHORT].map(|batch| stats(engine, batch)).into(), log }
}

fn stats(engine: &Engine, batch: u64) -> Vec<Stats> {
    let (from_day, limit) = (I32::ZERO, U32::new(1_024));
    let query = StatsQuery { batch: U64::new(batch), from_day, limit, see_epoch: U64::ZERO };
    engine.stats(&query).expect("there is an index")
}

#[test]
fn restarts_and_checkpoints_change_nothing_that_is_told() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("data");
    let running = start(&folder, u64::MAX);
    trade(&running.engine);
    let before = told(&running.engine);
    assert_eq!(before.log, [Kind::Granted, Kind::Locked, Kind::Redeemed].map(Some));
    let of_first = before.wallets[0].iter().map(|item| item.2).collect::<Vec<_>>();
    assert_eq!(of_first, [State::Granted, State::Redeemed, State::Redeemed].map(Some), "newest first");
    let sums = before.stats[0][0];
    assert_eq!((sums.redeemed.get(), sums.returned.get(), sums.confirmed.get(), sums.cancelled.get()), (10, 1, 25, 25));
    assert_eq!(sums.added.get(), sums.remaining.get() + sums.granted.get() + sums.reserved.get() + sums.voided.get());
    drop(running);

    // Nothing was in a file yet: all is read again.
    let running = start(&folder, 1);
    assert_eq!(told(&running.engine), before);
    close(&running, SHORT);
    assert_eq!(told(&running.engine), before, "the journal has no claims of the closed batch any more, the index has");
    drop(running);
    let running = start(&folder, u64::MAX);
    assert_eq!(told(&running.engine), before);
    for batch in [LIVE, SHORT] {
        assert_eq!(running.engine.reconcile(batch), Ok(stats(&running.engine, batch)[0]));
    }
    drop(running);

    fs::remove_dir_all(folder.join("index")).expect("it is there");
    let running = start(&folder, u64::MAX);
    let anew = told_of_live(&running.engine);
    let live_before =
        before.wallets.iter().map(|wallet| wallet.iter().filter(|item| item.0 == LIVE).count()).sum::<usize>();
    assert_eq!(anew, live_before, "what lives is read from the checkpoint");
    assert_eq!(stats(&running.engine, SHORT)[0], before.stats[1][0], "of the closed batch the sums are left");
    assert_eq!(stats(&running.engine, LIVE)[0], before.stats[0][0]);
    for batch in [LIVE, SHORT] {
        assert!(running.engine.reconcile(batch).is_ok());
    }
}

/// Ends and closes a batch, and waits for the checkpoint that leaves its claims out, for which the index makes a file.
fn close(running: &Running, batch: u64) {
    let checkpoints = &running.engine.metrics().checkpoint.taken;
    let before = checkpoints.load(Ordering::Relaxed);
    for action in [Action::End, Action::Close] {
        assert_eq!(answered(&running.engine, 0, |burst| burst.change(batch, action)).status(), Some(Status::Done));
    }
    wait_until("a checkpoint is taken", || {
        // sleep: the checkpointer looks ten times a second, and the patience of this wait is counted in rounds.
        std::thread::sleep(std::time::Duration::from_millis(1));
        checkpoints.load(Ordering::Relaxed) > before
    });
}

#[test]
fn a_draft_that_became_a_file_of_the_index_is_not_written_over() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("data");
    let running = start(&folder, 1);
    trade(&running.engine);
    close(&running, SHORT);
    let before = told(&running.engine);
    drop(running);
    // A kill in the moment in which the file had both names.
    let files = fs::read_dir(folder.join("index")).expect("it is there").filter_map(Result::ok);
    let tables = files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|kind| kind == "sst"));
    let table = tables.max().expect("the index has a file");
    fs::hard_link(table, folder.join("index/drafts/segment.sst")).expect("one file system");
    let running = start(&folder, 1);
    create(&running.engine, 3, &terms(2_000));
    answered(&running.engine, 0, |burst| {
        for user in 0..2_000 {
            assert_eq!(burst.claim(&Claim::new(3, 1_000 + user, 1, 1)).status(), Some(Status::Granted));
        }
    });
    close(&running, 3);
    assert_eq!(told(&running.engine), before);
    drop(running);
    assert_eq!(told(&start(&folder, u64::MAX).engine), before);
}

fn told_of_live(engine: &Engine) -> usize {
    (0..USERS).map(|user| wallet(engine, user).iter().filter(|item| item.batch.get() == LIVE).count()).sum()
}

#[test]
fn a_purged_batch_is_forgotten_and_its_id_begins_anew() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("data");
    let mut running = start(&folder, u64::MAX);
    trade(&running.engine);
    for action in [Action::End, Action::Close, Action::Purge] {
        assert_eq!(answered(&running.engine, 0, |burst| burst.change(SHORT, action)).status(), Some(Status::Done));
    }
    let of_short = |engine: &Engine| wallet(engine, 3).iter().filter(|item| item.batch.get() == SHORT).count();
    assert_eq!(of_short(&running.engine), 0);
    for round in 0..2 {
        if round == 0 {
            create(&running.engine, SHORT, &terms(7));
            answered(&running.engine, 0, |burst| burst.claim(&Claim::new(SHORT, 3, 9, 2)));
        }
        assert_eq!(of_short(&running.engine), 2, "round {round}");
        let sums = stats(&running.engine, SHORT)[0];
        assert_eq!((sums.added.get(), sums.granted.get(), sums.redeemed.get()), (7, 2, 0), "round {round}");
        assert!(running.engine.reconcile(SHORT).is_ok());
        drop(running);
        running = start(&folder, u64::MAX);
    }
}

#[test]
fn a_page_goes_on_where_the_one_before_ended_and_nowhere_else() {
    let home = tempfile::tempdir().expect("a folder");
    let running = start(&home.path().join("data"), u64::MAX);
    trade(&running.engine);
    let all = wallet(&running.engine, 4);
    let mut paged = Vec::new();
    let mut query = WalletQuery::new(4, &[], 1);
    while let Some(item) = running.engine.wallet(&query, Rights::Operator).expect("a page").first() {
        paged.push(*item);
        query.cursor = item.cursor;
    }
    assert_eq!(paged, all);
    let mut other = WalletQuery::new(5, &[], 1);
    other.cursor = query.cursor;
    assert_eq!(running.engine.wallet(&other, Rights::Operator), Err(Status::CursorInvalid));
    let mut filtered = WalletQuery::new(4, &[State::Granted], 1);
    filtered.cursor = query.cursor;
    assert_eq!(running.engine.wallet(&filtered, Rights::Operator), Err(Status::CursorInvalid));
    filtered.cursor = stockade_protocol::wallet::Cursor::default();
    let granted = running.engine.wallet(&filtered, Rights::Operator).expect("a page");
    assert!(granted.iter().all(|item| item.state() == Some(State::Granted)) && granted.len() == 1);
    let mut early = WalletQuery::new(4, &[], 1);
    early.see_epoch = U64::new(running.engine.journal().durable() + 1);
    assert_eq!(running.engine.wallet(&early, Rights::Operator), Err(Status::CursorInvalid));
}
