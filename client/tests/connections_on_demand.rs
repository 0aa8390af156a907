//! Connections are opened as concurrent calls need them, never more than allowed.

use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use crate::support::{CLAIM, FakeServer, Received, claim_of};

#[tokio::test]
async fn calls_one_after_the_other_share_one_connection() {
    let server = FakeServer::start().await;
    let client = server.client().connections(4).build().expect("valid");
    let connections = server.serve(Received::granted);
    for _ in 0..20 {
        assert_eq!(client.claim(CLAIM).await.expect("granted").serials, [9]);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_crowd_gets_as_many_as_allowed_and_everyone_is_served() {
    let mut server = FakeServer::start().await;
    server.welcome.in_flight_claims_max = 2.into();
    let client = server.client().connections(3).build().expect("valid");
    let mut tasks = JoinSet::new();
    for user in 1..=200 {
        let client = client.clone();
        tasks.spawn(async move { (user, client.claim(claim_of(user)).await) });
    }
    // Three connections take what their windows hold, and no fourth comes for the rest.
    let mut peers = [server.accept().await, server.accept().await, server.accept().await];
    let mut frames = Vec::new();
    for peer in &mut peers {
        frames.push(peer.frame().await);
    }
    assert_eq!(frames.iter().map(|frame| frame.count).collect::<Vec<_>>(), [2; 3]);

    for (mut peer, frame) in peers.into_iter().zip(frames) {
        tokio::spawn(async move {
            let mut frame = Some(frame);
            while let Some(received) = frame {
                peer.send(&received.granted()).await;
                frame = peer.next_frame().await;
            }
        });
    }
    let connections = server.serve(Received::granted);
    while let Some(joined) = tasks.join_next().await {
        let (user, outcome) = joined.expect("no panic");
        assert_eq!(outcome.expect("granted").serials, [u32::try_from(user).expect("small")]);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 0, "a connection beyond those allowed");
}
