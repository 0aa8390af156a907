//! Requests that queue together leave together, up to the server's limit of a frame.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use stockade_client::{Client, CouponRequest, CouponState, ReserveRequest, Status};
use stockade_protocol::Opcode;
use stockade_protocol::claim::{ClaimReply, RequestKey};
use stockade_protocol::coupon::{self, Changed};
use stockade_protocol::reservation::{Extend, Reserve};
use tokio::task::JoinSet;

use crate::support::{FakeServer, claim_of, play};

/// Claims of users `1..=count`, each in a task of its own. The tasks yield (user, serials).
fn crowd(client: &Client, count: u64) -> JoinSet<(u64, Vec<u32>)> {
    let mut tasks = JoinSet::new();
    for user in 1..=count {
        let client = client.clone();
        tasks.spawn(async move { (user, client.claim(claim_of(user)).await.expect("answered").serials) });
    }
    tasks
}

async fn everyone_has_their_own_serial(mut tasks: JoinSet<(u64, Vec<u32>)>, count: u64) {
    let mut held = HashMap::new();
    while let Some(joined) = tasks.join_next().await {
        let (user, serials) = joined.expect("no panic");
        held.insert(user, serials);
    }
    let expected: HashMap<_, _> = (1..=count).map(|user| (user, vec![u32::try_from(user).expect("small")])).collect();
    assert_eq!(held, expected);
}

#[tokio::test]
async fn claims_of_many_tasks_share_a_frame_and_each_gets_its_own_answer() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let tasks = crowd(&client, 100);

    let mut peer = server.accept().await;
    let frame = peer.frame().await;
    assert_eq!(frame.count, 100);
    peer.send(&frame.granted()).await;
    everyone_has_their_own_serial(tasks, 100).await;
}

#[tokio::test]
async fn frames_keep_to_the_servers_limit() {
    let mut server = FakeServer::start().await;
    server.welcome.claims_per_frame_max = 10.into();
    let client = server.client().build().expect("valid");
    let tasks = crowd(&client, 25);
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sizes);
    let _ = server.serve(move |frame| {
        seen.lock().push(frame.count);
        frame.granted()
    });
    everyone_has_their_own_serial(tasks, 25).await;
    assert_eq!(*sizes.lock(), [10, 10, 5]);
}

#[tokio::test]
async fn claims_and_look_ups_queued_together_take_a_frame_each() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let answers = async {
        tokio::join!(
            client.lookup(1, 5, 2),
            client.claim(claim_of(1)),
            client.lookup(1, 6, 3),
            client.claim(claim_of(2)),
        )
    };
    let script = async {
        let mut peer = server.accept().await;
        let claims = peer.frame().await;
        assert_eq!((claims.opcode, claims.count), (Opcode::Claim, 2));
        let lookups = peer.frame().await;
        assert_eq!(lookups.keys(), [RequestKey::new(1, 5, 2), RequestKey::new(1, 6, 3)]);
        peer.reply(&lookups, &[ClaimReply::refused(Status::RequestUnknown), ClaimReply::granted(1, 60, 1)]).await;
        peer.send(&claims.granted()).await;
        peer
    };
    let ((unknown, first, known, second), _peer) = play(answers, script).await;
    assert_eq!(unknown.expect("answered").status, Status::RequestUnknown);
    assert_eq!(known.expect("answered").serials, [60]);
    assert_eq!(first.expect("answered").serials, [1]);
    assert_eq!(second.expect("answered").serials, [2]);
}

const KINDS: [Opcode; 6] =
    [Opcode::Claim, Opcode::Reserve, Opcode::Confirm, Opcode::Cancel, Opcode::Extend, Opcode::CouponChange];

#[tokio::test]
async fn what_is_queued_together_takes_a_frame_for_each_kind() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let reserve = |user| ReserveRequest { batch: 1, user, request: 7, ttl_s: 60, ..ReserveRequest::default() };
    let coupon = |serial| CouponRequest { batch: 1, user: 9, serial, order: 88 };
    let calls = async {
        tokio::join!(
            async { tokio::join!(client.reserve(reserve(1)), client.confirm(1, 2, 7), client.cancel(1, 3, 7)) },
            async {
                tokio::join!(client.lock_coupon(coupon(4)), client.extend(1, 5, 7, 60), client.claim(claim_of(6)))
            },
            async { tokio::join!(client.reserve(reserve(11)), client.confirm(1, 12, 7), client.cancel(1, 13, 7)) },
            async {
                tokio::join!(client.redeem_coupon(coupon(14)), client.extend(1, 15, 7, 60), client.claim(claim_of(16)))
            },
        )
    };
    let script = async {
        let mut peer = server.accept().await;
        for kind in KINDS {
            let frame = peer.frame().await;
            assert_eq!((frame.opcode, frame.count), (kind, 2));
            let serials = |of: u64| u32::try_from(of).expect("small");
            let bytes = match frame.opcode {
                Opcode::Claim => frame.granted(),
                Opcode::Reserve => {
                    let reserved = |item: &Reserve| ClaimReply::reserved(1, serials(item.user.get()), 1);
                    frame.answered(&frame.items().iter().map(reserved).collect::<Vec<_>>())
                }
                Opcode::Extend => {
                    let extended = |item: &Extend| ClaimReply::reserved(1, serials(item.user.get()), 1);
                    frame.answered(&frame.items().iter().map(extended).collect::<Vec<_>>())
                }
                Opcode::Confirm => {
                    let granted = |key: &RequestKey| ClaimReply::granted(1, serials(key.user.get()), 1);
                    frame.answered(&frame.keys().iter().map(granted).collect::<Vec<_>>())
                }
                Opcode::Cancel => frame.answered(&[Status::Done, Status::ReservationExpired].map(ClaimReply::refused)),
                _ => {
                    let states = [CouponState::Locked, CouponState::Redeemed];
                    let changed = |(change, state): (&coupon::Change, CouponState)| {
                        Changed::about(Status::Done, state, change.serial.get())
                    };
                    frame.answered(&frame.items().iter().zip(states).map(changed).collect::<Vec<_>>())
                }
            };
            peer.send(&bytes).await;
        }
        peer
    };
    let ((one, two, three, four), _peer) = Box::pin(play(calls, script)).await;
    for (outcome, serial) in [(one.0, 1), (one.1, 2), (two.1, 5), (two.2, 6)] {
        assert_eq!(outcome.expect("answered").serials, [serial]);
    }
    for (outcome, serial) in [(three.0, 11), (three.1, 12), (four.1, 15), (four.2, 16)] {
        assert_eq!(outcome.expect("answered").serials, [serial]);
    }
    assert_eq!([one.2, three.2].map(|end| end.expect("answered").status), [Status::Done, Status::ReservationExpired]);
    let states = [two.0, four.0].map(|change| change.expect("answered").state);
    assert_eq!(states, [Some(CouponState::Locked), Some(CouponState::Redeemed)]);
}
