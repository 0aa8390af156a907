//! A storm of copies of one request, on two connections that two cores serve: one effect, one serial, and every copy is
//! told the same.

use std::sync::Barrier;
use std::thread;

use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::{Opcode, Status};

use crate::support::frame::frame;
use crate::support::link::Link;
use crate::support::shop::{Shop, options, terms};

/// Requests, each of which is stormed.
const REQUESTS: u64 = 200;

/// Copies that one connection sends in frames of their own, and in one frame together.
const ALONE: u64 = 8;
const TOGETHER: usize = 8;

fn copy(request: u64) -> Claim {
    Claim::new(1, 7, request, 2)
}

/// Sends all copies of one request at once.
fn storm(link: &mut Link, request: u64) -> Vec<ClaimReply> {
    let mut bytes = (0..ALONE).flat_map(|number| frame(Opcode::Claim, number, &[copy(request)])).collect::<Vec<_>>();
    bytes.extend(frame(Opcode::Claim, ALONE, &[copy(request); TOGETHER]));
    link.send(&bytes);
    (0..=ALONE).flat_map(|_| link.reply().items::<ClaimReply>(Opcode::Claim)).collect()
}

/// The one decision among the copies; all others must be replays of it.
fn decision(request: u64, replies: &[ClaimReply]) -> ClaimReply {
    assert_eq!(replies.len(), 2 * (usize::try_from(ALONE).expect("few") + TOGETHER), "every copy is answered");
    let decisions = replies.iter().filter(|reply| !reply.is_replayed()).collect::<Vec<_>>();
    let [decision] = decisions[..] else { panic!("request {request} was decided {} times", decisions.len()) };
    for reply in replies {
        assert_eq!(reply.status(), Some(Status::Granted));
        let told = (reply.granted, reply.run, reply.serial, reply.is_split());
        assert_eq!(told, (decision.granted, decision.run, decision.serial, decision.is_split()), "request {request}");
    }
    *decision
}

#[test]
fn one_effect_and_one_serial() {
    let shop = Shop::open(2, options());
    let mut operator = shop.client_with_batch(1, &terms(1_000));
    // Dealt out in turn: one for each core.
    let mut links = [shop.client(), shop.client()];
    let start = Barrier::new(2);
    let mut serials = Vec::new();
    for request in 0..REQUESTS {
        let replies = thread::scope(|scope| {
            let threads = links.each_mut().map(|link| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    storm(link, request)
                })
            });
            threads.map(|thread| thread.join().expect("every copy is answered")).concat()
        });
        let decision = decision(request, &replies);
        assert_eq!(decision.granted, 2);
        serials.push(decision.serial.get());
        // Asked a third way, it is still the same.
        let later = operator.lookup(1, 7, request);
        assert_eq!((later.status(), later.serial), (Some(Status::Granted), decision.serial));
    }
    serials.sort_unstable();
    serials.dedup();
    assert_eq!(serials.len(), usize::try_from(REQUESTS).expect("few"), "each request has a serial of its own");
    assert_eq!(u64::from(operator.granted(1)), 2 * REQUESTS);
}
