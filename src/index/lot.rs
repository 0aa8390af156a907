//! Events in memory of the users of some buckets, in the order in which they came.

use stockade_protocol::feed::{Event, Kind};

use super::record::{Base, Encoder, decode};
use crate::types::UserId;

/// Bytes of a record, about.
const RECORD_BYTES: usize = 26;

/// See the module.
pub(super) struct Lot {
    /// For each event its user.
    users: Vec<UserId>,
    /// For each event where its record ends.
    ends: Vec<u32>,
    records: Vec<u8>,
}

/// The events of a lot by bucket.
pub(super) struct Sorted {
    /// Numbers of events.
    events: Vec<u32>,
    /// For each bucket where its events end.
    ends: Vec<usize>,
}

impl Lot {
    /// An empty one for about so many events.
    pub(super) fn with_room_for(events: usize) -> Self {
        let records = Vec::with_capacity(events * RECORD_BYTES);
        Self { users: Vec::with_capacity(events), ends: Vec::with_capacity(events), records }
    }

    /// Adds an event.
    #[inline]
    pub(super) fn add(&mut self, encoder: &mut Encoder, kind: Kind, event: &Event) {
        encoder.encode(kind, event, &mut self.records);
        self.users.push(event.user.get());
        self.ends.push(number(self.records.len()));
    }

    /// Adds the events of users for whom `is_wanted` says so to `events`, in order.
    pub(super) fn events(&self, base: &Base, is_wanted: impl Fn(UserId) -> bool, events: &mut Vec<Event>) {
        let wanted = self.users.iter().enumerate().filter(|(_, user)| is_wanted(**user));
        events.extend(wanted.filter_map(|(event, user)| decode(base, *user, self.record(event))));
    }

    /// An event's user and record.
    #[inline]
    pub(super) fn event(&self, event: u32) -> (UserId, &[u8]) {
        (self.users[event as usize], self.record(event as usize))
    }

    /// The events by bucket, of which there are `buckets`; those of one in the order in which they came.
    pub(super) fn sorted(&self, buckets: usize, bucket_of: impl Fn(UserId) -> usize) -> Sorted {
        let places = self.users.iter().map(|user| bucket_of(*user)).collect::<Vec<_>>();
        let mut ends = vec![0; buckets];
        places.iter().for_each(|bucket| ends[*bucket] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        let mut events = vec![0; places.len()];
        for (event, bucket) in places.into_iter().enumerate() {
            events[ends[bucket]] = number(event);
            ends[bucket] += 1;
        }
        Sorted { events, ends }
    }

    /// The record of an event, with its length.
    #[inline]
    fn record(&self, event: usize) -> &[u8] {
        let start = event.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.records[start as usize..self.ends[event] as usize]
    }
}

impl Sorted {
    /// The buckets that have events, each with the numbers of those.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let mut first = 0;
        let all = self.ends.iter().map(move |end| &self.events[std::mem::replace(&mut first, *end)..*end]);
        all.enumerate().filter(|(_, events)| !events.is_empty())
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).expect("a segment is smaller than that")
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::little_endian::{U32, U64};

    #[test]
    fn a_lot_gives_each_user_their_events_and_sorts_them_by_bucket() {
        let (base, mut lot) = (Base::default(), Lot::with_room_for(1));
        let mut encoder = Encoder::new(base);
        let told = [(7_u64, 1), (12, 2), (7, 3), (8, 4)].map(|(user, serial)| {
            let mut event = Event::new(Kind::Granted, 4, 1_000);
            (event.user, event.serial, event.request) = (U64::new(user), U32::new(serial), U64::new(user * 100));
            lot.add(&mut encoder, Kind::Granted, &event);
            event
        });
        let mut events = Vec::new();
        lot.events(&base, |user| user == 7, &mut events);
        assert_eq!(events, [told[0], told[2]]);
        let sorted = lot.sorted(5, |user| usize::try_from(user % 5).expect("below five"));
        let found = sorted.iter().map(|(bucket, events)| (bucket, events.to_vec())).collect::<Vec<_>>();
        assert_eq!(found, [(2, vec![0, 1, 2]), (3, vec![3])]);
        assert_eq!(lot.event(1).0, 12);
    }
}
