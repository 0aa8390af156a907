//! What the grants say that each batch gave away: how many units, whether any of them twice, whether any that it does
//! not have.
//!
//! Counted when the claims are over, batch by batch in passes over the grants that keep within a bounded table, so that
//! a million batches cost no more than one: time grows with grants × passes and with batches, memory with batches.

use std::collections::BTreeMap;

use crate::load::population::Population;
use crate::proof::holdings::Holdings;
use crate::proof::serials::SerialSet;
use crate::wire::batches::Shown;

/// Grants of one pass: 8 bytes each, 128 MiB. One batch alone takes a bit for each unit instead, however many it has.
const GRANTS_PER_PASS: u64 = 16 << 20;

/// What the grants of some batches add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Grants of each batch, in the order of the batches.
    pub grants: Vec<u32>,
    /// Grants whose serial another claim on the same batch has.
    pub duplicates: u64,
    /// By place of the batch: serials that it does not have, for batches of which such were granted.
    pub beyond: BTreeMap<usize, u64>,
}

impl Given {
    /// Adds up `holdings`, which are all of `batches`: the one with the index `first` and those after it.
    #[must_use]
    pub fn new(holdings: &Holdings<'_>, population: &Population, batches: &[Shown], first: u32) -> Self {
        Self::in_passes(holdings, population, batches, first, GRANTS_PER_PASS)
    }

    fn in_passes(
        holdings: &Holdings<'_>,
        population: &Population,
        batches: &[Shown],
        first: u32,
        grants_per_pass: u64,
    ) -> Self {
        let placed = || {
            holdings.iter().map(|grant| {
                let place = population.batch_index(grant.connection, grant.slot) - first;
                (place as usize, grant.serial)
            })
        };
        let mut given = Self { grants: vec![0; batches.len()], ..Self::default() };
        placed().for_each(|(place, _)| given.grants[place] = given.grants[place].saturating_add(1));
        let mut from = 0;
        while from < batches.len() {
            let until = given.end_of_pass(from, grants_per_pass);
            let within = placed().filter(|(place, _)| (from..until).contains(place));
            if until - from == 1 {
                given.add_one(from, batches[from].total, within.map(|(_, serial)| serial));
            } else {
                given.add_some(batches, within);
            }
            from = until;
        }
        given
    }

    /// Where the pass ends that begins with batch `from`: it has one batch, or as many as fit.
    fn end_of_pass(&self, from: usize, grants_per_pass: u64) -> usize {
        let mut left = grants_per_pass.saturating_sub(self.grants[from].into());
        let fitting = self.grants[from + 1..].iter().take_while(|grants| {
            let fits = u64::from(**grants) <= left;
            left = left.saturating_sub((**grants).into());
            fits
        });
        from + 1 + fitting.count()
    }

    fn add_one(&mut self, place: usize, total: u32, serials: impl Iterator<Item = u32>) {
        let mut set = SerialSet::default();
        self.duplicates += serials.filter(|serial| !set.insert(*serial)).count() as u64;
        let beyond = set.count_from(total);
        if beyond > 0 {
            self.beyond.insert(place, beyond);
        }
    }

    fn add_some(&mut self, batches: &[Shown], within: impl Iterator<Item = (usize, u32)>) {
        let place_of = |pair: u64| usize::try_from(pair >> 32).expect("it was one");
        let mut pairs = within.map(|(place, serial)| (place as u64) << 32 | u64::from(serial)).collect::<Vec<_>>();
        pairs.sort_unstable();
        let all = pairs.len();
        pairs.dedup();
        self.duplicates += (all - pairs.len()) as u64;
        for pair in pairs {
            let place = place_of(pair);
            if pair & u64::from(u32::MAX) >= batches[place].total.into() {
                *self.beyond.entry(place).or_default() += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stockade_protocol::claim::ClaimReply;

    use super::*;
    use crate::load::connection::Connection;
    use crate::load::tally::Period;
    use crate::plan::Plan;
    use crate::proof::books::Books;
    use crate::proof::user_limits::UserLimits;

    const BATCHES: u32 = 40;

    /// Grants of 4,000 claims over 40 batches: each batch has the serials 0, 1, …, but for what `lie` makes of them.
    fn given(grants_per_pass: u64, lie: impl Fn(u64, u32) -> u32) -> Given {
        let plan = Plan { batches: BATCHES, ..Plan::default() };
        let population = Arc::new(Population::new(&plan, 1, 1));
        let mut connection = Connection::new(0, &plan, Arc::clone(&population), Period { warm_ns: 0, end_ns: 1 });
        let mut books = Books::new(UserLimits::Same(0), BATCHES as usize);
        let mut next = [0; BATCHES as usize];
        for slot in 0..4_000 {
            let serial = &mut next[population.batch_index(0, slot) as usize];
            connection.granted(slot, &ClaimReply::granted(1, lie(slot, *serial), 1), &mut books);
            *serial += 1;
        }
        let batches = next.map(|total| Shown { total, ..Shown::default() });
        let connections = [connection];
        let given = Given::in_passes(&Holdings::of(&connections), &population, &batches, 0, grants_per_pass);
        assert_eq!(given.grants, next);
        given
    }

    #[test]
    fn every_batch_is_checked_however_many_passes_it_takes() {
        for grants_per_pass in [1_000_000, 500, 1] {
            let right = given(grants_per_pass, |_, serial| serial);
            assert_eq!((right.duplicates, right.beyond.len()), (0, 0), "in passes of {grants_per_pass}");
            // The last claim on some batch gets the serial before its own; the first one, one that no batch has.
            let wrong = given(grants_per_pass, |slot, serial| match slot {
                0 => 9_999,
                3_999 => serial - 1,
                _ => serial,
            });
            assert_eq!(wrong.duplicates, 1, "in passes of {grants_per_pass}");
            assert_eq!(wrong.beyond.values().collect::<Vec<_>>(), [&1], "in passes of {grants_per_pass}");
        }
    }
}
