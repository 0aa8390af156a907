//! Two gateways, each with several connections, send the same users' claims at once: no user gets more than the limit,
//! no unit is given twice, and nothing is left over that somebody was refused.

use std::collections::{HashMap, HashSet};
use std::sync::Barrier;
use std::thread;

use stockade_protocol::batch::Terms;
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey, SerialRun};
use stockade_protocol::{Opcode, Status};

use crate::support::frame::frame;
use crate::support::link::Link;
use crate::support::shop::{Shop, creation, options, terms};

const GATEWAYS: usize = 2;
const CONNECTIONS: usize = 3;
const USERS: u64 = 400;
const PER_USER: u32 = 3;

/// Enough for everybody.
const AMPLE: u64 = 1;
/// Enough for half of them.
const SCARCE: u64 = 2;
const SCARCE_STOCK: u32 = 600;

/// Claims of one frame, and frames in flight on one connection.
const FRAME_CLAIMS: usize = 16;
const FRAMES_IN_FLIGHT: usize = 8;

/// What each user is asked for, by everybody: whatever comes first, a user whom stock allows it ends at the limit.
fn claims_of(batch: u64, user: u64) -> [Claim; 4] {
    let claim = |request, quantity| Claim::new(batch, user, request, quantity);
    [claim(1, 2), claim(2, 1), claim(3, 1), claim(4, 2).up_to()]
}

/// Sends everything over one connection, and returns each answer with its claim.
fn shop_for_everybody(link: &mut Link) -> Vec<(Claim, ClaimReply)> {
    let batches = |user| [AMPLE, SCARCE].into_iter().flat_map(move |batch| claims_of(batch, user));
    let claims = (0..USERS).flat_map(batches).collect::<Vec<_>>();
    let mut answers = Vec::with_capacity(claims.len());
    for window in claims.chunks(FRAME_CLAIMS * FRAMES_IN_FLIGHT) {
        let frames = window.chunks(FRAME_CLAIMS).collect::<Vec<_>>();
        for (part, correlation) in frames.iter().zip(0..) {
            link.send(&frame(Opcode::Claim, correlation, part));
        }
        for _ in &frames {
            let reply = link.reply();
            let part = frames[usize::try_from(reply.correlation).expect("one of ours")];
            let items = reply.items::<ClaimReply>(Opcode::Claim);
            assert_eq!(items.len(), part.len());
            answers.extend(part.iter().copied().zip(items));
        }
    }
    answers
}

/// All connections at once.
fn rush(shop: &Shop) -> Vec<(Claim, ClaimReply)> {
    let mut links = (0..GATEWAYS * CONNECTIONS).map(|_| shop.client()).collect::<Vec<_>>();
    let start = Barrier::new(links.len());
    thread::scope(|scope| {
        let threads = links.iter_mut().map(|link| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                shop_for_everybody(link)
            })
        });
        let threads = threads.collect::<Vec<_>>();
        threads.into_iter().flat_map(|thread| thread.join().expect("a connection was served")).collect()
    })
}

/// Batch, user, request.
type Key = (u64, u64, u64);

/// Grants by their keys; checks that each was decided once.
fn decided(answers: &[(Claim, ClaimReply)]) -> HashMap<Key, ClaimReply> {
    let mut decided = HashMap::<Key, Vec<ClaimReply>>::new();
    for (claim, reply) in answers {
        match reply.status().expect("a known status") {
            Status::Granted => {
                let key = (claim.batch.get(), claim.user.get(), claim.request.get());
                decided.entry(key).or_default().push(*reply);
            }
            Status::LimitReached => {}
            Status::SoldOut => assert_eq!(claim.batch.get(), SCARCE, "there was enough"),
            other => panic!("{claim:?} was answered {other}"),
        }
    }
    for (key, replies) in &decided {
        let decisions = replies.iter().filter(|reply| !reply.is_replayed()).count();
        assert_eq!(decisions, 1, "{key:?} was decided so often");
        let same = |reply: &ClaimReply| (reply.serial, reply.granted, reply.run, reply.is_split());
        assert!(replies.iter().all(|reply| same(reply) == same(&replies[0])), "{key:?} got different things");
    }
    decided.into_iter().map(|(key, replies)| (key, replies[0])).collect()
}

#[test]
fn nobody_exceeds_the_limit_and_nothing_is_given_twice() {
    let shop = Shop::open(2, options());
    let limited = |stock| Terms { per_user: Some(PER_USER), ..terms(stock) };
    let mut auditor = shop.client_with_batch(AMPLE, &limited(10_000));
    auditor.ask(Opcode::BatchCreate, &[creation(SCARCE, &limited(SCARCE_STOCK))]);
    let grants = decided(&rush(&shop));

    let mut units = HashMap::<(u64, u64), u32>::new();
    let mut serials = HashSet::new();
    for (&(batch, user, request), reply) in &grants {
        *units.entry((batch, user)).or_default() += u32::from(reply.granted);
        let runs = auditor.ask(Opcode::Serials, &[RequestKey::new(batch, user, request)]);
        let runs = runs.items::<SerialRun>(Opcode::Serials);
        assert_eq!(runs.iter().map(|run| run.count.get()).sum::<u32>(), u32::from(reply.granted));
        assert_eq!((runs[0].first, runs[0].count.get()), (reply.serial, u32::from(reply.run)));
        for serial in runs.iter().flat_map(|run| run.first.get()..run.first.get() + run.count.get()) {
            assert!(serials.insert((batch, serial)), "serial {serial} of batch {batch} was given twice");
        }
    }
    let over = units.iter().find(|(_, units)| **units > PER_USER);
    assert_eq!(over, None, "a user over the limit");
    let of = |batch| units.iter().filter(move |((of, _), _)| *of == batch).map(|(_, units)| *units).sum::<u32>();
    assert_eq!(of(AMPLE), u32::try_from(USERS).expect("few") * PER_USER, "nobody was refused without need");
    assert_eq!(of(SCARCE), SCARCE_STOCK, "neither too much nor too little");
    assert_eq!((auditor.granted(AMPLE), auditor.granted(SCARCE)), (of(AMPLE), of(SCARCE)));
    assert!(serials.iter().all(|(batch, serial)| *batch == AMPLE || *serial < SCARCE_STOCK));
}
