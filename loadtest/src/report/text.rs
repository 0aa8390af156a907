//! The report for people.

use std::fmt::{self, Display, Formatter};

use crate::plan::batch_rules::BatchRules;
use crate::proof::verdict::{Mode, Verification};
use crate::report::setup::Setup;
use crate::report::steps::StepFigures;
use crate::report::{Latency, Report};
use crate::time::whole;
use crate::timeline::seconds::Steadiness;
use crate::turnover::Turnover;

/// Batches that are shown one by one.
const BATCHES_SHOWN_MAX: usize = 5;

impl Display for Report {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.circumstances(formatter)?;
        writeln!(formatter)?;
        self.figures(formatter)?;
        writeln!(formatter)?;
        if let Some(turnover) = &self.turnover {
            writeln!(formatter, "turnover      {turnover}\n")?;
        }
        self.verification.fmt(formatter)?;
        for note in &self.notes {
            writeln!(formatter, "\nnote: {note}")?;
        }
        let word = if self.passed { "PASSED" } else { "FAILED" };
        write!(formatter, "\n{word}")
    }
}

impl Report {
    fn circumstances(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (plan, server, machine) = (&self.parameters, &self.server, &self.machine);
        let (version, commit) = (self.build.version, self.build.commit);
        writeln!(formatter, "stockade-loadtest {version}, commit {commit}")?;
        writeln!(formatter, "machine       {}, {} cores, {}", machine.cpu, machine.cores, machine.kernel)?;
        let (name, durability, cores) = (&server.version, server.durability, server.cores);
        writeln!(
            formatter,
            "server        {}: {name}, durability {durability}, network threads: {cores}",
            server.address
        )?;
        if plan.closed {
            write!(formatter, "load          closed loop; ")?;
        } else {
            let (rate, unit) = (Grouped(plan.rate), plan.operation.unit());
            write!(formatter, "load          open loop, {rate} {unit}/s, {} arrivals; ", plan.arrivals.name())?;
        }
        let (connections, window, claims) = (plan.connections, plan.window, plan.claims_per_frame);
        let (unit, threads) = (plan.operation.unit(), plan.threads);
        write!(
            formatter,
            "{connections} connections × {window} frames × {claims} {unit}; generator threads: {threads}"
        )?;
        if !plan.gather.is_zero() {
            write!(formatter, "; gathered for {:?}", plan.gather)?;
        }
        writeln!(formatter)?;
        self.crowd(formatter)?;
        let (warm_up, measured) = (plan.warm_up.as_secs_f64(), self.measured_s);
        write!(
            formatter,
            "time          {warm_up} s warm-up, {measured:.3} s measured of {} s",
            plan.duration.as_secs_f64()
        )?;
        match plan.claims {
            Some(claims) => writeln!(formatter, ", at most {} {}", Grouped(claims), plan.operation.unit()),
            None => writeln!(formatter),
        }
    }

    /// Users, and what they take from.
    fn crowd(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let plan = &self.parameters;
        match plan.users {
            Some(users) => write!(formatter, "users         {}", Grouped(users))?,
            None if plan.operation.needs_grants() => write!(formatter, "users         a new one for each coupon")?,
            None => write!(formatter, "users         a new one for each {}", plan.operation.one())?,
        }
        let (repeats, retries) = (plan.repeat_ratio, plan.retry_ratio);
        writeln!(formatter, "; repeats {repeats}, retries {retries}; seed {}", self.seed)?;
        let per_user = plan.per_user.map_or_else(|| "unlimited".to_owned(), |units| Grouped(units.into()).to_string());
        let (batches, mix, stock) = (Grouped(plan.batches.into()), plan.batch_mix.name(), Grouped(plan.stock.into()));
        write!(formatter, "batches       {batches} ({mix}) of {stock} units, {per_user} per user")?;
        match plan.turnover {
            Some(claims) => writeln!(formatter, ", each replaced after {} claims", Grouped(claims))?,
            None => writeln!(formatter)?,
        }
        if let Some(rules) = told(&plan.rules) {
            writeln!(formatter, "rules         {rules}")?;
        }
        if let Some(Setup { granted, users, took_s, .. }) = self.setup {
            let [granted, users] = [granted, users].map(Grouped);
            writeln!(formatter, "setup         {granted} coupons granted to {users} users in {took_s:.1} s")?;
        }
        Ok(())
    }

