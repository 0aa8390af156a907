//! The events of one bucket in the files, as they are at one moment.

use rocksdb::{DBRawIterator, ReadOptions};
use stockade_protocol::feed::Event;

use super::pack::Pack;
use super::store::{IndexError, IndexStore, bucket_key, index_error, key};
use crate::types::UserId;

/// See the module. Cheaper than a snapshot: it takes no lock of the store's, which a file that comes in may hold for a
/// while.
pub(super) struct Events<'a> {
    packs: DBRawIterator<'a>,
    bucket: usize,
}

impl IndexStore {
    /// The events of a bucket.
    pub(super) fn events(&self, bucket: usize) -> Events<'_> {
        let mut options = ReadOptions::default();
        // Nobody looks into the block behind the last pack, and blocks that are read once need not be kept: the
        // system's cache has them.
        options.set_iterate_upper_bound(key(b'u', &bucket_key(bucket), &[u8::MAX; 9]));
        options.fill_cache(false);
        Events { packs: self.database().raw_iterator_opt(options), bucket }
    }
}

impl Events<'_> {
    /// Those of a user, in order.
    pub(super) fn of_user(mut self, user: UserId) -> Result<Vec<Event>, IndexError> {
        let mut events = Vec::new();
        self.packs.seek(key(b'u', &bucket_key(self.bucket), &[]));
        while let Some(pack) = self.packs.value() {
            if !Pack::read(pack).is_some_and(|pack| pack.of_user(user, &mut events)) {
                return Err(index_error(format!("its bucket {} is damaged", self.bucket)));
            }
            self.packs.next();
        }
        self.packs.status().map_err(index_error)?;
        Ok(events)
    }
}
