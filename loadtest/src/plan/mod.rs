//! A run that can be carried out: every setting has a value, and every value is within its bounds.

pub mod batch_mix;
pub mod batch_rules;
mod bounds;
pub mod limit;
pub mod operation;
pub mod scenario;
pub mod span;

use std::time::Duration;

use serde::Serialize;

use crate::limits::{BATCH_IDS_MAX, BATCHES_MAX, SLOTS_PER_CONNECTION_MAX, STOCK_WITHOUT_END};
use crate::load::schedule::Arrivals;
use crate::plan::batch_mix::BatchMix;
use crate::plan::batch_rules::BatchRules;
use crate::plan::limit::Limit;
use crate::plan::operation::Operation;
use crate::plan::scenario::{BatchScenario, Scenario};
use crate::plan::span::Span;
use crate::time::{nanoseconds, real, whole};

/// Coupons to lock and redeem where nobody knows how many there is time for.
const GRANTS_CLOSED: u64 = 1_000_000;

/// Coupons in the wallets that are read.
const GRANTS_WALLET: u64 = 100_000;

/// Coupons of one page of a wallet: what a screen shows.
const PAGE_SIZE: u16 = 20;

/// A checked run. The report shows it as its parameters.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Address of the server.
    pub server: String,
    /// Address of the server's admin port, where its metrics are read during the run; `None` = they are not.
    pub admin: Option<String>,
    /// Token for the handshake; empty where none is asked for. In no report.
    #[serde(skip)]
    pub token: String,
    /// Whether the window is kept full, instead of following a schedule.
    pub closed: bool,
    /// What is done over and over. Where this is no claim, "claims" below are pairs of requests, or pages.
    pub operation: Operation,
    /// Claims a second that the open loop offers.
    pub rate: u64,
    /// How the open loop's frames follow each other.
    pub arrivals: Arrivals,
    /// Connections, all threads together.
    pub connections: u32,
    /// Generator threads; at most one for each connection.
    pub threads: u32,
    /// Claims in one frame.
    pub claims_per_frame: u32,
    /// Frames in flight on one connection.
    pub window: u32,
    /// How long to collect what is due before the sockets are served.
    #[serde(rename = "gather_s", serialize_with = "as_seconds")]
    pub gather: Duration,
    /// How long to measure.
    #[serde(rename = "duration_s", serialize_with = "as_seconds")]
    pub duration: Duration,
    /// How long to run before measuring.
    #[serde(rename = "warm_up_s", serialize_with = "as_seconds")]
    pub warm_up: Duration,
    /// How long to wait for outstanding replies at the end.
    #[serde(rename = "drain_limit_s", serialize_with = "as_seconds")]
    pub drain_limit: Duration,
    /// Claims after which to stop.
    pub claims: Option<u64>,
    /// Coupons that are granted before the measurement; `None` = the operation needs none.
    pub grants: Option<u64>,
    /// Coupons of one page of a wallet; `None` = no wallets are read.
    pub page_size: Option<u16>,
    /// Users, requests and choices follow from it.
    pub seed: u64,
    /// Distinct users; `None` = a new one for each claim.
    pub users: Option<u64>,
    /// Share of claims by a user who claimed before.
    pub repeat_ratio: f64,
    /// Share of claims that are an earlier one sent again.
    pub retry_ratio: f64,
    /// Most grants that are looked up.
    pub sample: u64,
    /// Number of batches.
    pub batches: u32,
    /// How claims spread over them.
    pub batch_mix: BatchMix,
    /// Units of each batch that the run creates.
    pub stock: u32,
    /// Units that one user may hold of a batch that the run creates; `None` = unlimited.
    pub per_user: Option<u32>,
    /// What else those batches ask for.
    #[serde(flatten)]
    pub rules: BatchRules,
    /// Claims on each batch after which it is ended, closed and replaced; `None` = all batches stay.
    pub turnover: Option<u64>,
    /// Id of the first batch; `None` = ids nobody used.
    pub batch_id: Option<u64>,
    /// Name of the batches that the run creates.
    pub batch_name: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            server: "127.0.0.1:7400".to_owned(),
            admin: None,
            token: String::new(),
            closed: false,
            operation: Operation::Claim,
            rate: 100_000,
            arrivals: Arrivals::Constant,
            connections: 16,
            threads: 1,
            claims_per_frame: 16,
            window: 64,
            gather: Duration::ZERO,
            duration: Duration::from_secs(5),
            warm_up: Duration::from_secs(1),
            drain_limit: Duration::from_secs(10),
            claims: None,
            grants: None,
            page_size: None,
            seed: 1,
            users: None,
            repeat_ratio: 0.0,
            retry_ratio: 0.0,
            sample: 1_000_000,
            batches: 1,
            batch_mix: BatchMix::Uniform,
            stock: STOCK_WITHOUT_END,
            per_user: Some(1),
            rules: BatchRules::default(),
            turnover: None,
            batch_id: None,
            batch_name: "load test".to_owned(),
        }
    }
}

