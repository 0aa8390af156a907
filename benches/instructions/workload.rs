//! The workloads: fixed sequences of requests, none of which looks at a clock or at a number of the machine.
//!
//! A round leaves things so that the next one costs the same. Whatever all rounds need is prepared before the first,
//! for [`ROUNDS_MAX`] of them however many follow, so that it cancels out.

use std::hint::black_box;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use stockade::journal::{ClaimRecord, Encoder, Group, MemoryStore, Portion, Step};
use stockade::stock::{Mode, Run, Runs};
use stockade::users::{Asked, Moment, Users};
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::limits::REQUEST_BODY_BYTES_MAX;
use stockade_protocol::{Header, Opcode, Status};
use zerocopy::IntoBytes;

use crate::sale::Sale;

/// Most rounds of one run.
const ROUNDS_MAX: u32 = 2;

/// Claims of one round: enough for tables of users to grow as they do in a sale.
const CLAIMS: u32 = 65_536;

/// Tables of a round that looks users up without adding any: how long that takes depends on the random keys of the
/// tables, which even out over several.
const TABLES: u32 = 4;

/// Batches where each claim names another one than the claim before.
const BATCHES: u32 = 1_024;

const FRAMES: u32 = 4_096;
const CLAIMS_PER_FRAME: u32 = 64;

const GROUPS: u32 = 512;
const RECORDS_PER_GROUP: u32 = 1_024;

const ASKED: Asked = Asked { quantity: 1, mode: Mode::AllOrNothing, reserves: false };

const NOW: Moment = Moment { day: 1, epoch: 1, durable: 1, core: 0 };

/// One of them.
pub(crate) struct Workload {
    /// Its name in the budgets.
    pub(crate) name: &'static str,
    /// What one operation is.
    pub(crate) operation: &'static str,
    /// Operations of a round.
    pub(crate) operations: u32,
    /// Prepares, then does so many rounds.
    pub(crate) run: fn(usize),
}

/// All of them.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload { name: "claim", operation: "a granted claim of a new user, committed", operations: CLAIMS, run: claim },
    Workload {
        name: "claim_elsewhere",
        operation: "the same, each claim of another batch than the one before",
        operations: CLAIMS,
        run: claim_elsewhere,
    },
    Workload { name: "replay", operation: "a retry of a granted claim", operations: TABLES * CLAIMS, run: replay },
    Workload { name: "sold_out", operation: "a refusal after the sale", operations: TABLES * CLAIMS, run: sold_out },
    Workload { name: "frame", operation: "64 claims encoded, sent nowhere, decoded", operations: FRAMES, run: frame },
    Workload { name: "user_insert", operation: "a new user in a growing table", operations: CLAIMS, run: user_insert },
    Workload { name: "user_find", operation: "a known user's request", operations: TABLES * CLAIMS, run: user_find },
    Workload {
        name: "group_encode",
        operation: "1,024 records of one batch as a group",
        operations: GROUPS,
        run: group_encode,
    },
    Workload { name: "group_decode", operation: "that group read back", operations: GROUPS, run: group_decode },
    Workload { name: "restart", operation: "a claim that is read from the journal", operations: CLAIMS, run: restart },
];

