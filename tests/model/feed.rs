//! A consumer of the feed: it goes on from where it was, through every crash, and is told each durable effect once.

use std::collections::BTreeMap;

use stockade::feed::{Place, Trail};
use stockade::journal::{AS_BEFORE, MemoryStore, NO_SERIAL, Reader, StoreError, Visit};
use stockade::types::Epoch;
use stockade_protocol::batch::State;
use stockade_protocol::coupon::Action;
use stockade_protocol::feed::{Event, Kind};

use super::books::{Books, Code, Moment, Phase};
use super::coupons::Verdict;
use super::records::{Effect, Record};

/// What an event tells, without its number: kind, batch, user, request, order, time, serial, units, value.
type Told = (u8, u64, u64, u64, u64, u64, u32, u8, u32);

/// Events that the consumer takes at once, so that its place lies within groups too.
const BITE: usize = 3;

/// See the module.
#[derive(Default)]
pub(crate) struct Listener {
    /// What the model says that durable epochs brought, of those that were not heard yet.
    expected: BTreeMap<Epoch, Vec<Told>>,
    pub(crate) heard: Vec<Event>,
    place: Place,
}

/// The groups of a store, as they are now; those too that a checkpoint replaced.
#[derive(Clone)]
pub(crate) struct Groups(Vec<(Epoch, Vec<u8>)>);

impl Groups {
    /// Those up to an epoch.
    pub(crate) fn of(store: &MemoryStore, through: Epoch) -> Self {
        let mut groups = Vec::new();
        store.for_each_ever(&mut |epoch, group| {
            if epoch <= through {
                groups.push((epoch, group.to_vec()));
            }
            true
        });
        Self(groups)
    }
}

