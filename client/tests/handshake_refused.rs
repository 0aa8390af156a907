//! A refused handshake is told at once, in the server's words, and not tried again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stockade_client::{ClientError, Status};

use crate::support::{CLAIM, FakeServer, HOUR, at_once, play};

/// Refuses every handshake. Returns the count of connections.
fn refuse_all(server: FakeServer, status: Status, text: &'static str) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let dialled = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let mut peer = server.accept_silently().await;
            dialled.fetch_add(1, Ordering::Relaxed);
            let hello = peer.frame().await;
            peer.refuse(&hello, status, text).await;
        }
    });
    count
}

const TEXT: &str = "token unknown; see [auth] in stockade.toml";

fn refusal() -> ClientError {
    ClientError::Refused { status: Status::TokenInvalid, text: String::from(TEXT) }
}

#[tokio::test]
async fn a_wrong_token_is_told_to_everyone_after_one_dial() {
    let server = FakeServer::start().await;
    let client = server.client().attempts(5).build().expect("valid");
    let dialled = refuse_all(server, Status::TokenInvalid, TEXT);
    let (first, second) = tokio::join!(client.claim(CLAIM), client.show_batch(1));
    assert_eq!(first, Err(refusal()));
    assert_eq!(second, Err(refusal()));
    assert_eq!(dialled.load(Ordering::Relaxed), 1);
    assert_eq!(
        refusal().to_string(),
        "the server refuses with TOKEN_INVALID: token unknown; see [auth] in stockade.toml; set a token that the \
         server knows"
    );
}

#[tokio::test]
async fn the_refusal_stands_until_the_next_dial_is_due() {
    let server = FakeServer::start().await;
    let client = server.client().backoff(HOUR, HOUR).build().expect("valid");
    let dialled = refuse_all(server, Status::TokenInvalid, TEXT);
    assert_eq!(client.claim(CLAIM).await, Err(refusal()));
    assert_eq!(at_once(client.claim(CLAIM)).await, Err(refusal()));
    assert_eq!(dialled.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_refusal_is_forgotten_when_the_server_changes_its_mind() {
    let server = FakeServer::start().await;
    let client = server.client().token("new").name("shop-7").build().expect("valid");
    server_refuses_once(&server, &client).await;
    let mut result = Err(ClientError::Refused { status: Status::TokenInvalid, text: String::new() });
    let calls = async {
        while result.is_err() {
            result = client.claim(CLAIM).await;
            tokio::task::yield_now().await;
        }
    };
    let ((), _peer) = play(calls, async {
        let mut peer = server.accept_silently().await;
        let hello = peer.frame().await;
        assert_eq!(hello.hello(), ("shop-7", "new"));
        peer.reply(&hello, &[server.welcome]).await;
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
        peer
    })
    .await;
    assert_eq!(result.expect("granted").serials, [9]);
}

async fn server_refuses_once(server: &FakeServer, client: &stockade_client::Client) {
    let (result, _peer) = play(client.claim(CLAIM), async {
        let mut peer = server.accept_silently().await;
        let hello = peer.frame().await;
        peer.refuse(&hello, Status::TokenInvalid, "not yet").await;
        peer
    })
    .await;
    assert!(matches!(result, Err(ClientError::Refused { status: Status::TokenInvalid, .. })), "{result:?}");
}

#[tokio::test]
async fn a_newer_servers_frames_are_named_by_their_version() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (result, ()) = play(client.claim(CLAIM), async {
        let mut peer = server.accept_silently().await;
        let hello = peer.frame().await;
        let mut reply = hello.answered(&[server.welcome]);
        reply[4] = 2;
        peer.send(&reply).await;
    })
    .await;
    let expected = ClientError::Refused {
        status: Status::VersionUnsupported,
        text: String::from("the server speaks protocol version 2, this client 1"),
    };
    assert_eq!(result, Err(expected));
}

#[tokio::test]
async fn a_server_that_is_starting_is_dialled_again() {
    let server = FakeServer::start().await;
    let client = server.client().backoff(Duration::from_millis(1), Duration::from_millis(1)).build().expect("valid");
    let (outcome, _peer) = play(client.claim(CLAIM), async {
        for _ in 0..2 {
            let mut peer = server.accept_silently().await;
            let hello = peer.frame().await;
            peer.refuse(&hello, Status::Unavailable, "recovering").await;
        }
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
        peer
    })
    .await;
    assert_eq!(outcome.expect("granted").serials, [9]);
}
