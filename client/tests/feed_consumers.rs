//! The consumers whose cursors the server stores are listed and forgotten.

use stockade_client::{ClientError, Consumer, Place, Status};
use stockade_protocol::Opcode;
use stockade_protocol::feed::{Acknowledged, ConsumerInfo, Forget};
use stockade_protocol::hello::Page;

use crate::support::{FakeServer, at_once};

#[tokio::test]
async fn consumers_are_listed_in_plain_types() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| {
        assert_eq!(
            (frame.opcode, frame.items::<Page>()),
            (Opcode::FeedList, &[Page { from: 1.into(), limit: 10.into() }][..])
        );
        frame.answered(&[ConsumerInfo::new("mails", (5, 2), true, 0), ConsumerInfo::new("票", (4, 0), false, 9_000)])
    });
    let consumer = |name: &str, cursor, is_connected, behind_bytes| Consumer {
        name: name.to_owned(),
        cursor,
        is_connected,
        behind_bytes,
    };
    let expected = vec![
        consumer("mails", Place { epoch: 5, index: 2 }, true, 0),
        consumer("票", Place { epoch: 4, index: 0 }, false, 9_000),
    ];
    assert_eq!(client.feed_consumers(1, 10).await, Ok(expected));
}

#[tokio::test]
async fn a_consumer_is_forgotten_by_name() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| {
        let known = Forget::new("mails").expect("fits");
        let status = if frame.items::<Forget>() == [known] { Status::Done } else { Status::RequestUnknown };
        frame.answered(&[Acknowledged::new(status, 5)])
    });
    assert_eq!(client.forget_consumer("mails").await, Ok(Status::Done));
    assert_eq!(client.forget_consumer("nobody").await, Ok(Status::RequestUnknown));
    let refused = at_once(client.forget_consumer(&"x".repeat(41))).await;
    assert!(matches!(refused, Err(ClientError::InvalidInput { argument: "consumer", .. })), "{refused:?}");
}