    fn figures(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let operation = self.parameters.operation;
        let (unit, wanted) = (operation.unit(), operation.wanted());
        if let Some(offered) = self.offered_claims_per_s {
            writeln!(formatter, "offered       {:>12} {unit}/s", Grouped(whole(offered)))?;
        }
        writeln!(formatter, "answered      {:>12} {unit}/s", Grouped(whole(self.claims_per_s)))?;
        writeln!(formatter, "{wanted:<13} {:>12} {unit}/s", Grouped(whole(self.granted_per_s)))?;
        if let Some(steadiness) = &self.steadiness {
            writeln!(formatter, "seconds       {}", Seconds(steadiness, unit))?;
        }
        let Latency { p50, p90, p99, p999, max, .. } = self.latency_us;
        let origin = if self.parameters.closed { "the send" } else { "the intended start" };
        writeln!(
            formatter,
            "latency, µs   p50 {p50:.1}   p90 {p90:.1}   p99 {p99:.1}   p99.9 {p999:.1}   max {max:.1}"
        )?;
        writeln!(formatter, "              from {origin}, of {} {unit}", Grouped(self.latency_us.claims))?;
        self.steps.iter().try_for_each(|step| write!(formatter, "{step}"))?;
        for (name, count) in &self.outcomes {
            writeln!(formatter, "{name:<22} {:>15}", Grouped(*count))?;
        }
        let (claims, connections) = (&self.claims, &self.connections);
        let (unanswered, unsent) = (Grouped(claims.unanswered), Grouped(claims.unsent));
        writeln!(formatter, "{unit:<13} {} sent, {unanswered} unanswered, {unsent} unsent", Grouped(claims.sent))?;
        let resent = Grouped(connections.frames_resent);
        writeln!(formatter, "connections   {} broken, {resent} frames sent again", Grouped(connections.broken))?;
        let generator = &self.generator;
        let (late, frames) = (Grouped(generator.late_frames), Grouped(generator.frames));
        let (held, worst) = (Grouped(generator.late_frames_held), generator.own_lateness_max_us);
        writeln!(formatter, "lateness      {late} of {frames} frames over 1 ms, {held} of them held by the window")?;
        writeln!(
            formatter,
            "generator     {:.2} s of CPU, {:.0} ns a {}; at worst {worst:.0} µs late by itself",
            generator.cpu_s,
            generator.cpu_ns_per_claim,
            operation.one()
        )
    }
}

/// The rules that are in force, if any are.
fn told(rules: &BatchRules) -> Option<String> {
    let BatchRules { per_user_day, per_day, quantity_max, holds_per_user, holds_share, zone, audience_any } = rules;
    let number = |name: &str, number: Option<u32>| number.map(|number| format!("{name} {}", Grouped(number.into())));
    let told = [
        number("per user and day", *per_user_day),
        number("per day", *per_day),
        number("per request", quantity_max.map(u32::from)),
        number("reserved per user", holds_per_user.map(u32::from)),
        holds_share.map(|share| format!("reserved {share} % of the stock")),
        (!zone.is_empty()).then(|| format!("days of {zone}")),
        (*audience_any != 0).then(|| format!("for users with one of the flags {audience_any:#x}")),
    ];
    let told = told.into_iter().flatten().collect::<Vec<_>>();
    (!told.is_empty()).then(|| told.join(", "))
}

impl Display for StepFigures {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Latency { p50, p90, p99, p999, max, .. } = self.latency_us;
        writeln!(formatter, "{:<13} {:>12} /s", self.name, Grouped(whole(self.per_s)))?;
        writeln!(
            formatter,
            "              p50 {p50:.1}   p90 {p90:.1}   p99 {p99:.1}   p99.9 {p999:.1}   max {max:.1}"
        )?;
        let outcomes = self.outcomes.iter().map(|(name, count)| format!("{name} {}", Grouped(*count)));
        writeln!(formatter, "              {}", outcomes.collect::<Vec<_>>().join(", "))
    }
}

