//! Reservations: `RESERVE` takes units, and one of `CONFIRM`, `CANCEL` and time ends it. Each operation is answered as
//! the table of the specification says, whatever the request is by then.

use stockade::metrics::Operation;
use stockade::server::ServerOptions;
use stockade_protocol::Status::{
    Done, Granted, HoldsBatchLimit, HoldsUserLimit, LimitReached, Overloaded, QuantityInvalid, RequestConflict,
    RequestUnknown, ReservationCancelled, ReservationConfirmed, ReservationExpired, ReservationExtended, Reserved,
    SoldOut, TtlInvalid,
};
use stockade_protocol::batch::{Action, BatchInfo, Change, Holds, Terms};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey, SerialRun};
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::{Opcode, Status};

use crate::support::frame::frame;
use crate::support::link::{Link, statuses};
use crate::support::patience::wait_until;
use crate::support::shop::{Shop, options, terms};

/// Far longer than a test takes.
const LONG_S: u16 = 3_600;

/// Requests of user 1, in every state that a request can be in.
const HELD: u64 = 1;
const CONFIRMED: u64 = 2;
const CANCELLED: u64 = 3;
const LAPSED: u64 = 4;
const CLAIMED: u64 = 5;
const UNKNOWN: u64 = 6;
const STATES: [u64; 6] = [HELD, CONFIRMED, CANCELLED, LAPSED, CLAIMED, UNKNOWN];

fn key(request: u64) -> RequestKey {
    RequestKey::new(1, 1, request)
}

fn reserve(request: u64, ttl_s: u16) -> Reserve {
    Reserve::new(1, 1, request, 2, ttl_s)
}

/// Units of the batch: held, granted, remaining.
fn parts(link: &mut Link) -> [u32; 3] {
    let BatchInfo { held, granted, remaining, .. } = link.show(1);
    [held.get(), granted.get(), remaining.get()]
}

/// A batch with a request in each state, two units each.
fn all_states(shop: &Shop) -> Link {
    let mut client = shop.client_with_batch(1, &terms(100));
    let asked = [reserve(HELD, LONG_S), reserve(CONFIRMED, LONG_S), reserve(CANCELLED, LONG_S), reserve(LAPSED, 1)];
    assert_eq!(statuses(&client.reserve(&asked)), [Reserved; 4]);
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 1, CLAIMED, 2)])), [Granted]);
    assert_eq!(statuses(&client.settle(Opcode::Confirm, &[key(CONFIRMED)])), [Granted]);
    assert_eq!(statuses(&client.settle(Opcode::Cancel, &[key(CANCELLED)])), [Done]);
    wait_until("the reservation's time passes and its units come back", || parts(&mut client) == [2, 4, 94]);
    client
}

/// Asks the same of each state, in one frame; what was answered, and what was replayed.
fn of_all(link: &mut Link, opcode: Opcode) -> Vec<(Status, bool)> {
    let replies = match opcode {
        Opcode::Reserve => link.reserve(&STATES.map(|request| reserve(request, LONG_S))),
        Opcode::Extend => link.extend(&STATES.map(|request| Extend::new(1, 1, request, 60))),
        opcode => link.settle(opcode, &STATES.map(key)),
    };
    statuses(&replies).into_iter().zip(replies.iter().map(ClaimReply::is_replayed)).collect()
}

#[test]
fn what_confirm_answers() {
    let shop = Shop::open(1, options());
    let mut client = all_states(&shop);
    let first = of_all(&mut client, Opcode::Confirm);
    let rest = [
        (Granted, true),
        (ReservationCancelled, false),
        (ReservationExpired, false),
        (RequestConflict, false),
        (RequestUnknown, false),
    ];
    assert_eq!(first, [&[(Granted, false)], &rest[..]].concat());
    assert_eq!(of_all(&mut client, Opcode::Confirm), [&[(Granted, true)], &rest[..]].concat(), "the second time");
    assert_eq!(parts(&mut client), [0, 6, 94]);
}

#[test]
fn what_cancel_answers() {
    let shop = Shop::open(1, options());
    let mut client = all_states(&shop);
    let expected = |again: bool| {
        [
            (Done, again),
            (ReservationConfirmed, false),
            (Done, true),
            (ReservationExpired, false),
            (RequestConflict, false),
            (Done, again),
        ]
    };
    assert_eq!(of_all(&mut client, Opcode::Cancel), expected(false));
    assert_eq!(of_all(&mut client, Opcode::Cancel), expected(true), "the second time");
    wait_until("the units come back", || parts(&mut client) == [0, 4, 96]);
    // The request that had not come is cancelled ahead, for a claim as well.
    assert_eq!(statuses(&client.reserve(&[reserve(UNKNOWN, LONG_S)])), [ReservationCancelled]);
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 1, UNKNOWN, 2)])), [RequestConflict]);
    assert_eq!(parts(&mut client), [0, 4, 96]);
}

