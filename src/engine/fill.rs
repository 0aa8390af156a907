//! Fill: the tables of users, rebuilt by several threads at once.
//!
//! Each thread reads every group, which is cheap, and puts the claims of its share of the users aside: a share of one
//! table belongs to one thread only, in the order of the journal. At the end it looks at them, shard by shard
//! (`users/staged.rs`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::calendar::Calendar;
use super::rebuild::Violation;
use crate::journal::{ClaimRecord, ClaimRun, CouponRecord, CouponRun, Group, NO_SERIAL, Step};
use crate::stock::Runs;
use crate::types::{BatchId, Epoch, TimeMs, UserId};
use crate::users::{Broken, CouponChange, HashedUser, Move, Part, Share, Users};

/// Most threads: beyond it, reading every group costs more than the sharing saves.
const SHARES_MAX: usize = 8;

/// Groups that may wait for the slowest thread.
const WAITING_MAX: usize = 32;

/// Records of a run that are looked through at once: the memory that ours need is fetched before the first of them is
/// put aside.
const AHEAD: usize = 64;

/// Violations that one thread reports: a damaged journal may have millions.
const VIOLATIONS_MAX: usize = 100;

/// Who holds what of one batch, while it is rebuilt.
pub(super) struct Holders {
    pub(super) batch: BatchId,
    pub(super) users: Users,
    pub(super) calendar: Calendar,
    /// The most that one user may hold, of all limits that the batch ever had; 0 = unlimited.
    pub(super) per_user_max: AtomicU64,
    /// Units of all claims and reservations, counted apart from the serials.
    pub(super) taken_units: AtomicU64,
}

/// The clocks at a restart: by the running one reservations expire, by the other one they were recorded.
#[derive(Clone, Copy)]
pub(super) struct Clocks {
    pub(super) now_ms: TimeMs,
    pub(super) running_ms: TimeMs,
}

impl Clocks {
    /// When a reservation expires that was made or extended at a time of the wall's, by the running clock; not before
    /// now.
    fn due_ms(self, time_ms: TimeMs, ttl_s: u16) -> TimeMs {
        self.running_ms + (time_ms + u64::from(ttl_s) * 1_000).saturating_sub(self.now_ms)
    }

    /// What a record that takes nothing says of its claim.
    fn moved(self, record: &ClaimRecord, time_ms: TimeMs) -> Move {
        let stranded = record.serial == NO_SERIAL;
        match record.step {
            Step::Confirm => Move::Confirm,
            Step::Cancel => Move::Cancel { stranded },
            Step::Lapse => Move::Lapse { stranded },
            Step::Extend { ttl_s } => Move::Extend { due_ms: self.due_ms(time_ms, ttl_s), ttl_s },
            Step::Mark => Move::Mark,
            Step::Grant | Step::Reserve { .. } => unreachable!("those take units"),
        }
    }
}

/// The threads.
pub(super) struct Fill {
    jobs: Vec<Sender<Job>>,
    threads: Vec<JoinHandle<Filled>>,
    failed: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Job {
    /// A group and the tables that its runs belong to, those of claims and then those of coupons; none for a batch that
    /// nobody knows.
    Group(Arc<[u8]>, Arc<[Option<Arc<Holders>>]>),
    /// The batch has closed: its users are looked at, and forgotten.
    Close(Arc<Holders>),
    /// Everything was handed in.
    Settle(Arc<[Arc<Holders>]>),
}

struct Filler {
    share: usize,
    shares: usize,
    filled: Filled,
    /// The runs so far of a claim that continues in the next record.
    open_claim: Runs,
    clocks: Clocks,
    failed: Arc<AtomicBool>,
}

type Parts = HashMap<BatchId, Part, foldhash::fast::RandomState>;

/// What a thread leaves.
#[derive(Default)]
struct Filled {
    parts: Parts,
    violations: Vec<Violation>,
}

impl Fill {
    /// Starts a thread for each processor, within reason: a power of two of them.
    pub(super) fn start(clocks: Clocks) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let shares = 1 << processors.min(SHARES_MAX).ilog2();
        let failed = Arc::new(AtomicBool::new(false));
        let start = |share| {
            let (jobs, work) = bounded(WAITING_MAX);
            let (filled, open_claim, failed) = (Filled::default(), Runs::default(), Arc::clone(&failed));
            let filler = Filler { share, shares, filled, open_claim, clocks, failed };
            let thread = thread::Builder::new().name(format!("fill-{share}")).spawn(move || filler.run(&work));
            (jobs, thread.expect("the system has room for a few more threads at start"))
        };
        let (jobs, threads) = (0..shares).map(start).unzip();
        Self { jobs, threads, failed }
    }

