//! Many tasks on several threads against a server that cuts, stutters and refuses: every claim ends granted, once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use stockade_client::Status;
use stockade_protocol::claim::ClaimReply;
use tokio::task::JoinSet;

use crate::support::{FakeServer, Peer, claim_of};

const USERS: u64 = 3_000;

/// What the server has granted, by (batch, user, request): its serials are dealt in order.
type Granted = HashMap<(u64, u64, u64), u32>;

/// Decides a frame's claims as the protocol demands: a repeated one gets its first answer.
fn decide(granted: &mut Granted, claim: &stockade_protocol::claim::Claim) -> ClaimReply {
    let next = u32::try_from(granted.len()).expect("a test's crowd");
    let key = (claim.batch.get(), claim.user.get(), claim.request.get());
    ClaimReply::granted(1, *granted.entry(key).or_insert(next), 1)
}

/// Serves one connection until its turn to misbehave comes, which differs by `number`.
async fn serve(mut peer: Peer, number: usize, granted: Arc<Mutex<Granted>>) {
    for turn in 0.. {
        let Some(frame) = peer.next_frame().await else { return };
        let is_overloaded = (turn + number).is_multiple_of(3);
        let replies: Vec<_> = frame
            .claims()
            .iter()
            .enumerate()
            .map(|(index, claim)| {
                if is_overloaded && index.is_multiple_of(2) {
                    ClaimReply::refused(Status::Overloaded)
                } else {
                    decide(&mut granted.lock(), claim)
                }
            })
            .collect();
        let bytes = frame.answered(&replies);
        // Most connections are cut in the middle of an answer, the first ones at once; some live on.
        if number < 40 && turn >= number % 7 {
            peer.send(&bytes[..bytes.len() * (number % 3) / 2]).await;
            return;
        }
        peer.send(&bytes).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_claim_ends_granted_exactly_once() {
    let mut server = FakeServer::start().await;
    server.welcome.in_flight_claims_max = 200.into();
    server.welcome.claims_per_frame_max = 64.into();
    let client = server.client().connections(3).attempts(u32::MAX).build().expect("valid");

    let granted = Arc::new(Mutex::new(Granted::new()));
    let accepting = tokio::spawn({
        let granted = Arc::clone(&granted);
        async move {
            for number in 0.. {
                let peer = server.accept().await;
                tokio::spawn(serve(peer, number, Arc::clone(&granted)));
            }
        }
    });

    let mut tasks = JoinSet::new();
    for user in 0..USERS {
        let client = client.clone();
        tasks.spawn(async move { (user, client.claim(claim_of(user)).await) });
    }
    let mut told = Granted::new();
    while let Some(joined) = tasks.join_next().await {
        let (user, outcome) = joined.expect("no panic");
        let outcome = outcome.expect("granted in the end");
        assert_eq!(outcome.status, Status::Granted);
        told.insert((1, user, 7), outcome.serials[0]);
    }
    accepting.abort();
    assert_eq!(told, *granted.lock());
}