#[test]
fn what_extend_answers() {
    let shop = Shop::open(1, options());
    let mut client = all_states(&shop);
    let expected = |again: bool| {
        [
            (Reserved, again),
            (ReservationConfirmed, false),
            (ReservationCancelled, false),
            (ReservationExpired, false),
            (RequestConflict, false),
            (RequestUnknown, false),
        ]
    };
    assert_eq!(of_all(&mut client, Opcode::Extend), expected(false));
    assert_eq!(of_all(&mut client, Opcode::Extend), expected(true), "the same time again");
    assert_eq!(statuses(&client.extend(&[Extend::new(1, 1, HELD, 61)])), [ReservationExtended], "another time");
}

#[test]
fn what_a_copy_of_the_reservation_answers() {
    let shop = Shop::open(1, options());
    let mut client = all_states(&shop);
    let expected = [
        (Reserved, true),
        (Reserved, true),
        (ReservationCancelled, false),
        (ReservationExpired, false),
        (RequestConflict, false),
        (Reserved, false),
    ];
    assert_eq!(of_all(&mut client, Opcode::Reserve), expected);
    // Copies with another quantity or mode, and a claim with a reservation's id, are other requests.
    let others = [Reserve::new(1, 1, HELD, 3, LONG_S), reserve(HELD, LONG_S).up_to()];
    assert_eq!(statuses(&client.reserve(&others)), [RequestConflict; 2]);
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 1, HELD, 2)])), [RequestConflict]);
}

#[test]
fn what_look_ups_answer() {
    let shop = Shop::open(1, options());
    let mut client = all_states(&shop);
    let expected = [
        (Reserved, true),
        (Granted, true),
        (ReservationCancelled, false),
        (ReservationExpired, false),
        (Granted, true),
        (RequestUnknown, false),
    ];
    assert_eq!(of_all(&mut client, Opcode::Lookup), expected);
    let mut serials = Vec::new();
    for (request, refused) in STATES.into_iter().zip(expected.map(|(status, replayed)| (!replayed).then_some(status))) {
        let reply = client.ask(Opcode::Serials, &[key(request)]);
        assert_eq!(reply.fault(), refused, "request {request}");
        if refused.is_none() {
            let runs = reply.items::<SerialRun>(Opcode::Serials);
            assert_eq!(runs.iter().map(|run| run.count.get()).sum::<u32>(), 2);
            serials.extend(runs.iter().flat_map(|run| run.first.get()..run.first.get() + run.count.get()));
        }
    }
    serials.sort_unstable();
    serials.dedup();
    assert_eq!(serials.len(), 6, "no unit is told twice");
}

#[test]
fn units_that_come_back_have_new_serials() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(2));
    let first = client.reserve(&[reserve(1, LONG_S)])[0];
    assert_eq!((first.granted, first.run, first.is_split()), (2, 2, false));
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 2, 1, 1)])), [SoldOut]);
    assert_eq!(statuses(&client.settle(Opcode::Cancel, &[key(1)])), [Done]);
    // They can be claimed once the cancellation is durable, which its answer waited for.
    wait_until("the units come back", || client.show(1).remaining.get() == 2);
    let second = client.claim(&[Claim::new(1, 2, 1, 2)])[0];
    assert_eq!(second.status(), Some(Granted));
    let old = first.serial.get()..first.serial.get() + 2;
    assert!(!old.contains(&second.serial.get()), "{old:?} and {}", second.serial);
    assert_eq!(client.show(1).total.get(), 2);
}

#[test]
fn impossible_values_and_limits() {
    let shop = Shop::open(1, options());
    let holds = Holds { per_user: Some(3), share: Some(50) };
    let mut client = shop.client_with_batch(1, &Terms { holds, per_user: Some(4), ..terms(10) });
    let of = |user, quantity, ttl_s| Reserve::new(1, user, 9, quantity, ttl_s);
    let asked = [of(1, 0, 1), of(1, 1, 0), of(1, 1, 3_601), of(1, 4, 60), of(1, 5, 60), of(1, 3, 60)];
    let expected = [QuantityInvalid, TtlInvalid, TtlInvalid, HoldsUserLimit, HoldsUserLimit, Reserved];
    assert_eq!(statuses(&client.reserve(&asked)), expected);
    // Half of ten is five: three are held.
    assert_eq!(
        statuses(&client.reserve(&[of(2, 3, 60), of(3, 2, 60), of(4, 1, 60)])),
        [HoldsBatchLimit, Reserved, HoldsBatchLimit]
    );
    assert_eq!(statuses(&client.extend(&[Extend::new(1, 1, 9, 0), Extend::new(1, 1, 9, 3_601)])), [TtlInvalid; 2]);
    // Reserved units count as the user's.
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 1, 10, 2), Claim::new(1, 1, 11, 1)])), [LimitReached, Granted]);
    assert_eq!(statuses(&client.settle(Opcode::Confirm, &[RequestKey::new(1, 1, 9)])), [Granted]);
    assert_eq!(statuses(&client.reserve(&[of(4, 3, 60)])), [Reserved], "what is confirmed is not reserved any more");
    assert_eq!(parts(&mut client), [5, 4, 1]);
}

