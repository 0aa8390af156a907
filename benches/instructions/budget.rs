//! What an operation may cost: `budgets.toml`, and how a count is judged by it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The file, as it was when this was built: the budgets belong to the code.
const FILE: &str = include_str!("budgets.toml");

/// What to do when the budget of `workload` is exceeded. `program` is this program.
pub(crate) fn advice(program: &str, workload: &str) -> String {
    format!(
        "Find out where the instructions are, before the change and after it:\n    \
         valgrind --tool=callgrind --callgrind-out-file=profile {program} --once {workload} 2\n    \
         callgrind_annotate profile | head -60\n\
         If the change is worth its price, or only the compiler is another (compare rustc --version with the one in\n\
         benches/instructions/budgets.toml), raise the budget there and give the reason in the commit."
    )
}

/// One row of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    /// Of one operation.
    pub(crate) instructions: u32,
    /// How far a count may be from it.
    pub(crate) tolerance_percent: u32,
}

/// What a count means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing to say.
    Within,
    /// Better than the budget: a note.
    Below(String),
    /// A failure.
    Above(String),
}

/// Reads the file.
pub(crate) fn read() -> Result<BTreeMap<String, Budget>, String> {
    toml::from_str(FILE).map_err(|error| format!("benches/instructions/budgets.toml: {error}"))
}

/// Whether each workload has a budget, and each budget a workload.
pub(crate) fn same_names(budgets: &BTreeMap<String, Budget>, workloads: &[&str]) -> Result<(), String> {
    let without_budget = workloads.iter().filter(|name| !budgets.contains_key(**name)).copied();
    let without_workload = budgets.keys().map(String::as_str).filter(|name| !workloads.contains(name));
    let lonely = without_budget.chain(without_workload).collect::<Vec<_>>();
    if lonely.is_empty() {
        return Ok(());
    }
    let lonely = lonely.join(", ");
    Err(format!("in benches/instructions, workload.rs and budgets.toml do not name the same workloads: {lonely}"))
}

impl Budget {
    /// Judges what one operation of `workload` cost.
    pub(crate) fn judge(&self, workload: &str, count: f64) -> Verdict {
        let Self { instructions, tolerance_percent } = self;
        let change_percent = (count / f64::from(*instructions) - 1.0) * 100.0;
        let tolerance = f64::from(*tolerance_percent);
        let text = format!(
            "{workload} takes {count:.1} instructions, its budget is {instructions} ±{tolerance_percent} %: \
             {change_percent:+.1} %"
        );
        if change_percent > tolerance {
            Verdict::Above(format!("TOO MANY: {text}"))
        } else if change_percent < -tolerance {
            Verdict::Below(format!("note: {text}. Lower the budget in budgets.toml, or the gain can be lost unseen."))
        } else {
            Verdict::Within
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget { instructions: 200, tolerance_percent: 5 };

    #[test]
    fn counts_within_the_tolerance_pass() {
        for count in [190.1, 200.0, 209.9] {
            assert_eq!(BUDGET.judge("claim", count), Verdict::Within, "{count}");
        }
    }

    #[test]
    fn a_count_above_fails_and_names_workload_budget_and_count() {
        let Verdict::Above(text) = BUDGET.judge("claim", 210.2) else { panic!("210.2 of 200 ±5 % passed") };
        assert!(["claim", "210.2", "200", "±5 %", "+5.1 %"].iter().all(|part| text.contains(part)), "{text}");
    }

    #[test]
    fn a_count_below_asks_for_a_lower_budget() {
        let Verdict::Below(text) = BUDGET.judge("claim", 180.0) else { panic!("180 of 200 ±5 % is not noted") };
        assert!(text.contains("Lower the budget") && text.contains("-10.0 %"), "{text}");
    }
}
