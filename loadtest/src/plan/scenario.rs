//! What a run shall be: the same settings as flags and as the keys of a TOML file, so that the two cannot differ.
//!
//! Everything is optional here; [`crate::plan`] fills in the defaults and checks the bounds. Flags come before the
//! file.

use std::path::Path;
use std::str::FromStr;

use clap::Args;
use serde::Deserialize;

use crate::load::schedule::Arrivals;
use crate::plan::batch_mix::BatchMix;
use crate::plan::limit::Limit;
use crate::plan::operation::Operation;
use crate::plan::span::Span;

/// All settings of a run. A field is a flag (`claims-per-frame`) and a key of a scenario file (`claims_per_frame`).
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Address of the server's data port [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDR", env = "STOCKADE_SERVER")]
    pub server: Option<String>,

    /// Address of the server's admin port (its `admin.listen`): its processor time and fsync times go into the report
    /// [default: they are not read]
    #[arg(long, value_name = "ADDR")]
    pub admin: Option<String>,

    /// Token for the handshake; better in the environment than on the command line
    #[arg(long, value_name = "TEXT", env = "STOCKADE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,

    /// Closed loop: keep the window full and count latency from the send, instead of following a schedule
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub closed: Option<bool>,

    /// What is done over and over [default: claim]
    #[arg(long)]
    pub operation: Option<Operation>,

    /// Claims a second that the open loop offers, all connections together; of other operations, pairs or pages
    /// [default: 100000]
    #[arg(long, value_name = "R")]
    pub rate: Option<u64>,

    /// How the open loop's frames follow each other [default: constant]
    #[arg(long)]
    pub arrivals: Option<Arrivals>,

    /// Connections, all threads together [default: 16]
    #[arg(long, value_name = "C")]
    pub connections: Option<u32>,

    /// Generator threads [default: 1]
    #[arg(long, value_name = "T")]
    pub threads: Option<u32>,

    /// Claims in one frame; of other operations, requests (a wallet's page is a frame of its own) [default: 16]
    #[arg(long, value_name = "N")]
    pub claims_per_frame: Option<u32>,

    /// Frames in flight on one connection [default: 64]
    #[arg(long, value_name = "W")]
    pub window: Option<u32>,

    /// How long to collect what is due, and replies, before the sockets are served again, as a gateway does that writes
    /// in batches: fewer system calls on both sides. The wait counts in the latency [default: 0us]
    #[arg(long, value_name = "SPAN")]
    pub gather: Option<Span>,

    /// How long to measure [default: 5s]
    #[arg(long, value_name = "SPAN")]
    pub duration: Option<Span>,

    /// How long to run before measuring; verified, but not part of latencies and rates [default: 1s]
    #[arg(long, value_name = "SPAN")]
    pub warm_up: Option<Span>,

    /// How long to wait for outstanding replies (and for a server that is away) at the end [default: 10s]
    #[arg(long, value_name = "SPAN")]
    pub drain_limit: Option<Span>,

    /// Stop after this many claims, even when there is time left; of other operations, pairs or pages
    /// [default: no limit]
    #[arg(long, value_name = "N")]
    pub claims: Option<u64>,

    /// Coupons that are granted before the measurement, for lock-redeem and wallet [default: of lock-redeem as many as
    /// there are pairs, of a closed loop without --claims 1000000; of wallet 100000]
    #[arg(long, value_name = "N")]
    pub grants: Option<u64>,

    /// Coupons of one page of a wallet, at most [default: 20]
    #[arg(long, value_name = "N")]
    pub page_size: Option<u16>,

    /// Users, requests and choices follow from it [default: 1]
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,

    /// Draw the users uniformly from this many [default: each claim has a new user]
    #[arg(long, value_name = "N")]
    pub users: Option<u64>,

    /// Share of claims by a user who claimed before, with a new request id [default: 0]
    #[arg(long, value_name = "SHARE")]
    pub repeat_ratio: Option<f64>,

    /// Share of claims that are an earlier one sent again, with its request id [default: 0]
    #[arg(long, value_name = "SHARE")]
    pub retry_ratio: Option<f64>,

    /// Most grants that are looked up at the end; of more, an even sample is [default: 1000000]
    #[arg(long, value_name = "N")]
    pub sample: Option<u64>,

    /// The batches to claim from.
    #[command(flatten)]
    pub batch: BatchScenario,
}

