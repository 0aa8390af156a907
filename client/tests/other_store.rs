//! A server that comes back with other data: an unanswered claim is not claimed there a second time.

use stockade_client::ClientError;

use crate::support::{CLAIM, FakeServer, claim_of, play};

#[tokio::test]
async fn an_unanswered_claim_is_not_repeated_on_another_store() {
    let mut server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (result, mut peer) = play(client.claim(CLAIM), async {
        drop(server.accept().await.frame().await);
        server.welcome.store_id = 78.into();
        let mut peer = server.accept().await;
        assert!(peer.frame_if_any().await.is_none(), "a copy of the claim");
        peer
    })
    .await;
    let Err(ClientError::UnknownOutcome { reason, .. }) = result else { panic!("{result:?}") };
    assert!(reason.contains("came back with other data"), "{reason}");

    let (outcome, ()) = play(client.claim(claim_of(3)), async {
        let frame = peer.frame().await;
        assert_eq!(frame.claim_key(), (1, 3, 7), "the first frame of the other store");
        peer.send(&frame.granted()).await;
    })
    .await;
    assert_eq!(outcome.expect("a new claim is welcome there").serials, [3]);
}
