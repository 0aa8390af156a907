//! Frames tell the server for how long their work is wanted.

use std::time::Duration;

use stockade_client::Status;
use stockade_protocol::claim::ClaimReply;

use crate::support::{CLAIM, FakeServer, HOUR, claim_of, play};

const HOUR_MS: u32 = 3_600_000;

#[tokio::test]
async fn a_frame_carries_what_is_left_of_the_deadline() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (_, (first, second)) = play(client.claim(CLAIM), async {
        let mut peer = server.accept().await;
        let first = peer.frame().await;
        // A minute passes before the first answer: the retry has that much less.
        tokio::time::pause();
        tokio::time::advance(Duration::from_mins(1)).await;
        tokio::time::resume();
        peer.reply(&first, &[ClaimReply::refused(Status::Overloaded)]).await;
        let second = peer.frame().await;
        peer.send(&second.granted()).await;
        (first, second)
    })
    .await;
    assert!((HOUR_MS / 2..=HOUR_MS).contains(&first.deadline_ms), "{} ms", first.deadline_ms);
    assert!(second.deadline_ms <= first.deadline_ms - 60_000, "{} then {} ms", first.deadline_ms, second.deadline_ms);
}

#[tokio::test]
async fn claims_of_one_frame_are_wanted_until_the_last_of_their_deadlines() {
    let server = FakeServer::start().await;
    let short = server.client().build().expect("valid");
    let long = short.with_deadline(2 * HOUR);
    let calls = async { tokio::join!(long.claim(claim_of(1)), short.claim(claim_of(2))) };
    let (_, frame) = play(calls, async {
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
        frame
    })
    .await;
    assert_eq!(frame.count, 2);
    assert!((HOUR_MS + 1..=2 * HOUR_MS).contains(&frame.deadline_ms), "{} ms", frame.deadline_ms);
}
