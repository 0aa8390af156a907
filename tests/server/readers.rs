//! Readers: requests that read files are answered by threads of their own, whose queue is bounded. What waits there
//! holds up nobody, and is answered even when the client or the server is about to leave.

use std::thread;
use std::time::Duration;

use stockade::server::{Server, ServerOptions};
use stockade_protocol::batch::BatchId;
use stockade_protocol::claim::Claim;
use stockade_protocol::{Opcode, Status};

use crate::support::frame::{frame, frame_within};
use crate::support::link::{Link, statuses};
use crate::support::patience::wait_until;
use crate::support::shop::{Shop, options, terms};

/// Requests that may wait for a reader.
const QUEUE: u64 = 8_192;

/// A request that keeps its reader busy as long as the gate is closed and a claim waits behind it.
fn slow(correlation: u64) -> Vec<u8> {
    frame(Opcode::BatchReconcile, correlation, &[BatchId { batch: 1.into() }])
}

/// A shop with one reader, whose gate is closed and has a claim of the first client behind it; and a second client.
fn stalled(drain_timeout: Duration) -> (Shop, Link, Link) {
    let shop = Shop::open(1, ServerOptions { drain_timeout, ..options() });
    let (mut first, second) = (shop.client_with_batch(1, &terms(10)), shop.client());
    shop.gate.close();
    first.send(&frame(Opcode::Claim, 1, &[Claim::new(1, 1, 1, 1)]));
    shop.gate.wait_until_held(1);
    (shop, first, second)
}

#[test]
fn more_than_may_wait_are_overloaded() {
    let (shop, mut first, mut client) = stalled(Duration::ZERO);
    // The reader may have taken one by then.
    let too_many = 10;
    let all = QUEUE + too_many;
    client.send(&(0..all).flat_map(slow).collect::<Vec<_>>());
    let refused = || shop.sum(|core| core.frames_refused(Status::Overloaded));
    // A reader gives up after seconds and makes room for one more: on a machine that hangs so long, fewer are refused.
    wait_until("the queue is full", || refused() > 0);
    let too_late = refused();
    assert!((1..=too_many).contains(&too_late), "{too_late}");
    shop.gate.open();
    let mut replies = (0..all).map(|_| client.reply()).collect::<Vec<_>>();
    replies.sort_by_key(|reply| reply.correlation);
    let overloaded = replies.iter().filter(|reply| reply.fault() == Some(Status::Overloaded)).count() as u64;
    assert_eq!(overloaded, refused(), "each is counted, the reader's own too");
    for (number, reply) in (0..all).zip(&replies) {
        assert_eq!(reply.correlation, number, "each is answered once");
        // A memory engine has nothing to read.
        assert!(matches!(reply.fault(), Some(Status::Overloaded | Status::Unavailable)), "{:?}", reply.fault());
    }
    client.ping();
    assert_eq!(statuses(&first.reply().items(Opcode::Claim)), [Status::Granted]);
}

#[test]
fn what_waits_past_its_deadline_is_not_begun() {
    let (shop, mut first, mut client) = stalled(Duration::ZERO);
    let batch = [BatchId { batch: 1.into() }];
    let in_a_hurry = frame_within(1, Opcode::BatchReconcile, 2, &batch);
    shop.send_and_see(&mut client, &[slow(1), in_a_hurry, slow(3)].concat());
    // sleep: the deadline of a millisecond must pass, however long that takes.
    thread::sleep(Duration::from_millis(2));
    shop.gate.open();
    assert_eq!(statuses(&first.reply().items(Opcode::Claim)), [Status::Granted]);
    let refusals = [1, 2, 3].map(|_| client.reply().refusal());
    let late = (Some(Status::DeadlinePassed), 2);
    assert_eq!(refusals, [(Some(Status::Unavailable), 1), late, (Some(Status::Unavailable), 3)]);
    assert_eq!(shop.sum(|core| core.frames_refused(Status::DeadlinePassed)), 1);
    assert_eq!(shop.sum(|core| core.frames_refused(Status::Unavailable)), 2);
}

#[test]
fn who_hangs_up_harms_nobody() {
    let (shop, mut first, mut leaver) = stalled(Duration::ZERO);
    shop.send_and_see(&mut leaver, &[slow(1), slow(2)].concat());
    drop(leaver);
    shop.gate.open();
    assert_eq!(statuses(&first.reply().items(Opcode::Claim)), [Status::Granted]);
    wait_until("the connection is over", || shop.server.as_ref().map(Server::connections) == Some(1));
    first.ping();
    assert_eq!(first.ask(Opcode::BatchReconcile, &[BatchId { batch: 1.into() }]).fault(), Some(Status::Unavailable));
}

#[test]
fn who_closes_only_the_sending_side_gets_what_it_is_owed() {
    let (shop, _first, mut leaver) = stalled(Duration::ZERO);
    shop.send_and_see(&mut leaver, &slow(1));
    leaver.stream.shutdown(std::net::Shutdown::Write).expect("a socket");
    shop.gate.open();
    assert_eq!(leaver.reply().refusal(), (Some(Status::Unavailable), 1));
    leaver.must_end();
}

#[test]
fn a_server_that_leaves_answers_what_waits() {
    let (mut shop, mut first, mut client) = stalled(Duration::from_mins(1));
    shop.send_and_see(&mut client, &[slow(1), slow(2)].concat());
    let server = shop.server.take();
    let leaving = thread::spawn(move || server.map(Server::shutdown));
    shop.gate.open();
    assert_eq!(statuses(&first.reply().items(Opcode::Claim)), [Status::Granted]);
    first.must_end();
    for correlation in [1, 2] {
        assert_eq!(client.reply().refusal(), (Some(Status::Unavailable), correlation));
    }
    client.must_end();
    drop((first, client));
    leaving.join().expect("the server has left");
}
