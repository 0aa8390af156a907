//! The events of one bucket of users in one file, oldest first.
//!
//! ```text
//! base     epoch u64, time_ms u64
//! events   u32
//! users    u64 each
//! records  see record.rs
//! ```
//!
//! Users stand apart: most of a bucket's are not the one who is looked for.

use stockade_protocol::feed::Event;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::record::{Base, decode, split};
use crate::types::{BatchId, Epoch, UserId};

/// See the module.
pub(super) struct Pack<'a> {
    base: Base,
    users: &'a [U64],
    records: &'a [u8],
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Head {
    base: Base,
    events: U32,
}

impl<'a> Pack<'a> {
    /// The pack of these bytes; `None` = they are none.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = Head::read_from_prefix(bytes).ok()?;
        let events = usize::try_from(head.events.get()).ok()?;
        let (users, records) = <[U64]>::ref_from_prefix_with_elems(rest, events).ok()?;
        Some(Self { base: head.base, users, records })
    }

    /// Writes a pack into `bytes`, in place of what is there.
    pub(super) fn write<'e>(base: Base, events: impl Iterator<Item = (u64, &'e [u8])> + Clone, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.extend_from_slice(Head { base, events: U32::ZERO }.as_bytes());
        let mut count = 0;
        for (user, _) in events.clone() {
            bytes.extend_from_slice(&user.to_le_bytes());
            count += 1;
        }
        events.for_each(|(_, record)| bytes.extend_from_slice(record));
        if let Ok((head, _)) = Head::mut_from_prefix(bytes) {
            head.events = U32::new(count);
        }
    }

    /// Adds the events of a user to `events`. False when the pack is damaged.
    #[must_use]
    pub(super) fn of_user(&self, user: UserId, events: &mut Vec<Event>) -> bool {
        if !self.users.contains(&U64::new(user)) {
            return true;
        }
        self.for_each(|found| found == user, |event| events.push(event))
    }

    /// The batch and the epoch of each event. False when the pack is damaged.
    #[must_use]
    pub(super) fn all(&self, mut matches: impl FnMut(BatchId, Epoch) -> bool) -> bool {
        let mut all = true;
        self.for_each(|_| true, |event| all &= matches(event.batch.get(), event.epoch.get())) && all
    }

    fn for_each(&self, is_wanted: impl Fn(UserId) -> bool, mut visit: impl FnMut(Event)) -> bool {
        let mut records = self.records;
        for user in self.users {
            let Some((record, rest)) = split(records) else { return false };
            records = rest;
            if is_wanted(user.get()) {
                let Some(event) = decode(&self.base, user.get(), record) else { return false };
                visit(event);
            }
        }
        records.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::record::Encoder;
    use stockade_protocol::feed::Kind;

    #[test]
    fn a_pack_gives_each_user_their_events_in_order_and_damage_is_noticed() {
        let base = Base { epoch: U64::new(5), time_ms: U64::new(1_000) };
        let told = [(7_u64, 1), (8, 2), (7, 3)].map(|(user, serial)| {
            let mut event = Event::new(Kind::Granted, 4, 1_000 + u64::from(serial));
            (event.user, event.epoch, event.serial) = (U64::new(user), U64::new(6), U32::new(serial));
            let mut record = Vec::new();
            Encoder::new(base).encode(Kind::Granted, &event, &mut record);
            (event, record)
        });
        let mut bytes = vec![1, 2, 3];
        Pack::write(base, told.iter().map(|(event, record)| (event.user.get(), &**record)), &mut bytes);
        let pack = Pack::read(&bytes).expect("it is whole");
        let of = |user| {
            let mut events = Vec::new();
            assert!(pack.of_user(user, &mut events));
            events
        };
        assert_eq!((of(7), of(8), of(9)), (vec![told[0].0, told[2].0], vec![told[1].0], vec![]));
        assert!(pack.all(|batch, epoch| (batch, epoch) == (4, 6)) && !pack.all(|_, epoch| epoch > 6));
        let shorter = Pack::read(&bytes[..bytes.len() - 1]).expect("the users are whole");
        assert!(!shorter.of_user(7, &mut Vec::new()) && !shorter.all(|_, _| true));
        assert!(Pack::read(&bytes[..40]).is_none());
    }
}
