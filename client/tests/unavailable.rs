//! What surely never left is `Unavailable`, with the reason.

use stockade_client::{Client, ClientError};
use tokio::net::TcpListener;
use tokio::time;

use crate::support::{CLAIM, FakeServer, play, play_out};

#[tokio::test]
async fn a_closed_port_is_named_with_the_systems_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let address = listener.local_addr().expect("bound").to_string();
    drop(listener);
    let client = Client::builder(&address).attempts(3).build().expect("valid");

    let error = client.claim(CLAIM).await.expect_err("nobody listens");
    let ClientError::Unavailable { server, status: None, reason } = &error else { panic!("{error:?}") };
    assert_eq!(*server, address);
    assert!(reason.starts_with("cannot connect: Connection refused"), "{reason}");
    assert!(error.to_string().ends_with("nothing was done, repeat later"), "{error}");
}

#[tokio::test]
async fn a_claim_waiting_for_a_handshake_that_never_ends_was_not_sent() {
    let server = FakeServer::start().await;
    // Shorter than the limit for connecting, so that the call ends first.
    let client = server.client().deadline(time::Duration::from_secs(2)).build().expect("valid");
    let (result, _peer) = play_out(client.claim(CLAIM), async {
        let mut peer = server.accept_silently().await;
        assert_eq!(peer.frame().await.hello(), ("stockade-client", ""));
        peer
    })
    .await;
    let Err(ClientError::Unavailable { status: None, reason, .. }) = result else { panic!("{result:?}") };
    assert_eq!(reason, "no connection took it within 2s");
}

#[tokio::test]
async fn a_look_up_without_an_answer_is_no_unknown_outcome() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (result, _peer) = play_out(client.lookup(1, 9, 7), async {
        let mut peer = server.accept().await;
        peer.frame().await;
        peer
    })
    .await;
    let Err(ClientError::Unavailable { status: None, reason, .. }) = result else { panic!("{result:?}") };
    assert_eq!(reason, "no answer within 3600s");
}

#[tokio::test]
async fn the_claim_goes_through_once_the_server_is_back() {
    let reserved = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let address = reserved.local_addr().expect("bound").to_string();
    let server = FakeServer::start().await;
    // A listener that closes each connection before the handshake is as good as a server that is starting.
    let client = Client::builder(&address)
        .connections(1)
        .deadline(crate::support::HOUR)
        .backoff(time::Duration::from_millis(1), time::Duration::from_millis(2))
        .build()
        .expect("valid");
    let (outcome, ()) = play(client.claim(CLAIM), async {
        for _ in 0..3 {
            drop(reserved.accept().await.expect("a connection"));
        }
        let mut peer = server.adopt(reserved.accept().await.expect("a connection").0).await;
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
    })
    .await;
    assert_eq!(outcome.expect("granted").serials, [9]);
}
