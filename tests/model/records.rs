//! What took effect, and what that does to the books: at once, and once it is durable.

use stockade::types::Epoch;
use stockade_protocol::batch::Terms;
use stockade_protocol::coupon::Action;

use super::books::units_of;
use super::books::{Asked, Batch, Books, Code, Counts, Gate, Moment, Phase, Recent, Request, Run, Supply, Touch};
use super::coupons::Verdict;
use super::days::{Day, zone};
use super::ranges::Ranges;

/// One effect on one batch.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Created(Terms),
    Edited {
        terms: Terms,
        fields: u32,
    },
    Changed(Code),
    Purged,
    Added {
        request: u64,
        units: u32,
    },
    Withdrawn {
        request: u64,
        asked: u32,
        taken: u32,
    },
    Taken {
        user: u64,
        request: u64,
        asked: Asked,
        runs: Vec<Run>,
        ttl_s: u16,
    },
    Confirmed {
        user: u64,
        request: u64,
    },
    /// Cancelled or lapsed.
    GivenBack {
        user: u64,
        request: u64,
        how: Phase,
    },
    Extended {
        user: u64,
        request: u64,
        ttl_s: u16,
    },
    Marked {
        user: u64,
        request: u64,
    },
    Coupon {
        user: u64,
        serial: u32,
        action: Action,
        order: u64,
        verdict: Verdict,
        through: Option<Day>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) batch: u64,
    pub(crate) effect: Effect,
}

/// What is visible only when it is durable.
#[derive(Clone, Debug)]
pub(crate) enum Inflow {
    Show(u64),
    Forget(u64),
    Shut(u64),
    Open {
        batch: u64,
        version: u32,
    },
    Ease {
        batch: u64,
        version: u32,
    },
    /// Units, with the day on which they were taken if they come back.
    Units {
        batch: u64,
        run: Run,
        taken: Option<Day>,
    },
    Room {
        batch: u64,
        units: u32,
    },
}

impl Books {
    /// Does what a record says. Whoever decided it has checked it: what cannot be is a mistake of the model.
    pub(crate) fn apply(&mut self, at: &Moment, record: &Record) {
        let id = record.batch;
        self.last_ms = self.last_ms.max(at.now_ms);
        let mut inflows = Vec::new();
        if let Effect::Created(terms) = &record.effect {
            self.batches.insert(id, Batch::new(terms, at));
            inflows.push(Inflow::Show(id));
        } else {
            let batch = self.batches.get_mut(&id).expect("it was found");
            batch.apply(at, id, &record.effect, &mut inflows);
        }
        self.deferred.extend(inflows.into_iter().map(|inflow| (at.epoch, inflow)));
    }

    /// An epoch is durable, with all before it.
    pub(crate) fn durable(&mut self, epoch: Epoch) {
        let all = std::mem::take(&mut self.deferred);
        let (now, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|(of, _)| *of <= epoch);
        self.deferred = later;
        for (_, inflow) in now {
            self.flow_in(&inflow);
        }
        for batch in self.batches.values_mut() {
            batch.recents.retain(|recent| recent.epoch > epoch);
        }
    }

    fn flow_in(&mut self, inflow: &Inflow) {
        let (Inflow::Show(id) | Inflow::Forget(id) | Inflow::Shut(id)) = *inflow else {
            let (Inflow::Open { batch: id, .. }
            | Inflow::Ease { batch: id, .. }
            | Inflow::Units { batch: id, .. }
            | Inflow::Room { batch: id, .. }) = *inflow
            else {
                unreachable!("those are all")
            };
            // Units of a batch that is gone are nobody's.
            let batch = self.batches.get_mut(&id);
            return batch.into_iter().for_each(|batch| batch.flow_in(inflow));
        };
        match (inflow, self.batches.get_mut(&id)) {
            (Inflow::Forget(_), _) => drop(self.batches.remove(&id)),
            (Inflow::Show(_), Some(batch)) => batch.gate = Gate::Is(batch.code),
            (Inflow::Shut(_), Some(batch)) => batch.shut = true,
            _ => {}
        }
    }

