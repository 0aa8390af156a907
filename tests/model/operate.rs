//! Operations on batches: what each must be answered, and what it does.

use stockade_protocol::Status;
use stockade_protocol::batch::{Action, BatchInfo, Create, Edit, Fields, State, Terms};

use super::books::{Batch, Books, Code, Moment, Supply};
use super::records::{Effect, Record};

/// Names that no time zone has.
pub(crate) const NO_ZONE: &str = "Mars/Olympus";

/// An answer that would be right, and what it does.
type Outcome = (BatchInfo, Option<Effect>);

impl Books {
    fn judge_info(id: u64, info: &BatchInfo, right: Vec<Outcome>) -> Result<Option<Record>, String> {
        // What was taken today of a batch that has closed, only the engine that closed it still knows.
        let known = |info: &BatchInfo| {
            let mut known = *info;
            if info.state() == Some(State::Closed) {
                known.day_units.set(0);
            }
            known
        };
        match right.iter().position(|(expected, _)| known(expected) == known(info)) {
            Some(at) => {
                let effect = right.into_iter().nth(at).expect("it is there").1;
                Ok(effect.map(|effect| Record { batch: id, effect }))
            }
            None => Err(format!("{}, expected {}", tell(info), tell(&right[0].0))),
        }
    }

    pub(crate) fn judge_create(
        &self,
        at: &Moment,
        create: &Create,
        info: &BatchInfo,
    ) -> Result<Option<Record>, String> {
        let id = create.batch.get();
        let refused = |status| vec![(BatchInfo::refused(status, id), None)];
        let right = match create.terms() {
            Err(status) => refused(status),
            Ok(terms) if terms.zone == NO_ZONE => refused(Status::ZoneInvalid),
            Ok(terms) => match self.batches.get(&id) {
                Some(batch) if batch.is_visible() || batch.version == 1 => {
                    let status = if batch.terms == terms { Status::Done } else { Status::BatchConflict };
                    vec![(batch.info(id, status, at.now_ms), None)]
                }
                // It is being purged: whoever creates it at the same time came before, or must come again.
                Some(_) => {
                    let answers = [Some(Status::Done), Some(Status::BatchConflict), Some(Status::Overloaded)];
                    return if answers.contains(&info.status()) { Ok(None) } else { Err(tell(info)) };
                }
                None => {
                    let mut books = Books::default();
                    books.apply(at, &Record { batch: id, effect: Effect::Created(terms.clone()) });
                    vec![(books.batches[&id].info(id, Status::Done, at.now_ms), Some(Effect::Created(terms)))]
                }
            },
        };
        Self::judge_info(id, info, right)
    }

    pub(crate) fn judge_show(&self, at: &Moment, id: u64, info: &BatchInfo) -> Result<(), String> {
        let unknown = BatchInfo::refused(Status::BatchUnknown, id);
        let expected = self.find(id).map_or(unknown, |batch| batch.info(id, Status::Done, at.now_ms));
        Self::judge_info(id, info, vec![(expected, None)]).map(|_| ())
    }

    pub(crate) fn judge_edit(&self, at: &Moment, edit: &Edit, info: &BatchInfo) -> Result<Option<Record>, String> {
        let id = edit.batch();
        let refused = |status| vec![(BatchInfo::refused(status, id), None)];
        let right = match (edit.terms(), self.find(id)) {
            (Err(status), _) => refused(status),
            (Ok(_), None) => refused(Status::BatchUnknown),
            (Ok(new), Some(batch)) => batch.expect_edit(at, id, edit, &new),
        };
        Self::judge_info(id, info, right)
    }

    pub(crate) fn judge_change(
        &self,
        at: &Moment,
        id: u64,
        action: Action,
        info: &BatchInfo,
    ) -> Result<Option<Record>, String> {
        let Some(batch) = self.find(id) else {
            return Self::judge_info(id, info, vec![(BatchInfo::refused(Status::BatchUnknown, id), None)]);
        };
        let right = match batch.step(at.now_ms, action) {
            Err(status) => (batch.info(id, status, at.now_ms), None),
            Ok(Some(Effect::Purged)) if !batch.shut => (BatchInfo::refused(Status::Overloaded, id), None),
            Ok(Some(Effect::Purged)) => (BatchInfo::refused(Status::Done, id), Some(Effect::Purged)),
            Ok(effect) => batch.after(at, id, effect),
        };
        Self::judge_info(id, info, vec![right])
    }

    pub(crate) fn judge_supply(
        &self,
        at: &Moment,
        id: u64,
        (request, units, adds): (u64, u32, bool),
        info: &BatchInfo,
    ) -> Result<Option<Record>, String> {
        let Some(batch) = self.find(id) else {
            let status = if units == 0 { Status::QuantityInvalid } else { Status::BatchUnknown };
            return Self::judge_info(id, info, vec![(BatchInfo::refused(status, id), None)]);
        };
        let mut right = batch.expect_supply(at, id, (request, units, adds));
        if batch.code == Code::Closed && units > 0 {
            right.push((batch.info(id, Status::Closed, at.now_ms), None));
        }
        Self::judge_info(id, info, right)
    }
}

