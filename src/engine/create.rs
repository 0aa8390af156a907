//! Create: a new batch. An inflow: claims see it once it is durable.

use std::sync::Arc;

use stockade_protocol::Status;
use stockade_protocol::batch::{BatchInfo, Create};

use super::batch::{Batch, BatchControl};
use super::burst::Burst;
use super::registry::Registered;
use crate::journal::Control;
use crate::stock::{Pool, Run};
use crate::users::Users;

impl Burst<'_> {
    /// Creates a batch. Creating it again with the same terms is the same creation.
    pub fn create(&mut self, create: &Create) -> BatchInfo {
        let (id, now_ms) = (create.batch.get(), self.now_ms());
        let terms = match create.terms() {
            Ok(terms) => terms,
            Err(status) => return BatchInfo::refused(status, id),
        };
        let control = BatchControl::new(&terms);
        let record = Control::Created {
            batch: id,
            time_ms: now_ms,
            stock: terms.stock,
            per_user: terms.per_user,
            starts_ms: terms.starts_ms,
            ends_ms: terms.ends_ms,
            state: control.state,
            name: terms.name.clone(),
        };
        // Whoever finds the batch from here on must wait for this epoch.
        self.pass.mark();
        let (cores, shards_max) = (self.engine.cores, self.engine.users_shards_max);
        let registered = self.engine.registry.register(id, || {
            let pool = Pool::new(cores, [Run::new(0, terms.stock)]);
            let users = Users::new(terms.stock, shards_max);
            Batch::hidden(id, now_ms, &terms, pool, users, control)
        });
        match registered {
            Registered::New(batch) => {
                let info = batch.info(Status::Done, now_ms, &batch.control.lock());
                let registry = Arc::clone(&self.engine.registry);
                let show = move || {
                    let batch = registry.find(id).expect("batches stay");
                    batch.set_gate(batch.control.lock().state);
                };
                self.pass.control(record, Some(Box::new(show)));
                info
            }
            Registered::Known(batch) => {
                let status = if batch.terms.are(&terms) { Status::Done } else { Status::BatchConflict };
                batch.info(status, now_ms, &batch.control.lock())
            }
            Registered::Full => BatchInfo::refused(Status::Overloaded, id),
        }
    }
}