    /// Fills in the records of a group that was checked.
    pub(super) fn group(&self, bytes: &[u8], holders: Vec<Option<Arc<Holders>>>) {
        self.send(&Job::Group(Arc::from(bytes), Arc::from(holders)));
    }

    /// Gives the memory of a batch's users back, after what was handed in so far; nothing comes after it.
    pub(super) fn close(&self, holders: &Arc<Holders>) {
        self.send(&Job::Close(Arc::clone(holders)));
    }

    /// Whether a violation was found.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Looks at what was filled in for these batches, which are all that live, and puts their tables together. Returns
    /// what was violated, there and before.
    pub(super) fn settle(&mut self, live: &Arc<[Arc<Holders>]>) -> Vec<Violation> {
        self.send(&Job::Settle(Arc::clone(live)));
        let mut filled = self.finish();
        for holders in live.iter() {
            let parts = filled.iter_mut().filter_map(|filled| filled.parts.remove(&holders.batch));
            holders.users.assemble(parts);
        }
        filled.into_iter().flat_map(|filled| filled.violations).collect()
    }

    fn finish(&mut self) -> Vec<Filled> {
        self.jobs.clear();
        let finished = self.threads.drain(..).map(JoinHandle::join);
        finished.map(|filled| filled.expect("a filler panics only with the program")).collect()
    }

