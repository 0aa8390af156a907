//! The books: what a journal's groups say, read without the engine. Every group is held against the promises, so the
//! books are right after each group, not only at the end.

use std::collections::{BTreeMap, HashMap, HashSet};

use stockade::journal::{ClaimRecord, Control, Group, MemoryStore, StateCode, Step, Visit};
use stockade::stock::{Run, Runs};
use stockade::users::Asked;

/// What was ever written and survived.
pub(crate) trait History {
    /// Visits every group, in order.
    fn visit(&self, visit: &mut Visit<'_>);
}

impl History for MemoryStore {
    fn visit(&self, visit: &mut Visit<'_>) {
        self.for_each_ever(visit);
    }
}

/// The books of all batches.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) batches: BTreeMap<u64, Account>,
    /// Latest time of a record.
    pub(crate) last_ms: u64,
    /// What breaks a promise.
    pub(crate) violations: Vec<String>,
}

/// A grant as the journal holds it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) asked: Asked,
    pub(crate) runs: Vec<Run>,
    pub(crate) epoch: u64,
}

/// A change of a batch's state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changed {
    pub(crate) version: u32,
    pub(crate) state: StateCode,
    pub(crate) epoch: u64,
}

/// The books of one batch.
pub(crate) struct Account {
    pub(crate) created: Control,
    pub(crate) created_epoch: u64,
    pub(crate) limit: Option<u32>,
    /// Totals, each from an epoch on.
    pub(crate) totals: Vec<(u64, u64)>,
    pub(crate) grants: HashMap<(u64, u64), Entry>,
    pub(crate) changes: Vec<Changed>,
    /// Units and epoch of each addition.
    pub(crate) additions: HashMap<u64, (u32, u64)>,
    serials: HashSet<u32>,
    /// Units granted, each up to and with an epoch.
    granted: Vec<(u64, u64)>,
    /// The same for each user.
    users: HashMap<u64, Vec<(u64, u64)>>,
    open: Vec<Run>,
}

impl Books {
    /// Reads all groups that `history` ever held, those too that a checkpoint replaced since.
    pub(crate) fn read(history: &impl History) -> Self {
        let mut books = Books::default();
        let mut last = None;
        history.visit(&mut |epoch, bytes| {
            match Group::decode(bytes) {
                Ok(group) => {
                    let follows = last.is_none_or(|(epoch, hash)| epoch < group.epoch && hash == group.previous);
                    if !follows || group.epoch != epoch {
                        books.violations.push(format!("epoch {epoch}: the chain is broken"));
                    }
                    last = Some((epoch, group.hash));
                    books.group(&group);
                }
                Err(error) => books.violations.push(format!("epoch {epoch}: {error}")),
            }
            true
        });
        books
    }

    fn group(&mut self, group: &Group<'_>) {
        let epoch = group.epoch;
        for control in &group.controls {
            self.control(epoch, control);
        }
        for run in group.claim_runs() {
            match run {
                Ok(run) => {
                    self.last_ms = self.last_ms.max(run.time_ms);
                    run.records().for_each(|record| self.grant(epoch, &record));
                }
                Err(error) => self.violations.push(format!("epoch {epoch}: {error}")),
            }
        }
    }

    fn grant(&mut self, epoch: u64, record: &ClaimRecord) {
        match self.batches.get_mut(&record.batch) {
            Some(account) => {
                let wrong = account.grant(epoch, record);
                self.violations.extend(wrong.map(|what| format!("epoch {epoch}, {record:?}: {what}")));
            }
            None => self.violations.push(format!("epoch {epoch}: {record:?} before its batch was created")),
        }
    }

    fn control(&mut self, epoch: u64, control: &Control) {
        match control {
            Control::Created { time_ms, .. }
            | Control::Changed { time_ms, .. }
            | Control::Added { time_ms, .. }
            | Control::Purged { time_ms, .. } => {
                self.last_ms = self.last_ms.max(*time_ms);
            }
            _ => self.violations.push(format!("epoch {epoch}: {control:?} in the journal")),
        }
        if let Control::Created { batch, .. } = control {
            let before = self.batches.insert(*batch, Account::new(control, epoch));
            self.violations.extend(before.map(|_| format!("epoch {epoch}: batch {batch} is created twice")));
            return;
        }
        if let Control::Purged { batch, .. } = control {
            let closed = self.batches.remove(batch).filter(|account| account.state() == StateCode::Closed);
            if closed.is_none() {
                self.violations.push(format!("epoch {epoch}: batch {batch} is purged and was not closed"));
            }
            return;
        }
        match control.batch().and_then(|batch| self.batches.get_mut(&batch)) {
            Some(account) => {
                let wrong = account.control(epoch, control);
                self.violations.extend(wrong.map(|what| format!("epoch {epoch}, {control:?}: {what}")));
            }
            None => self.violations.push(format!("epoch {epoch}: {control:?} before the batch was created")),
        }
    }
}

