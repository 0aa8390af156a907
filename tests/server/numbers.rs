//! A batch in numbers: `BATCH_STATS`, `BATCH_REFUSALS` and `BATCH_RECONCILE`.

use stockade_protocol::Status::{
    BatchUnknown, CursorInvalid, Done, Granted, LimitReached, QuantityInvalid, Reserved, SoldOut,
};
use stockade_protocol::batch::{
    Action as BatchAction, AddStock, BatchId, BatchInfo, Change as BatchChange, RefusalCount, Stats, Terms, WHOLE,
};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::coupon::{Action, Change};
use stockade_protocol::reservation::Reserve;
use stockade_protocol::{Opcode, Status};

use crate::support::link::{Link, statuses};
use crate::support::reading::stats_query;
use crate::support::shop::{Shop, options, terms};

fn reconcile(link: &mut Link, batch: u64) -> Stats {
    let items = link.ask(Opcode::BatchReconcile, &[BatchId { batch: batch.into() }]).items(Opcode::BatchReconcile);
    let [stats] = items[..] else { panic!("one item, not {}", items.len()) };
    stats
}

/// Does one of each thing that is counted, on a batch of 100 units.
fn busy(shop: &Shop) -> Link {
    let mut client = shop.client_with_batch(1, &terms(100));
    let serial = client.claim(&[Claim::new(1, 1, 1, 6)])[0].serial.get();
    let kept = [Reserve::new(1, 2, 1, 2, 3_600), Reserve::new(1, 2, 2, 3, 3_600), Reserve::new(1, 2, 3, 4, 3_600)];
    assert_eq!(statuses(&client.reserve(&kept)), [Reserved; 3]);
    assert_eq!(statuses(&client.settle(Opcode::Confirm, &[RequestKey::new(1, 2, 1)])), [Granted]);
    assert_eq!(statuses(&client.settle(Opcode::Cancel, &[RequestKey::new(1, 2, 2)])), [Done]);
    let changes = [
        (0, Action::Lock),
        (0, Action::Redeem),
        (0, Action::Restore),
        (1, Action::Lock),
        (1, Action::Unlock),
        (2, Action::Lock),
        (3, Action::Lock),
        (3, Action::Redeem),
        (4, Action::Return),
        (5, Action::Void),
    ];
    for (unit, action) in changes {
        let change = Change::new(1, 1, serial + unit, action, 10 + u64::from(unit));
        assert_eq!(client.change_coupon(change).status(), Some(Done), "{action:?} of unit {unit}");
    }
    let add = client.answers::<_, BatchInfo>(Opcode::BatchAddStock, &[AddStock::new(1, 1, 20)]);
    assert_eq!((add[0].status(), add[0].moved.get()), (Some(Done), 20));
    let withdraw = client.answers::<_, BatchInfo>(Opcode::BatchWithdraw, &[AddStock::new(1, 2, 5)]);
    assert_eq!((withdraw[0].status(), withdraw[0].moved.get()), (Some(Done), 5));
    client
}

/// What [`busy`] leaves.
fn whole() -> Stats {
    Stats {
        day: WHOLE.into(),
        added: 120.into(),
        withdrawn: 5.into(),
        // Of 115: 4 are reserved, 6 − 2 + 2 granted, one is voided.
        remaining: 104.into(),
        reserved: 4.into(),
        granted: 6.into(),
        locked: 1.into(),
        redeemed: 1.into(),
        unlocked: 1.into(),
        restored: 1.into(),
        returned: 1.into(),
        voided: 1.into(),
        expired: 0.into(),
        cancelled: 3.into(),
        lapsed: 0.into(),
        confirmed: 2.into(),
    }
}

#[test]
fn as_a_whole_and_by_day() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = busy(&shop);
    let items = client.stats(stats_query(1, i32::MIN, 1_024));
    assert_eq!(items[0], whole());
    // The test may run over midnight: what happened by day adds up, whichever days they were.
    let days = &items[1..];
    assert!((1..=2).contains(&days.len()) && days.windows(2).all(|pair| pair[0].day < pair[1].day), "{days:?}");
    let sum = |of: fn(&Stats) -> u32| days.iter().map(of).sum::<u32>();
    let happened = [
        sum(|day| day.added.get()),
        sum(|day| day.withdrawn.get()),
        sum(|day| day.remaining.get()),
        sum(|day| day.reserved.get()),
        sum(|day| day.granted.get()),
        sum(|day| day.locked.get()),
        sum(|day| day.redeemed.get()),
        sum(|day| day.unlocked.get()),
        sum(|day| day.restored.get()),
        sum(|day| day.returned.get()),
        sum(|day| day.voided.get()),
        sum(|day| day.cancelled.get()),
        sum(|day| day.confirmed.get()),
    ];
    assert_eq!(happened, [120, 5, 0, 9, 8, 4, 2, 1, 1, 1, 1, 3, 2]);
    let last = days[days.len() - 1].day.get();
    assert_eq!(client.stats(stats_query(1, last + 1, 9)), [whole()], "no day from then on");
    assert_eq!(client.stats(stats_query(1, i32::MIN, 1)), [whole()]);
    assert_eq!(client.ask(Opcode::BatchStats, &[stats_query(9, 0, 9)]).fault(), Some(BatchUnknown));
    let mut ahead = stats_query(1, 0, 9);
    ahead.see_epoch = u64::MAX.into();
    assert_eq!(client.ask(Opcode::BatchStats, &[ahead]).fault(), Some(CursorInvalid));
}

