//! Reservations: what is asked, what is answered, and that units which are reserved are named like granted ones.

use stockade_client::{ClaimOutcome, ClaimRequest, ClientError, ReserveRequest, Status};
use stockade_protocol::Opcode;
use stockade_protocol::claim::{ABOUT, Claim, ClaimReply, REPLAYED, RequestKey, SerialRun};
use stockade_protocol::reservation::{Extend, Reserve};

use crate::support::FakeServer;

const RESERVE: ReserveRequest =
    ReserveRequest { batch: 1, user: 9, request: 7, audience: 0b101, quantity: 3, up_to: true, ttl_s: 300 };

fn reply(mut reply: ClaimReply) -> ClaimReply {
    (reply.remaining, reply.user_units, reply.day_units, reply.epoch) = (40.into(), 3.into(), 2.into(), 6.into());
    reply
}

fn outcome(status: Status, serials: Vec<u32>) -> ClaimOutcome {
    ClaimOutcome {
        status,
        granted: u8::try_from(serials.len()).expect("few"),
        serials,
        remaining: 40,
        remaining_is_approximate: false,
        user_units: 3,
        day_units: 2,
        replayed: false,
        epoch: 6,
    }
}

#[tokio::test]
async fn every_operation_says_what_was_asked_and_returns_what_was_answered() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| match frame.opcode {
        Opcode::Reserve => {
            assert_eq!(frame.items::<Reserve>(), [Reserve::new(1, 9, 7, 3, 300).up_to().with_audience(0b101)]);
            frame.answered(&[reply(ClaimReply::reserved(2, 30, 2))])
        }
        Opcode::Extend => {
            assert_eq!(frame.items::<Extend>(), [Extend::new(1, 9, 7, 600)]);
            frame.answered(&[reply(ClaimReply::reserved(2, 30, 2))])
        }
        Opcode::Lookup => frame.answered(&[reply(ClaimReply::reserved(2, 30, 2))]),
        Opcode::Confirm => {
            assert_eq!(frame.keys(), [RequestKey::new(1, 9, 7)]);
            frame.answered(&[reply(ClaimReply::granted(2, 30, 2))])
        }
        Opcode::Cancel => {
            assert_eq!(frame.keys(), [RequestKey::new(1, 9, 8)]);
            frame.answered(&[reply(ClaimReply::refused(Status::Done))])
        }
        other => panic!("{other:?} was not asked for"),
    });
    assert_eq!(client.reserve(RESERVE).await, Ok(outcome(Status::Reserved, vec![30, 31])));
    assert_eq!(client.extend(1, 9, 7, 600).await, Ok(outcome(Status::Reserved, vec![30, 31])));
    assert_eq!(client.lookup(1, 9, 7).await, Ok(outcome(Status::Reserved, vec![30, 31])));
    assert_eq!(client.confirm(1, 9, 7).await, Ok(outcome(Status::Granted, vec![30, 31])));
    assert_eq!(client.cancel(1, 9, 8).await, Ok(outcome(Status::Done, vec![])));
}

#[tokio::test]
async fn how_a_reservation_ended_is_an_outcome_of_each_operation() {
    let ends = [
        Status::ReservationConfirmed,
        Status::ReservationCancelled,
        Status::ReservationExpired,
        Status::ReservationExtended,
        Status::RequestUnknown,
        Status::RequestConflict,
        Status::HistoryFull,
        Status::TtlInvalid,
        Status::HoldsUserLimit,
        Status::HoldsBatchLimit,
    ];
    for status in ends {
        let server = FakeServer::start().await;
        let client = server.client().attempts(1).build().expect("valid");
        let _ = server.serve(move |frame| frame.answered(&[ClaimReply::refused(status)]));
        let outcomes = [
            client.reserve(RESERVE).await,
            client.confirm(1, 9, 7).await,
            client.cancel(1, 9, 7).await,
            client.extend(1, 9, 7, 60).await,
        ];
        assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_ok_and(|outcome| outcome.status == status)));
    }
}

#[tokio::test]
async fn reserved_units_that_are_several_runs_are_all_named() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| match frame.opcode {
        Opcode::Serials => {
            assert_eq!(frame.keys(), [RequestKey::new(1, 9, 7)]);
            let run = |first: u32, count: u32| SerialRun { first: first.into(), count: count.into() };
            frame.answered(&[run(30, 1), run(90, 2)])
        }
        Opcode::Confirm => frame.answered(&[ClaimReply::granted(3, 30, 1)]),
        _ => frame.answered(&[ClaimReply::reserved(3, 30, 1)]),
    });
    let (reserved, extended) = (client.reserve(RESERVE).await, client.extend(1, 9, 7, 60).await);
    for outcome in [reserved, extended, client.confirm(1, 9, 7).await, client.lookup(1, 9, 7).await] {
        assert_eq!(outcome.expect("units").serials, [30, 90, 91]);
    }
}

#[tokio::test]
async fn a_reservation_that_ends_before_its_serials_come_is_looked_up_again() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let has_ended = std::sync::atomic::AtomicBool::new(false);
    let _ = server.serve(move |frame| match frame.opcode {
        Opcode::Serials => {
            has_ended.store(true, std::sync::atomic::Ordering::Relaxed);
            frame.refused(Status::ReservationExpired, "it expired")
        }
        _ if has_ended.load(std::sync::atomic::Ordering::Relaxed) => {
            frame.answered(&[ClaimReply::refused(Status::ReservationExpired)])
        }
        _ => frame.answered(&[ClaimReply::reserved(3, 30, 1)]),
    });
    assert_eq!(client.lookup(1, 9, 7).await.expect("known").status, Status::ReservationExpired);
}

#[tokio::test]
async fn a_reservation_whose_serials_do_not_come_is_an_unknown_outcome() {
    let server = FakeServer::start().await;
    let client = server.client().attempts(1).build().expect("valid");
    let _ = server.serve(|frame| match frame.opcode {
        Opcode::Serials => frame.refused(Status::ReservationExpired, "it expired"),
        _ => frame.answered(&[ClaimReply::reserved(3, 30, 1)]),
    });
    let result = client.reserve(RESERVE).await;
    let Err(ClientError::UnknownOutcome { reason, .. }) = result else { panic!("{result:?}") };
    assert!(reason.starts_with("3 units were reserved, but their serials did not come"), "{reason}");
}

#[tokio::test]
async fn a_claim_carries_its_audience_and_its_answer_says_what_is_an_estimate() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| {
        assert_eq!(frame.items::<Claim>(), [Claim::new(1, 9, 7, 1).with_audience(0b110)]);
        let mut reply = reply(ClaimReply::granted(1, 30, 1));
        reply.flags |= ABOUT | REPLAYED;
        reply.user_units = u16::MAX.into();
        frame.answered(&[reply])
    });
    let request = ClaimRequest { batch: 1, user: 9, request: 7, audience: 0b110, ..ClaimRequest::default() };
    let expected = ClaimOutcome {
        remaining_is_approximate: true,
        replayed: true,
        user_units: 65_535,
        ..outcome(Status::Granted, vec![30])
    };
    assert_eq!(client.claim(request).await, Ok(expected));
}