impl Plan {
    /// The run that `scenario` asks for, with defaults where it is silent.
    ///
    /// # Errors
    /// A sentence for each setting that is out of bounds; all of them at once.
    pub fn new(scenario: Scenario) -> Result<Self, Vec<String>> {
        let default = Plan::default();
        let batches = scenario.batch.count.unwrap_or(default.batches);
        let span = |span: Option<Span>, default| span.map_or(default, |Span(duration)| duration);
        let connections = scenario.connections.unwrap_or(default.connections);
        let operation = scenario.operation.unwrap_or(default.operation);
        let claims_per_frame = if operation == Operation::Wallet { 1 } else { default.claims_per_frame };
        let mut plan = Plan {
            server: scenario.server.unwrap_or(default.server),
            admin: scenario.admin,
            token: scenario.token.unwrap_or(default.token),
            closed: scenario.closed.unwrap_or(default.closed),
            operation,
            rate: scenario.rate.unwrap_or(default.rate),
            arrivals: scenario.arrivals.unwrap_or(default.arrivals),
            connections,
            threads: scenario.threads.unwrap_or(default.threads).min(connections.max(1)),
            claims_per_frame: scenario.claims_per_frame.unwrap_or(claims_per_frame),
            window: scenario.window.unwrap_or(default.window),
            gather: span(scenario.gather, default.gather),
            duration: span(scenario.duration, default.duration),
            warm_up: span(scenario.warm_up, default.warm_up),
            drain_limit: span(scenario.drain_limit, default.drain_limit),
            claims: scenario.claims,
            grants: scenario.grants,
            page_size: scenario.page_size,
            seed: scenario.seed.unwrap_or(default.seed),
            users: scenario.users,
            repeat_ratio: scenario.repeat_ratio.unwrap_or(default.repeat_ratio),
            retry_ratio: scenario.retry_ratio.unwrap_or(default.retry_ratio),
            sample: scenario.sample.unwrap_or(default.sample),
            batches,
            batch_mix: scenario.batch.mix.unwrap_or(default.batch_mix),
            stock: scenario.batch.stock.unwrap_or_else(|| match scenario.batch.turnover {
                Some(claims) => u32::try_from(claims).unwrap_or(u32::MAX),
                None => STOCK_WITHOUT_END / batches.clamp(1, BATCHES_MAX),
            }),
            per_user: scenario.batch.per_user.map_or(default.per_user, |Limit(units)| units),
            rules: rules(&scenario.batch),
            turnover: scenario.batch.turnover,
            batch_id: scenario.batch.id,
            batch_name: scenario.batch.name.unwrap_or(default.batch_name),
        };
        plan.fill_in_grants();
        let problems = plan.problems();
        if problems.is_empty() { Ok(plan) } else { Err(problems) }
    }

    /// Says how many coupons the operation needs and how many a page has, where it does and nobody said.
    fn fill_in_grants(&mut self) {
        let offered = whole(real(self.rate) * (self.warm_up + self.duration).as_secs_f64()).saturating_add(1);
        let wanted = match self.operation {
            Operation::Claim | Operation::ReserveConfirm => return,
            Operation::LockRedeem => self.claims.unwrap_or(if self.closed { GRANTS_CLOSED } else { offered }),
            Operation::Wallet => GRANTS_WALLET,
        };
        self.grants.get_or_insert(wanted);
        if self.operation == Operation::Wallet {
            self.page_size.get_or_insert(PAGE_SIZE);
        }
    }

    /// Nanoseconds between the frames of one connection in an open loop, on average.
    #[must_use]
    pub fn frame_interval_ns(&self) -> f64 {
        1e9 * f64::from(self.connections) * f64::from(self.claims_per_frame) / real(self.rate)
    }

