//! A server that answers nothing for 100 ms, on a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use stockade_loadtest::Plan;
use stockade_loadtest::load::connection::{Connection, Record};
use stockade_loadtest::load::population::Population;
use stockade_loadtest::load::tally::{Period, Tally};
use stockade_loadtest::proof::books::Books;
use stockade_loadtest::proof::user_limits::UserLimits;
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::limits::REQUEST_BODY_BYTES_MAX;
use stockade_protocol::{Header, Opcode, Status};
use zerocopy::IntoBytes;

const MS: u64 = 1_000_000;

/// One connection of 1,000 single claims a second, two in flight, for 100 ms.
fn connection(closed: bool) -> (Connection, Record) {
    let plan = Plan {
        closed,
        rate: 1_000,
        connections: 1,
        claims_per_frame: 1,
        window: 2,
        warm_up: Duration::ZERO,
        duration: Duration::from_millis(100),
        ..Plan::default()
    };
    let period = Period { warm_ns: 0, end_ns: 100 * MS };
    let population = Arc::new(Population::new(&plan, 1, 1));
    let record = Record { tally: Tally::new(period, 0), books: Books::new(UserLimits::Same(1), 1) };
    (Connection::new(0, &plan, population, period), record)
}

/// The replies to all of `requests`, refusing each claim.
fn replies(mut requests: &[u8]) -> Vec<u8> {
    let mut replies = Vec::new();
    while let Some((frame, length)) = decode(Side::Server, requests, REQUEST_BODY_BYTES_MAX).unwrap() {
        assert_eq!(frame.items::<Claim>().unwrap().len(), 1);
        replies.extend_from_slice(Header::reply(Opcode::Claim, 1, frame.correlation).as_bytes());
        replies.extend_from_slice(ClaimReply::refused(Status::SoldOut).as_bytes());
        requests = &requests[length..];
    }
    replies
}

/// Looks at each millisecond: sends what is due and, from the 50th on, answers at once. Returns the frames sent before.
fn pause_for_50_ms(connection: &mut Connection, record: &mut Record) -> usize {
    let mut held = Vec::new();
    let mut sent_in_pause = 0;
    for ms in 0..100 {
        if ms == 50 {
            sent_in_pause = held.len() / 64;
        }
        loop {
            let mut out = Vec::new();
            connection.send_due(ms * MS, &mut out, &mut record.tally);
            held.extend_from_slice(&out);
            if ms < 50 || held.is_empty() {
                break;
            }
            let bytes = replies(&std::mem::take(&mut held));
            assert_eq!(connection.receive(&bytes, ms * MS, record), Ok(bytes.len()));
            if connection.next_due_ns().is_none_or(|due_ns| due_ns > ms * MS || due_ns == 0) {
                break;
            }
        }
    }
    sent_in_pause
}

#[test]
fn latency_counts_from_the_intended_start() {
    let (mut connection, mut record) = connection(false);
    assert_eq!(pause_for_50_ms(&mut connection, &mut record), 2, "the window");
    let tally = &record.tally;
    assert_eq!((tally.answered, tally.frames_sent), (100, 100), "the schedule was caught up with");
    // Frames 0 to 50 waited for 50, 49, … 0 ms; the other 49 were answered in the millisecond of their start.
    let over_10_ms = tally.latencies().count_between(10 * MS + MS / 2, 60 * MS);
    assert_eq!(over_10_ms, 40, "those due up to the 39th millisecond");
    assert!(tally.latencies().max().abs_diff(50 * MS) < MS / 10);
    assert_eq!(
        (tally.frames_late, tally.frames_late_own),
        (47, 0),
        "frames 2 to 48 left over 1 ms late, held by the window"
    );
}

#[test]
fn a_closed_loop_measures_from_the_send_and_sees_only_two_slow_claims() {
    let (mut connection, mut record) = connection(true);
    assert_eq!(pause_for_50_ms(&mut connection, &mut record), 2, "the window");
    let slow = record.tally.latencies().count_between(10 * MS, 60 * MS);
    assert_eq!(slow, 2, "all that a closed loop notices of a pause of 50 ms");
    assert_eq!(record.tally.frames_late, 0);
}

#[test]
fn frames_that_were_never_sent_count_with_the_time_they_waited() {
    let (mut connection, mut record) = connection(false);
    let mut out = Vec::new();
    connection.send_due(100 * MS, &mut out, &mut record.tally);
    connection.stop();
    connection.finish(110 * MS, &mut record.tally);
    assert_eq!((record.tally.frames_sent, record.tally.claims_unsent), (2, 98));
    assert_eq!((record.tally.measured_offered, record.tally.latencies().len()), (100, 100));
    assert_eq!(connection.unanswered(), [0, 1]);
}