impl Account {
    fn new(created: &Control, epoch: u64) -> Self {
        let Control::Created { terms, .. } = created else { unreachable!("the caller looked") };
        Self {
            created: created.clone(),
            created_epoch: epoch,
            limit: terms.per_user,
            totals: vec![(epoch, u64::from(terms.stock))],
            grants: HashMap::new(),
            changes: Vec::new(),
            additions: HashMap::new(),
            serials: HashSet::new(),
            granted: Vec::new(),
            users: HashMap::new(),
            open: Vec::new(),
        }
    }

    fn control(&mut self, epoch: u64, control: &Control) -> Option<String> {
        match control {
            Control::Changed { version, state, .. } => {
                self.changes.push(Changed { version: *version, state: *state, epoch });
                None
            }
            Control::Added { request, run, .. } => {
                self.totals.push((epoch, self.total() + u64::from(run.count)));
                self.additions.insert(*request, (run.count, epoch)).map(|_| "the addition is there twice".into())
            }
            _ => None,
        }
    }

    fn grant(&mut self, epoch: u64, record: &ClaimRecord) -> Option<String> {
        if record.step != Step::Grant {
            return Some("these histories have claims alone".into());
        }
        let run = record.run();
        if u64::from(run.end()) > self.total() {
            return Some(format!("oversold: the total is {}", self.total()));
        }
        if !(run.first..run.end()).all(|serial| self.serials.insert(serial)) {
            return Some("a serial is issued twice".into());
        }
        self.open.push(run);
        if record.continues {
            return None;
        }
        let runs = self.open.drain(..).collect::<Runs>();
        let units = u64::from(runs.units());
        add(&mut self.granted, epoch, units);
        let user = self.users.entry(record.user).or_default();
        add(user, epoch, units);
        if self.limit.is_some_and(|limit| up_to(user, epoch) > u64::from(limit)) {
            return Some("the user is over the limit".into());
        }
        let entry = Entry { asked: record.asked, runs: runs.iter().collect(), epoch };
        if runs.units() > u32::from(record.asked.quantity) {
            return Some("more than was asked for".into());
        }
        self.grants.insert((record.user, record.request), entry).map(|_| "the request has a second effect".into())
    }

    /// Units at the beginning and added.
    pub(crate) fn total(&self) -> u64 {
        up_to_last(&self.totals)
    }

    /// The total with the additions up to and with `epoch`.
    pub(crate) fn total_at(&self, epoch: u64) -> u64 {
        up_to(&self.totals, epoch)
    }

    /// Units granted.
    pub(crate) fn granted(&self) -> u64 {
        up_to_last(&self.granted)
    }

    /// Units granted up to and with `epoch`.
    pub(crate) fn granted_at(&self, epoch: u64) -> u64 {
        up_to(&self.granted, epoch)
    }

    /// Units that `user` was granted up to and with `epoch`.
    pub(crate) fn held_at(&self, user: u64, epoch: u64) -> u64 {
        self.users.get(&user).map_or(0, |steps| up_to(steps, epoch))
    }

    /// The state by the latest operation.
    pub(crate) fn state(&self) -> StateCode {
        let Control::Created { terms, .. } = &self.created else { unreachable!("an account begins with its creation") };
        let created = if terms.draft { StateCode::Draft } else { StateCode::Active };
        self.changes.iter().max_by_key(|changed| changed.version).map_or(created, |changed| changed.state)
    }

    /// Whether the batch was set to `state` up to and with `epoch`.
    pub(crate) fn was(&self, state: StateCode, epoch: u64) -> bool {
        self.changes.iter().any(|changed| changed.state == state && changed.epoch <= epoch)
    }
}

fn add(steps: &mut Vec<(u64, u64)>, epoch: u64, units: u64) {
    let sum = up_to_last(steps) + units;
    match steps.last_mut() {
        Some(last) if last.0 == epoch => last.1 = sum,
        Some(_) | None => steps.push((epoch, sum)),
    }
}

fn up_to_last(steps: &[(u64, u64)]) -> u64 {
    steps.last().map_or(0, |(_, units)| *units)
}

fn up_to(steps: &[(u64, u64)], epoch: u64) -> u64 {
    let count = steps.partition_point(|(at, _)| *at <= epoch);
    up_to_last(&steps[..count])
}
