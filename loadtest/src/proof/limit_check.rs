//! Whether any user holds more than the limit, counted from the grants themselves.
//!
//! A user and what he holds are known only by computing every grant's identity again. Users are counted in as many
//! passes as keep a pass within a bounded table; a run in which no user comes twice needs none.

use crate::hash::{Key, scaled};
use crate::load::population::Population;
use crate::proof::holdings::Holdings;
use crate::proof::user_limits::UserLimits;

/// Grants counted in one pass: 16 bytes each, 128 MiB.
const GRANTS_PER_PASS: u64 = 8 << 20;

/// Number of (batch, user) pairs with more units than the batch allows.
#[must_use]
pub fn users_over_limit(holdings: &Holdings<'_>, population: &Population, limits: &UserLimits) -> u64 {
    users_over_limit_in_passes(holdings, population, limits, GRANTS_PER_PASS)
}

fn users_over_limit_in_passes(
    holdings: &Holdings<'_>,
    population: &Population,
    limits: &UserLimits,
    grants_per_pass: u64,
) -> u64 {
    if !population.users_return() || limits.are_none() {
        return 0;
    }
    let passes = holdings.grants() / grants_per_pass + 1;
    let pass_key = Key::new(0, 7);
    let mut over = 0;
    for pass in 0..passes {
        let claims = holdings.iter().map(|grant| population.identity(grant.connection, grant.slot));
        let counted = claims.filter(|claim| scaled(pass_key.at(claim.user), passes) == pass);
        let mut holders = counted.map(|claim| (claim.user, claim.batch_index)).collect::<Vec<_>>();
        holders.sort_unstable();
        let runs = holders.chunk_by(|one, next| one == next);
        over += runs.filter(|run| limits.of(|| run[0].1).is_some_and(|limit| exceeds(run.len(), limit))).count() as u64;
    }
    over
}

/// Each grant is one unit.
fn exceeds(grants: usize, limit: u32) -> bool {
    grants > limit as usize
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
    use crate::wire::batches::Shown;

    #[test]
    fn users_are_counted_once_per_batch_however_many_passes_it_takes() {
        let plan = Plan { users: Some(50), batches: 2, ..Plan::default() };
        let population = Arc::new(Population::new(&plan, 1, 1));
        let mut connection = Connection::new(0, &plan, Arc::clone(&population), Period { warm_ns: 0, end_ns: 1 });
        let mut books = Books::new(UserLimits::Same(3), 2);
        // About ten grants for each user and batch.
        for slot in 0..1_000 {
            connection.granted(slot, &ClaimReply::granted(1, u32::try_from(slot).unwrap(), 1), &mut books);
        }
        let count = |first, second, grants_per_pass| {
            let limits = [first, second].map(|per_user| Shown { per_user, ..Shown::default() });
            let holdings = Holdings::of(std::slice::from_ref(&connection));
            users_over_limit_in_passes(&holdings, &population, &UserLimits::new(&limits), grants_per_pass)
        };
        for grants_per_pass in [10_000, 300, 7] {
            assert_eq!(count(1, 1, grants_per_pass), 100, "in passes of {grants_per_pass}");
            assert_eq!(count(1, 0, grants_per_pass), 50, "in passes of {grants_per_pass}");
            assert_eq!(count(100, 1_000, grants_per_pass), 0);
        }
        let between = count(10, 10, 300);
        assert!(between > 10 && between < 90 && between == count(10, 10, 7), "{between}");
    }
}
