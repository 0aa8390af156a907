//! Whether a run can be carried out as it is planned: each value within its bounds, and all of them together.

use std::time::Duration;

use stockade_protocol::limits::{
    BATCH_NAME_BYTES_MAX, BATCHES_PER_FRAME_MAX, CLAIMS_PER_FRAME_MAX, TOKEN_BYTES_MAX, ZONE_BYTES_MAX,
};

use crate::limits::{
    BATCH_IDS_MAX, BATCHES_MAX, CONNECTIONS_MAX, GATHER_MAX, GRANTS_MAX, RATE_MAX, RATIO_MAX, RATIO_SUM_MAX,
    SAMPLE_MAX, SLOTS_PER_CONNECTION_MAX, SPAN_MAX, THREADS_MAX, TURNOVER_CLAIMS_MAX, USERS_MAX, WINDOW_FRAMES_MAX,
};
use crate::plan::Plan;
use crate::plan::operation::Operation;

impl Plan {
    /// A sentence for each setting that is out of bounds or does not go with the others.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut number = |name: &str, value: u64, min: u64, max: u64| {
            if !(min..=max).contains(&value) {
                problems.push(format!("{name} is {value}: give a number from {min} to {max}"));
            }
        };
        number("rate", self.rate, 1, RATE_MAX);
        number("connections", self.connections.into(), 1, CONNECTIONS_MAX.into());
        number("threads", self.threads.into(), 1, THREADS_MAX.into());
        number("claims_per_frame", self.claims_per_frame.into(), 1, CLAIMS_PER_FRAME_MAX.into());
        number("window", self.window.into(), 1, WINDOW_FRAMES_MAX.into());
        number("claims", self.claims.unwrap_or(1), 1, u64::from(self.connections) * SLOTS_PER_CONNECTION_MAX);
        number("users", self.users.unwrap_or(1), 1, USERS_MAX);
        number("sample", self.sample, 0, SAMPLE_MAX);
        number("batches", self.batches.into(), 1, BATCHES_MAX.into());
        number("stock", self.stock.into(), 1, u32::MAX.into());
        number("grants", self.grants.unwrap_or(1), 1, GRANTS_MAX);
        number("page_size", self.page_size.unwrap_or(1).into(), 1, BATCHES_PER_FRAME_MAX.into());
        number("holds_share", self.rules.holds_share.unwrap_or(1).into(), 1, 100);
        number("turnover", self.turnover.unwrap_or(1), 1, TURNOVER_CLAIMS_MAX);
        let ids_left = u64::MAX - BATCH_IDS_MAX;
        number("batch id", self.batch_id.unwrap_or(0), 0, ids_left);
        problems.extend(self.span_problems());
        for (name, ratio) in [("repeat_ratio", self.repeat_ratio), ("retry_ratio", self.retry_ratio)] {
            if !(0.0..=RATIO_MAX).contains(&ratio) {
                problems.push(format!("{name} is {ratio}: give a share from 0 to {RATIO_MAX}"));
            }
        }
        if self.repeat_ratio + self.retry_ratio > RATIO_SUM_MAX {
            problems
                .push(format!("repeat_ratio and retry_ratio add up to more than {RATIO_SUM_MAX}: lower one of them"));
        }
        for (name, text, max) in [
            ("token", &self.token, TOKEN_BYTES_MAX),
            ("batch name", &self.batch_name, BATCH_NAME_BYTES_MAX),
            ("zone", &self.rules.zone, ZONE_BYTES_MAX),
        ] {
            if text.len() > max || text.chars().any(char::is_control) {
                problems.push(format!("the {name} must have at most {max} bytes and no control characters"));
            }
        }
        problems.extend(self.combination_problems());
        problems
    }

    fn span_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, span, min, max) in [
            ("gather", self.gather, Duration::ZERO, GATHER_MAX),
            ("duration", self.duration, Duration::from_millis(1), SPAN_MAX),
            ("warm_up", self.warm_up, Duration::ZERO, SPAN_MAX),
            ("drain_limit", self.drain_limit, Duration::ZERO, SPAN_MAX),
        ] {
            if !(min..=max).contains(&span) {
                problems.push(format!("{name} is {span:?}: give a span from {min:?} to {} s", max.as_secs_f64()));
            }
        }
        problems
    }

    /// Settings that do not go together.
    fn combination_problems(&self) -> Vec<String> {
        let name = self.operation.name();
        let mut problems = Vec::new();
        let mut problem = |applies: bool, text: &str| {
            if applies {
                problems.push(format!("operation is {name}: {text}"));
            }
        };
        problem(self.operation != Operation::Claim && self.turnover.is_some(), "turnover is for claims; leave it out");
        problem(
            self.operation != Operation::Claim && self.retry_ratio > 0.0,
            "retry_ratio is for claims; set it to 0 (what a broken connection leaves open is sent again all the same)",
        );
        problem(
            self.operation == Operation::Wallet && self.claims_per_frame > 1,
            "a frame asks for one page; leave claims_per_frame out, or set it to 1",
        );
        problem(
            !self.operation.needs_grants() && self.grants.is_some(),
            "grants is for lock-redeem and wallet; leave it out",
        );
        problem(
            self.operation != Operation::Wallet && self.page_size.is_some(),
            "page_size is for wallet; leave it out",
        );
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::limit::Limit;
    use crate::plan::scenario::Scenario;
    use crate::plan::span::Span;

    #[test]
    fn all_values_out_of_bounds_are_named_at_once() {
        let mut scenario = Scenario { rate: Some(0), window: Some(0), retry_ratio: Some(1.5), ..Scenario::default() };
        (scenario.claims_per_frame, scenario.batch.count) = (Some(8_193), Some(0));
        (scenario.connections, scenario.duration) = (Some(0), Some(Span(Duration::ZERO)));
        (scenario.batch.holds_share, scenario.batch.zone) = (Some(Limit(Some(101))), Some("z".repeat(41)));
        (scenario.token, scenario.repeat_ratio) = (Some("x".repeat(65)), Some(f64::NAN));
        let problems = Plan::new(scenario).unwrap_err();
        let named = ["rate", "connections", "claims_per_frame", "window", "batches", "duration", "repeat_ratio"];
        for name in named.into_iter().chain(["retry_ratio", "the token", "holds_share", "the zone"]) {
            assert!(problems.iter().any(|problem| problem.starts_with(name)), "{name}: {problems:?}");
        }
    }

    #[test]
    fn settings_that_an_operation_cannot_use_are_named() {
        let problems = |operation| {
            let mut scenario = Scenario { operation: Some(operation), grants: Some(5), ..Scenario::default() };
            (scenario.page_size, scenario.retry_ratio, scenario.claims_per_frame) = (Some(5), Some(0.1), Some(16));
            scenario.batch.turnover = Some(100);
            let problems = Plan::new(scenario).unwrap_err();
            let named = ["turnover", "retry_ratio", "a frame", "grants", "page_size"];
            named.map(|name| problems.iter().any(|problem| problem.contains(&format!(": {name} "))))
        };
        assert_eq!(problems(Operation::Claim), [false, false, false, true, true]);
        assert_eq!(problems(Operation::ReserveConfirm), [true, true, false, true, true]);
        assert_eq!(problems(Operation::LockRedeem), [true, true, false, false, true]);
        assert_eq!(problems(Operation::Wallet), [true, true, true, false, false]);
    }
}