impl Display for Turnover {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let [turned, closed, waits] = [self.batches_turned, self.batches_closed, self.waits].map(Grouped);
        write!(
            formatter,
            "{turned} batches closed under load, {closed} in all; frames that waited for a batch: {waits}"
        )
    }
}

/// How steady a run was that counts what the unit says.
pub(crate) struct Seconds<'a>(pub(crate) &'a Steadiness, pub(crate) &'static str);

impl Display for Seconds<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self(steadiness, unit) = self;
        let Steadiness { seconds, lowest_from_s, lowest_share, median_claims_per_s, lowest_claims_per_s } = steadiness;
        let [median, lowest] = [median_claims_per_s, lowest_claims_per_s].map(|rate| Grouped(whole(*rate)));
        // Rounded down: it must not look better than it is.
        let percent = whole(lowest_share * 100.0);
        write!(
            formatter,
            "median {median} {unit}/s; lowest {lowest}, {percent} % of the median, from {lowest_from_s} s on (whole \
             seconds but the first and the last: {})",
            Grouped(*seconds)
        )
    }
}

impl Display for Verification {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (granted, looked_up) = (Grouped(self.granted), Grouped(self.looked_up));
        match self.mode {
            Mode::Complete => writeln!(formatter, "verification  {granted} grants, each looked up"),
            Mode::Sampled => {
                writeln!(formatter, "verification  {granted} grants, an even sample of {looked_up} looked up")
            }
        }?;
        for (name, count) in self.faults() {
            let mark = if count == 0 { "" } else { "   <-- WRONG" };
            writeln!(formatter, "  {name:<20} {:>15}{mark}", Grouped(count))?;
        }
        writeln!(formatter, "  {:<20} {:>15}", "replays verified", Grouped(self.replays_verified))?;
        let (held, refused) = (Grouped(self.resolved_granted), Grouped(self.resolved_refused));
        if self.redeemed > 0 {
            let [redeemed, shown] = [self.redeemed, self.redeemed_shown].map(Grouped);
            writeln!(formatter, "  redeemed             {redeemed} coupons, {shown} of them shown again")?;
        }
        if self.abandoned > 0 {
            writeln!(formatter, "  half done            {} pairs", Grouped(self.abandoned))?;
        }
        writeln!(formatter, "  without an answer    {held} found granted, {refused} found not granted")?;
        for batch in self.batches.iter().take(BATCHES_SHOWN_MAX) {
            let [total, granted, left] =
                [batch.total, batch.granted, batch.remaining].map(|units| Grouped(units.into()));
            write!(formatter, "  batch {} ({}): {total} = {granted} granted + {left} left", batch.id, batch.state)?;
            for (name, units) in [("reserved", batch.held), ("voided", batch.voided)] {
                if units > 0 {
                    write!(formatter, " + {} {name}", Grouped(units.into()))?;
                }
            }
            writeln!(formatter)?;
        }
        if self.batch_count > BATCHES_SHOWN_MAX as u64 {
            let (more, listed) =
                (Grouped(self.batch_count - BATCHES_SHOWN_MAX as u64), Grouped(self.batches.len() as u64));
            writeln!(formatter, "  and {more} more batches (--json lists {listed})")?;
        }
        for one in &self.findings {
            let (batch, user, request, serial) = (one.batch, one.user, one.request, one.acknowledged_serial);
            writeln!(
                formatter,
                "  lost: batch {batch} user {user} request {request}: serial {serial}, now {}",
                one.found
            )?;
        }
        Ok(())
    }
}

/// A number with its thousands apart.
pub(crate) struct Grouped(pub(crate) u64);

impl Display for Grouped {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        formatter.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let shown = [0, 999, 1_000, 12_345, 1_234_567].map(|number| Grouped(number).to_string());
        assert_eq!(shown, ["0", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!(format!("{:>7}", Grouped(1_000)), "  1,000");
    }

    #[test]
    fn rules_that_are_in_force_are_told() {
        assert_eq!(told(&BatchRules::default()), None);
        let rules = BatchRules { per_day: Some(5_000), audience_any: 17, ..BatchRules::default() };
        assert_eq!(told(&rules).unwrap(), "per day 5,000, for users with one of the flags 0x11");
    }
}
