//! The events of one bucket of users in one file, oldest first.
//!
//! ```text
//! base     epoch u64, time_ms u64, batch u64
//! events   u32
//! bytes    u32: of what follows the head
//! check    u64: hash of all the rest
//! users    u64 each
//! records  see record.rs
//! ```
//!
//! Users stand apart: most of a bucket's are not the one who is looked for.

use std::mem::offset_of;

use stockade_protocol::feed::Event;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::index::record::{Base, decode, split};
use crate::types::{BatchId, Epoch, UserId};

/// See the module.
pub(in crate::index) struct Pack<'a> {
    base: Base,
    users: &'a [U64],
    records: &'a [u8],
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Head {
    base: Base,
    events: U32,
    bytes: U32,
    check: U64,
}

impl Head {
    fn hash(&self, pack: &[u8]) -> U64 {
        let (head, _check) = self.as_bytes().split_at(offset_of!(Self, check));
        U64::new(xxh3_64_with_seed(pack, xxh3_64(head)))
    }
}

impl<'a> Pack<'a> {
    /// Takes the first pack off; `None` = it is damaged.
    pub(in crate::index) fn split(bytes: &mut &'a [u8]) -> Option<Self> {
        let (head, rest) = Head::ref_from_prefix(bytes).ok()?;
        let (pack, rest) = rest.split_at_checked(usize::try_from(head.bytes.get()).ok()?)?;
        if head.check != head.hash(pack) {
            return None;
        }
        *bytes = rest;
        let (users, records) = <[U64]>::ref_from_prefix_with_elems(pack, head.events.get().try_into().ok()?).ok()?;
        Some(Self { base: head.base, users, records })
    }

    /// Writes a pack into `bytes`, in place of what is there.
    pub(in crate::index) fn write<'e>(
        base: Base,
        events: impl Iterator<Item = (u64, &'e [u8])> + Clone,
        bytes: &mut Vec<u8>,
    ) {
        bytes.clear();
        bytes.extend_from_slice(Head { base, ..Head::new_zeroed() }.as_bytes());
        let mut count = 0;
        for (user, _) in events.clone() {
            bytes.extend_from_slice(&user.to_le_bytes());
            count += 1;
        }
        events.for_each(|(_, record)| bytes.extend_from_slice(record));
        if let Ok((head, pack)) = Head::mut_from_prefix(bytes) {
            head.events = U32::new(count);
            head.bytes = U32::new(u32::try_from(pack.len()).expect("a segment is smaller than that"));
            head.check = head.hash(pack);
        }
    }

    /// Adds the events of users for whom `is_wanted` says so to `events`. False when the pack is damaged.
    #[must_use]
    pub(in crate::index) fn events(&self, is_wanted: impl Fn(UserId) -> bool, events: &mut Vec<Event>) -> bool {
        if !self.users.iter().any(|user| is_wanted(user.get())) {
            return true;
        }
        self.for_each(is_wanted, |event| events.push(event))
    }

    /// The batch and the epoch of each event. False when the pack is damaged.
    #[must_use]
    pub(in crate::index) fn all(&self, mut matches: impl FnMut(BatchId, Epoch) -> bool) -> bool {
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

    fn split(mut bytes: &[u8]) -> Option<(Pack<'_>, usize)> {
        Pack::split(&mut bytes).map(|pack| (pack, bytes.len()))
    }

    #[test]
    fn a_pack_gives_each_user_their_events_in_order_and_damage_is_noticed() {
        let base = Base { epoch: U64::new(5), time_ms: U64::new(1_000), batch: U64::new(3) };
        let told = [(7_u64, 1), (8, 2), (7, 3)].map(|(user, serial)| {
            let mut event = Event::new(Kind::Granted, 4, 1_000 + u64::from(serial));
            (event.user, event.epoch, event.serial) = (U64::new(user), U64::new(6), U32::new(serial));
            let mut record = Vec::new();
            Encoder::new(base).encode(Kind::Granted, &event, &mut record);
            (event, record)
        });
        let mut bytes = vec![1, 2, 3];
        Pack::write(base, told.iter().map(|(event, record)| (event.user.get(), &**record)), &mut bytes);
        let (pack, left) = split(&bytes).expect("it is whole");
        assert_eq!(left, 0);
        let of = |user| {
            let mut events = Vec::new();
            assert!(pack.events(|of| of == user, &mut events));
            events
        };
        assert_eq!((of(7), of(8), of(9)), (vec![told[0].0, told[2].0], vec![told[1].0], vec![]));
        assert!(pack.all(|batch, epoch| (batch, epoch) == (4, 6)) && !pack.all(|_, epoch| epoch > 6));
        let two = [bytes.clone(), bytes.clone()].concat();
        assert_eq!(split(&two).map(|(_, left)| left), Some(bytes.len()), "one after the other");
        for length in 0..bytes.len() {
            assert!(split(&bytes[..length]).is_none(), "{length} bytes of it");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(split(&damaged).is_none(), "byte {at} is damaged");
        }
    }
}