    /// How long the schedule should take; 0 = nobody knows, since the server's speed decides when all claims are sent.
    #[must_use]
    pub fn planned_ns(&self) -> u64 {
        let schedule_ns = nanoseconds(self.warm_up + self.duration);
        match self.claims {
            None => schedule_ns,
            Some(_) if self.closed => 0,
            Some(claims) => schedule_ns.min(whole(real(claims) / real(self.rate) * 1e9)),
        }
    }

    /// Claims of each connection on the batches of one round, where batches come and go: an even share of all.
    #[must_use]
    pub fn round_slots(&self) -> Option<u64> {
        let claims = self.turnover?.saturating_mul(self.batches.into());
        Some(claims.div_ceil(self.connections.into()).max(1))
    }

    /// Most rounds of a run where batches come and go: what its ids are enough for.
    #[must_use]
    pub fn rounds_max(&self) -> u64 {
        (BATCH_IDS_MAX - 1) / u64::from(self.batches)
    }

    /// Most claims that connection `number` sends: an even share of `claims`, or what the numbering allows.
    #[must_use]
    pub fn claims_of(&self, number: u32) -> u64 {
        let connections = u64::from(self.connections);
        let share =
            self.claims.map(|claims| claims / connections + u64::from(u64::from(number) < claims % connections));
        let rounds = self.round_slots().map_or(u64::MAX, |slots| slots.saturating_mul(self.rounds_max()));
        share.unwrap_or(u64::MAX).min(rounds).min(SLOTS_PER_CONNECTION_MAX)
    }
}

fn rules(batch: &BatchScenario) -> BatchRules {
    BatchRules {
        per_user_day: batch.per_user_day.and_then(|Limit(units)| units),
        per_day: batch.per_day.and_then(|Limit(units)| units),
        quantity_max: batch.quantity_max.and_then(|Limit(units)| units),
        holds_per_user: batch.holds_per_user.and_then(|Limit(units)| units),
        holds_share: batch.holds_share.and_then(|Limit(hundredths)| hundredths),
        zone: batch.zone.clone().unwrap_or_default(),
        audience_any: batch.audience_any.unwrap_or(0),
    }
}

fn as_seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_scenario_is_the_default_plan() {
        let plan = Plan::new(Scenario::default()).unwrap();
        assert_eq!(format!("{plan:?}"), format!("{:?}", Plan::default()));
    }

    #[test]
    fn stock_is_split_and_claims_are_dealt_out() {
        let mut scenario = Scenario { connections: Some(3), claims: Some(8), ..Scenario::default() };
        scenario.batch.count = Some(4);
        let plan = Plan::new(scenario).unwrap();
        assert_eq!(plan.stock, 1_000_000_000);
        assert_eq!([0, 1, 2].map(|number| plan.claims_of(number)), [3, 3, 2]);
    }

    #[test]
    fn what_is_needed_before_the_measurement_follows_from_what_is_done_in_it() {
        let plan = |operation, closed, claims| {
            let operation = Some(operation);
            Plan::new(Scenario { operation, closed, claims, rate: Some(1_000), ..Scenario::default() }).unwrap()
        };
        assert_eq!(plan(Operation::ReserveConfirm, None, None).grants, None);
        assert_eq!(plan(Operation::LockRedeem, None, None).grants, Some(6_001), "6 s of 1,000 pairs/s");
        assert_eq!(plan(Operation::LockRedeem, Some(true), None).grants, Some(GRANTS_CLOSED));
        assert_eq!(plan(Operation::LockRedeem, Some(true), Some(70)).grants, Some(70));
        let wallet = plan(Operation::Wallet, None, Some(70));
        assert_eq!((wallet.grants, wallet.page_size, wallet.claims_per_frame), (Some(GRANTS_WALLET), Some(20), 1));
    }

    #[test]
    fn what_ends_a_run_first_decides_how_long_it_should_take() {
        let plan = Plan { rate: 1_000, ..Plan::default() };
        assert_eq!(plan.planned_ns(), 6_000_000_000);
        let claims = |claims, closed| Plan { claims: Some(claims), closed, ..plan.clone() }.planned_ns();
        assert_eq!([claims(2_000, false), claims(9_000, false)], [2_000_000_000, 6_000_000_000]);
        assert_eq!(claims(9_000, true), 0, "nobody knows");
    }
}
