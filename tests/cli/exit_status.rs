//! The exit status of every outcome: scripts depend on the numbers.

use std::time::Duration;

use crate::scripted::scripted_server;
use crate::support::stockade;
use serde_json::Value;
use stockade::cli::Exit;
use stockade_client::{Client, ClientError, Operation, Retry, Status};

/// Every status with its exit status, written down once more on purpose.
const EXPECTED: [(Status, i32); 50] = [
    (Status::Granted, 0),
    (Status::Done, 0),
    (Status::Reserved, 0),
    (Status::Malformed, 1),
    (Status::VersionUnsupported, 1),
    (Status::OpcodeUnknown, 1),
    (Status::FrameTooLarge, 1),
    (Status::HandshakeRequired, 1),
    (Status::TokenInvalid, 1),
    (Status::Forbidden, 1),
    (Status::DeadlinePassed, 6),
    (Status::Overloaded, 6),
    (Status::NoSpace, 6),
    (Status::Unavailable, 6),
    (Status::BatchUnknown, 5),
    (Status::BatchConflict, 1),
    (Status::StateConflict, 1),
    (Status::TermsInvalid, 2),
    (Status::QuantityInvalid, 2),
    (Status::StockOverflow, 1),
    (Status::TtlInvalid, 2),
    (Status::ZoneInvalid, 2),
    (Status::CursorInvalid, 2),
    (Status::CursorTooOld, 1),
    (Status::RequestConflict, 1),
    (Status::RequestUnknown, 1),
    (Status::ReservationConfirmed, 1),
    (Status::ReservationCancelled, 1),
    (Status::ReservationExpired, 1),
    (Status::ReservationExtended, 1),
    (Status::HistoryFull, 1),
    (Status::BatchDraft, 5),
    (Status::NotStarted, 5),
    (Status::Paused, 5),
    (Status::Ended, 5),
    (Status::Closed, 5),
    (Status::AudienceRefused, 1),
    (Status::QuantityAboveLimit, 4),
    (Status::HoldsUserLimit, 4),
    (Status::HoldsBatchLimit, 3),
    (Status::DayLimitReached, 4),
    (Status::LimitReached, 4),
    (Status::SoldOut, 3),
    (Status::DaySoldOut, 3),
    (Status::SerialUnknown, 1),
    (Status::NotYours, 1),
    (Status::OrderEnded, 1),
    (Status::OrderConflict, 1),
    (Status::CouponStateConflict, 1),
    (Status::CouponExpired, 1),
];

#[test]
fn every_status_has_its_number() {
    for status in Status::ALL {
        let (_, exit) = EXPECTED.iter().find(|(expected, _)| expected == status).expect("every status is listed");
        assert_eq!(i32::from(Exit::of_status(*status) as u8), *exit, "{status}");
    }
}

#[test]
fn every_error_has_its_number() {
    let Err(invalid) = Client::builder("nowhere").build() else { panic!("an address without a port was taken") };
    let operation = Operation::CreateBatch { batch: 1 };
    let (server, reason) = ("127.0.0.1:1".to_owned(), "cut".to_owned());
    for (error, exit) in [
        (ClientError::UnknownOutcome { operation, deadline: Duration::ZERO, reason: reason.clone() }, 6),
        (ClientError::Unavailable { server: server.clone(), status: None, reason: reason.clone() }, 6),
        (
            ClientError::Unavailable {
                server: server.clone(),
                status: Some(Status::Overloaded),
                reason: reason.clone(),
            },
            6,
        ),
        (ClientError::Refused { status: Status::TokenInvalid, text: reason.clone() }, 1),
        (ClientError::Refused { status: Status::TermsInvalid, text: reason.clone() }, 2),
        (ClientError::Protocol { server, reason }, 1),
        (invalid, 2),
    ] {
        assert_eq!(i32::from(Exit::of_error(&error) as u8), exit, "{error}");
    }
}

/// The outcomes of a claim, through the binary and over the wire.
#[test]
fn the_program_exits_so() {
    let server = scripted_server();
    for (status, exit) in EXPECTED.iter().filter(|(status, _)| is_outcome(*status)) {
        let user = (*status as u8).to_string();
        let ran = stockade(&["claim", "1", "--user", &user, "--server", &server, "--timeout", "300ms"]);
        assert_is(*status, &ran.exits(*exit).json());
        if *status == Status::Granted {
            continue;
        }
        let batch = stockade(&["batch", "pause", &user, "--json", "--server", &server, "--timeout", "300ms"]);
        assert_is(*status, &batch.exits(*exit).json());
    }
}

fn assert_is(status: Status, line: &Value) {
    // The client repeats these; when its time ends while a copy is on its way, it cannot know what became of that.
    let is_repeated = status.retry() == Retry::Later;
    assert!(line["status"] == status.name() || is_repeated && line["status"] == "OUTCOME_UNKNOWN", "{status}: {line}");
}

/// Those that answer an item; the others refuse whole frames.
fn is_outcome(status: Status) -> bool {
    status as u8 >= Status::DeadlinePassed as u8 || matches!(status, Status::Granted)
}
