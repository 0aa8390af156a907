//! Serials that are several runs are fetched before the outcome is handed out.

use stockade_client::{ClaimRequest, ClientError, Status};
use stockade_protocol::Opcode;
use stockade_protocol::claim::{ClaimReply, RequestKey, SerialRun};

use crate::support::{CLAIM, FakeServer, Received};

const FIVE: ClaimRequest = ClaimRequest { quantity: 5, ..CLAIM };

fn run(first: u32, count: u32) -> SerialRun {
    SerialRun { first: first.into(), count: count.into() }
}

fn split_grant(frame: &Received) -> Vec<u8> {
    frame.answered(&[ClaimReply::granted(5, 10, 2)])
}

#[tokio::test]
async fn a_claim_and_a_look_up_name_every_serial() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| match frame.opcode {
        Opcode::Serials => {
            assert_eq!(frame.keys(), [RequestKey::new(1, 9, 7)]);
            frame.answered(&[run(10, 2), run(400, 1), run(30, 2)])
        }
        _ => split_grant(frame),
    });
    let claimed = client.claim(FIVE).await.expect("granted");
    assert_eq!((claimed.status, claimed.granted), (Status::Granted, 5));
    assert_eq!(claimed.serials, [10, 11, 400, 30, 31]);
    assert_eq!(client.lookup(1, 9, 7).await.expect("known"), claimed);
}

#[tokio::test]
async fn a_grant_whose_serials_do_not_come_is_an_unknown_outcome() {
    let server = FakeServer::start().await;
    let client = server.client().attempts(2).build().expect("valid");
    let _ = server.serve(|frame| match frame.opcode {
        Opcode::Serials => frame.refused(Status::Unavailable, "the server is leaving"),
        _ => split_grant(frame),
    });
    let result = client.claim(FIVE).await;
    let Err(ClientError::UnknownOutcome { reason, .. }) = result else { panic!("{result:?}") };
    assert!(reason.starts_with("5 units were granted, but their serials did not come"), "{reason}");
}

#[tokio::test]
async fn a_list_that_contradicts_the_grant_is_not_believed() {
    for runs in [vec![run(10, 4)], vec![run(u32::MAX, 5)], vec![run(0, u32::MAX), run(0, 6)]] {
        let server = FakeServer::start().await;
        let client = server.client().build().expect("valid");
        let _ = server.serve(move |frame| match frame.opcode {
            Opcode::Serials => frame.answered(&runs),
            _ => split_grant(frame),
        });
        let result = client.lookup(1, 9, 7).await;
        assert!(matches!(result, Err(ClientError::Protocol { .. })), "{result:?}");
    }
}
