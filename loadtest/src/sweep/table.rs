//! A sweep for people: every run, the knees, and what to configure.

use std::fmt::{self, Display, Formatter};

use super::{Findings, Point};
use crate::report::text::Grouped;
use crate::report::units::time_text;
use crate::time::whole;

/// One run in a line.
pub(super) fn line(point: &Point) -> String {
    let (rate, p50, p99) = (Grouped(whole(point.claims_per_s)), time_text(point.p50_us), time_text(point.p99_us));
    format!("{}: {rate} claims/s, p50 {p50}, p99 {p99}", point.spot)
}

impl Display for Findings {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (build, machine) = (&self.build, &self.machine);
        writeln!(formatter, "stockade-loadtest {}, commit {}, {}", build.version, build.commit, self.started)?;
        writeln!(formatter, "machine  {}, {} cores, {}", machine.cpu, machine.cores, machine.kernel)?;
        let (version, durability, seed) = (&self.server_version, &self.durability, self.seed);
        writeln!(
            formatter,
            "server   stockade {version}, durability {durability}; {} s a run, seed {seed}\n",
            self.duration_s
        )?;
        writeln!(
            formatter,
            "{:>5} {:>9} {:>9} {:>7} {:>12} {:>10} {:>10} {:>10} {:>8} {:>9} {:>9}",
            "cores",
            "group",
            "clients",
            "window",
            "claims/s",
            "p50, µs",
            "p99, µs",
            "p99.9, µs",
            "CPU, ns",
            "fsync, µs",
            "refused"
        )?;
        for point in &self.points {
            self.row(formatter, point)?;
        }
        for note in &self.notes {
            writeln!(formatter, "\nnote: {note}")?;
        }
        self.advice(formatter)
    }
}

impl Findings {
    fn row(&self, formatter: &mut Formatter<'_>, point: &Point) -> fmt::Result {
        let spot = point.spot;
        let is_knee = self
            .knees
            .iter()
            .any(|knee| knee.setting == spot.setting && knee.style == spot.style && knee.window == spot.window);
        let told = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.0}"));
        writeln!(
            formatter,
            "{:>5} {:>9} {:>9} {:>7} {:>12} {:>10.1} {:>10.1} {:>10.1} {:>8} {:>9} {:>9}{}",
            spot.setting.cores,
            spot.setting.group_claims_max,
            spot.style,
            spot.window,
            Grouped(whole(point.claims_per_s)),
            point.p50_us,
            point.p99_us,
            point.p999_us,
            told(point.cpu_ns_per_claim),
            told(point.sync_mean_us),
            Grouped(point.refused),
            if is_knee { "  <-- knee" } else { "" }
        )
    }

    fn advice(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Some(recommendation) = &self.recommendation else {
            return write!(formatter, "\nno recommendation: nothing was answered");
        };
        let setting = recommendation.setting;
        let (cores, limit) = (setting.cores, setting.group_claims_max);
        write!(formatter, "\nrecommended  server.cores = {cores}, journal.group_claims_max = {limit}")?;
        for knee in &recommendation.knees {
            let (style, window, in_flight) = (knee.style, knee.window, Grouped(knee.claims_in_flight));
            let (rate, p99) = (Grouped(whole(knee.claims_per_s)), time_text(knee.p99_us));
            write!(
                formatter,
                "\n  clients {style}: {window} frames in flight on each connection ({in_flight} claims in all), \
                 {rate} claims/s, p99 {p99}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::grid::{Grid, Spot};
    use super::super::knee::{knees, recommend};
    use super::*;
    use crate::report::machine::{BUILD, Machine};

    /// Findings of two settings, the second one better, with the knee at window 4.
    pub(in super::super) fn findings() -> Findings {
        let grid = Grid::new(&[1, 2], &[65_536], &["16x64".parse().unwrap()], &[1, 4, 16]).unwrap();
        let point = |spot: &Spot| {
            let limit = 1_000_000.0 * f64::from(spot.setting.cores);
            let claims_per_s = if spot.window == 1 { limit / 3.5 } else { limit };
            let mean_us = crate::time::real(spot.claims_in_flight()) / claims_per_s * 1e6;
            let (p50_us, p99_us, p999_us) = (mean_us, mean_us * 2.0, mean_us * 3.0);
            Point { mean_us, p50_us, p99_us, p999_us, cpu_ns_per_claim: Some(250.4), ..Point::of(*spot, claims_per_s) }
        };
        let points = grid.spots().iter().map(point).collect::<Vec<_>>();
        let knees = knees(&grid, &points);
        Findings {
            started: "2026-11-22T18:44:39Z".to_owned(),
            build: BUILD,
            machine: Machine { cpu: "x".to_owned(), cores: 2, kernel: "Linux 6".to_owned() },
            server_version: "0.1.0".to_owned(),
            durability: "fsync".to_owned(),
            recommendation: recommend(&grid, &knees),
            grid,
            duration_s: 2.0,
            seed: 1,
            knees,
            points,
            notes: vec!["be careful".to_owned()],
        }
    }

    #[test]
    fn the_table_has_every_run_and_marks_the_knees() {
        let text = findings().to_string();
        let rows = text.lines().filter(|line| line.contains("16x64  ")).collect::<Vec<_>>();
        assert_eq!(rows.len(), 6, "{text}");
        let knees = rows.iter().filter(|row| row.ends_with("<-- knee")).collect::<Vec<_>>();
        assert_eq!(knees.len(), 2, "{text}");
        assert!(knees.iter().all(|row| row.contains("16x64       4")), "{text}");
        assert!(rows[4].contains("    2     65536     16x64       4    2,000,000     2048.0     4096.0"), "{text}");
        assert!(text.contains("note: be careful"));
        assert!(text.contains("recommended  server.cores = 2, journal.group_claims_max = 65536\n"), "{text}");
        assert!(
            text.ends_with(
                "4 frames in flight on each connection (4,096 claims in all), 2,000,000 claims/s, p99 4.1 ms"
            )
        );
    }
}