/// Users in no order that a table could profit from.
fn user(index: u32) -> u64 {
    u64::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The claims of a round: each of another user, with the user's number as its request.
fn claims(first_user: u32, batch: impl Fn(u32) -> u64) -> Vec<Claim> {
    let users = first_user..first_user + CLAIMS;
    users.map(|index| Claim::new(batch(index), user(index), u64::from(index), 1)).collect()
}

fn is_granted(reply: &ClaimReply) -> bool {
    reply.status() == Some(Status::Granted) && !reply.is_replayed()
}

/// Rounds of granted claims, each round on `batches` new batches that it names in turn.
fn grants(rounds: usize, batches: u32) {
    let sale = Sale::memory();
    sale.create((0..ROUNDS_MAX * batches).map(u64::from), 2 * CLAIMS);
    let claims = |round| claims(0, |index| u64::from(round * batches + index % batches));
    let prepared = (0..ROUNDS_MAX).map(claims).collect::<Vec<_>>();
    prepared[..rounds].iter().for_each(|claims| sale.decide(claims, 1, is_granted));
}

fn claim(rounds: usize) {
    grants(rounds, 1);
}

fn claim_elsewhere(rounds: usize) {
    grants(rounds, BATCHES);
}

fn replay(rounds: usize) {
    let sale = Sale::memory();
    sale.create((0..TABLES).map(u64::from), 2 * CLAIMS);
    let granted = (0..TABLES).map(|batch| claims(0, |_| u64::from(batch))).collect::<Vec<_>>();
    granted.iter().for_each(|claims| sale.decide(claims, 1, is_granted));
    let is_replay = |reply: &ClaimReply| reply.status() == Some(Status::Granted) && reply.is_replayed();
    (0..rounds).flat_map(|_| &granted).for_each(|claims| sale.decide(claims, 1, is_replay));
}

fn sold_out(rounds: usize) {
    let sale = Sale::memory();
    sale.create((0..TABLES).map(u64::from), CLAIMS);
    (0..TABLES).for_each(|batch| sale.decide(&claims(0, |_| u64::from(batch)), 1, is_granted));
    let strangers = (0..TABLES).map(|batch| claims(CLAIMS, |_| u64::from(batch))).collect::<Vec<_>>();
    let is_sold_out = |reply: &ClaimReply| reply.status() == Some(Status::SoldOut);
    (0..rounds).flat_map(|_| &strangers).for_each(|claims| sale.decide(claims, 1, is_sold_out));
}

fn restart(rounds: usize) {
    let store = MemoryStore::default();
    let sale = Sale::stored(&store);
    sale.create(1..=1, 2 * CLAIMS);
    sale.decide(&claims(0, |_| 1), 1, is_granted);
    drop(sale);
    use_one_processor();
    for _ in 0..rounds {
        assert_eq!(Sale::stored(&store).recovered(), u64::from(CLAIMS));
    }
}

/// A restart starts a thread for each processor, and each reads all groups: on one, every machine counts the same.
fn use_one_processor() {
    let allowed = sched_getaffinity(None).expect("a process may ask which processors it may use");
    let first = (0..CpuSet::MAX_CPU).find(|index| allowed.is_set(*index)).expect("it runs on one");
    let mut one = CpuSet::new();
    one.set(first);
    sched_setaffinity(None, &one).expect("a process may use fewer processors");
}

fn frame(rounds: usize) {
    let mut bytes = Vec::new();
    for frame in (0..rounds).flat_map(|_| 0..FRAMES) {
        bytes.clear();
        let header = Header::request(Opcode::Claim, CLAIMS_PER_FRAME, u64::from(frame), 0);
        bytes.extend_from_slice(header.as_bytes());
        for index in 0..CLAIMS_PER_FRAME {
            bytes.extend_from_slice(Claim::new(1, user(index), u64::from(frame), 1).as_bytes());
        }
        let decoded = decode(Side::Server, black_box(&bytes), REQUEST_BODY_BYTES_MAX);
        let (frame, length) = decoded.expect("well-formed").expect("whole");
        let claims = frame.items::<Claim>().expect("claims");
        assert!(length == bytes.len() && claims.iter().all(Claim::is_well_formed));
        black_box(claims.iter().fold(0, |sum, claim| sum ^ claim.user.get() ^ claim.batch.get()));
    }
}

fn user_insert(rounds: usize) {
    for _ in 0..rounds {
        filled_users();
    }
}

fn user_find(rounds: usize) {
    let tables = (0..TABLES).map(|_| filled_users()).collect::<Vec<_>>();
    for users in (0..rounds).flat_map(|_| &tables) {
        for index in 0..CLAIMS {
            let user = users.hashed(user(index));
            users.prefetch(user);
            let look = users.entry_of(user).find(u64::from(index), &NOW);
            assert!(look.units == 1 && look.claim.is_some());
        }
    }
}

fn filled_users() -> Users {
    let users = Users::new(2 * CLAIMS, 256);
    for index in 0..CLAIMS {
        let user = users.hashed(user(index));
        users.prefetch(user);
        let mut entry = users.entry_of(user);
        let look = entry.find(u64::from(index), &NOW);
        assert!(look.units == 0 && look.claim.is_none());
        entry.insert(u64::from(index), ASKED, &Runs::one(Run::new(index, 1)), &NOW);
    }
    users
}

fn group_encode(rounds: usize) {
    let (portion, mut encoder) = (portion(), Encoder::default());
    let mut hash = [0; 16];
    for _ in (0..rounds).flat_map(|_| 0..GROUPS) {
        hash = black_box(encoder.encode(1, hash, &[&portion])).1;
    }
}

fn group_decode(rounds: usize) {
    let mut encoder = Encoder::default();
    let bytes = encoder.encode(1, [0; 16], &[&portion()]).0.to_vec();
    for _ in (0..rounds).flat_map(|_| 0..GROUPS) {
        let group = Group::decode(black_box(&bytes)).expect("just encoded");
        let records = group.claim_runs().flat_map(|run| run.expect("just encoded").records());
        assert_eq!(records.map(|record| u32::from(record.units)).sum::<u32>(), RECORDS_PER_GROUP);
    }
}

fn portion() -> Portion {
    let mut portion = Portion::default();
    for serial in 0..RECORDS_PER_GROUP {
        let (batch, user, request, units) = (1, user(serial), u64::from(serial), 1);
        let (step, asked, continues) = (Step::Grant, ASKED, false);
        portion.claim(1, &ClaimRecord { batch, user, request, step, serial, units, asked, continues });
    }
    portion
}
