//! What a run found out, as data. `--json` prints exactly this; [`text`] shows it to people, [`page`] to a browser,
//! [`hgrm`] to plotters.

pub mod distribution;
pub mod hgrm;
pub mod machine;
pub mod page;
pub mod setup;
pub mod steps;
pub mod text;
pub(crate) mod units;

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use stockade_protocol::hello::{Durability, Welcome};

use crate::limits::LATE_SHARE_MAX;
use crate::load::tally::Tally;
use crate::plan::Plan;
use crate::plan::operation::Operation;
use crate::probe::ServerSeries;
use crate::proof::verdict::Verification;
use crate::report::machine::{BUILD, Build, Machine};
use crate::report::setup::Setup;
use crate::report::steps::StepFigures;
use crate::time::{microseconds, per_second, real, seconds, utc};
use crate::timeline::seconds::Steadiness;
use crate::timeline::series::Series;
use crate::turnover::Turnover;
use distribution::Distribution;

/// The whole report. Its "claims" are what the run did over and over: pairs of requests, or pages, where the operation
/// says so; "granted" are those that had the wanted answer.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether something was measured and the verification passed.
    pub passed: bool,
    /// When the run began, in UTC.
    pub started: String,
    /// The program that measured.
    pub build: Build,
    /// The machine that it ran on.
    pub machine: Machine,
    /// The server, as it described itself.
    pub server: ServerFacts,
    /// What users, requests and choices followed from.
    pub seed: u64,
    /// `open` or `closed`.
    pub r#loop: &'static str,
    /// Every setting.
    pub parameters: Plan,
    /// Seconds in which rates were counted.
    pub measured_s: f64,
    /// Claims a second that were meant to start; `null` in a closed loop.
    pub offered_claims_per_s: Option<f64>,
    /// Claims answered a second, whatever the answer.
    pub claims_per_s: f64,
    /// Claims granted a second, replays not counted.
    pub granted_per_s: f64,
    /// The lowest second of the measured time against the median; `null` when it is shorter than three.
    pub steadiness: Option<Steadiness>,
    /// Latencies of the claims that were meant to start in the measured time.
    pub latency_us: Latency,
    /// Claims of the whole run, warm-up included, by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// The two requests of a pair; empty where the run has no pairs.
    pub steps: Vec<StepFigures>,
    /// Claims of the whole run, by their fate.
    pub claims: Claims,
    /// What happened to the connections.
    pub connections: Connections,
    /// How the generator itself did.
    pub generator: Generator,
    /// The proof.
    pub verification: Verification,
    /// What was done before the measurement; `null` = nothing had to be.
    pub setup: Option<Setup>,
    /// Batches that came and went; `null` when they stayed.
    pub turnover: Option<Turnover>,
    /// What the reader should know before he believes the numbers.
    pub notes: Vec<String>,
    /// The same latencies as `latency_us`, as a curve.
    pub distribution: Distribution,
    /// The run over time, warm-up included.
    pub series: Series,
    /// The server over time, from its metrics; `null` when the run did not name its admin port.
    pub server_metrics: Option<ServerSeries>,
}

/// The server, as it described itself.
#[derive(Clone, Debug, Serialize)]
pub struct ServerFacts {
    /// Where it was reached.
    pub address: String,
    /// Its version.
    pub version: String,
    /// What its answers survive: `fsync`, `os` or `memory`.
    pub durability: &'static str,
    /// Its network threads.
    pub cores: u16,
    /// Most claims that it takes in a frame.
    pub claims_per_frame_max: u32,
    /// Most claims that it lets a connection wait for.
    pub in_flight_claims_max: u32,
}

/// Quantiles in microseconds, one count for each claim. In an open loop from the intended start, in a closed one from
/// the send; a claim without a reply counts with the time that it waited in vain.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// Half of the claims were faster.
    pub p50: f64,
    /// Nine in ten were.
    pub p90: f64,
    /// 99 in 100 were.
    pub p99: f64,
    /// 999 in 1,000 were.
    pub p999: f64,
    /// None was slower.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// Claims counted.
    pub claims: u64,
}