#[test]
fn they_go_on_when_the_batch_does_not() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    assert_eq!(statuses(&client.reserve(&[reserve(1, LONG_S), reserve(2, LONG_S)])), [Reserved; 2]);
    let change = |link: &mut Link, action| {
        link.ask(Opcode::BatchChange, &[Change::new(1, action)]).items::<BatchInfo>(Opcode::BatchChange)[0].status()
    };
    assert_eq!(change(&mut client, Action::End), Some(Done));
    assert_eq!(statuses(&client.reserve(&[reserve(3, LONG_S), reserve(1, LONG_S)])), [Status::Ended, Reserved]);
    assert_eq!(change(&mut client, Action::Close), Some(Status::StateConflict), "while units are reserved");
    assert_eq!(statuses(&client.extend(&[Extend::new(1, 1, 1, 60)])), [Reserved]);
    assert_eq!(statuses(&client.settle(Opcode::Confirm, &[key(1)])), [Granted]);
    assert_eq!(statuses(&client.settle(Opcode::Cancel, &[key(2)])), [Done]);
    assert_eq!(change(&mut client, Action::Close), Some(Done));
    for opcode in [Opcode::Confirm, Opcode::Cancel] {
        assert_eq!(statuses(&client.settle(opcode, &[key(1)])), [Status::Closed], "{opcode:?}");
    }
}

#[test]
fn what_another_connection_began_and_is_not_durable_is_not_settled() {
    // Dealt out in turn: one connection for each core.
    let shop = Shop::open(2, options());
    let (mut first, mut second) = (shop.client_with_batch(1, &terms(10)), shop.client());
    shop.gate.close();
    first.send(&frame(Opcode::Reserve, 1, &[reserve(1, LONG_S)]));
    shop.wait_until_answered(Operation::Reserve, Reserved, 1);
    second.send(&frame(Opcode::Confirm, 2, &[key(1)]));
    shop.wait_until_answered(Operation::Confirm, Overloaded, 1);
    shop.gate.open();
    assert_eq!(statuses(&first.reply().items(Opcode::Reserve)), [Reserved]);
    assert_eq!(statuses(&second.reply().items(Opcode::Confirm)), [Overloaded], "nothing was done");
    assert_eq!(statuses(&second.settle(Opcode::Confirm, &[key(1)])), [Granted], "now it can be");
}

#[test]
fn what_ends_a_reservation_is_not_held_up_by_new_ones() {
    let bounds = ServerOptions { in_flight_max: 2, ..options() };
    let shop = Shop::open(2, bounds);
    let (mut first, mut second) = (shop.client_with_batch(1, &terms(10)), shop.client());
    assert_eq!(statuses(&second.reserve(&[reserve(1, LONG_S), reserve(2, LONG_S)])), [Reserved; 2]);
    shop.wait_until_waiting(0);
    shop.gate.close();
    first.send(&frame(Opcode::Claim, 1, &[Claim::new(1, 7, 1, 1), Claim::new(1, 8, 1, 1), Claim::new(1, 9, 1, 1)]));
    // Two are in flight, and that fills the server.
    shop.wait_until_waiting(2);
    second.send(&frame(Opcode::Reserve, 2, &[reserve(3, LONG_S)]));
    shop.wait_until_answered(Operation::Reserve, Overloaded, 1);
    second.send(&frame(Opcode::Confirm, 3, &[key(1)]));
    second.send(&frame(Opcode::Cancel, 4, &[key(2)]));
    shop.wait_until_answered(Operation::Confirm, Granted, 1);
    shop.wait_until_answered(Operation::Cancel, Done, 1);
    shop.gate.open();
    assert_eq!(statuses(&first.reply().items(Opcode::Claim)), [Granted, Granted, Overloaded]);
    assert_eq!(statuses(&second.reply().items(Opcode::Reserve)), [Overloaded]);
    assert_eq!(statuses(&second.reply().items(Opcode::Confirm)), [Granted]);
    assert_eq!(statuses(&second.reply().items(Opcode::Cancel)), [Done]);
}
