//! Fill: the tables of users, rebuilt by several threads at once.
//!
//! Each thread reads every group, which is cheap, and keeps the claims of its share of the users, which is what costs:
//! a share of one table is filled by one thread only, in the order of the journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::rebuild::Violation;
use crate::journal::{GrantRecord, GrantRun, Group};
use crate::stock::{Run, Runs};
use crate::types::{BatchId, Epoch, UserId};
use crate::users::Users;

/// Most threads: beyond it, reading every group costs more than the sharing saves.
const SHARES_MAX: usize = 8;

/// Groups that may wait for the slowest thread.
const WAITING_MAX: usize = 32;

/// How far the look-ahead runs before the insertion.
const AHEAD: usize = 32;

/// Who holds what of one batch, while it is rebuilt.
pub(super) struct Holders {
    pub(super) batch: BatchId,
    pub(super) users: Users,
    /// Units that one user may hold.
    pub(super) per_user: Option<u32>,
    /// Units of all users, counted apart from the serials.
    pub(super) held_units: AtomicU64,
}

/// The threads.
pub(super) struct Fill {
    jobs: Vec<Sender<Job>>,
    threads: Vec<JoinHandle<Vec<Violation>>>,
    failed: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Job {
    /// A group and the tables that its runs belong to, run by run; none for a batch that nobody knows.
    Group(Arc<[u8]>, Arc<[Option<Arc<Holders>>]>),
    /// The batch has closed.
    Close(Arc<Holders>),
}

struct Filler {
    share: usize,
    shares: usize,
    /// The runs so far of a claim that continues in the next record.
    open_claim: Vec<Run>,
    violations: Vec<Violation>,
    failed: Arc<AtomicBool>,
}

impl Fill {
    /// Starts a thread for each processor, within reason.
    pub(super) fn start() -> Self {
        let shares = thread::available_parallelism().map_or(1, usize::from).min(SHARES_MAX);
        let failed = Arc::new(AtomicBool::new(false));
        let start = |share| {
            let (jobs, work) = bounded(WAITING_MAX);
            let (open_claim, violations, failed) = (Vec::new(), Vec::new(), Arc::clone(&failed));
            let filler = Filler { share, shares, open_claim, violations, failed };
            let thread = thread::Builder::new().name(format!("fill-{share}")).spawn(move || filler.run(&work));
            (jobs, thread.expect("the system has room for a few more threads at start"))
        };
        let (jobs, threads) = (0..shares).map(start).unzip();
        Self { jobs, threads, failed }
    }

    /// Fills in the grants of a group that was checked.
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

    /// Waits until everything is filled in. Returns what was violated.
    pub(super) fn finish(&mut self) -> Vec<Violation> {
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
                Job::Close(holders) => holders.users.close_share(self.share, holders.batch, self.shares),
            }
        }
        self.violations
    }

    fn group(&mut self, bytes: &[u8], holders: &[Option<Arc<Holders>>]) {
        let group = Group::read_again(bytes).expect("it was decoded before");
        let runs = group.runs().map_while(Result::ok).zip(holders);
        for (run, holders) in runs.filter_map(|(run, holders)| holders.as_ref().map(|holders| (run, holders))) {
            self.fill(group.epoch, &run, holders);
        }
    }

    fn fill(&mut self, epoch: Epoch, run: &GrantRun<'_>, holders: &Holders) {
        let (share, shares) = (self.share, self.shares);
        let is_ours = |user: &UserId| holders.users.share(*user, holders.batch, shares) == share;
        let look_ahead = |user| holders.users.prefetch(user);
        let mut ahead = run.users();
        ahead.by_ref().take(AHEAD).filter(is_ours).for_each(look_ahead);
        let (mut units, mut problems) = (0, Vec::new());
        for record in run.records() {
            ahead.next().filter(is_ours).into_iter().for_each(look_ahead);
            if !is_ours(&record.user) {
                continue;
            }
            if record.continues {
                self.open_claim.push(record.run());
                continue;
            }
            let runs = self.open_claim.drain(..).chain([record.run()]).collect::<Runs>();
            units += u64::from(runs.units());
            problems.extend(hold(holders, &record, &runs).err());
        }
        holders.held_units.fetch_add(units, Ordering::Relaxed);
        for what in problems {
            self.failed.store(true, Ordering::Relaxed);
            self.violations.push(Violation { epoch, batch: Some(holders.batch), what });
        }
    }
}

/// Gives `runs` to the record's user, and holds that against the promises.
fn hold(holders: &Holders, record: &GrantRecord, runs: &Runs) -> Result<(), String> {
    let mut entry = holders.users.entry(record.user);
    if entry.is_closed() {
        return Err("grants after it was closed".into());
    }
    let (units, held) = entry.find(record.request);
    if held.is_some() {
        return Err(format!("request {} of user {} is granted a second time", record.request, record.user));
    }
    if runs.units() > u32::from(record.asked.quantity) {
        return Err(format!("request {} of user {} got more than it asked for", record.request, record.user));
    }
    entry.insert(record.request, record.asked, runs);
    let units = units + runs.units();
    match holders.per_user {
        Some(limit) if units > limit => Err(format!("user {} holds {units} units, {limit} allowed", record.user)),
        Some(_) | None => Ok(()),
    }
}