impl Batch {
    /// The answer to an operation that has this effect.
    fn after(&self, at: &Moment, id: u64, effect: Option<Effect>) -> Outcome {
        let Some(effect) = effect else { return (self.info(id, Status::Done, at.now_ms), None) };
        let mut books = Books::default();
        books.batches.insert(id, self.without_users());
        books.apply(at, &Record { batch: id, effect: effect.clone() });
        (books.batches[&id].info(id, Status::Done, at.now_ms), Some(effect))
    }

    fn without_users(&self) -> Self {
        Self {
            users: std::collections::BTreeMap::new(),
            takers: std::collections::BTreeMap::new(),
            coupons: std::collections::BTreeMap::new(),
            recents: Vec::new(),
            free: self.free.clone(),
            supplies: self.supplies.clone(),
            day_taken: self.day_taken.clone(),
            terms: self.terms.clone(),
            binding: self.binding.clone(),
            zone: self.zone.clone(),
            ..*self
        }
    }

    fn expect_edit(&self, at: &Moment, id: u64, edit: &Edit, new: &Terms) -> Vec<Outcome> {
        let terms = self.terms.edited(edit.fields(), new);
        let changed = self.terms.differences(&terms);
        let may_change = match self.state(at.now_ms) {
            State::Draft | State::Scheduled => Fields::ALL,
            State::Active | State::Paused => Fields::ALL.without(Fields::STARTS),
            State::Ended => Fields::NAME,
            State::Closed => Fields(0),
        };
        let is_other_version = edit.version() != 0 && edit.version() != self.version;
        let refusals = [
            (!terms.window_is_possible(), Status::TermsInvalid),
            (is_other_version && !changed.is_empty(), Status::BatchConflict),
            (!may_change.has(changed), Status::StateConflict),
        ];
        let refusals = refusals.into_iter().filter(|(applies, _)| *applies);
        let refused = refusals.map(|(_, status)| (self.info(id, status, at.now_ms), None)).collect::<Vec<_>>();
        if !refused.is_empty() {
            // Which of them comes first, the specification leaves open where the batch decides.
            return refused;
        }
        let effect = Effect::Edited { terms, fields: changed.0 };
        vec![self.after(at, id, Some(effect).filter(|_| !changed.is_empty()))]
    }

    /// The table of the specification; `None`: it is so already.
    fn step(&self, now_ms: u64, action: Action) -> Result<Option<Effect>, Status> {
        use State::{Active, Closed, Draft, Ended, Paused, Scheduled};
        let state = self.state(now_ms);
        let to = |code| Ok(Some(Effect::Changed(code)));
        match (action, state) {
            (Action::Activate, Draft) | (Action::Resume, Paused) => to(Code::Active),
            (Action::Activate | Action::Resume, Scheduled | Active)
            | (Action::Pause, Paused)
            | (Action::End, Ended)
            | (Action::Close, Closed) => Ok(None),
            (Action::Pause, Scheduled | Active) => to(Code::Paused),
            (Action::End, Draft | Scheduled | Active | Paused) => to(Code::Ended),
            (Action::Close, Ended) if self.counts.held() == 0 => to(Code::Closed),
            (Action::Purge, Closed) => Ok(Some(Effect::Purged)),
            _ => Err(Status::StateConflict),
        }
    }

    fn expect_supply(&self, at: &Moment, id: u64, (request, units, adds): (u64, u32, bool)) -> Vec<Outcome> {
        let told = |status, moved: u32| {
            let mut info = self.info(id, status, at.now_ms);
            info.moved.set(moved);
            vec![(info, None)]
        };
        if units == 0 {
            return told(Status::QuantityInvalid, 0);
        }
        match self.supplies.get(&request) {
            Some(Supply::Added(before)) if adds && *before == units => return told(Status::Done, units),
            Some(Supply::Withdrawn { asked, taken }) if !adds && *asked == units => return told(Status::Done, *taken),
            Some(_) => return told(Status::BatchConflict, 0),
            None => {}
        }
        let fits = self.total.checked_add(units).and(self.serials_end.checked_add(units));
        if adds && fits.is_none() {
            return told(Status::StockOverflow, 0);
        }
        match self.state(at.now_ms) {
            State::Closed => return told(Status::Closed, 0),
            State::Ended if adds => return told(Status::Ended, 0),
            _ => {}
        }
        let (effect, moved) = if adds {
            (Effect::Added { request, units }, units)
        } else {
            let taken = units.min(self.free_units);
            (Effect::Withdrawn { request, asked: units, taken }, taken)
        };
        let (mut info, effect) = self.after(at, id, Some(effect));
        info.moved.set(moved);
        vec![(info, effect)]
    }
}

/// A batch's answer in a line.
pub(crate) fn tell(info: &BatchInfo) -> String {
    format!(
        "{:?} {:?} v{} total {} granted {} held {} voided {} remaining {} moved {} today {} created {} {:?}",
        info.status(),
        info.state(),
        info.version.get(),
        info.total.get(),
        info.granted.get(),
        info.held.get(),
        info.voided.get(),
        info.remaining.get(),
        info.moved.get(),
        info.day_units.get(),
        info.created_ms.get(),
        info.terms()
    )
}