/// What a run was carried out with and on.
#[derive(Debug)]
pub struct Circumstances<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What the server said of itself.
    pub welcome: &'a Welcome,
    /// When it began, since 1970.
    pub started: Duration,
    /// What the server's metrics said, if they were asked for.
    pub seen: Option<ServerSeries>,
    /// What was granted before, if anything was.
    pub setup: Option<Setup>,
    /// What came and went, if batches did.
    pub turnover: Option<Turnover>,
}

/// Claims of the whole run. Retries count each time.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Claims {
    /// Sent.
    pub sent: u64,
    /// Answered.
    pub answered: u64,
    /// Sent without an answer until the drain limit; the verification looked them up.
    pub unanswered: u64,
    /// Meant to be sent, but the window was full until the end.
    pub unsent: u64,
}

/// What happened to the connections.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Connections {
    /// How often one broke.
    pub broken: u64,
    /// Frames sent again afterwards, with the same request ids.
    pub frames_resent: u64,
}

/// How the generator did: whether the numbers are the server's or its own.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Generator {
    /// Frames sent.
    pub frames: u64,
    /// Frames that left more than a millisecond after their intended start, for whatever reason.
    pub late_frames: u64,
    /// Those of them that the full window or a broken connection held back: the server's doing.
    pub late_frames_held: u64,
    /// The longest delay of a send.
    pub lateness_max_us: f64,
    /// The longest that nothing but the generator explains.
    pub own_lateness_max_us: f64,
    /// Whether more than one frame in a hundred left late by the generator's own doing.
    pub was_late: bool,
    /// Processor time of the generator's threads.
    pub cpu_s: f64,
    /// The same for each claim answered.
    pub cpu_ns_per_claim: f64,
}

/// How long was measured, and at what cost.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Time from the end of the warm-up to the end of the measurement, or to the last reply if that came before.
    pub measured_ns: u64,
    /// When the last thread was done, from the start of the schedule.
    pub finished_ns: u64,
    /// Processor time of the generator's threads.
    pub cpu_ns: u64,
}

impl Report {
    /// Puts the findings of a run together.
    #[must_use]
    pub fn new(circumstances: Circumstances<'_>, tally: &Tally, effort: Effort, verification: Verification) -> Self {
        let Circumstances { plan, welcome, started, seen, setup, turnover } = circumstances;
        let server = ServerFacts::new(&plan.server, welcome);
        let generator = Generator::new(tally, effort);
        let claims = Claims {
            sent: tally.claims_sent,
            answered: tally.answered,
            unanswered: tally.claims_sent - tally.answered,
            unsent: tally.claims_unsent,
        };
        let mut notes = notes(plan, &server, tally, &generator, &claims);
        notes.extend(setup.and_then(short));
        notes.extend(seen.as_ref().and_then(unread));
        Self {
            passed: verification.passed && tally.measured_answered > 0,
            started: utc(started.as_secs()),
            build: BUILD,
            machine: Machine::here(),
            server,
            seed: plan.seed,
            r#loop: if plan.closed { "closed" } else { "open" },
            parameters: plan.clone(),
            measured_s: seconds(effort.measured_ns),
            offered_claims_per_s: (!plan.closed).then(|| per_second(tally.measured_offered, effort.measured_ns)),
            claims_per_s: per_second(tally.measured_answered, effort.measured_ns),
            granted_per_s: per_second(tally.measured_granted, effort.measured_ns),
            steadiness: tally.steadiness(effort.measured_ns),
            latency_us: Latency::new(tally.latencies()),
            outcomes: tally.outcomes(),
            steps: StepFigures::of(plan.operation.steps(), tally, effort.measured_ns),
            claims,
            connections: Connections { broken: tally.connections_broken, frames_resent: tally.frames_resent },
            generator,
            verification,
            setup,
            turnover,
            notes,
            distribution: Distribution::new(tally.latencies()),
            series: Series::new(tally.timeline(), tally.period(), effort.finished_ns, plan.closed),
            server_metrics: seen,
        }
    }
}

