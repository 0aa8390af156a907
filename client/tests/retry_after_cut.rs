//! A connection cut after a request was sent: the request is repeated as it was, never as a new one.

use stockade_client::{Action, Status, Terms};
use stockade_protocol::batch::{AddStock, BatchInfo, Change, Create, State};
use stockade_protocol::claim::{ClaimReply, REPLAYED};
use zerocopy::IntoBytes;

use crate::support::{CLAIM, FakeServer, play};

#[tokio::test]
async fn a_claim_is_repeated_with_its_request_id() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let script = async {
        let mut keys = Vec::new();
        for _ in 0..3 {
            keys.push(server.accept().await.frame().await.claim_key());
        }
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        keys.push(frame.claim_key());
        let mut replayed = ClaimReply::granted(1, 3, 1);
        replayed.flags |= REPLAYED;
        peer.reply(&frame, &[replayed]).await;
        (keys, peer)
    };
    let (outcome, (keys, _peer)) = play(client.claim(CLAIM), script).await;

    let outcome = outcome.expect("granted");
    assert_eq!((outcome.status, outcome.serials, outcome.replayed), (Status::Granted, vec![3], true));
    assert_eq!(keys, [(1, 9, 7); 4]);
}

#[tokio::test]
async fn operations_on_batches_are_repeated_unchanged() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let terms = Terms {
        stock: 10,
        per_user: Some(1),
        starts_ms: None,
        ends_ms: Some(9_000),
        draft: true,
        name: String::from("tickets"),
    };
    let calls = async {
        let created = client.create_batch(4, &terms).await.expect("answered");
        let added = client.add_stock(4, 11, 5).await.expect("answered");
        let ended = client.change_batch(4, Action::End).await.expect("answered");
        [created, added, ended].map(|outcome| outcome.status)
    };
    let script = async {
        let expected = [
            Create::new(4, &terms).expect("fits").as_bytes().to_vec(),
            AddStock::new(4, 11, 5).as_bytes().to_vec(),
            Change::new(4, Action::End).as_bytes().to_vec(),
        ];
        let mut peer = server.accept().await;
        for expected in expected {
            assert_eq!(peer.frame().await.items::<u8>(), expected);
            drop(peer);
            peer = server.accept().await;
            let again = peer.frame().await;
            assert_eq!(again.items::<u8>(), expected);
            peer.reply(&again, &[BatchInfo::about(Status::Done, 4, State::Draft, "tickets")]).await;
        }
        peer
    };
    let (statuses, _peer) = play(calls, script).await;
    assert_eq!(statuses, [Status::Done; 3]);
}
