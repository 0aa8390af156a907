//! Time limits of a connection: whoever breaks one is closed without a `FAULT`, and nobody else notices. Each test
//! makes one limit tiny; the others never pass.

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use stockade::server::ServerOptions;
use stockade_protocol::Status::Granted;
use stockade_protocol::batch::{BatchId, BatchInfo};
use stockade_protocol::claim::Claim;
use stockade_protocol::hello::Welcome;
use stockade_protocol::limits::BATCHES_PER_FRAME_MAX;
use stockade_protocol::{Header, Opcode};
use zerocopy::IntoBytes;

use crate::support::frame::{BODY_AT, frame, hello};
use crate::support::link::{Link, statuses};
use crate::support::patience::{let_pass, wait_until};
use crate::support::shop::{Shop, creation, options, terms};

const TINY: Duration = Duration::from_millis(200);

/// A greeted client, although the machine may be so busy that the handshake comes too late at first.
fn greeted_in_time(shop: &Shop) -> Link {
    let mut greeted = None;
    wait_until("a handshake comes in time", || {
        let mut link = Link::open(shop.address());
        let sent = link.stream.write_all(&hello("")).is_ok();
        greeted = if sent { link.reply_or_end().map(|_welcome| link) } else { None };
        greeted.is_some()
    });
    greeted.expect("just greeted")
}

#[test]
fn handshake() {
    let shop = Shop::open(2, ServerOptions { handshake_timeout: TINY, ..options() });
    let mut others = [greeted_in_time(&shop), greeted_in_time(&shop)];
    let mut silent = Link::open(shop.address());
    let mut slow = Link::open(shop.address());
    slow.send(&hello("")[..100]);
    silent.must_end();
    slow.must_end();
    // They were greeted more than the limit ago.
    others.iter_mut().for_each(Link::ping);
}

#[test]
fn whole_frame() {
    let shop = Shop::open(2, ServerOptions { frame_timeout: TINY, ..options() });
    let mut others = [shop.client_with_batch(1, &terms(10)), shop.client()];
    let bytes = frame(Opcode::Claim, 1, &[Claim::new(1, 1, 1, 1), Claim::new(1, 2, 1, 1)]);
    for early in [1, BODY_AT, BODY_AT + 1, bytes.len() - 1] {
        let mut slow = shop.client();
        slow.send(&bytes[..early]);
        slow.must_end();
    }
    let mut stranger = Link::open(shop.address());
    stranger.send(&hello("")[..1]);
    stranger.must_end();
    others.iter_mut().for_each(Link::ping);
    assert_eq!(others[0].granted(1), 0);
}

#[test]
fn bytes_that_trickle_do_not_prolong_a_frame() {
    let shop = Shop::open(1, ServerOptions { frame_timeout: TINY, ..options() });
    let mut other = shop.client();
    // Where the machine held this client up for the whole limit, the close says nothing.
    let proven = (0..100).any(|_| since_last_byte_when_cut(&shop) < TINY);
    assert!(proven, "it was only cut when no bytes came");
    other.ping();
}

/// Sends a byte of one frame a millisecond until the server cuts it short. Returns how long ago the last byte was sent
/// that the server has read.
fn since_last_byte_when_cut(shop: &Shop) -> Duration {
    let mut trickle = shop.client();
    let mut last = Instant::now();
    shop.send_and_see(&mut trickle, Header::request(Opcode::Claim, 8_192, 1, 0).as_bytes());
    // The whole frame would take four minutes.
    for _ in 0..60_000 {
        let_pass(Duration::from_millis(1));
        let (before, sent) = (shop.received_bytes(), Instant::now());
        let mut cut = trickle.stream.write_all(&[0]).is_err();
        wait_until("the byte is read, or not wanted any more", || {
            cut |= !trickle.is_quiet();
            cut || shop.received_bytes() > before
        });
        if cut {
            let since_last = last.elapsed();
            trickle.must_end();
            return since_last;
        }
        last = sent;
    }
    panic!("the frame went on for ever");
}

#[test]
fn idle() {
    let shop = Shop::open(2, ServerOptions { idle_timeout: TINY, ..options() });
    // In one write, so that no idle time passes in between on a busy machine.
    let create = frame(Opcode::BatchCreate, 2, &[creation(1, &terms(10))]);
    let mut operator = Link::open(shop.address());
    operator.send(&[hello(""), create].concat());
    operator.reply().items::<Welcome>(Opcode::Hello);
    operator.reply().items::<BatchInfo>(Opcode::BatchCreate);

    // Silent for as long as the others, but a reply is due.
    shop.gate.close();
    let mut waits = Link::open(shop.address());
    waits.send(&[hello(""), frame(Opcode::Claim, 2, &[Claim::new(1, 1, 1, 1)])].concat());
    shop.wait_until_waiting(1);
    operator.must_end();
    let mut silent = Link::open(shop.address());
    silent.must_end();
    assert!(waits.is_quiet(), "neither answered nor closed");
    shop.gate.open();
    waits.reply().items::<Welcome>(Opcode::Hello);
    assert_eq!(statuses(&waits.reply().items(Opcode::Claim)), [Granted]);
}

#[test]
fn write_stall() {
    let shop = Shop::open(2, ServerOptions { write_stall_timeout: TINY, ..options() });
    let mut others = [shop.client_with_batch(1, &terms(10)), shop.client()];
    let mut deaf = shop.client();
    // Twenty bytes come back for each one that is sent, and nobody reads them.
    let ids = vec![BatchId { batch: 1.into() }; usize::try_from(BATCHES_PER_FRAME_MAX).expect("small")];
    let show = frame(Opcode::BatchShow, 1, &ids);
    let error = (0..100_000).find_map(|_| deaf.stream.write_all(&show).err());
    let kind = error.expect("it is closed in the end").kind();
    assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind:?}: not closed in a minute");
    // They had nothing to read all the time: that is no stall.
    others.iter_mut().for_each(Link::ping);
    assert_eq!(others[0].granted(1), 0);
}
