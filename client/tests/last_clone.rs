//! The connections live as long as any clone of the client.

use crate::support::{CLAIM, FakeServer, play};

#[tokio::test]
async fn the_connection_closes_with_the_last_clone() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let clone = client.with_deadline(crate::support::HOUR);
    let (_, mut peer) = play(client.claim(CLAIM), async {
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
        peer
    })
    .await;
    drop(client);
    let (outcome, ()) = play(clone.claim(CLAIM), async {
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
    })
    .await;
    assert_eq!(outcome.expect("the clone still works").serials, [9]);
    drop(clone);
    assert!(peer.next_frame().await.is_none(), "closed");
}
