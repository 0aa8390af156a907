//! A store of groups that a test may damage: what it is given, it gives back, without a check of its own.

use stockade::journal::{Group, Hash, Mark, Reader, Store, StoreError, Visit};
use stockade::types::Epoch;

use super::books::History;

/// Epochs and groups, in order of storage.
#[derive(Clone, Default)]
pub(crate) struct Groups {
    pub(crate) groups: Vec<(Epoch, Vec<u8>)>,
}

impl Groups {
    /// The groups of another store.
    pub(crate) fn of(store: &dyn Store) -> Self {
        let mut groups = Vec::new();
        let read = store.for_each(0, &mut |epoch, group| {
            groups.push((epoch, group.to_vec()));
            true
        });
        assert_eq!(read, Ok(()));
        Self { groups }
    }

    /// Names the group at `index`.
    pub(crate) fn mark(&self, index: usize) -> Mark {
        let (epoch, bytes) = &self.groups[index];
        let hash: Hash = Group::decode(bytes).expect("a whole group").hash;
        Mark { epoch: *epoch, hash }
    }
}

impl Store for Groups {
    fn write(&mut self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError> {
        self.groups.push((epoch, group.to_vec()));
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl History for Groups {
    fn visit(&self, visit: &mut Visit<'_>) {
        let mut groups = self.groups.iter();
        while groups.next().is_some_and(|(epoch, group)| visit(*epoch, group)) {}
    }
}

impl Reader for Groups {
    fn for_each(&self, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let mut groups = self.groups.iter().filter(|(epoch, _)| *epoch > after);
        while groups.next().is_some_and(|(epoch, group)| visit(*epoch, group)) {}
        Ok(())
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn for_each_of_checkpoint(
        &self,
        _generation: u64,
        _after: Epoch,
        _visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        Ok(())
    }
}