    /// What a restart makes of it, at `wall_ms` and `running_ms`.
    pub(crate) fn restart(&mut self, wall_ms: u64, running_ms: u64) {
        self.durable(Epoch::MAX);
        for batch in self.batches.values_mut() {
            for request in batch.users.values_mut().flat_map(|requests| requests.values_mut()) {
                (request.born, request.changed) = (Touch::default(), Touch::default());
                request.due_ms = running_ms + request.until_ms.saturating_sub(wall_ms);
            }
            batch.coupons.values_mut().for_each(|coupon| coupon.changed = Touch::default());
        }
    }
}

impl Batch {
    fn new(terms: &Terms, at: &Moment) -> Self {
        let mut free = Ranges::default();
        assert!(free.insert(0, terms.stock), "it was empty");
        let code = if terms.draft { Code::Draft } else { Code::Active };
        Self {
            created_ms: at.now_ms,
            terms: terms.clone(),
            binding: vec![terms.clone()],
            edited: 1,
            code,
            gate: Gate::Hidden,
            shut: false,
            version: 1,
            total: terms.stock,
            serials_end: terms.stock,
            free,
            free_units: terms.stock,
            pending: 0,
            supplies: std::collections::HashMap::new(),
            room_taken: 0,
            users: std::collections::BTreeMap::new(),
            takers: std::collections::BTreeMap::new(),
            coupons: std::collections::BTreeMap::new(),
            recents: Vec::new(),
            counts: Counts { added: terms.stock, ..Counts::default() },
            day_taken: std::collections::BTreeMap::new(),
            day_limit_from: Day::MIN,
            zone: zone(&terms.zone),
        }
    }

    fn apply(&mut self, at: &Moment, id: u64, effect: &Effect, inflows: &mut Vec<Inflow>) {
        match effect {
            Effect::Created(_) => unreachable!("there was none"),
            Effect::Edited { terms, .. } => {
                self.version += 1;
                if self.lowest(|terms| terms.per_day).is_none() && terms.per_day.is_some() {
                    self.day_limit_from = self.day_of(at.now_ms) + 1;
                }
                (self.terms, self.edited) = (terms.clone(), self.version);
                self.binding.push(terms.clone());
                inflows.push(Inflow::Ease { batch: id, version: self.version });
            }
            Effect::Changed(code) => {
                self.version += 1;
                self.code = *code;
                match code {
                    Code::Active => inflows.push(Inflow::Open { batch: id, version: self.version }),
                    Code::Closed => inflows.push(Inflow::Shut(id)),
                    _ => {}
                }
                if *code != Code::Active {
                    self.gate = Gate::Is(*code);
                }
            }
            Effect::Purged => {
                self.gate = Gate::Gone;
                inflows.push(Inflow::Forget(id));
            }
            Effect::Added { request, units } => {
                self.version += 1;
                self.total += units;
                self.counts.added += units;
                self.supplies.insert(*request, Supply::Added(*units));
                let _they_fit = self.come_in(id, *units, None, inflows);
            }
            Effect::Withdrawn { request, asked, taken } => {
                self.version += 1;
                (self.total, self.free_units) = (self.total - taken, self.free_units - taken);
                self.counts.withdrawn += taken;
                self.supplies.insert(*request, Supply::Withdrawn { asked: *asked, taken: *taken });
            }
            Effect::Coupon { user, serial, action, order, verdict, through } => {
                self.change_coupon(at, id, (*user, *serial), (*action, *order, *verdict, *through), inflows);
            }
            _ => self.apply_to_request(at, id, effect, inflows),
        }
    }

