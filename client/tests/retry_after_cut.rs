//! A connection cut after a request was sent: the request is repeated as it was, never as a new one.

use std::fmt::Debug;

use stockade_client::{Action, CouponAction, CouponRequest, CouponState, Fields, ReserveRequest, Status, Terms};
use stockade_protocol::batch::{AddStock, BatchInfo, Change, Create, Edit, State, Withdraw};
use stockade_protocol::claim::{ClaimReply, REPLAYED, RequestKey};
use stockade_protocol::coupon::{self, Changed};
use stockade_protocol::feed::{Acknowledged, Forget};
use stockade_protocol::reservation::{Extend, Reserve};
use zerocopy::{Immutable, IntoBytes};

use crate::support::{CLAIM, FakeServer, Received, play};

#[tokio::test]
async fn a_claim_is_repeated_with_its_request_id() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let script = async {
        let mut keys = Vec::new();
        for _ in 0..3 {
            keys.push(server.accept().await.frame().await.claim_key());
        }
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        keys.push(frame.claim_key());
        let mut replayed = ClaimReply::granted(1, 3, 1);
        replayed.flags |= REPLAYED;
        peer.reply(&frame, &[replayed]).await;
        (keys, peer)
    };
    let (outcome, (keys, _peer)) = play(client.claim(CLAIM), script).await;

    let outcome = outcome.expect("granted");
    assert_eq!((outcome.status, outcome.serials, outcome.replayed), (Status::Granted, vec![3], true));
    assert_eq!(keys, [(1, 9, 7); 4]);
}

/// The bytes of a request, and what answers its copy.
type Exchange = (Vec<u8>, Box<dyn Fn(&Received) -> Vec<u8>>);

/// Plays `calls`, each of which the server cuts off once: its copy must be the same bytes. `answers` to the copies.
async fn each_is_repeated_unchanged<C: Debug>(
    calls: impl Future<Output = C>,
    server: &FakeServer,
    answers: Vec<Exchange>,
) -> C {
    let script = async {
        let mut peer = server.accept().await;
        for (expected, answer) in answers {
            let first = peer.frame().await;
            assert_eq!(first.items::<u8>(), expected);
            drop(peer);
            peer = server.accept().await;
            let again = peer.frame().await;
            assert_eq!((again.opcode, again.items::<u8>()), (first.opcode, &expected[..]));
            peer.send(&answer(&again)).await;
        }
        peer
    };
    play(calls, script).await.0
}

/// The expected bytes of `request`, and `reply` as the answer.
fn exchange<Q, R>(request: &Q, reply: R) -> Exchange
where
    Q: IntoBytes + Immutable,
    R: IntoBytes + Immutable + Clone + 'static,
{
    (request.as_bytes().to_vec(), Box::new(move |frame| frame.answered(std::slice::from_ref(&reply))))
}

#[tokio::test]
async fn operations_on_batches_are_repeated_unchanged() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let terms = Terms {
        stock: 10,
        per_user: Some(1),
        ends_ms: Some(9_000),
        draft: true,
        name: String::from("tickets"),
        ..Terms::default()
    };
    let calls = async {
        let created = client.create_batch(4, &terms).await.expect("answered");
        let added = client.add_stock(4, 11, 5).await.expect("answered");
        let edited = client.edit_batch(4, Fields::ENDS, &terms, 3).await.expect("answered");
        let withdrawn = client.withdraw_stock(4, 12, 5).await.expect("answered");
        let ended = client.change_batch(4, Action::End).await.expect("answered");
        [created, added, edited, withdrawn, ended].map(|outcome| outcome.status)
    };
    let done = BatchInfo::about(Status::Done, 4, State::Draft, &terms);
    let answers = vec![
        exchange(&Create::new(4, &terms).expect("fits"), done),
        exchange(&AddStock::new(4, 11, 5), done),
        exchange(&Edit::new(4, Fields::ENDS, &terms, 3).expect("fits"), done),
        exchange(&Withdraw::new(4, 12, 5), done),
        exchange(&Change::new(4, Action::End), done),
    ];
    assert_eq!(each_is_repeated_unchanged(calls, &server, answers).await, [Status::Done; 5]);
}

#[tokio::test]
async fn all_about_reservations_is_repeated_unchanged() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let request = ReserveRequest { batch: 4, user: 9, request: 7, audience: 5, quantity: 2, up_to: true, ttl_s: 300 };
    let calls = async {
        let reserved = client.reserve(request).await.expect("answered");
        let extended = client.extend(4, 9, 7, 600).await.expect("answered");
        let confirmed = client.confirm(4, 9, 7).await.expect("answered");
        let cancelled = client.cancel(4, 9, 8).await.expect("answered");
        [reserved, extended, confirmed, cancelled].map(|outcome| (outcome.status, outcome.replayed))
    };
    let replayed = |mut reply: ClaimReply| {
        reply.flags |= REPLAYED;
        reply
    };
    let answers = vec![
        exchange(&Reserve::new(4, 9, 7, 2, 300).up_to().with_audience(5), replayed(ClaimReply::reserved(2, 30, 2))),
        exchange(&Extend::new(4, 9, 7, 600), replayed(ClaimReply::reserved(2, 30, 2))),
        exchange(&RequestKey::new(4, 9, 7), replayed(ClaimReply::granted(2, 30, 2))),
        exchange(&RequestKey::new(4, 9, 8), replayed(ClaimReply::refused(Status::Done))),
    ];
    let outcomes = each_is_repeated_unchanged(calls, &server, answers).await;
    let expected = [Status::Reserved, Status::Reserved, Status::Granted, Status::Done].map(|status| (status, true));
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn changes_of_coupons_are_repeated_unchanged() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let coupon = CouponRequest { batch: 4, user: 9, serial: 30, order: 88 };
    let steps = [
        (CouponAction::Lock, CouponState::Locked),
        (CouponAction::Unlock, CouponState::Granted),
        (CouponAction::Redeem, CouponState::Redeemed),
        (CouponAction::Restore, CouponState::Granted),
        (CouponAction::Return, CouponState::Returned),
        (CouponAction::Void, CouponState::Voided),
    ];
    let calls = async {
        for (action, state) in steps {
            let outcome = client.change_coupon(coupon, action).await.expect("answered");
            assert_eq!((outcome.status, outcome.state), (Status::Done, Some(state)));
        }
    };
    let answers = steps.map(|(action, state)| {
        let change = coupon::Change::new(4, 9, 30, action, 88);
        exchange(&change, Changed::about(Status::Done, state, 30))
    });
    each_is_repeated_unchanged(calls, &server, answers.into()).await;
}

#[tokio::test]
async fn forgetting_a_consumer_is_repeated_unchanged() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let answers = vec![exchange(&Forget::new("mails").expect("fits"), Acknowledged::new(Status::RequestUnknown, 0))];
    let forgotten = each_is_repeated_unchanged(client.forget_consumer("mails"), &server, answers).await;
    assert_eq!(forgotten, Ok(Status::RequestUnknown));
}
