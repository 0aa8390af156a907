//! A batch under reconstruction: its books as the journal tells them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stockade_protocol::batch::{Fields, Terms};

use super::batch::{Batch, Parts};
use super::calendar::Calendar;
use super::control::BatchControl;
use super::fill::Holders;
use super::more::More;
use crate::journal::{ClaimRun, CouponRun, StateCode};
use crate::stock::{Issued, Pool, Run};
use crate::types::{BatchId, Epoch, TimeMs};
use crate::users::{Tally, Users};

/// See the module.
pub(super) struct Draft {
    created_ms: TimeMs,
    terms: Terms,
    pub(super) control: BatchControl,
    /// The operation that set the state: a burst that began earlier may have decided later, so that its change lies in
    /// an earlier group. The same for the terms.
    state_version: u32,
    terms_version: u32,
    /// When an edit set a limit of the day where there was none: it begins with the next day.
    day_limit_set_ms: Option<TimeMs>,
    /// Serials that units ever had, and those of them that were taken or withdrawn.
    serials: Issued,
    issued: Issued,
    withdrawn: u64,
    /// A withdrawal of serials that no record names: those of a closed batch that came back are only counted.
    unfounded: Option<String>,
    /// Coupons of which it was recorded that they have expired.
    pub(super) expired: u64,
    /// Records of claims read.
    pub(super) claims: u64,
    /// What the records say, those too that a checkpoint left out.
    pub(super) tally: Tally,
    /// What a checkpoint left out.
    dropped: Tally,
    /// The epoch in which it closed.
    pub(super) closed_epoch: Epoch,
    /// Whether all that may come after that has come.
    pub(super) is_shut: bool,
    pub(super) holders: Arc<Holders>,
}

/// Totals of one batch, for reports.
pub(super) struct BatchTotals {
    pub(super) batch: BatchId,
    pub(super) total: u32,
    pub(super) granted: u64,
    pub(super) tally: Tally,
    /// What its users' claims say, counted apart; `None` where they are not kept.
    pub(super) users_tally: Option<Tally>,
    /// Units of all claims, counted apart.
    users_units: u64,
    taken_units: u64,
}

impl Draft {
    /// A new batch; `None` when there is no such time zone.
    pub(super) fn new(batch: BatchId, created_ms: TimeMs, terms: &Terms, shards_max: u32) -> Option<Self> {
        let holders = Holders {
            batch,
            users: Users::new(terms.stock, shards_max),
            calendar: Calendar::of(&terms.zone)?,
            per_user_max: AtomicU64::new(terms.per_user.unwrap_or(0).into()),
            taken_units: AtomicU64::new(0),
        };
        let mut serials = Issued::default();
        let is_first = serials.insert(Run::new(0, terms.stock));
        assert!(is_first || terms.stock == 0, "nothing was there before");
        Some(Self {
            created_ms,
            control: BatchControl::new(terms),
            terms: terms.clone(),
            state_version: 1,
            terms_version: 1,
            day_limit_set_ms: None,
            serials,
            issued: Issued::default(),
            withdrawn: 0,
            unfounded: None,
            expired: 0,
            claims: 0,
            tally: Tally::default(),
            dropped: Tally::default(),
            closed_epoch: 0,
            is_shut: false,
            holders: Arc::new(holders),
        })
    }

    pub(super) fn set_state(&mut self, version: u32, state: StateCode) {
        self.control.version = self.control.version.max(version);
        if version > self.state_version {
            (self.state_version, self.control.state) = (version, state);
        }
    }

    pub(super) fn edit(&mut self, version: u32, fields: Fields, terms: &Terms, time_ms: TimeMs) {
        self.control.version = self.control.version.max(version);
        if fields.has(Fields::PER_USER) {
            let max = &self.holders.per_user_max;
            let (before, limit) = (max.load(Ordering::Relaxed), u64::from(terms.per_user.unwrap_or(0)));
            max.store(if before == 0 || limit == 0 { 0 } else { before.max(limit) }, Ordering::Relaxed);
        }
        if version > self.terms_version {
            if self.terms.per_day.is_none() && terms.per_day.is_some() {
                self.day_limit_set_ms = Some(time_ms);
            }
            self.terms_version = version;
            self.terms = self.terms.edited(Fields::ALL, terms);
            self.control.name = terms.name.as_str().into();
        }
    }

    pub(super) fn add(&mut self, version: u32, request: u64, run: Run) -> Result<(), String> {
        self.control.version = self.control.version.max(version);
        self.announce(run)?;
        self.control.add(request, run.count);
        Ok(())
    }

    pub(super) fn withdraw(&mut self, version: u32, request: u64, asked: u32, run: Run) -> Result<(), String> {
        self.control.version = self.control.version.max(version);
        if run.count > 0 && !self.serials.contains(run) {
            self.unfounded = Some(self.oversold(run));
        } else if run.count > 0 {
            self.issue(run)?;
        }
        self.withdrawn += u64::from(run.count);
        self.control.withdraw(request, asked, run.count);
        Ok(())
    }

    /// Takes in sums that a checkpoint kept.
    pub(super) fn drop_sums(&mut self, tally: &Tally) {
        self.tally.add(tally);
        self.dropped.add(tally);
    }

    /// Notes the serials of a run of claims.
    pub(super) fn claim_run(&mut self, run: &ClaimRun<'_>) -> Result<(), String> {
        if self.is_shut {
            return Err("grants after it was closed".into());
        }
        self.claims += run.len() as u64;
        run.count(&mut self.tally);
        let serials = run.serials();
        if run.step.takes() {
            self.issue(serials)
        } else if run.step.gives_back() && serials.count > 0 {
            self.announce(serials)
        } else {
            Ok(())
        }
    }

