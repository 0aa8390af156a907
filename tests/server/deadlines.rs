//! Deadlines count from the first byte that the server has read of a frame. A frame whose time passed on the way is
//! refused as a whole, and takes nothing; a frame that is in time is decided, however slow the frame before it was.

use std::time::Duration;

use stockade_protocol::batch::{Action, BatchInfo, Change};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};
use stockade_protocol::hello::{Hello, Welcome};
use stockade_protocol::ping::Ping;
use stockade_protocol::{Opcode, Status};
use zerocopy::FromZeros;

use crate::support::frame::{BODY_AT, COUNT_AT, DEADLINE_AT, Reply, blank, frame, frame_within, patched, requests};
use crate::support::link::{Link, statuses};
use crate::support::patience::let_pass;
use crate::support::shop::{Shop, creation, options, terms};

/// Long enough for this to pass before the rest of a frame is sent, and the shortest that can be asked for.
const SHORT_MS: u32 = 1;
const PASSED: Duration = Duration::from_millis(2);

/// Sends all of `bytes`, the first `early` of them so much before the others that the shortest deadline passes.
fn send_in_two(shop: &Shop, link: &mut Link, bytes: &[u8], early: usize) {
    shop.send_and_see(link, &bytes[..early]);
    let_pass(PASSED);
    link.send(&bytes[early..]);
}

fn claim(user: u64) -> Claim {
    Claim::new(1, user, 1, 1)
}

#[test]
fn a_frame_that_comes_too_late_takes_nothing() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    let claims = frame_within(SHORT_MS, Opcode::Claim, 4, &[claim(1), claim(2)]);
    // From the first byte on: within the magic, the header, the first item, the last item.
    for early in [1, BODY_AT - 1, BODY_AT, BODY_AT + 5, claims.len() - 1] {
        send_in_two(&shop, &mut client, &claims, early);
        assert_eq!(client.reply().refusal(), (Some(Status::DeadlinePassed), 4), "{early} bytes came early");
        assert_eq!(client.granted(1), 0);
    }
    assert_eq!(client.lookup(1, 1, 1).status(), Some(Status::RequestUnknown));
    let granted = client.claim(&[claim(1)]);
    assert_eq!(statuses(&granted), [Status::Granted], "the same request, in time");
    assert!(!granted[0].is_replayed());
}

#[test]
fn every_opcode_has_a_deadline() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    let late = |opcode| patched(blank(opcode, 4), DEADLINE_AT, &SHORT_MS.to_le_bytes());
    let frames = [
        frame_within(SHORT_MS, Opcode::Ping, 4, &[Ping::new_zeroed()]),
        frame_within(SHORT_MS, Opcode::Lookup, 4, &[RequestKey::new(1, 1, 1)]),
        frame_within(SHORT_MS, Opcode::BatchCreate, 4, &[creation(2, &terms(1))]),
        frame_within(SHORT_MS, Opcode::BatchChange, 4, &[Change::new(1, Action::End)]),
    ];
    for bytes in frames.into_iter().chain(requests().map(late)) {
        send_in_two(&shop, &mut client, &bytes, BODY_AT);
        assert_eq!(client.reply().refusal(), (Some(Status::DeadlinePassed), 4));
    }
    assert_eq!(client.show(2).status(), Some(Status::BatchUnknown));
    assert_eq!(statuses(&client.claim(&[claim(1)])), [Status::Granted], "the batch has not ended");
}

#[test]
fn a_frame_in_time_is_decided_however_many_pieces_it_comes_in() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    for (user, deadline_ms) in [(1, 0), (2, u32::MAX)] {
        let bytes = frame_within(deadline_ms, Opcode::Claim, 4, &[claim(user)]);
        send_in_two(&shop, &mut client, &bytes, 40);
        assert_eq!(statuses(&client.reply().items(Opcode::Claim)), [Status::Granted], "deadline {deadline_ms} ms");
    }
}

#[test]
fn a_handshake_has_none() {
    let shop = Shop::open(1, options());
    let mut link = Link::open(shop.address());
    let hello = frame_within(SHORT_MS, Opcode::Hello, 1, &[Hello::new("slow", "").expect("short texts")]);
    send_in_two(&shop, &mut link, &hello, 100);
    assert_eq!(link.reply().items::<Welcome>(Opcode::Hello).len(), 1);
}

/// A slow frame, then two that come at once with its last bytes. Returns the replies to the three.
fn behind(slow: &[u8]) -> [Reply; 3] {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    let next = frame_within(SHORT_MS, Opcode::Claim, 5, &[claim(5)]);
    let last = frame_within(SHORT_MS, Opcode::Claim, 6, &[claim(6)]);
    send_in_two(&shop, &mut client, &[slow, &next, &last].concat(), 40);
    let mut replies = [client.reply(), client.reply(), client.reply()];
    replies.sort_by_key(|reply| reply.correlation);
    assert_eq!(client.granted(1), replies.iter().filter(|reply| reply.opcode == Opcode::Claim).map(units).sum::<u32>());
    replies
}

fn units(reply: &Reply) -> u32 {
    reply.items::<ClaimReply>(Opcode::Claim).iter().map(|item| u32::from(item.granted)).sum()
}

#[test]
fn a_late_frame_does_not_make_the_next_one_late() {
    let [first, next, last] = behind(&frame_within(SHORT_MS, Opcode::Claim, 4, &[claim(4)]));
    assert_eq!(first.fault(), Some(Status::DeadlinePassed));
    assert_eq!((units(&next), units(&last)), (1, 1));
}

#[test]
fn nor_does_a_slow_frame_that_is_refused() {
    let none = patched(frame(Opcode::Claim, 4, &[claim(4)]), COUNT_AT, &[0]);
    let [first, next, last] = behind(&none);
    assert_eq!(first.fault(), Some(Status::Malformed));
    assert_eq!((next.fault(), last.fault()), (None, None));
}

#[test]
fn a_deadline_refuses_before_anything_is_looked_at_in_the_items() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    // A reserved bit in the item: `MALFORMED` if it were in time.
    let broken = patched(frame_within(SHORT_MS, Opcode::Claim, 4, &[claim(1)]), BODY_AT + 30, &[1]);
    send_in_two(&shop, &mut client, &broken, BODY_AT);
    assert_eq!(client.reply().refusal(), (Some(Status::DeadlinePassed), 4));
    client.send(&broken);
    assert_eq!(client.reply().refusal(), (Some(Status::Malformed), 4));
    let info =
        client.ask(Opcode::BatchChange, &[Change::new(1, Action::Pause)]).items::<BatchInfo>(Opcode::BatchChange);
    assert_eq!(info[0].status(), Some(Status::Done));
}
