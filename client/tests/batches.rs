//! The operations on batches, and what the handshake tells, in plain types.

use stockade_client::{Action, Batch, BatchOutcome, Durability, Server, State, Status, Terms};
use stockade_protocol::Opcode;
use stockade_protocol::batch::{AddStock, BatchId, BatchInfo, Change, Create, List};
use stockade_protocol::ping::Ping;

use crate::support::FakeServer;

fn info(status: Status) -> BatchInfo {
    let mut info = BatchInfo::about(status, 4, State::Scheduled, "票 tickets");
    info.total = 10.into();
    info.granted = 3.into();
    info.remaining = 7.into();
    info.per_user = 2.into();
    info.starts_ms = 1_000.into();
    info.created_ms = 500.into();
    info
}

fn batch() -> Batch {
    Batch {
        id: 4,
        name: String::from("票 tickets"),
        state: State::Scheduled,
        total: 10,
        granted: 3,
        remaining: 7,
        per_user: Some(2),
        starts_ms: Some(1_000),
        ends_ms: None,
        created_ms: 500,
    }
}

#[tokio::test]
async fn every_operation_says_what_was_asked_and_returns_what_was_answered() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let terms = Terms {
        stock: 10,
        per_user: Some(2),
        starts_ms: Some(1_000),
        ends_ms: None,
        draft: false,
        name: String::from("票 tickets"),
    };
    let sent = terms.clone();
    let _ = server.serve(move |frame| match frame.opcode {
        Opcode::BatchCreate => {
            assert_eq!(frame.items::<Create>(), [Create::new(4, &sent).expect("fits")]);
            frame.answered(&[info(Status::Done)])
        }
        Opcode::BatchShow if frame.items::<BatchId>() == [BatchId { batch: 4.into() }] => {
            frame.answered(&[info(Status::Done)])
        }
        Opcode::BatchShow => frame.answered(&[BatchInfo::refused(Status::BatchUnknown, 5)]),
        Opcode::BatchList => {
            assert_eq!(frame.items::<List>(), [List::new(2, 100)]);
            frame.answered(&[info(Status::Done), info(Status::Done)])
        }
        Opcode::BatchChange => {
            assert_eq!(frame.items::<Change>(), [Change::new(4, Action::Resume)]);
            frame.answered(&[info(Status::StateConflict)])
        }
        Opcode::BatchAddStock => {
            assert_eq!(frame.items::<AddStock>(), [AddStock::new(4, 11, 6)]);
            frame.answered(&[info(Status::Done)])
        }
        other => panic!("{other:?} was not asked for"),
    });
    let outcome = |status| Ok(BatchOutcome { status, batch: Some(batch()) });

    assert_eq!(client.create_batch(4, &terms).await, outcome(Status::Done));
    assert_eq!(client.show_batch(4).await, outcome(Status::Done));
    assert_eq!(client.show_batch(5).await, Ok(BatchOutcome { status: Status::BatchUnknown, batch: None }));
    assert_eq!(client.list_batches(2, 100).await, Ok(vec![batch(), batch()]));
    assert_eq!(client.change_batch(4, Action::Resume).await, outcome(Status::StateConflict));
    assert_eq!(client.add_stock(4, 11, 6).await, outcome(Status::Done));
}

#[tokio::test]
async fn an_empty_page_is_an_empty_list() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| frame.answered::<BatchInfo>(&[]));
    assert_eq!(client.list_batches(9, 1).await, Ok(vec![]));
}

#[tokio::test]
async fn the_server_describes_itself_and_is_asked_once() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let connections = server.serve(|frame| frame.answered(frame.items::<Ping>()));
    let expected = Server {
        version: String::from("0.1.0-fake"),
        protocol_version: 1,
        durability: Some(Durability::Fsync),
        cores: 4,
        claims_per_frame_max: 8_192,
        in_flight_claims_max: 65_536,
        store_id: 77,
        durable_epoch: 5,
        now_ms: 0,
    };
    assert_eq!(client.server().await, Ok(expected.clone()));
    assert_eq!(client.server().await, Ok(expected));
    assert_eq!(connections.load(std::sync::atomic::Ordering::Relaxed), 1);
}
