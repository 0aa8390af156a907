//! What a burst leaves to be done when its epoch is durable: units that come in, days that open, and what makes claims
//! easier. Collected, so that a burst of a thousand cancellations is one piece of work for the committer.

use std::sync::Arc;

use super::batch::Batch;
use super::registry::Registry;
use crate::journal::Effect;
use crate::stock::{Day, Run};

/// See the module.
#[derive(Default)]
pub(super) struct Aftermath {
    items: Vec<(u32, Item)>,
}

/// One thing to do with a batch.
pub(super) enum Item {
    /// Units come in; of units that come back, the day on which they were taken.
    LetIn(Run, Option<Day>),
    /// So many units are not reserved any more, where that is limited.
    LetGo(u32),
    /// A day opens: every claim of an earlier one has ended.
    Open(Day),
    /// Anything else.
    Other(Box<dyn FnOnce(&Batch) + Send>),
}

impl Aftermath {
    /// Does `item` with `batch` when the epoch is durable.
    pub(super) fn add(&mut self, batch: &Batch, item: Item) {
        let join = match (self.items.last_mut(), &item) {
            (Some((index, Item::LetIn(run, taken))), Item::LetIn(next, next_taken))
                if *index == batch.index && run.end() == next.first && taken == next_taken =>
            {
                run.count += next.count;
                true
            }
            (Some((index, Item::LetGo(units))), Item::LetGo(more)) if *index == batch.index => {
                *units += more;
                true
            }
            (Some((index, Item::Open(day))), Item::Open(again)) => *index == batch.index && day == again,
            _ => false,
        };
        if !join {
            self.items.push((batch.index, item));
        }
    }

    /// All of it, for the committer; `None`: there is nothing to do.
    pub(super) fn into_effect(self, registry: &Arc<Registry>) -> Option<Effect> {
        if self.items.is_empty() {
            return None;
        }
        let registry = Arc::clone(registry);
        Some(Box::new(move || {
            for (index, item) in self.items {
                item.run(registry.at(index));
            }
        }))
    }
}

impl Item {
    fn run(self, batch: &Batch) {
        match self {
            Item::LetIn(run, taken) => {
                let _books_are_still = batch.control.lock();
                batch.let_in(run, taken);
            }
            Item::LetGo(units) => batch.more().let_go(units),
            Item::Open(day) => {
                let day_limit = batch.more().day_limit.get();
                day_limit.into_iter().for_each(|limit| limit.roll(&batch.pool, day));
            }
            Item::Other(change) => change(batch),
        }
    }
}
