//! The operations that only read: what is asked, what is answered, and how their refusals come.

use stockade_client::{
    BatchStats, ClientError, ClientName, Counts, Coupon, CouponFound, CouponState, Day, Event, EventKind, Place,
    RefusalCount, Status,
};
use stockade_protocol::Opcode;
use stockade_protocol::batch::{self, BatchId, Stats, StatsQuery, WHOLE};
use stockade_protocol::coupon::{CouponInfo, CouponKey, List};
use stockade_protocol::hello::{ClientInfo, Page};
use stockade_protocol::limits::HEADER_BYTES;

use crate::support::FakeServer;
use crate::support::events::event;

fn info(serial: u32, state: CouponState) -> CouponInfo {
    let mut info = CouponInfo::about(4, serial, state);
    (info.user, info.request, info.order) = (9.into(), 7.into(), 88.into());
    (info.taken_ms, info.expires_ms, info.changed_ms) = (100.into(), 0.into(), 300.into());
    (info.epoch, info.new_serial) = (5.into(), 70.into());
    info
}

fn coupon(serial: u32, state: CouponState) -> Coupon {
    Coupon {
        batch: 4,
        serial,
        state: Some(state),
        user: 9,
        request: 7,
        order: 88,
        taken_ms: 100,
        expires_ms: None,
        changed_ms: 300,
        new_serial: None,
        epoch: 5,
    }
}

#[tokio::test]
async fn coupons_are_shown_and_listed_in_plain_types() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| match frame.opcode {
        Opcode::CouponShow if frame.items::<CouponKey>() == [CouponKey::new(4, 30)] => {
            frame.answered(&[info(30, CouponState::Redeemed)])
        }
        Opcode::CouponShow => frame.answered(&[CouponInfo::refused(Status::SerialUnknown, 4, 31)]),
        Opcode::CouponList => {
            let (batch, from, limit, see_epoch) = (4.into(), 30.into(), 100.into(), 5.into());
            assert_eq!(frame.items::<List>(), [List { batch, from, limit, see_epoch }]);
            let mut unknown = info(32, CouponState::Granted);
            unknown.expires_ms = 900.into();
            let mut reply = frame.answered(&[info(30, CouponState::Granted), info(31, CouponState::Lapsed), unknown]);
            reply[HEADER_BYTES + 2 * size_of::<CouponInfo>() + 1] = 77;
            reply
        }
        other => panic!("{other:?} was not asked for"),
    });
    let found = CouponFound { status: Status::Done, coupon: Some(coupon(30, CouponState::Redeemed)) };
    assert_eq!(client.show_coupon(4, 30).await, Ok(found));
    assert_eq!(client.show_coupon(4, 31).await, Ok(CouponFound { status: Status::SerialUnknown, coupon: None }));
    let listed = vec![
        coupon(30, CouponState::Granted),
        Coupon { new_serial: Some(70), ..coupon(31, CouponState::Lapsed) },
        Coupon { state: None, expires_ms: Some(900), ..coupon(32, CouponState::Granted) },
    ];
    assert_eq!(client.list_coupons(4, 30, 100, 5).await, Ok(listed));
}

#[tokio::test]
async fn the_log_of_a_coupon_is_events_in_plain_types() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| {
        assert_eq!((frame.opcode, frame.items::<CouponKey>()), (Opcode::CouponLog, &[CouponKey::new(4, 30)][..]));
        let mut reply = frame.answered(&[event(6, 2), event(7, 0)]);
        reply[HEADER_BYTES + 64 + 12] = 77;
        reply
    });
    let granted = Event {
        place: Place { epoch: 6, index: 2 },
        kind: Some(EventKind::Granted),
        units: 3,
        client: 8,
        batch: 4,
        user: 9,
        request: 7,
        order: 88,
        time_ms: 1_000,
        serial: 30,
        value: 5,
    };
    let unknown = Event { place: Place { epoch: 7, index: 0 }, kind: None, ..granted };
    assert_eq!(client.coupon_log(4, 30).await, Ok(vec![granted, unknown]));
}

fn stats(day: i32, first: u32) -> Stats {
    let mut numbers = (first..).map(Into::into);
    let mut next = || numbers.next().expect("endless");
    Stats {
        day: day.into(),
        added: next(),
        withdrawn: next(),
        remaining: next(),
        reserved: next(),
        granted: next(),
        locked: next(),
        redeemed: next(),
        unlocked: next(),
        restored: next(),
        returned: next(),
        voided: next(),
        expired: next(),
        cancelled: next(),
        lapsed: next(),
        confirmed: next(),
    }
}

