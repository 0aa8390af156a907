//! Create: a new batch. An inflow: claims see it once it is durable.

use stockade_protocol::Status;
use stockade_protocol::batch::{BatchInfo, Create};

use super::aftermath::Item;
use super::batch::{Batch, Parts};
use super::burst::Burst;
use super::control::BatchControl;
use super::more::More;
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
        let more = match More::is_needed(&terms).then(|| More::new(&terms)) {
            Some(None) => return BatchInfo::refused(Status::ZoneInvalid, id),
            Some(Some(more)) => Some(Box::new(more)),
            None => None,
        };
        // Whoever finds the batch from here on must wait for this epoch.
        self.pass.mark();
        let (cores, shards_max) = (self.engine.cores, self.engine.users_shards_max);
        let registered = self.engine.registry.register(id, |index| {
            let pool = Pool::new(cores, [Run::new(0, terms.stock)]);
            if let Some(more) = &more {
                more.begin_day_limit(&pool, more.calendar.day_of(now_ms), 0);
            }
            let users = Users::new(terms.stock, shards_max);
            let (control, serials_end) = (BatchControl::new(&terms), terms.stock);
            let parts = Parts { id, created_ms: now_ms, serials_end, pool, users, more, control };
            Batch::hidden(index, &terms, parts)
        });
        match registered {
            Registered::New(batch) => {
                let info = batch.info(Status::Done, now_ms, &batch.control.lock());
                let show = |batch: &Batch| {
                    let control = batch.control.lock();
                    batch.set_gate(control.state);
                };
                self.aftermath.add(batch, Item::Other(Box::new(show)));
                if let Some(more) = batch.more.get().filter(|more| more.expires()) {
                    let first_ms = more.next_expiry_ms(now_ms, batch.day_of(now_ms)).unwrap_or(now_ms);
                    self.engine.sweeps.plan(batch, first_ms);
                }
                let terms = Box::new(terms);
                self.pass.control(Control::Created { batch: id, time_ms: now_ms, terms }, None);
                info
            }
            Registered::Known(batch) => {
                let control = batch.control.lock();
                let status = if batch.terms(&control) == terms { Status::Done } else { Status::BatchConflict };
                batch.info(status, now_ms, &control)
            }
            Registered::Full => BatchInfo::refused(Status::Overloaded, id),
        }
    }
}