impl Reader for Groups {
    fn for_each(&self, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let first = self.0.partition_point(|(epoch, _)| *epoch <= after);
        let mut groups = self.0[first..].iter();
        while groups.next().is_some_and(|(epoch, group)| visit(*epoch, group)) {}
        Ok(())
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn for_each_of_checkpoint(&self, _: u64, _: Epoch, _: &mut Visit<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

fn told(event: &Event) -> Told {
    // Which of several lapses got which serials is no matter of order.
    let value = if event.kind() == Some(Kind::Lapsed) { 0 } else { event.value.get() };
    let kind = event.kind().expect("a kind that there is") as u8;
    let (batch, user, request) = (event.batch.get(), event.user.get(), event.request.get());
    (kind, batch, user, request, event.order.get(), event.time_ms.get(), event.serial.get(), event.units, value)
}

impl Listener {
    /// A record is durable, or survived a crash; `kept` is as it was before.
    pub(crate) fn expect(&mut self, at: &Moment, record: &Record, kept: &Books) {
        let expected = self.expected.entry(at.epoch).or_default();
        let (id, time_ms) = (record.batch, at.now_ms);
        let of_batch = |kind: Kind, value: u32| (kind as u8, id, 0, 0, 0, time_ms, 0, 0, value);
        let of_supply = |kind: Kind, request: u64, value| (kind as u8, id, 0, request, 0, time_ms, 0, 0, value);
        let of_claim = |kind: Kind, (user, request): (u64, u64), (serial, units), value| {
            (kind as u8, id, user, request, 0, time_ms, serial, units, value)
        };
        let byte = |units: u32| u8::try_from(units).expect("units of a claim");
        let next_serial = |units: u32| {
            let end = kept.batches[&id].serials_end;
            if end.checked_add(units).is_some() { end } else { NO_SERIAL }
        };
        let units_of = |user: &u64, request: &u64| byte(kept.batches[&id].users[user][request].units());
        match &record.effect {
            Effect::Created(terms) => expected.push(of_batch(Kind::BatchCreated, terms.stock)),
            Effect::Edited { fields, .. } => expected.push(of_batch(Kind::BatchEdited, *fields)),
            Effect::Changed(code) => expected.push(of_batch(Kind::BatchChanged, state(*code) as u32)),
            Effect::Purged => expected.push(of_batch(Kind::BatchPurged, 0)),
            Effect::Added { request, units } => expected.push(of_supply(Kind::BatchAdded, *request, *units)),
            // In as many events as there were runs of serials: their sum is compared.
            Effect::Withdrawn { request, taken, .. } => {
                expected.push(of_supply(Kind::BatchWithdrawn, *request, *taken));
            }
            Effect::Taken { user, request, asked, runs, ttl_s } => {
                let kind = if asked.reserves { Kind::Reserved } else { Kind::Granted };
                let each = |(first, count): &(u32, u32)| {
                    of_claim(kind, (*user, *request), (*first, byte(*count)), u32::from(*ttl_s))
                };
                expected.extend(runs.iter().map(each));
            }
            Effect::Confirmed { user, request } => {
                let units = units_of(user, request);
                expected.push(of_claim(Kind::Confirmed, (*user, *request), (0, units), 0));
            }
            Effect::GivenBack { user, request, how } => {
                let units = units_of(user, request);
                let (kind, value) = match how {
                    Phase::Lapsed => (Kind::Lapsed, 0),
                    _ => (Kind::Cancelled, next_serial(units.into())),
                };
                expected.push(of_claim(kind, (*user, *request), (0, units), value));
            }
            Effect::Extended { user, request, ttl_s } => {
                expected.push(of_claim(Kind::Extended, (*user, *request), (0, 0), u32::from(*ttl_s)));
            }
            Effect::Marked { user, request } => {
                expected.push(of_claim(Kind::CancelledAhead, (*user, *request), (0, 0), 0));
            }
            Effect::Coupon { user, serial, action, order, verdict, through } => {
                let (kind, value) = match action {
                    Action::Lock => (Kind::Locked, 0),
                    Action::Unlock => (Kind::Unlocked, u32::from(*verdict == Verdict::Marks)),
                    Action::Redeem => (Kind::Redeemed, 0),
                    Action::Restore => (Kind::Restored, through.map_or(AS_BEFORE, i32::cast_unsigned)),
                    Action::Return => (Kind::Returned, next_serial(1)),
                    Action::Void => (Kind::Voided, 0),
                };
                expected.push((kind as u8, id, *user, 0, *order, time_ms, *serial, 1, value));
            }
        }
    }

    /// Hears what is new up to the durable epoch, and holds it against what was expected.
    pub(crate) fn listen(&mut self, groups: &Groups, durable: Epoch) -> Result<(), String> {
        let from = self.heard.len();
        self.place = hear(groups, self.place, durable, (BITE, &mut self.heard))?;
        let mut told_by_epoch = BTreeMap::<Epoch, Vec<Told>>::new();
        for event in &self.heard[from..] {
            let of_epoch = told_by_epoch.entry(event.epoch.get()).or_default();
            let mut told = told(event);
            match event.kind() {
                Some(Kind::BatchExpired) => continue,
                Some(Kind::BatchWithdrawn) => {
                    let same = |other: &&mut Told| (other.0, other.1, other.3) == (told.0, told.1, told.3);
                    if let Some(before) = of_epoch.iter_mut().find(same) {
                        told.8 += before.8;
                        *before = told;
                        continue;
                    }
                }
                _ => {}
            }
            of_epoch.push(told);
        }
        told_by_epoch.retain(|_, told| !told.is_empty());
        let later = self.expected.split_off(&(durable + 1));
        let mut expected = std::mem::replace(&mut self.expected, later);
        told_by_epoch.values_mut().chain(expected.values_mut()).for_each(|told| told.sort_unstable());
        if told_by_epoch != expected {
            let differ = |epoch: &&Epoch| told_by_epoch.get(epoch) != expected.get(epoch);
            let epoch = told_by_epoch.keys().chain(expected.keys()).filter(differ).min().expect("they differ");
            let (told, expected) = (told_by_epoch.get(epoch), expected.get(epoch));
            return Err(format!("the feed tells of epoch {epoch}: {told:?}, expected {expected:?}"));
        }
        Ok(())
    }

    /// Hears all from the beginning: it must be what was heard bit by bit.
    pub(crate) fn hear_again(&self, groups: &Groups, durable: Epoch) -> Result<(), String> {
        let mut again = Vec::new();
        hear(groups, Place::OLDEST, durable, (usize::MAX, &mut again))?;
        if again == self.heard {
            return Ok(());
        }
        let at = again.iter().zip(&self.heard).position(|(one, other)| one != other);
        let at = at.unwrap_or(again.len().min(self.heard.len()));
        let (one, other) = (again.get(at).map(told), self.heard.get(at).map(told));
        Err(format!("the feed from the beginning has as event {at} {one:?}, bit by bit it was {other:?}"))
    }
}

/// Appends what comes from a place on, at most `bite` events at once; returns the place behind it.
pub(crate) fn hear(
    groups: &(impl Reader + Send + Clone + 'static),
    mut place: Place,
    durable: Epoch,
    (bite, heard): (usize, &mut Vec<Event>),
) -> Result<Place, String> {
    let trail = Trail::new(Box::new(groups.clone()));
    let (checkpoint, _) = trail.checkpoint().map_err(|error| format!("the feed: {error:?}"))?;
    loop {
        let mut news = trail.next(place, checkpoint, durable).map_err(|error| format!("the feed: {error:?}"))?;
        news.truncate(bite);
        let Some(last) = news.last() else { return Ok(place) };
        if last.epoch.get() > durable {
            return Err(format!("the feed tells of epoch {}, durable is {durable}", last.epoch.get()));
        }
        for event in &news {
            let at = Place { epoch: event.epoch.get(), index: event.index.get() };
            if at < place {
                return Err(format!("the feed tells {at:?} after {place:?}"));
            }
            place = Place { epoch: at.epoch, index: at.index + 1 };
        }
        heard.extend(news);
    }
}

fn state(code: Code) -> State {
    match code {
        Code::Draft => State::Draft,
        Code::Active => State::Active,
        Code::Paused => State::Paused,
        Code::Ended => State::Ended,
        Code::Closed => State::Closed,
    }
}