impl ServerFacts {
    fn new(address: &str, welcome: &Welcome) -> Self {
        Self {
            address: address.to_owned(),
            version: welcome.server_version().to_owned(),
            durability: welcome.durability().map_or("unknown", Durability::name),
            cores: welcome.cores.get(),
            claims_per_frame_max: welcome.claims_per_frame_max.get(),
            in_flight_claims_max: welcome.in_flight_claims_max.get(),
        }
    }
}

impl Latency {
    fn new(latencies: &Histogram<u64>) -> Self {
        let quantile = |quantile| microseconds(latencies.value_at_quantile(quantile));
        Self {
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: microseconds(latencies.max()),
            mean: latencies.mean() / 1e3,
            claims: latencies.len(),
        }
    }
}

impl Generator {
    fn new(tally: &Tally, effort: Effort) -> Self {
        Self {
            frames: tally.frames_sent,
            late_frames: tally.frames_late,
            late_frames_held: tally.frames_late - tally.frames_late_own,
            lateness_max_us: microseconds(tally.lateness_max_ns),
            own_lateness_max_us: microseconds(tally.lateness_own_max_ns),
            was_late: real(tally.frames_late_own) > LATE_SHARE_MAX * real(tally.frames_sent),
            cpu_s: seconds(effort.cpu_ns),
            cpu_ns_per_claim: if tally.answered == 0 { 0.0 } else { real(effort.cpu_ns) / real(tally.answered) },
        }
    }
}

fn notes(plan: &Plan, server: &ServerFacts, tally: &Tally, generator: &Generator, claims: &Claims) -> Vec<String> {
    let mut notes = Vec::new();
    if tally.measured_answered == 0 {
        notes.push(format!(
            "nothing was measured: no {} was answered between the warm-up and the end; run longer, or look at the \
             server",
            plan.operation.one()
        ));
    }
    let mut note = |applies: bool, text: &str| {
        if applies {
            notes.push(text.to_owned());
        }
    };
    note(
        generator.was_late,
        "the generator itself was late: more than 1 % of the frames left over 1 ms after their intended start \
         although the window had room. The latencies are partly its own: lower the rate, send more claims in a frame, \
         or move it to another machine",
    );
    note(
        generator.late_frames_held > 0,
        "the window was full, or the connection broken, when some frames were due: the server was slower than the \
         offered rate. Latency counts from the intended start all the same",
    );
    note(
        claims.unsent > 0,
        "a part of the schedule was never sent, since the window was full until the end: it counts with the time that \
         it waited, so the percentiles are lower bounds",
    );
    note(
        tally.batch_waits > 0,
        "claims waited for batches to come: the server closed and created them more slowly than they were sold out. \
         The rate is that of batches: make them larger (--turnover), or offer less",
    );
    let in_flight = u64::from(plan.window) * u64::from(plan.claims_per_frame);
    note(
        plan.operation != Operation::Wallet
            && server.in_flight_claims_max > 0
            && in_flight > server.in_flight_claims_max.into(),
        "window × claims per frame is more than the server lets a connection wait for: some are answered OVERLOADED",
    );
    note(
        server.durability != Durability::Fsync.name(),
        "the server does not sync before it answers: these are not the rates of answers that survive a power cut",
    );
    if let Some(complaint) = &tally.complaint {
        notes.push(format!("a connection was closed because {complaint}"));
    }
    notes
}

/// A note about coupons that were not granted before the measurement.
fn short(setup: Setup) -> Option<String> {
    let Setup { asked, granted, .. } = setup;
    (granted < asked).then(|| {
        format!(
            "only {granted} of the {asked} coupons were granted before the measurement: the stock or a limit of a user \
             was too low, or a bound of the server was reached"
        )
    })
}

/// A note about readings of the server's metrics that failed.
fn unread(seen: &ServerSeries) -> Option<String> {
    let complaint = seen.complaint.as_ref()?;
    Some(format!("the server's metrics were missed {} times during the run: {complaint}", seen.failures))
}
