//! A comparison for people.

use std::fmt::{self, Display, Formatter};

use super::{Better, Change, Comparison};
use crate::report::text::Grouped;
use crate::time::whole;

impl Display for Comparison {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (letter, report) in [('A', &self.before), ('B', &self.after)] {
            let mark = if report.passed { "" } else { "   <-- its verification FAILED" };
            writeln!(formatter, "{letter}  {}: {}{mark}", report.name, report.about)?;
        }
        for difference in &self.differences {
            writeln!(formatter, "differs  {difference}")?;
        }
        for difference in self.before.other_surroundings(&self.after) {
            writeln!(formatter, "note: not the same {difference}")?;
        }
        writeln!(formatter, "\n{:<12} {:>14} {:>14} {:>10}", "", "A", "B", "change")?;
        for change in &self.changes {
            writeln!(formatter, "{change}")?;
        }
        let percent = self.threshold_percent;
        let too_bad = self.changes.iter().filter(|change| change.is_too_bad).map(|change| change.figure.name);
        let too_bad = too_bad.collect::<Vec<_>>().join("; ");
        match (self.after.passed, too_bad.is_empty()) {
            (false, _) => write!(formatter, "\nWORSE: B did not pass its verification"),
            (true, false) => write!(formatter, "\nWORSE: B is worse than A by more than {percent} % in {too_bad}"),
            (true, true) => write!(formatter, "\nfine: nothing that decides is worse by more than {percent} %"),
        }
    }
}

impl Display for Change {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let shown = |value: f64| match self.figure.better {
            Better::More => Grouped(whole(value)).to_string(),
            Better::Less => format!("{value:.1}"),
        };
        let change = self.percent().map_or_else(|| "–".to_owned(), |percent| format!("{percent:+.1} %"));
        let (before, after, name) = (shown(self.before), shown(self.after), self.figure.name);
        let mark = match (self.is_too_bad, self.figure.decides) {
            (true, _) => "   <-- WORSE",
            (false, true) => "",
            (false, false) => "   does not decide",
        };
        write!(formatter, "{name:<12} {before:>14} {after:>14} {change:>10}{mark}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Saved;
    use super::super::tests::report;
    use super::*;

    #[test]
    fn the_table_marks_what_is_worse() {
        let saved = |name, report: &serde_json::Value| Saved::from_json(name, &report.to_string()).unwrap();
        let before = saved("a.json", &report(1_000_000.0, 100.0, 200.0, 300.0));
        let after = saved("b.json", &report(1_100_000.0, 90.0, 250.0, 300.0));
        let text = Comparison::new(before, after, 10.0).to_string();
        for line in [
            "A  a.json: 2026-11-22T18:44:39Z, server 0.1.0, loadtest 0.1.0, commit abc\n",
            "claims/s          1,000,000      1,100,000    +10.0 %\n",
            "p50, µs               100.0           90.0    -10.0 %\n",
            "p99, µs               200.0          250.0    +25.0 %   <-- WORSE\n",
            "max, µs                 9.0            9.0     +0.0 %   does not decide\n",
            "\nWORSE: B is worse than A by more than 10 % in p99, µs",
        ] {
            assert!(text.contains(line), "{line:?} is missing:\n{text}");
        }
    }
}
