//! kill -9 under load, again and again: nothing acknowledged is lost, conservation holds at every restart, `verify`
//! agrees.
//!
//! `STOCKADE_KILL_CYCLES` sets the number of kills (8 without it; `make kills` runs 200). What falls between two kills
//! is chance: on a busy machine there are more of them, until as many as that asks for came after a new checkpoint.

use std::sync::atomic::Ordering;

use crate::crowd::{self, Crowd};
use crate::merchant::{self, Merchant};
use crate::server::ServerProcess;
use crate::shopper::{self, Shopper};

/// Batches of the sale. Small ones sell out during the run, so that refusals are under test as well.
const BATCHES: [(u64, u32); 4] = [(1, 2_000), (2, 50_000), (3, 4_000_000), (4, 7)];

/// Units that one user may hold.
const PER_USER: u32 = 3;

/// Restarts of which one is asked about all grants, and the others about so many, the newest.
const ALL_EVERY: u64 = 32;
const GRANTS_LOOKED_AT: usize = 30_000;

/// Closed sales that each restart is asked about, the newest; at the end it is asked about all.
const CLOSED_LOOKED_AT: usize = 100;

/// Units of the shopper that each restart is asked about, the newest; at the end it is asked about all.
const UNITS_LOOKED_AT: usize = 4_096;

fn cycles() -> u64 {
    std::env::var("STOCKADE_KILL_CYCLES").ok().map_or(8, |text| text.parse().expect("a number of cycles"))
}

/// Kills, and how many of them came after what the test is about.
#[derive(Default)]
struct Kills {
    all: u64,
    after_grants: u64,
    after_units: u64,
    after_checkpoints: u64,
}

impl Kills {
    fn go_on(&self) -> bool {
        self.all < cycles() || (self.lack_checkpoints() && self.all < 16 * cycles())
    }

    fn lack_checkpoints(&self) -> bool {
        self.after_checkpoints * 4 <= cycles()
    }
}

#[test]
fn nothing_acknowledged_is_lost_however_often_the_server_is_killed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = ServerProcess::start(folder.path());
    let crowd = Crowd::new(server.address(), 4);
    crowd.operator().create(&BATCHES, PER_USER);
    crowd.start();
    let mut dice = crowd::Dice::new(7);
    let (merchant, shopper) = (Merchant::start(server.address()), Shopper::start(server.address()));
    let mut kills = Kills::default();
    let (mut granted, mut bought_before, mut checkpoint) = (0, 0, 0);
    while kills.go_on() {
        kills.all += 1;
        let cycle = kills.all;
        // Kill after a number of further answers, not after a time: the same on a slow machine.
        let target = crowd.answers.load(Ordering::SeqCst) + 500 + dice.below(20_000);
        crowd.wait_for_answers(target);
        server.kill();
        let verification = ServerProcess::verify(folder.path());
        assert!(verification.clean, "cycle {cycle}: verify found {}", verification.text);
        kills.after_checkpoints += u64::from(verification.checkpoint_epoch > checkpoint);
        checkpoint = verification.checkpoint_epoch;
        let (closed, bought) = (merchant.closed(), shopper.newest(UNITS_LOOKED_AT));
        server = ServerProcess::start(folder.path());
        crowd.moved_to(server.address());
        merchant.moved_to(server.address());
        shopper.moved_to(server.address());
        audit(&crowd, cycle);
        audit_closed(&crowd, &closed[closed.len().saturating_sub(CLOSED_LOOKED_AT)..], cycle);
        shopper::assert_all_known(&mut crowd.operator(), &bought, &format!("cycle {cycle}"));
        let grants = crowd.granted();
        kills.after_grants += u64::from(grants > granted);
        granted = grants;
        let units = shopper.count();
        kills.after_units += u64::from(units > bought_before);
        bought_before = units;
    }
    crowd.stop();
    let (closed, bought) = (merchant.stop(), shopper.stop());
    audit(&crowd, u64::MAX);
    audit_closed(&crowd, &closed, u64::MAX);
    shopper::assert_all_known(&mut crowd.operator(), &bought, "at the end");
    shopper::assert_counted(&mut crowd.operator(), &bought);
    let status = server.terminate();
    assert!(status.success(), "a server that is told to leave leaves with 0, not {status}");
    let verification = ServerProcess::verify(folder.path());
    assert!(verification.clean, "at the end: verify found {}", verification.text);
    let book = crowd.book();
    assert!(kills.after_grants * 2 > kills.all, "only {} of {} kills: a weak test", kills.after_grants, kills.all);
    assert!(kills.after_units * 2 > kills.all, "the shopper got anywhere before only {} kills", kills.after_units);
    assert!(!kills.lack_checkpoints(), "only {} of {} came after a checkpoint", kills.after_checkpoints, kills.all);
    println!(
        "{} kills, {} after new grants and {} after new checkpoints: {} grants acknowledged, 0 lost; {} short sales \
         closed, all sold out; {} units reserved, redeemed or given back, as acknowledged; {} refusals",
        kills.all,
        kills.after_grants,
        kills.after_checkpoints,
        book.grants.len(),
        closed.len(),
        bought.len(),
        book.refusals
    );
}

/// Holds the server against what was acknowledged before the question: now and then, and at the end, against all of it.
fn audit(crowd: &Crowd, cycle: u64) {
    let all = (cycle == u64::MAX || cycle.is_multiple_of(ALL_EVERY)).then(|| crowd.book());
    let (newest, sold_out) = crowd.newest(GRANTS_LOOKED_AT);
    let mut operator = crowd.operator();
    let lost = operator.lookup_all(all.as_ref().map_or(&newest, |book| &book.grants));
    assert_eq!(lost, Vec::new(), "cycle {cycle}: acknowledged grants that are gone or changed");
    all.iter().for_each(|book| book.assert_exact(PER_USER));
    for (batch, stock) in BATCHES {
        let info = operator.show(batch);
        let (total, granted, remaining) = (info.total.get(), info.granted.get(), info.remaining.get());
        let known = all.as_ref().map_or(0, |book| book.units_of(batch));
        assert_eq!(total, stock, "cycle {cycle}, batch {batch}");
        assert_eq!(granted + remaining, total, "cycle {cycle}, batch {batch}: conservation");
        assert!(u64::from(granted) >= known, "cycle {cycle}, batch {batch}: {granted} granted, {known} acknowledged");
    }
    for (batch, remaining_at_most) in &sold_out {
        // Nothing flows in: what was sold out stays so.
        let remaining = operator.show(*batch).remaining.get();
        assert!(remaining < *remaining_at_most, "cycle {cycle}: batch {batch} was sold out, now {remaining} are left");
    }
}

/// Sales that were answered as closed are closed and sold out to the last unit.
fn audit_closed(crowd: &Crowd, closed: &[u64], cycle: u64) {
    let mut operator = crowd.operator();
    for batch in closed {
        merchant::assert_sold_and_closed(&operator.show(*batch), &format!("cycle {cycle}, batch {batch}"));
    }
}
