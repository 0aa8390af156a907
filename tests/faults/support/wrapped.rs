//! A store with something around each of its calls that write: a gate, a power that goes, a picture. Reading passes.

use stockade::journal::{CheckpointStore, Reader, Store, StoreError, Visit};
use stockade::types::Epoch;

/// What happens around a call.
pub(crate) trait Around: Send {
    /// Lets `work` do one call of the store; `call` is its method's name.
    fn around(&self, call: &'static str, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError>;
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Wrapped<S, A> {
    pub(crate) store: S,
    pub(crate) around: A,
}

impl<S: Reader, A> Reader for Wrapped<S, A> {
    fn for_each(&self, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.store.for_each(after, visit)
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.head()
    }

    fn for_each_of_checkpoint(&self, generation: u64, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.store.for_each_of_checkpoint(generation, after, visit)
    }
}

impl<S: Store, A: Around> Store for Wrapped<S, A> {
    fn write(&mut self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError> {
        self.around.around("write", &mut || self.store.write(epoch, group))
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.around.around("sync", &mut || self.store.sync())
    }
}

impl<S: CheckpointStore, A: Around> CheckpointStore for Wrapped<S, A> {
    fn last_generation(&self) -> Result<u64, StoreError> {
        self.store.last_generation()
    }

    fn begin(&self, generation: u64) -> Result<(), StoreError> {
        self.around.around("begin", &mut || self.store.begin(generation))
    }

    fn append(&self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError> {
        self.around.around("append", &mut || self.store.append(epoch, group))
    }

    fn finish(&self) -> Result<(), StoreError> {
        self.around.around("finish", &mut || self.store.finish())
    }

    fn install(&self, head: &[u8]) -> Result<(), StoreError> {
        self.around.around("install", &mut || self.store.install(head))
    }

    fn clear(&self, generations: &[u64], up_to: Epoch) -> Result<(), StoreError> {
        self.around.around("clear", &mut || self.store.clear(generations, up_to))
    }
}
