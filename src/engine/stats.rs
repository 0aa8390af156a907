//! Stats: what became of a batch's units, in numbers, as a whole and by day.

use stockade_protocol::Status;
use stockade_protocol::batch::{Stats, StatsQuery};

use super::Engine;
use super::reading::unreadable;

impl Engine {
    /// The numbers of a batch: as a whole, then of its days.
    ///
    /// # Errors
    /// `BATCH_UNKNOWN`, or what [`Engine::index_through`] says.
    pub fn stats(&self, query: &StatsQuery) -> Result<Vec<Stats>, Status> {
        let id = query.batch.get();
        let (index, _) = self.index_through(query.see_epoch.get())?;
        self.read_batch(id)?;
        let days = index.days(id).map_err(unreadable)?;
        let whole = days.whole().now();
        if whole.is_none() {
            tracing::error!("the index counted more units of batch {id} leaving a place than coming to it");
        }
        let mut items = vec![whole.ok_or(Status::Unavailable)?];
        items.extend(days.from(query.from_day.get()).map(|(day, counts)| counts.of_day(day)));
        items.truncate(query.limit.get() as usize);
        Ok(items)
    }
}