fn counts(first: u32) -> Counts {
    Counts {
        added: first,
        withdrawn: first + 1,
        remaining: first + 2,
        reserved: first + 3,
        granted: first + 4,
        locked: first + 5,
        redeemed: first + 6,
        unlocked: first + 7,
        restored: first + 8,
        returned: first + 9,
        voided: first + 10,
        expired: first + 11,
        cancelled: first + 12,
        lapsed: first + 13,
        confirmed: first + 14,
    }
}

#[tokio::test]
async fn a_batch_is_counted_in_plain_types() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| match frame.opcode {
        Opcode::BatchStats => {
            let (batch, from_day, limit, see_epoch) = (4.into(), (-3).into(), 10.into(), 5.into());
            assert_eq!(frame.items::<StatsQuery>(), [StatsQuery { batch, from_day, limit, see_epoch }]);
            frame.answered(&[stats(WHOLE, 100), stats(-3, 200), stats(20_000, 300)])
        }
        Opcode::BatchReconcile => {
            assert_eq!(frame.items::<BatchId>(), [BatchId { batch: 4.into() }]);
            frame.answered(&[stats(WHOLE, 400)])
        }
        Opcode::BatchRefusals => {
            assert_eq!(frame.items::<BatchId>(), [BatchId { batch: 4.into() }]);
            let refusals = [batch::RefusalCount::new(Status::SoldOut, 12), batch::RefusalCount::new(Status::Paused, 1)];
            let mut reply = frame.answered(&refusals);
            reply[HEADER_BYTES + size_of::<batch::RefusalCount>()] = 200;
            reply
        }
        Opcode::ClientList => {
            assert_eq!(frame.items::<Page>(), [Page { from: 3.into(), limit: 2.into() }]);
            frame.answered(&[ClientInfo::new(3, "shop-7"), ClientInfo::new(9, "")])
        }
        other => panic!("{other:?} was not asked for"),
    });
    let days = vec![Day { day: -3, counts: counts(200) }, Day { day: 20_000, counts: counts(300) }];
    assert_eq!(client.batch_stats(4, -3, 10, 5).await, Ok(BatchStats { whole: counts(100), days }));
    assert_eq!(client.reconcile_batch(4).await, Ok(counts(400)));
    let refusals = vec![
        RefusalCount { status: Some(Status::SoldOut), number: 61, count: 12 },
        RefusalCount { status: None, number: 200, count: 1 },
    ];
    assert_eq!(client.batch_refusals(4).await, Ok(refusals));
    let name = |client, name: &str| ClientName { client, name: name.to_owned() };
    assert_eq!(client.clients(3, 2).await, Ok(vec![name(3, "shop-7"), name(9, "")]));
}

#[tokio::test]
async fn what_refuses_a_reading_is_told_with_its_status_and_not_tried_again() {
    for status in [Status::BatchUnknown, Status::CursorInvalid, Status::SerialUnknown, Status::Forbidden] {
        let server = FakeServer::start().await;
        let client = server.client().attempts(1).build().expect("valid");
        let _ = server.serve(move |frame| frame.refused(status, "the server's sentence"));
        let refused = ClientError::Refused { status, text: String::from("the server's sentence") };
        assert_eq!(client.list_coupons(4, 0, 1, 9).await, Err(refused.clone()));
        assert_eq!(client.coupon_log(4, 0).await, Err(refused.clone()));
        assert_eq!(client.batch_stats(4, 0, 1, 9).await, Err(refused.clone()));
        assert_eq!(client.batch_refusals(4).await, Err(refused.clone()));
        assert_eq!(client.wallet(9, &[], 1, None, 9).await, Err(refused));
    }
}

#[tokio::test]
async fn a_queue_of_readers_that_is_full_is_tried_again() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let _ = server.serve(move |frame| match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0..3 => frame.refused(Status::Overloaded, "too many readers"),
        _ => frame.answered(&[info(30, CouponState::Granted)]),
    });
    assert_eq!(client.list_coupons(4, 0, 10, 0).await, Ok(vec![coupon(30, CouponState::Granted)]));
}