#[test]
fn counted_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = busy(&shop);
    assert_eq!(reconcile(&mut client, 1), whole());
    assert_eq!(client.ask(Opcode::BatchReconcile, &[BatchId { batch: 9.into() }]).fault(), Some(BatchUnknown));
    let info = client.show(1);
    let shown =
        [info.total, info.granted, info.held, info.voided, info.remaining].map(zerocopy::little_endian::U32::get);
    assert_eq!(shown, [115, 6, 4, 1, 104], "the batch is told the same way");
}

#[test]
fn counted_anew_when_it_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = busy(&shop);
    assert_eq!(statuses(&client.settle(Opcode::Cancel, &[RequestKey::new(1, 2, 3)])), [Done]);
    for action in [BatchAction::End, BatchAction::Close] {
        let infos = client.answers::<_, BatchInfo>(Opcode::BatchChange, &[BatchChange::new(1, action)]);
        assert_eq!(infos[0].status(), Some(Done), "{action:?}");
    }
    let closed = Stats { remaining: 108.into(), reserved: 0.into(), cancelled: 7.into(), ..whole() };
    assert_eq!(reconcile(&mut client, 1), closed);
    assert_eq!(client.stats(stats_query(1, 0, 1)), [closed]);
}

#[test]
fn counted_anew_while_it_is_in_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let (mut operator, mut client) = (shop.client_with_batch(1, &terms(100_000)), shop.client());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sale = scope.spawn(|| {
            for user in 0..300 {
                let claims = (0..8).map(|request| Claim::new(1, user, request, 1)).collect::<Vec<_>>();
                assert_eq!(statuses(&client.claim(&claims)), [Granted; 8]);
            }
            done.store(true, std::sync::atomic::Ordering::Release);
        });
        while !done.load(std::sync::atomic::Ordering::Acquire) && !sale.is_finished() {
            // A difference would end the engine.
            let stats = reconcile(&mut operator, 1);
            assert_eq!(stats.granted.get() + stats.remaining.get(), 100_000);
        }
    });
    assert_eq!(reconcile(&mut operator, 1).granted.get(), 2_400);
}

#[test]
fn refusals_by_status() {
    let shop = Shop::open(2, options());
    let mut client = shop.client_with_batch(1, &Terms { per_user: Some(2), ..terms(3) });
    let ask = |link: &mut Link, batch: u64| link.ask(Opcode::BatchRefusals, &[BatchId { batch: batch.into() }]);
    assert_eq!(ask(&mut client, 1).items::<RefusalCount>(Opcode::BatchRefusals), []);
    assert_eq!(ask(&mut client, 9).fault(), Some(BatchUnknown));
    let claim = |user, request, quantity| Claim::new(1, user, request, quantity);
    let claims = [
        claim(1, 1, 2),
        claim(1, 2, 1),
        claim(2, 1, 1),
        claim(3, 1, 1),
        claim(4, 1, 1),
        claim(1, 9, 0),
        claim(1, 1, 2),
    ];
    let expected = [Granted, LimitReached, Granted, SoldOut, SoldOut, QuantityInvalid, Granted];
    assert_eq!(statuses(&client.claim(&claims)), expected);
    assert_eq!(statuses(&client.reserve(&[Reserve::new(1, 5, 1, 1, 60)])), [SoldOut]);
    let counts = ask(&mut client, 1).items::<RefusalCount>(Opcode::BatchRefusals);
    let counts = counts.iter().map(|count| (count.status(), count.count.get())).collect::<Vec<_>>();
    let refused = [(LimitReached, 1), (SoldOut, 3)].map(|(status, count): (Status, u64)| (Some(status), count));
    assert_eq!(counts, refused, "in order of number; what no batch was asked for is none's");
}
