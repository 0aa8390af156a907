//! A pair's second request on a clock that the test moves: when it leaves, what it holds, from when its latency counts.

use std::sync::Arc;
use std::time::Duration;

use stockade_loadtest::Plan;
use stockade_loadtest::load::connection::{Connection, Record};
use stockade_loadtest::load::population::Population;
use stockade_loadtest::load::tally::{Period, Tally};
use stockade_loadtest::plan::operation::Operation;
use stockade_loadtest::proof::books::Books;
use stockade_loadtest::proof::user_limits::UserLimits;
use stockade_protocol::claim::{ClaimReply, RequestKey};
use stockade_protocol::frame::{Frame, Side, decode};
use stockade_protocol::limits::REQUEST_BODY_BYTES_MAX;
use stockade_protocol::reservation::Reserve;
use stockade_protocol::{Header, Opcode, Status};
use zerocopy::IntoBytes;

const MS: u64 = 1_000_000;

/// One connection of frames of four pairs, one in flight, in a closed loop.
fn connection() -> (Connection, Record) {
    let mut plan = Plan { operation: Operation::ReserveConfirm, closed: true, window: 1, ..Plan::default() };
    (plan.connections, plan.claims_per_frame, plan.warm_up) = (1, 4, Duration::ZERO);
    let period = Period { warm_ns: 0, end_ns: 100 * MS };
    let population = Arc::new(Population::new(&plan, 1, 1));
    let tally = Tally::new(period, 0).in_two_steps();
    let record = Record { tally, books: Books::new(UserLimits::Same(1), 1) };
    (Connection::new(0, &plan, population, period), record)
}

fn only_frame(bytes: &[u8]) -> Frame<'_> {
    let (frame, length) = decode(Side::Server, bytes, REQUEST_BODY_BYTES_MAX).unwrap().unwrap();
    assert_eq!(length, bytes.len(), "one frame");
    frame
}

fn reply(frame: &Frame<'_>, items: &[ClaimReply]) -> Vec<u8> {
    [Header::reply(frame.opcode, frame.count, frame.correlation).as_bytes(), items.as_bytes()].concat()
}

#[test]
fn those_that_are_reserved_are_confirmed_in_the_place_of_their_frame() {
    let (mut connection, mut record) = connection();
    let mut first = Vec::new();
    connection.send_due(10 * MS, &mut first, &mut record.tally);
    let reserve = only_frame(&first);
    let asked = reserve.items::<Reserve>().unwrap().to_vec();
    assert_eq!((reserve.opcode, asked.len()), (Opcode::Reserve, 4));

    let sold_out = ClaimReply::refused(Status::SoldOut);
    let answer = [ClaimReply::reserved(1, 70, 1), sold_out, ClaimReply::reserved(1, 71, 1), sold_out];
    let bytes = reply(&reserve, &answer);
    assert_eq!(connection.receive(&bytes, 15 * MS, &mut record), Ok(bytes.len()));
    assert_eq!((record.tally.answered, record.tally.granted), (2, 0), "two are over");
    assert!(connection.receive(&bytes, 15 * MS, &mut record).is_err(), "it was answered");
    assert_eq!(record.books.wrong_answers, 1);

    assert_eq!(connection.next_due_ns(), Some(0), "at once");
    let mut second = Vec::new();
    connection.send_due(16 * MS, &mut second, &mut record.tally);
    let confirm = only_frame(&second);
    assert_eq!((confirm.opcode, connection.next_due_ns()), (Opcode::Confirm, None), "the window has one place");
    let keys = confirm.items::<RequestKey>().unwrap();
    let named = keys.iter().map(|key| (key.user, key.request)).collect::<Vec<_>>();
    assert_eq!(named, [0, 2].map(|place: usize| (asked[place].user, asked[place].request)));
    assert_eq!(connection.unanswered(), [0, 2]);

    // The connection breaks: the same frame again, once.
    let mut again = Vec::new();
    connection.send_again(20 * MS, &mut again, &mut record.tally);
    connection.send_due(20 * MS, &mut again, &mut record.tally);
    assert_eq!(again, second);
    let bytes = reply(&confirm, &[ClaimReply::granted(1, 70, 1), ClaimReply::refused(Status::ReservationExpired)]);
    assert_eq!(connection.receive(&bytes, 35 * MS, &mut record), Ok(bytes.len()));
    let tally = &record.tally;
    assert_eq!((tally.answered, tally.granted, tally.claims_sent), (4, 1, 4));
    let outcomes = tally.outcomes().into_iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>();
    assert_eq!(outcomes, ["GRANTED 1", "RESERVATION_EXPIRED 1", "SOLD_OUT 2"]);
    let near = |latency_ns: u64, wanted_ms: u64| latency_ns.abs_diff(wanted_ms * MS) < MS / 10;
    let [reserved, confirmed] = tally.steps() else { panic!("two requests") };
    assert!(near(reserved.latencies().max(), 5) && near(confirmed.latencies().max(), 20), "each from its own start");
    assert!(near(tally.latencies().max(), 25) && near(tally.latencies().min(), 5), "a pair from its intended start");
    assert_eq!(connection.pairs().unwrap().abandoned(), 1);
    let ledger = connection.ledger().unwrap();
    assert_eq!((ledger.serial(0), ledger.serial(2), ledger.grants()), (Some(70), None, 1));
    assert!(connection.is_settled() && connection.next_due_ns().is_some(), "the place is free again");
    assert_eq!(record.books.wrong_answers, 1, "what expired is no lie");
}

#[test]
fn pairs_that_have_begun_are_finished_after_the_end() {
    let (mut connection, mut record) = connection();
    let mut first = Vec::new();
    connection.send_due(99 * MS, &mut first, &mut record.tally);
    connection.stop();
    let bytes = reply(&only_frame(&first), &[70, 71, 72, 73].map(|serial| ClaimReply::reserved(1, serial, 1)));
    assert_eq!(connection.receive(&bytes, 101 * MS, &mut record), Ok(bytes.len()));
    assert!(!connection.is_settled());
    let mut second = Vec::new();
    connection.send_due(101 * MS, &mut second, &mut record.tally);
    assert_eq!(only_frame(&second).count, 4);
}