    fn apply_to_request(&mut self, at: &Moment, id: u64, effect: &Effect, inflows: &mut Vec<Inflow>) {
        match effect {
            Effect::Taken { user, request, asked, runs, ttl_s } => {
                self.take((*user, *request), *asked, runs, *ttl_s, at);
            }
            Effect::Marked { user, request } => {
                let asked = Asked { quantity: 0, up_to: false, reserves: true };
                let mut mark = self.fresh(asked, Vec::new(), 0, at);
                mark.phase = Phase::Mark;
                self.users.entry(*user).or_default().insert(*request, mark);
            }
            Effect::Confirmed { user, request } => {
                let found = self.settled(*user, *request, at, Phase::Granted);
                let units = found.units();
                self.counts.confirmed += units;
                inflows.push(Inflow::Room { batch: id, units });
                let (freed, released, day) = (0, units, 0);
                self.recents.push(Recent { epoch: at.epoch, user: *user, freed, released, day });
            }
            Effect::GivenBack { user, request, how } => {
                let found = self.settled(*user, *request, at, *how);
                found.back = found.units();
                let (units, day) = (found.units(), found.day);
                let sum = if *how == Phase::Lapsed { &mut self.counts.lapsed } else { &mut self.counts.cancelled };
                *sum += units;
                if !self.come_in(id, units, Some(day), inflows) {
                    self.counts.stranded += units;
                }
                inflows.push(Inflow::Room { batch: id, units });
                self.recents.push(Recent { epoch: at.epoch, user: *user, freed: units, released: units, day });
            }
            Effect::Extended { user, request, ttl_s } => {
                let found = self.users.get_mut(user).and_then(|requests| requests.get_mut(request)).expect("found");
                let life_ms = u64::from(*ttl_s) * 1_000;
                found.due_ms = found.due_ms.max(at.running_ms + life_ms);
                found.until_ms = found.until_ms.max(at.now_ms + life_ms);
                (found.extended_s, found.changed) = (Some(*ttl_s), Touch::at(at));
            }
            _ => unreachable!("those are all"),
        }
    }

    fn fresh(&self, asked: Asked, runs: Vec<Run>, ttl_s: u16, at: &Moment) -> Request {
        let life_ms = u64::from(ttl_s) * 1_000;
        Request {
            asked,
            phase: if asked.reserves { Phase::Reserved } else { Phase::Granted },
            runs,
            back: 0,
            day: self.day_of(at.now_ms),
            taken_ms: at.now_ms,
            until_ms: at.now_ms + life_ms,
            due_ms: at.running_ms + life_ms,
            extended_s: None,
            born: Touch::at(at),
            changed: Touch::default(),
        }
    }

    fn take(&mut self, (user, request): (u64, u64), asked: Asked, runs: &[Run], ttl_s: u16, at: &Moment) {
        let units = units_of(runs);
        for (first, count) in runs {
            assert!(self.free.remove(*first, *count), "it was checked that they are free");
            self.takers.extend((*first..first + count).map(|serial| (serial, (user, request))));
        }
        self.free_units -= units;
        *self.day_taken.entry(self.day_of(at.now_ms)).or_default() += units;
        if asked.reserves {
            self.counts.reserved += units;
            self.room_taken += units;
        } else {
            self.counts.claimed += units;
        }
        let fresh = self.fresh(asked, runs.to_vec(), ttl_s, at);
        self.users.entry(user).or_default().insert(request, fresh);
    }

    fn settled(&mut self, user: u64, request: u64, at: &Moment, phase: Phase) -> &mut Request {
        let found = self.users.get_mut(&user).and_then(|requests| requests.get_mut(&request)).expect("it was found");
        assert_eq!(found.phase, Phase::Reserved, "it was checked");
        (found.phase, found.changed) = (phase, Touch::at(at));
        found
    }

    /// Units come in as the next serials. False when there are none left.
    pub(crate) fn come_in(&mut self, id: u64, units: u32, taken: Option<Day>, inflows: &mut Vec<Inflow>) -> bool {
        let Some(end) = self.serials_end.checked_add(units) else { return false };
        inflows.push(Inflow::Units { batch: id, run: (self.serials_end, units), taken });
        self.serials_end = end;
        self.pending += units;
        true
    }

    fn flow_in(&mut self, inflow: &Inflow) {
        match inflow {
            Inflow::Open { version, .. } => {
                // A later change may have forbidden again what this one permits.
                if self.code == Code::Active || self.version == *version {
                    self.gate = Gate::Is(Code::Active);
                }
            }
            Inflow::Ease { version, .. } => {
                // After a later edit, its terms count, once it is durable.
                if self.edited == *version {
                    self.binding = vec![self.terms.clone()];
                }
            }
            Inflow::Units { run, taken, .. } => {
                self.pending -= run.1;
                self.free_units += run.1;
                assert!(self.free.insert(run.0, run.1), "new serials");
                if let Some(taken) = taken {
                    // One of an earlier day is in nobody's way any more.
                    self.day_taken.entry(*taken).and_modify(|units| *units -= run.1);
                }
            }
            Inflow::Room { units, .. } => self.room_taken -= units,
            Inflow::Show(_) | Inflow::Forget(_) | Inflow::Shut(_) => unreachable!("those are of the books"),
        }
    }
}