/// The batches of a run: table `[batch]` of a scenario file.
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchScenario {
    /// Number of batches [default: 1]
    #[arg(long = "batches", value_name = "N")]
    pub count: Option<u32>,

    /// How claims spread over the batches: hot sends nine in ten to the first [default: uniform]
    #[arg(long = "batch-mix")]
    pub mix: Option<BatchMix>,

    /// Units of each batch [default: more than any run can claim]
    #[arg(long = "stock", value_name = "UNITS")]
    pub stock: Option<u32>,

    /// Units that one user may hold of a batch, or `unlimited` [default: 1]
    #[arg(long = "per-user", value_name = "N|unlimited")]
    pub per_user: Option<Limit<u32>>,

    /// Units that one user may take on one day, or `unlimited` [default: unlimited]
    #[arg(long = "per-user-day", value_name = "N|unlimited")]
    pub per_user_day: Option<Limit<u32>>,

    /// Units of a batch that all users may take on one day, or `unlimited` [default: unlimited]
    #[arg(long = "per-day", value_name = "N|unlimited")]
    pub per_day: Option<Limit<u32>>,

    /// Units of one request, or `unlimited`; requests ask for one [default: unlimited]
    #[arg(long = "quantity-max", value_name = "N|unlimited")]
    pub quantity_max: Option<Limit<u8>>,

    /// Units that one user may have reserved at once, or `unlimited` [default: unlimited]
    #[arg(long = "holds-per-user", value_name = "N|unlimited")]
    pub holds_per_user: Option<Limit<u16>>,

    /// Hundredths of a batch that may be reserved at once, 1 to 100, or `unlimited` [default: unlimited]
    #[arg(long = "holds-share", value_name = "N|unlimited")]
    pub holds_share: Option<Limit<u8>>,

    /// Time zone of the batches' days, like Asia/Shanghai [default: UTC]
    #[arg(long = "zone", value_name = "ZONE")]
    pub zone: Option<String>,

    /// Flags, as a number of 32 bits, of which a batch asks its users for one; all users of the run have all of them
    /// [default: 0]
    #[arg(long = "audience-any", value_name = "BITS")]
    pub audience_any: Option<u32>,

    /// Replace each batch after this many claims: it is ended, added up and closed while the next ones are claimed
    /// from. The stock is as many units unless --stock says otherwise [default: all batches stay]
    #[arg(long = "turnover", value_name = "CLAIMS")]
    pub turnover: Option<u64>,

    /// Id of the first batch; the others follow. Those that exist are used as they are, and nobody else may claim from
    /// them during the run [default: ids nobody used]
    #[arg(long = "batch-id", value_name = "ID")]
    pub id: Option<u64>,

    /// Name of the batches that the run creates [default: load test]
    #[arg(long = "batch-name", value_name = "TEXT")]
    pub name: Option<String>,
}

