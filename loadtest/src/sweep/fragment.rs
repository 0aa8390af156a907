//! The recommended settings as a piece of a configuration file, with the reasons.

use std::fmt::{self, Display, Formatter};

use super::Findings;
use super::knee::{Recommendation, TOLERANCE};
use crate::report::text::Grouped;
use crate::report::units::time_text;
use crate::time::whole;

/// Shows findings as TOML that `stockade serve --config` reads.
pub struct Fragment<'a> {
    /// What the sweep found.
    pub findings: &'a Findings,
    /// What it recommends.
    pub recommendation: &'a Recommendation,
}

impl Display for Fragment<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (findings, recommendation) = (self.findings, self.recommendation);
        let (build, machine) = (&findings.build, &findings.machine);
        let runs = findings.points.len();
        writeln!(formatter, "# Recommended by `stockade-loadtest sweep` {}, commit {},", build.version, build.commit)?;
        writeln!(
            formatter,
            "# {}, of {runs} runs of {} s each, seed {}.",
            findings.started, findings.duration_s, findings.seed
        )?;
        writeln!(formatter, "# Machine: {}, {} cores, {}.", machine.cpu, machine.cores, machine.kernel)?;
        writeln!(formatter, "# Server: stockade {}, durability {}.", findings.server_version, findings.durability)?;
        writeln!(
            formatter,
            "#\n# Why: for each kind of client, the knee is the window with the greatest throughput / mean"
        )?;
        writeln!(
            formatter,
            "# latency. A setting's score is its knee's share of the best knee, over all kinds of clients."
        )?;
        writeln!(
            formatter,
            "# Within {:.0} % of the best, the fewest cores and the smallest groups win.",
            TOLERANCE * 100.0
        )?;
        writeln!(formatter, "#\n#   cores     group   score")?;
        for score in &recommendation.scores {
            let is_this = score.setting == recommendation.setting;
            let mark = if is_this { "   <-- recommended" } else { "" };
            let (cores, limit) = (score.setting.cores, score.setting.group_claims_max);
            writeln!(formatter, "#   {cores:>5} {limit:>9} {:>7.3}{mark}", score.score)?;
        }
        self.clients(formatter)?;
        for note in &findings.notes {
            writeln!(formatter, "#\n# Note: {note}.")?;
        }
        writeln!(formatter, "\n[server]\n\n# Network threads; each batch has a bucket for each of them.")?;
        writeln!(formatter, "cores = {}", recommendation.setting.cores)?;
        writeln!(formatter, "\n[journal]\n\n# Claims in one group commit.")?;
        writeln!(formatter, "group_claims_max = {}", recommendation.setting.group_claims_max)
    }
}

impl Fragment<'_> {
    /// What the clients should do, which no key of the server says.
    fn clients(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "#\n# With these settings, clients do best with this many frames in flight on a connection:"
        )?;
        for knee in &self.recommendation.knees {
            let (connections, claims) = (knee.style.connections, knee.style.claims_per_frame);
            let (rate, mean) = (Grouped(whole(knee.claims_per_s)), time_text(knee.mean_us));
            let (window, p99) = (knee.window, time_text(knee.p99_us));
            writeln!(
                formatter,
                "#   {connections} connections, {claims} claims a frame: {window}   \
                 ({rate} claims/s, mean {mean}, p99 {p99})"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::findings;
    use super::*;

    #[test]
    fn the_fragment_is_toml_with_the_two_keys_and_the_reasons() {
        let findings = findings();
        let recommendation = findings.recommendation.as_ref().unwrap();
        let text = Fragment { findings: &findings, recommendation }.to_string();
        let table = text.parse::<toml::Table>().unwrap();
        let keys = table
            .iter()
            .flat_map(|(table, keys)| keys.as_table().unwrap().keys().map(move |key| (table.as_str(), key.as_str())));
        assert_eq!(keys.collect::<Vec<_>>(), [("journal", "group_claims_max"), ("server", "cores")]);
        assert_eq!(table["server"]["cores"].as_integer(), Some(2));
        assert_eq!(table["journal"]["group_claims_max"].as_integer(), Some(65_536));
        for reason in [
            "2026-11-22T18:44:39Z, of 6 runs of 2 s each, seed 1",
            "durability fsync",
            "#       2     65536   1.000   <-- recommended\n#       1     65536   0.2",
            "16 connections, 64 claims a frame: 4   (2,000,000 claims/s",
            "# Note: be careful.",
        ] {
            assert!(text.contains(reason), "{reason:?} is missing:\n{text}");
        }
    }
}