    fn send(&self, job: &Job) {
        for jobs in &self.jobs {
            jobs.send(job.clone()).expect("a filler takes jobs until it is told to finish");
        }
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Filler {
    fn run(mut self, work: &Receiver<Job>) -> Filled {
        for job in work {
            match job {
                Job::Group(bytes, holders) => self.group(&bytes, &holders),
                Job::Close(holders) => {
                    self.settle(&holders);
                    self.filled.parts.remove(&holders.batch);
                }
                Job::Settle(all) => all.iter().for_each(|holders| self.settle(holders)),
            }
            if !self.filled.violations.is_empty() {
                self.failed.store(true, Ordering::Relaxed);
            }
        }
        self.filled
    }

    fn group(&mut self, bytes: &[u8], holders: &[Option<Arc<Holders>>]) {
        let group = Group::read_again(bytes).expect("it was decoded before");
        let mut holders = holders.iter();
        let claims = group.claim_runs().map_while(Result::ok).zip(holders.by_ref());
        for (run, holders) in claims.filter_map(|(run, holders)| holders.as_ref().map(|holders| (run, holders))) {
            self.claims(group.epoch, &run, holders);
        }
        let coupons = group.coupon_runs().map_while(Result::ok).zip(holders);
        for (run, holders) in coupons.filter_map(|(run, holders)| holders.as_ref().map(|holders| (run, holders))) {
            self.coupons(group.epoch, &run, holders);
        }
    }

    fn claims(&mut self, epoch: Epoch, run: &ClaimRun<'_>, holders: &Holders) {
        let Some(part) = part(&mut self.filled.parts, holders, (self.share, self.shares)) else { return };
        let mut units = 0;
        let when = match run.step {
            Step::Grant => (holders.calendar.day_of(run.time_ms), 0),
            Step::Reserve { ttl_s } => (holders.calendar.day_of(run.time_ms), self.clocks.due_ms(run.time_ms, ttl_s)),
            Step::Confirm | Step::Cancel | Step::Lapse | Step::Extend { .. } | Step::Mark => (0, 0),
        };
        let (mut users, mut ahead) = (run.users().enumerate(), [(0, HashedUser::default()); AHEAD]);
        while users.len() > 0 {
            for &(number, user) in look_ahead(&mut users, part, &holders.users, &mut ahead) {
                let record = run.record(number);
                if !record.step.takes() {
                    part.stage_move(user, record.request, self.clocks.moved(&record, run.time_ms), epoch);
                    continue;
                }
                // Nearly every claim is one record.
                let runs = if self.open_claim.is_empty() && !record.continues {
                    Runs::one(record.run())
                } else {
                    self.open_claim.push(record.run());
                    if record.continues {
                        continue;
                    }
                    std::mem::take(&mut self.open_claim)
                };
                units += u64::from(runs.units());
                match wrong(&record, &runs) {
                    None => part.stage(user, record.request, (record.asked, &runs), when, epoch),
                    Some(what) => violation(&mut self.filled.violations, epoch, holders.batch, what),
                }
            }
        }
        holders.taken_units.fetch_add(units, Ordering::Relaxed);
    }

    fn coupons(&mut self, epoch: Epoch, run: &CouponRun<'_>, holders: &Holders) {
        let Some(part) = part(&mut self.filled.parts, holders, (self.share, self.shares)) else { return };
        for record in run.records() {
            let user = holders.users.hashed(record.user);
            if part.has(user) {
                let CouponRecord { serial, action, order, back, through, .. } = record;
                let moved = Move::Coupon(CouponChange { serial, action, order, back, through });
                part.stage_move(user, 0, moved, epoch);
            }
        }
    }

    /// Looks at our share of what was put aside for a batch.
    fn settle(&mut self, holders: &Holders) {
        let Filled { parts, violations } = &mut self.filled;
        let Some(part) = parts.get_mut(&holders.batch) else { return };
        let limit = u32::try_from(holders.per_user_max.load(Ordering::Relaxed)).ok().filter(|limit| *limit != 0);
        part.settle(&holders.users, limit, &mut |epoch, broken| {
            let what = match broken {
                Broken::Repeated { user, request } => {
                    format!("request {request} of user {user} is granted a second time")
                }
                Broken::OverLimit { user, units } => {
                    format!("user {user} holds {units} units, {} allowed", limit.unwrap_or(u32::MAX))
                }
                Broken::Impossible { user, what, step } => format!("user {user}, {what}: {step}"),
            };
            violation(violations, epoch, holders.batch, what);
        });
    }
}

/// Our part of a batch's table, if we have one.
fn part<'a>(parts: &'a mut Parts, holders: &Holders, share: (usize, usize)) -> Option<&'a mut Part> {
    match parts.entry(holders.batch) {
        Entry::Occupied(part) => Some(part.into_mut()),
        Entry::Vacant(place) => {
            let share = Share { number: share.0, of: share.1, salt: holders.batch };
            Part::of(&holders.users, share).map(|part| place.insert(part))
        }
    }
}

/// Takes the next few users of a run: those that are ours, with the numbers of their records, the memory that they need
/// being on its way.
fn look_ahead<'a>(
    users: &mut impl Iterator<Item = (usize, UserId)>,
    part: &Part,
    table: &Users,
    ahead: &'a mut [(usize, HashedUser); AHEAD],
) -> &'a [(usize, HashedUser)] {
    let mut ours = 0;
    for (number, user) in users.take(AHEAD) {
        // No branch: whose the next user is cannot be foretold.
        let user = table.hashed(user);
        ahead[ours] = (number, user);
        ours += usize::from(part.has(user));
    }
    let ours = &ahead[..ours];
    ours.iter().for_each(|(_, user)| part.prefetch(*user));
    ours
}

fn violation(violations: &mut Vec<Violation>, epoch: Epoch, batch: BatchId, what: String) {
    if violations.len() < VIOLATIONS_MAX {
        violations.push(Violation { epoch, batch: Some(batch), what });
    }
}

/// What is wrong with a claim that took `runs`.
fn wrong(record: &ClaimRecord, runs: &Runs) -> Option<String> {
    if runs.units() > u32::from(record.asked.quantity) {
        return Some(format!("request {} of user {} got more than it asked for", record.request, record.user));
    }
    if record.asked.reserves != matches!(record.step, Step::Reserve { .. }) {
        return Some(format!("request {} of user {} is both claim and reservation", record.request, record.user));
    }
    None
}
