//! Whether any user holds more than the limit, counted from the grants themselves.
//!
//! A user and what he holds are known only by computing every grant's identity again. Users are counted in as many passes as
//! keep a pass within a bounded table; a run in which no user comes twice needs none.

use crate::batches::Shown;
use crate::connection::Connection;
use crate::hash::{Key, scaled};
use crate::population::Population;

/// Grants counted in one pass: 16 bytes each, 128 MiB.
const GRANTS_PER_PASS: u64 = 8 << 20;

/// Number of (batch, user) pairs with more units than the batch allows.
#[must_use]
pub fn users_over_limit(connections: &[Connection], population: &Population, batches: &[Shown]) -> u64 {
    users_over_limit_in_passes(connections, population, batches, GRANTS_PER_PASS)
}

fn users_over_limit_in_passes(
    connections: &[Connection],
    population: &Population,
    batches: &[Shown],
    grants_per_pass: u64,
) -> u64 {
    if !population.users_return() || batches.iter().all(|batch| batch.per_user == 0) {
        return 0;
    }
    let grants = connections.iter().map(|connection| connection.ledger().grants()).sum::<u64>();
    let passes = grants / grants_per_pass + 1;
    let pass_key = Key::new(0, 7);
    let mut over = 0;
    for pass in 0..passes {
        let mut holders = Vec::new();
        for connection in connections {
            for (slot, _) in connection.ledger().iter() {
                let claim = population.identity(connection.number(), slot);
                if scaled(pass_key.at(claim.user), passes) == pass {
                    holders.push((claim.user, claim.batch_index));
                }
            }
        }
        holders.sort_unstable();
        let runs = holders.chunk_by(|one, next| one == next);
        over += runs.filter(|run| exceeds(run.len(), batches[run[0].1 as usize].per_user)).count() as u64;
    }
    over
}

/// Each grant is one unit.
fn exceeds(grants: usize, per_user: u32) -> bool {
    per_user != 0 && grants > per_user as usize
}