impl Scenario {
    /// Reads the scenario file at `path`.
    ///
    /// # Errors
    /// A sentence with the file's name when it cannot be read; with line and key when it holds an unknown key or a
    /// wrong value.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text =
            std::fs::read_to_string(path).map_err(|error| format!("cannot read the scenario {shown}: {error}"))?;
        text.parse::<Self>().map_err(|error| format!("{shown}: {error}"))
    }

    /// These settings, with those of `file` where they are silent.
    #[must_use]
    pub fn or(self, file: Self) -> Self {
        Self {
            server: self.server.or(file.server),
            admin: self.admin.or(file.admin),
            token: self.token.or(file.token),
            closed: self.closed.or(file.closed),
            operation: self.operation.or(file.operation),
            rate: self.rate.or(file.rate),
            arrivals: self.arrivals.or(file.arrivals),
            connections: self.connections.or(file.connections),
            threads: self.threads.or(file.threads),
            claims_per_frame: self.claims_per_frame.or(file.claims_per_frame),
            window: self.window.or(file.window),
            gather: self.gather.or(file.gather),
            duration: self.duration.or(file.duration),
            warm_up: self.warm_up.or(file.warm_up),
            drain_limit: self.drain_limit.or(file.drain_limit),
            claims: self.claims.or(file.claims),
            grants: self.grants.or(file.grants),
            page_size: self.page_size.or(file.page_size),
            seed: self.seed.or(file.seed),
            users: self.users.or(file.users),
            repeat_ratio: self.repeat_ratio.or(file.repeat_ratio),
            retry_ratio: self.retry_ratio.or(file.retry_ratio),
            sample: self.sample.or(file.sample),
            batch: BatchScenario {
                count: self.batch.count.or(file.batch.count),
                mix: self.batch.mix.or(file.batch.mix),
                stock: self.batch.stock.or(file.batch.stock),
                per_user: self.batch.per_user.or(file.batch.per_user),
                per_user_day: self.batch.per_user_day.or(file.batch.per_user_day),
                per_day: self.batch.per_day.or(file.batch.per_day),
                quantity_max: self.batch.quantity_max.or(file.batch.quantity_max),
                holds_per_user: self.batch.holds_per_user.or(file.batch.holds_per_user),
                holds_share: self.batch.holds_share.or(file.batch.holds_share),
                zone: self.batch.zone.or(file.batch.zone),
                audience_any: self.batch.audience_any.or(file.batch.audience_any),
                turnover: self.batch.turnover.or(file.batch.turnover),
                id: self.batch.id.or(file.batch.id),
                name: self.batch.name.or(file.batch.name),
            },
        }
    }
}

impl FromStr for Scenario {
    type Err = toml::de::Error;

    fn from_str(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_file_is_read() {
        let text = r#"
            server = "h:1"
            admin = "h:2"
            token = "t"
            closed = true
            operation = "lock-redeem"
            rate = 2
            arrivals = "poisson"
            connections = 3
            threads = 4
            claims_per_frame = 5
            window = 6
            gather = "20us"
            duration = "7s"
            warm_up = "8s"
            drain_limit = "9s"
            claims = 10
            grants = 20
            page_size = 21
            seed = 11
            users = 12
            repeat_ratio = 0.13
            retry_ratio = 0.14
            sample = 15
            [batch]
            count = 16
            mix = "zipf"
            stock = 17
            per_user = "unlimited"
            per_user_day = 22
            per_day = 23
            quantity_max = 24
            holds_per_user = 25
            holds_share = 26
            zone = "Asia/Shanghai"
            audience_any = 0x1b
            turnover = 19
            id = 18
            name = "n"
        "#;
        let scenario = text.parse::<Scenario>().unwrap();
        let keys = format!("{scenario:?}");
        assert!(!keys.contains("None,") && !keys.contains(": None }"), "a key is missing above: {keys}");
        assert_eq!(Scenario::default().or(scenario.clone()), scenario, "a key is missing in `or`");
        assert_eq!(
            scenario.clone().or(Scenario { rate: Some(99), ..Scenario::default() }),
            scenario,
            "flags come first"
        );
    }

    #[test]
    fn mistakes_are_refused_with_their_line() {
        for (text, wanted) in [
            ("seed = 1\nrtae = 5\n", ["line 2", "rtae", "`rate`"]),
            ("[batch]\nstok = 5\n", ["line 2", "stok", "`stock`"]),
            ("rate = \"fast\"\n", ["line 1", "rate", "invalid type"]),
            ("\n\nduration = \"5\"\n", ["line 3", "duration", "like 500ms"]),
            ("[batch]\nper_user = 0\n", ["line 2", "per_user", "`unlimited`"]),
            ("[batch]\nmix = \"warm\"\n", ["line 2", "mix", "`zipf`"]),
            ("[batch]\nquantity_max = 256\n", ["line 2", "quantity_max", "from 1 to 255"]),
            ("operation = \"buy\"\n", ["line 1", "operation", "`reserve-confirm`"]),
            ("window = -1\n", ["line 1", "window", "-1"]),
        ] {
            let error = text.parse::<Scenario>().expect_err(text).to_string();
            for part in wanted {
                assert!(error.contains(part), "{text:?} should be refused with {part:?}: {error}");
            }
        }
    }
}
