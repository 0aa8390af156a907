//! The server's window is kept: no more claims wait for answers on a connection than it allows.

use tokio::task::JoinSet;

use crate::support::{FakeServer, claim_of};

const WINDOW: u32 = 4;
const CLAIMS: u64 = 30;

#[tokio::test]
async fn no_more_claims_are_in_flight_than_the_server_allows() {
    let mut server = FakeServer::start().await;
    server.welcome.in_flight_claims_max = WINDOW.into();
    server.welcome.claims_per_frame_max = 3.into();
    let client = server.client().build().expect("valid");
    let mut tasks = JoinSet::new();
    for user in 1..=CLAIMS {
        let client = client.clone();
        tasks.spawn(async move { client.claim(claim_of(user)).await });
    }

    let mut peer = server.accept().await;
    let (mut answered, mut widest) = (0, 0);
    while answered < CLAIMS {
        let mut unanswered = vec![peer.frame().await];
        while let Some(frame) = peer.frame_if_any().await {
            unanswered.push(frame);
        }
        let in_flight: u32 = unanswered.iter().map(|frame| frame.count).sum();
        assert!(in_flight <= WINDOW, "{in_flight} claims in flight");
        widest = widest.max(in_flight);
        for frame in unanswered {
            answered += u64::from(frame.count);
            peer.send(&frame.granted()).await;
        }
    }
    assert_eq!(widest, WINDOW, "the window was never used up");
    while let Some(joined) = tasks.join_next().await {
        assert_eq!(joined.expect("no panic").expect("granted").granted, 1);
    }
}
