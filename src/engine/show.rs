//! Show and list: batches as they are.

use stockade_protocol::Status;
use stockade_protocol::batch::{BatchInfo, List};

use super::burst::Burst;
use crate::types::BatchId;

impl Burst<'_> {
    /// One batch.
    pub fn show(&mut self, id: BatchId) -> BatchInfo {
        let now_ms = self.now_ms();
        match self.find_batch(id) {
            Some(batch) => batch.info(Status::Done, now_ms, &batch.control.lock()),
            None => BatchInfo::refused(Status::BatchUnknown, id),
        }
    }

    /// A page of batches in order of id.
    #[must_use]
    pub fn list(&mut self, list: &List) -> Vec<BatchInfo> {
        let now_ms = self.now_ms();
        let page = self.engine.registry.page(list.from.get(), list.limit.get() as usize);
        let seen = page.iter().filter(|batch| !batch.is_hidden());
        seen.map(|batch| batch.info(Status::Done, now_ms, &batch.control.lock())).collect()
    }
}
