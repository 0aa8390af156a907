//! Fill: the tables of users, rebuilt by several threads at once.
//!
//! Each thread reads every group, which is cheap, and puts the claims of its share of the users aside: a share of one
//! table belongs to one thread only, in the order of the journal. At the end it looks at them, shard by shard
//! (`users/staged.rs`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::calendar::Calendar;
use super::rebuild::Violation;
use crate::journal::{ClaimRecord, ClaimRun, CouponRecord, CouponRun, Group, NO_SERIAL, Step};
use crate::stock::{Day, Runs};
use crate::types::{BatchId, Epoch, TimeMs};
use crate::users::{Broken, CouponChange, HashedUser, Move, Users};

/// Most threads: beyond it, reading every group costs more than the sharing saves.
const SHARES_MAX: usize = 8;

/// Groups that may wait for the slowest thread.
const WAITING_MAX: usize = 32;

/// Records whose memory is fetched before the first of them is inserted.
const AHEAD: usize = 32;

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
    /// The moment of the running clock at which a time of the wall's comes, or came at the earliest.
    fn running(self, time_ms: TimeMs) -> TimeMs {
        self.running_ms + time_ms.saturating_sub(self.now_ms)
    }
}

/// The threads.
pub(super) struct Fill {
    jobs: Vec<Sender<Job>>,
    threads: Vec<JoinHandle<Vec<Violation>>>,
    failed: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Job {
    /// A group and the tables that its runs belong to, those of claims and then those of coupons; none for a batch that
    /// nobody knows.
    Group(Arc<[u8]>, Arc<[Option<Arc<Holders>>]>),
    /// The batch has closed.
    Close(Arc<Holders>),
    /// Everything was handed in.
    Settle(Arc<[Arc<Holders>]>),
}

struct Filler {
    share: usize,
    shares: usize,
    /// The runs so far of a claim that continues in the next record.
    open_claim: Runs,
    /// Records that are taken in together.
    ours: Vec<(HashedUser, ClaimRecord)>,
    clocks: Clocks,
    violations: Vec<Violation>,
    failed: Arc<AtomicBool>,
}

impl Fill {
    /// Starts a thread for each processor, within reason.
    pub(super) fn start(clocks: Clocks) -> Self {
        let shares = thread::available_parallelism().map_or(1, usize::from).min(SHARES_MAX);
        let failed = Arc::new(AtomicBool::new(false));
        let start = |share| {
            let (jobs, work) = bounded(WAITING_MAX);
            let (ours, violations, failed) = (Vec::with_capacity(AHEAD), Vec::new(), Arc::clone(&failed));
            let filler = Filler { share, shares, open_claim: Runs::default(), ours, clocks, violations, failed };
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

    /// Gives the memory of a batch's users back, after what was handed in so far.
    pub(super) fn close(&self, holders: &Arc<Holders>) {
        self.send(&Job::Close(Arc::clone(holders)));
    }

    /// Whether a violation was found.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Looks at what was filled in for these batches, which are all that live. Returns what was violated, there and
    /// before.
    pub(super) fn settle(&mut self, holders: impl Iterator<Item = Arc<Holders>>) -> Vec<Violation> {
        self.send(&Job::Settle(holders.collect()));
        self.finish()
    }

    fn finish(&mut self) -> Vec<Violation> {
        self.jobs.clear();
        let finished =
            self.threads.drain(..).map(|thread| thread.join().expect("a filler panics only with the program"));
        finished.flatten().collect()
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
    fn run(mut self, work: &Receiver<Job>) -> Vec<Violation> {
        for job in work {
            match job {
                Job::Group(bytes, holders) => self.group(&bytes, &holders),
                Job::Close(holders) => {
                    self.settle(&holders);
                    holders.users.close_share(self.share, holders.batch, self.shares);
                }
                Job::Settle(all) => all.iter().for_each(|holders| self.settle(holders)),
            }
        }
        self.violations
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
        let (mut units, mut records) = (0, run.records());
        let when = match run.step {
            Step::Grant => (holders.calendar.day_of(run.time_ms), 0),
            Step::Reserve { ttl_s } => (holders.calendar.day_of(run.time_ms), self.due_ms(run.time_ms, ttl_s)),
            Step::Confirm | Step::Cancel | Step::Lapse | Step::Extend { .. } | Step::Mark => (0, 0),
        };
        loop {
            let is_end = self.look_ahead(&mut records, &holders.users, holders.batch);
            let ours = std::mem::take(&mut self.ours);
            for (user, record) in &ours {
                let staged = if record.step.takes() {
                    self.open_claim.push(record.run());
                    if record.continues {
                        continue;
                    }
                    units += u64::from(self.open_claim.units());
                    let runs = std::mem::take(&mut self.open_claim);
                    stage(holders, epoch, *user, record, (&runs, when))
                } else {
                    let moved = self.moved(record, run.time_ms);
                    let open = holders.users.stage_move(*user, record.request, moved, epoch);
                    if open { Ok(()) } else { Err("changes after it was closed".into()) }
                };
                if let Err(what) = staged {
                    self.violation(epoch, holders.batch, what);
                }
            }
            self.ours = ours;
            if is_end {
                break;
            }
        }
        holders.taken_units.fetch_add(units, Ordering::Relaxed);
    }

    fn coupons(&mut self, epoch: Epoch, run: &CouponRun<'_>, holders: &Holders) {
        for record in run.records() {
            let user = holders.users.hashed(record.user);
            if holders.users.share(user, holders.batch, self.shares) != self.share {
                continue;
            }
            let CouponRecord { serial, action, order, back, through, .. } = record;
            let moved = Move::Coupon(CouponChange { serial, action, order, back, through });
            if !holders.users.stage_move(user, 0, moved, epoch) {
                self.violation(epoch, holders.batch, "changes after it was closed".into());
            }
        }
    }

    fn moved(&self, record: &ClaimRecord, time_ms: TimeMs) -> Move {
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

    fn due_ms(&self, time_ms: TimeMs, ttl_s: u16) -> TimeMs {
        self.clocks.running(time_ms + u64::from(ttl_s) * 1_000)
    }

    /// Looks at our share of what was put aside for a batch.
    fn settle(&mut self, holders: &Holders) {
        let share = (self.share, holders.batch, self.shares);
        let limit = u32::try_from(holders.per_user_max.load(Ordering::Relaxed)).ok().filter(|limit| *limit != 0);
        holders.users.settle_share(share, limit, &mut |epoch, broken| {
            let what = match broken {
                Broken::Repeated { user, request } => {
                    format!("request {request} of user {user} is granted a second time")
                }
                Broken::OverLimit { user, units } => {
                    format!("user {user} holds {units} units, {} allowed", limit.unwrap_or(u32::MAX))
                }
                Broken::Impossible { user, what, step } => format!("user {user}, {what}: {step}"),
            };
            self.violation(epoch, holders.batch, what);
        });
    }

    fn violation(&mut self, epoch: Epoch, batch: BatchId, what: String) {
        self.failed.store(true, Ordering::Relaxed);
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation { epoch, batch: Some(batch), what });
        }
    }

    /// Collects the next few records that are ours and fetches the memory that they will need. True at the end.
    fn look_ahead(&mut self, records: &mut impl Iterator<Item = ClaimRecord>, users: &Users, salt: BatchId) -> bool {
        self.ours.clear();
        for record in records {
            let user = users.hashed(record.user);
            if users.share(user, salt, self.shares) == self.share {
                users.prefetch(user);
                self.ours.push((user, record));
                if self.ours.len() == AHEAD {
                    return false;
                }
            }
        }
        true
    }
}

/// Puts `runs` aside for the record's user.
fn stage(
    holders: &Holders,
    epoch: Epoch,
    user: HashedUser,
    record: &ClaimRecord,
    (runs, when): (&Runs, (Day, TimeMs)),
) -> Result<(), String> {
    if runs.units() > u32::from(record.asked.quantity) {
        return Err(format!("request {} of user {} got more than it asked for", record.request, record.user));
    }
    if record.asked.reserves != matches!(record.step, Step::Reserve { .. }) {
        return Err(format!("request {} of user {} is both claim and reservation", record.request, record.user));
    }
    let open = holders.users.stage(user, record.request, (record.asked, runs), when, epoch);
    if open { Ok(()) } else { Err("grants after it was closed".into()) }
}
