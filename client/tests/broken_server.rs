//! A peer that breaks the protocol: the connection ends, the error says so, the next call has a new connection.

use stockade_client::{Client, ClientError, Status};
use stockade_protocol::batch::{BatchInfo, State, Terms};
use stockade_protocol::claim::ClaimReply;
use stockade_protocol::ping::Ping;
use zerocopy::FromZeros;

use crate::support::{CLAIM, FakeServer, Received, play};

/// What a broken server may answer to a claim of one unit, by what is wrong with it.
fn broken_replies(frame: &Received) -> Vec<(&'static str, Vec<u8>)> {
    let good = frame.granted();
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    vec![
        ("magic", changed(0, b'X')),
        ("version", changed(4, 9)),
        ("opcode of a request", changed(5, 0x10)),
        ("opcode unknown", changed(5, 0xee)),
        ("flags", changed(6, 1)),
        ("length beyond the largest", changed(11, 0xff)),
        ("count of zero", changed(12, 0)),
        ("correlation of no frame", changed(16, 99)),
        ("two answers to one claim", frame.answered(&[ClaimReply::granted(1, 9, 1), ClaimReply::granted(1, 9, 1)])),
        ("more units than asked for", frame.answered(&[ClaimReply::granted(2, 9, 2)])),
        ("granted nothing", frame.answered(&[ClaimReply::granted(0, 9, 0)])),
        ("serials beyond the largest", frame.answered(&[ClaimReply::granted(1, u32::MAX, 1)])),
        ("units with a refusal", {
            let mut reply = ClaimReply::refused(Status::SoldOut);
            (reply.granted, reply.run) = (1, 1);
            frame.answered(&[reply])
        }),
    ]
}

#[tokio::test]
async fn a_claim_answered_with_broken_bytes_is_unknown_and_the_next_call_works() {
    let server = FakeServer::start().await;
    let count = broken_replies(&a_claims_frame().await).len();
    for index in 0..count {
        let client = server.client().attempts(1).build().expect("valid");
        let (result, (name, mut peer)) = play(client.claim(CLAIM), async {
            let mut peer = server.accept().await;
            let frame = peer.frame().await;
            let (name, bytes) = broken_replies(&frame).swap_remove(index);
            peer.send(&bytes).await;
            (name, peer)
        })
        .await;
        assert!(matches!(result, Err(ClientError::UnknownOutcome { .. })), "{name}: {result:?}");

        // Item-level nonsense leaves the stream in step; anything else must have closed the connection.
        let next = async {
            if let Some(frame) = peer.next_frame().await {
                peer.send(&frame.granted()).await;
                return;
            }
            let mut peer = server.accept().await;
            let frame = peer.frame().await;
            peer.send(&frame.granted()).await;
        };
        let (outcome, ()) = play(client.claim(CLAIM), next).await;
        assert_eq!(outcome.expect(name).serials, [9], "{name}");
    }
}

async fn a_claims_frame() -> Received {
    let server = FakeServer::start().await;
    let client = server.client().attempts(1).build().expect("valid");
    let (_, frame) = play(client.claim(CLAIM), async { server.accept().await.frame().await }).await;
    frame
}

#[tokio::test]
async fn what_only_reads_fails_with_a_protocol_error() {
    let server = FakeServer::start().await;
    let client = server.client().attempts(1).build().expect("valid");
    let (result, ()) = play(client.ping(), async {
        let mut peer = server.accept().await;
        peer.frame().await;
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let error = result.expect_err("that was no pong");
    assert!(matches!(&error, ClientError::Protocol { .. }), "{error:?}");
    assert!(error.to_string().contains("check the address and the versions"), "{error}");

    let (pong, ()) = play(client.ping(), async {
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.send(&frame.answered(frame.items::<Ping>())).await;
    })
    .await;
    pong.expect("a new connection");
}

#[tokio::test]
async fn a_claim_is_repeated_on_a_new_connection_when_tries_are_left() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (outcome, _peer) = play(client.claim(CLAIM), async {
        let mut peer = server.accept().await;
        peer.frame().await;
        peer.send(&[0; 64]).await;
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
        peer
    })
    .await;
    assert_eq!(outcome.expect("granted").serials, [9]);
}

#[tokio::test]
async fn something_else_on_the_port_is_told_at_once() {
    let server = FakeServer::start().await;
    let client: Client = server.client().build().expect("valid");
    let (result, ()) = play(client.claim(CLAIM), async {
        let mut peer = server.accept_silently().await;
        peer.frame().await;
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let Err(ClientError::Protocol { reason, .. }) = result else { panic!("{result:?}") };
    assert_eq!(reason, "its first bytes are no handshake (MALFORMED)");
}

#[tokio::test]
async fn a_welcome_that_allows_nothing_is_refused() {
    let mut server = FakeServer::start().await;
    server.welcome = FromZeros::new_zeroed();
    let client = server.client().build().expect("valid");
    let (result, _peer) = play(client.claim(CLAIM), server.accept()).await;
    let Err(ClientError::Protocol { reason, .. }) = result else { panic!("{result:?}") };
    assert_eq!(reason, "its limits allow no claim at all");
}

#[tokio::test]
async fn a_list_entry_without_a_batch_is_not_believed() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| {
        let (batch, none) =
            (BatchInfo::about(Status::Done, 3, State::Active, &Terms::default()), BatchInfo::refused(Status::Done, 4));
        frame.answered(&[batch, none])
    });
    let result = client.list_batches(0, 2).await;
    assert!(matches!(result, Err(ClientError::Protocol { .. })), "{result:?}");
}
