//! How many rounds of batches exist at a time: enough that no claim waits for one, and few enough that what is live
//! stays small.

use crate::limits::{BATCHES_AHEAD_MAX, CLAIMS_AHEAD};
use crate::plan::Plan;

/// Two: one to claim from, and the next one.
const ROUNDS_MIN: u64 = 2;

/// Rounds that are open or being finished, together.
#[must_use]
pub fn rounds(plan: &Plan) -> u64 {
    let batches = u64::from(plan.batches);
    let claims = plan.turnover.unwrap_or(1).saturating_mul(batches);
    let in_flight = u64::from(plan.connections) * u64::from(plan.window) * u64::from(plan.claims_per_frame);
    // All that is in flight may be of rounds that are not over yet.
    let wanted = in_flight.saturating_mul(2).max(CLAIMS_AHEAD) / claims;
    (wanted + 1).min(BATCHES_AHEAD_MAX / batches).max(ROUNDS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_batches_are_many_and_long_ones_few() {
        let ahead = |turnover, batches| rounds(&Plan { turnover: Some(turnover), batches, ..Plan::default() });
        assert_eq!([ahead(1_000, 1), ahead(1_000, 10), ahead(100_000_000, 1)], [2_001, 201, 2]);
        assert_eq!([ahead(1, 1), ahead(1, 1_000), ahead(1, 1_000_000)], [16_384, 16, 2], "bounded");
    }
}
