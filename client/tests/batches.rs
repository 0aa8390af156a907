//! The operations on batches, and what the handshake tells, in plain types.

use stockade_client::{
    Action, Audience, Batch, BatchOutcome, Durability, Fields, Holds, Server, State, Status, Terms, Validity,
};
use stockade_protocol::Opcode;
use stockade_protocol::batch::{AddStock, BatchId, BatchInfo, Change, Create, Edit, List};
use stockade_protocol::ping::Ping;

use crate::support::FakeServer;

fn terms() -> Terms {
    Terms {
        stock: 10,
        per_user: Some(2),
        per_user_day: Some(1),
        per_day: Some(5),
        quantity_max: Some(3),
        audience: Audience { all: 1, any: 6, none: 8 },
        holds: Holds { per_user: Some(4), share: Some(50) },
        starts_ms: Some(1_000),
        ends_ms: None,
        validity: Validity { expires_ms: Some(9_000), valid_days: Some(30), return_days: 7 },
        zone: String::from("Asia/Shanghai"),
        draft: false,
        name: String::from("票 tickets"),
    }
}

fn info(status: Status) -> BatchInfo {
    let mut info = BatchInfo::about(status, 4, State::Scheduled, &terms());
    info.total = 10.into();
    info.granted = 3.into();
    info.held = 2.into();
    info.voided = 1.into();
    info.remaining = 4.into();
    info.day_units = 5.into();
    info.version = 6.into();
    info.created_ms = 500.into();
    info.epoch = 77.into();
    info
}

fn batch() -> Batch {
    Batch {
        id: 4,
        name: String::from("票 tickets"),
        state: State::Scheduled,
        version: 6,
        total: 10,
        granted: 3,
        held: 2,
        voided: 1,
        remaining: 4,
        day_units: 5,
        per_user: Some(2),
        per_user_day: Some(1),
        per_day: Some(5),
        quantity_max: Some(3),
        audience: Audience { all: 1, any: 6, none: 8 },
        holds: Holds { per_user: Some(4), share: Some(50) },
        starts_ms: Some(1_000),
        ends_ms: None,
        validity: Validity { expires_ms: Some(9_000), valid_days: Some(30), return_days: 7 },
        zone: String::from("Asia/Shanghai"),
        created_ms: 500,
    }
}

#[tokio::test]
async fn every_operation_says_what_was_asked_and_returns_what_was_answered() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let fields = Fields::NAME.with(Fields::ENDS);
    let _ = server.serve(move |frame| match frame.opcode {
        Opcode::BatchCreate => {
            assert_eq!(frame.items::<Create>(), [Create::new(4, &terms()).expect("fits")]);
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
        Opcode::BatchEdit => {
            assert_eq!(frame.items::<Edit>(), [Edit::new(4, fields, &terms(), 5).expect("fits")]);
            frame.answered(&[info(Status::BatchConflict)])
        }
        Opcode::BatchAddStock | Opcode::BatchWithdraw => {
            assert_eq!(frame.items::<AddStock>(), [AddStock::new(4, 11, 6)]);
            let moved = if frame.opcode == Opcode::BatchWithdraw { 4 } else { 6 };
            let mut info = info(Status::Done);
            info.moved = moved.into();
            frame.answered(&[info])
        }
        other => panic!("{other:?} was not asked for"),
    });
    let moving = |status, moved| Ok(BatchOutcome { status, batch: Some(batch()), moved, epoch: 77 });
    let outcome = |status| moving(status, 0);

    assert_eq!(client.create_batch(4, &terms()).await, outcome(Status::Done));
    assert_eq!(client.show_batch(4).await, outcome(Status::Done));
    let unknown = BatchOutcome { status: Status::BatchUnknown, batch: None, moved: 0, epoch: 0 };
    assert_eq!(client.show_batch(5).await, Ok(unknown));
    assert_eq!(client.list_batches(2, 100).await, Ok(vec![batch(), batch()]));
    assert_eq!(client.change_batch(4, Action::Resume).await, outcome(Status::StateConflict));
    assert_eq!(client.edit_batch(4, fields, &terms(), 5).await, outcome(Status::BatchConflict));
    assert_eq!(client.add_stock(4, 11, 6).await, moving(Status::Done, 6));
    assert_eq!(client.withdraw_stock(4, 11, 6).await, moving(Status::Done, 4));
}

#[tokio::test]
async fn a_purged_batch_is_done_and_gone() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| {
        assert_eq!(frame.items::<Change>(), [Change::new(4, Action::Purge)]);
        let mut gone = BatchInfo::refused(Status::Done, 4);
        gone.epoch = 9.into();
        frame.answered(&[gone])
    });
    let gone = BatchOutcome { status: Status::Done, batch: None, moved: 0, epoch: 9 };
    assert_eq!(client.change_batch(4, Action::Purge).await, Ok(gone));
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
        ttl_s_max: 3_600,
        store_id: 77,
        durable_epoch: 5,
        now_ms: 0,
    };
    assert_eq!(client.server().await, Ok(expected.clone()));
    assert_eq!(client.server().await, Ok(expected));
    assert_eq!(connections.load(std::sync::atomic::Ordering::Relaxed), 1);
}
