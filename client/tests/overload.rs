//! Answers that ask for a later try are retried with the same request id, and named when they do not end.

use stockade_client::{ClientError, Status};
use stockade_protocol::claim::ClaimReply;

use crate::support::{CLAIM, FakeServer, play};

#[tokio::test]
async fn overload_of_an_item_and_of_a_frame_is_tried_again_with_the_same_request_id() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (outcome, keys) = play(client.claim(CLAIM), async {
        let mut peer = server.accept().await;
        let overloaded = peer.frame().await;
        peer.reply(&overloaded, &[ClaimReply::refused(Status::Overloaded)]).await;
        let leaving = peer.frame().await;
        peer.refuse(&leaving, Status::Unavailable, "the server is leaving").await;
        let granted = peer.frame().await;
        peer.send(&granted.granted()).await;
        [overloaded, leaving, granted].map(|frame| frame.claim_key())
    })
    .await;
    assert_eq!(outcome.expect("granted").serials, [9]);
    assert_eq!(keys, [(1, 9, 7); 3]);
}

#[tokio::test]
async fn overload_until_the_tries_are_used_up_is_unavailable_with_its_status() {
    let server = FakeServer::start().await;
    let client = server.client().attempts(3).build().expect("valid");
    let _ = server.serve(|frame| frame.answered(&[ClaimReply::refused(Status::NoSpace)]));
    let error = client.claim(CLAIM).await.expect_err("the disk is full");
    let ClientError::Unavailable { status: Some(Status::NoSpace), reason, .. } = &error else { panic!("{error:?}") };
    assert_eq!(reason, "the server answered NO_SPACE");
}

#[tokio::test]
async fn refusals_of_the_business_kind_are_outcomes_at_once() {
    let refusals = [
        Status::SoldOut,
        Status::LimitReached,
        Status::Paused,
        Status::NotStarted,
        Status::BatchDraft,
        Status::BatchUnknown,
        Status::Ended,
        Status::Closed,
        Status::RequestConflict,
        Status::QuantityInvalid,
        Status::ReservationCancelled,
        Status::HistoryFull,
        Status::AudienceRefused,
        Status::QuantityAboveLimit,
        Status::DayLimitReached,
        Status::DaySoldOut,
    ];
    let server = FakeServer::start().await;
    let client = server.client().attempts(1).build().expect("valid");
    // The batch's number says which answer the test wants.
    let _ = server.serve(|frame| {
        let number = u8::try_from(frame.claim_key().0).expect("a status");
        let status = Status::from_number(number).expect("a status");
        let mut reply = ClaimReply::refused(status);
        (reply.remaining, reply.user_units, reply.day_units) = (4.into(), 2.into(), 1.into());
        frame.answered(&[reply])
    });
    for status in refusals {
        let request = stockade_client::ClaimRequest { batch: status as u64, ..CLAIM };
        let outcome = client.claim(request).await.expect("an outcome");
        assert_eq!((outcome.status, outcome.granted, outcome.serials), (status, 0, vec![]));
        assert_eq!((outcome.remaining, outcome.user_units, outcome.day_units), (4, 2, 1));
    }
}
