//! Show and list: batches as they are, and why claims of them were refused.

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
        let (from, limit) = (list.from.get(), list.limit.get() as usize);
        let page = self.engine.registry.page(from, limit);
        let seen = page.iter().filter(|batch| !batch.is_hidden());
        seen.map(|batch| batch.info(Status::Done, now_ms, &batch.control.lock())).collect()
    }

    /// How often claims of a batch were refused since the start, by status.
    ///
    /// # Errors
    /// `BATCH_UNKNOWN`.
    pub fn refusals(&mut self, id: BatchId) -> Result<Vec<(Status, u64)>, Status> {
        let batch = self.find_batch(id).ok_or(Status::BatchUnknown)?;
        Ok(batch.more.get().map_or_else(Vec::new, |more| more.refusals().collect()))
    }
}