    /// Notes the serials of a run of coupons.
    pub(super) fn coupon_run(&mut self, run: &CouponRun<'_>) -> Result<(), String> {
        if self.is_shut {
            return Err("changes after it was closed".into());
        }
        run.count(&mut self.tally);
        run.records().filter_map(|record| record.back).try_for_each(|back| self.announce(Run::new(back, 1)))
    }

    /// Units come in under serials that were never used.
    fn announce(&mut self, run: Run) -> Result<(), String> {
        let is_new = self.serials.insert(run);
        if is_new { Ok(()) } else { Err(format!("units come in under serials of {}..{} again", run.first, run.end())) }
    }

    /// Units go that were there.
    fn issue(&mut self, run: Run) -> Result<(), String> {
        if !self.serials.contains(run) {
            return Err(self.oversold(run));
        }
        if !self.issued.insert(run) {
            return Err(format!("a serial of {}..{} is issued a second time", run.first, run.end()));
        }
        Ok(())
    }

    fn oversold(&self, run: Run) -> String {
        format!("serials {}..{} are beyond the total of {}: oversold", run.first, run.end(), self.control.total)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.control.state == StateCode::Closed
    }

    pub(super) fn dropped_units(&self) -> u64 {
        self.dropped.claimed + self.dropped.reserved
    }

    pub(super) fn totals(&self, batch: BatchId) -> BatchTotals {
        let tally = self.tally;
        let users_tally = (!self.is_closed()).then(|| self.holders.users.tally());
        BatchTotals {
            batch,
            total: self.control.total,
            granted: tally.claimed + tally.confirmed
                - (tally.returned + tally.voided).min(tally.claimed + tally.confirmed),
            tally,
            users_tally,
            users_units: tally.claimed + tally.reserved - self.dropped_units(),
            taken_units: self.holders.taken_units.load(Ordering::Relaxed),
        }
    }

    /// What is wrong with the batch as a whole.
    pub(super) fn wrong(&self) -> Option<String> {
        if self.dropped != Tally::default() && !self.is_closed() {
            return Some(format!("a checkpoint left {} of its units out, but it is not closed", self.dropped_units()));
        }
        if let Some(what) = self.unfounded.as_ref().filter(|_| self.dropped == Tally::default()) {
            return Some(what.clone());
        }
        let now = self.tally.checked_now();
        let Some(now) = now else { return Some("more units left a place than came to it".into()) };
        let taken = now.granted + now.reserved + now.voided;
        (taken > u64::from(self.control.total))
            .then(|| format!("{taken} units were granted of {}: oversold", self.control.total))
    }

    /// The finished batch, its stock split over `cores` buckets; `now_ms` decides its day.
    pub(super) fn into_batch(mut self, id: BatchId, index: u32, cores: usize, now_ms: TimeMs) -> Batch {
        let now = self.tally.now();
        let (taken, total) = (now.granted + now.reserved + now.voided, u64::from(self.control.total));
        let serials_end = self.serials.end();
        // Those of a closed batch are only counted: which they are, a checkpoint forgets.
        let free = if self.is_closed() {
            let (taken, left) = (taken, total - taken);
            let number = |units: u64| u32::try_from(units).expect("it was checked");
            vec![Run::new(0, number(left))].into_iter().filter(|_| taken <= total).collect::<Vec<_>>()
        } else {
            self.serials.without(&mut self.issued).collect()
        };
        let pool = Pool::new(cores, free);
        assert_eq!(taken + u64::from(pool.units()), total, "batch {id}: taken and free units are the total");
        let state = self.control.state;
        let holders = Arc::into_inner(self.holders).expect("the threads that filled it have ended");
        let tally = self.tally;
        let has_moves = tally != (Tally { claimed: tally.claimed, ..Tally::default() }) || holders.users.ended() > 0;
        let more = (More::is_needed(&self.terms) || has_moves).then(|| {
            let more = More::new(&self.terms).expect("there was such a time zone");
            more.set_total(self.control.total);
            more.note_expired(self.expired);
            if has_moves {
                let ended = u32::try_from(holders.users.ended()).unwrap_or(u32::MAX);
                more.recall(u32::try_from(now.reserved).unwrap_or(u32::MAX), ended);
            }
            if state == StateCode::Closed {
                let _first = more.closed.set(Box::new(tally));
            } else {
                let today = more.calendar.day_of(now_ms);
                if self.day_limit_set_ms.is_some_and(|set_ms| more.calendar.day_of(set_ms) == today) {
                    more.set_day_limit(&pool, today);
                } else {
                    let taken = if more.per_day().is_some() { holders.users.units_of_day(today) } else { 0 };
                    more.begin_day_limit(&pool, today, taken);
                }
            }
            Box::new(more)
        });
        self.control.is_shut = state == StateCode::Closed;
        let (created_ms, users, control) = (self.created_ms, holders.users, self.control);
        let parts = Parts { id, created_ms, serials_end, pool, users, more, control };
        let batch = Batch::hidden(index, &self.terms, parts);
        batch.set_gate(state);
        batch
    }
}

impl BatchTotals {
    /// What the records and the users' claims, counted apart, disagree about.
    pub(super) fn disagreement(&self) -> Option<String> {
        if self.users_units != self.taken_units {
            let (serials, users) = (self.users_units, self.taken_units);
            return Some(format!("{serials} serials were issued, but users took {users} units"));
        }
        let users = self.users_tally.filter(|tally| *tally != self.tally)?;
        Some(format!("its records say {:?}, its users' claims {users:?}", self.tally))
    }
}
