//! Subscriptions that are refused: what another try would meet too is told at once, anything else is tried again.

use stockade_client::{ClientError, Feed, FeedStart, Status};
use stockade_protocol::feed;

use crate::support::events::{event, place, places, stands};
use crate::support::{FakeServer, HOUR, play, play_out};

async fn refused_with(status: Status) -> ClientError {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (result, _peer) = play_out(client.subscribe(FeedStart::At(place(5, 0)), 10, "mails"), async {
        let mut peer = server.accept().await;
        let asked = peer.frame().await;
        peer.refuse(&asked, status, "the server's sentence").await;
        peer
    })
    .await;
    result.expect_err("refused")
}

#[tokio::test]
async fn a_place_that_is_gone_or_never_was_is_told_with_what_to_do() {
    for (status, advice) in [
        (Status::CursorTooOld, "begin anew from the oldest event"),
        (Status::CursorInvalid, "begin anew without it, and check that the server still has the same data"),
        (Status::Forbidden, "use a token that may do this"),
    ] {
        let error = refused_with(status).await;
        let expected = ClientError::Refused { status, text: String::from("the server's sentence") };
        assert_eq!(error, expected);
        let sentence = format!("the server refuses with {status}: the server's sentence; {advice}");
        assert_eq!(error.to_string(), sentence);
    }
}

#[tokio::test]
async fn it_is_tried_again_until_it_stands() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (feed, (mut peer, asked)) = play(client.subscribe(FeedStart::Oldest, 10, "mails"), async {
        drop(server.accept_silently().await);
        drop(server.accept().await.frame().await);
        let mut peer = server.accept().await;
        let asked = peer.frame().await;
        peer.refuse(&asked, Status::Overloaded, "too many feeds").await;
        stands(&server).await
    })
    .await;
    peer.reply(&asked, &[event(1, 0)]).await;
    assert_eq!(places(&feed.expect("it stands").next().await.expect("events")), [(1, 0)]);
}

#[tokio::test]
async fn tries_and_time_are_bounded() {
    let server = FakeServer::start().await;
    let client = server.client().attempts(2).build().expect("valid");
    let (result, ()) = play(client.subscribe(FeedStart::Oldest, 10, "mails"), async {
        for _ in 0..2 {
            let mut peer = server.accept().await;
            let asked = peer.frame().await;
            peer.refuse(&asked, Status::NoSpace, "").await;
        }
    })
    .await;
    let error = result.expect_err("refused twice");
    assert!(matches!(error, ClientError::Unavailable { status: Some(Status::NoSpace), .. }), "{error:?}");

    let client = client.with_deadline(HOUR);
    let (result, _peer): (Result<Feed, _>, _) = play_out(client.subscribe(FeedStart::Oldest, 10, "mails"), async {
        let mut peer = server.accept().await;
        peer.frame().await;
        peer
    })
    .await;
    let Err(ClientError::Unavailable { status: None, reason, .. }) = result else { panic!("{result:?}") };
    assert_eq!(reason, "no subscription within 3600s");
}

#[tokio::test]
async fn an_answer_that_is_none_is_a_protocol_error() {
    type Answer = fn(&crate::support::Received) -> Vec<u8>;
    let answers: [(&str, Answer); 3] = [
        ("events before it stands", |asked| asked.answered(&[event(1, 0)])),
        ("another correlation", |asked| {
            let mut bytes = asked.answered::<feed::Event>(&[]);
            bytes[16] = 99;
            bytes
        }),
        ("no frame", |_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
    ];
    for (name, answer) in answers {
        let server = FakeServer::start().await;
        let client = server.client().attempts(1).build().expect("valid");
        let (result, _peer) = play(client.subscribe(FeedStart::Oldest, 10, "mails"), async {
            let mut peer = server.accept().await;
            let asked = peer.frame().await;
            peer.send(&answer(&asked)).await;
            peer
        })
        .await;
        assert!(matches!(result, Err(ClientError::Protocol { .. })), "{name}: {result:?}");
    }
}
