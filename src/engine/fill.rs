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
use crate::stock::Runs;
use crate::types::{BatchId, Epoch};
use crate::users::{HashedUser, Users};

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
    open_claim: Runs,
    /// Records that are inserted together.
    ours: Vec<(HashedUser, GrantRecord)>,
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
            let (ours, violations, failed) = (Vec::with_capacity(AHEAD), Vec::new(), Arc::clone(&failed));
            let filler = Filler { share, shares, open_claim: Runs::default(), ours, violations, failed };
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
        let (mut units, mut records) = (0, run.records());
        loop {
            let is_end = self.look_ahead(&mut records, &holders.users, holders.batch);
            let ours = std::mem::take(&mut self.ours);
            for (user, record) in &ours {
                self.open_claim.push(record.run());
                if record.continues {
                    continue;
                }
                units += u64::from(self.open_claim.units());
                if let Err(what) = hold(holders, *user, record, &self.open_claim) {
                    self.failed.store(true, Ordering::Relaxed);
                    if self.violations.len() < VIOLATIONS_MAX {
                        self.violations.push(Violation { epoch, batch: Some(holders.batch), what });
                    }
                }
                self.open_claim = Runs::default();
            }
            self.ours = ours;
            if is_end {
                break;
            }
        }
        holders.held_units.fetch_add(units, Ordering::Relaxed);
    }

    /// Collects the next few records that are ours and fetches the memory that they will need. True at the end.
    fn look_ahead(&mut self, records: &mut impl Iterator<Item = GrantRecord>, users: &Users, salt: BatchId) -> bool {
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

/// Gives `runs` to the record's user, and holds that against the promises.
fn hold(holders: &Holders, user: HashedUser, record: &GrantRecord, runs: &Runs) -> Result<(), String> {
    let mut entry = holders.users.entry_of(user);
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
