//! `stockade verify`: reads a data folder that no server uses, and names everything that is wrong in it.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::output;
use crate::engine::{self, Finding, Verification};

/// Checks a data folder that no server uses, and names everything that is wrong in it
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade verify /var/lib/stockade\n\n\
    Checks the hash chain, the ledger, the conservation of every batch, the limits of users and that no serial was \
    given twice. Changes nothing. Exit status: 0 all is right, 1 something is wrong, or the folder cannot be read.")]
pub(super) struct Verify {
    /// The data folder
    #[arg(value_name = "DIR")]
    data: PathBuf,
}

#[derive(Serialize)]
struct Report {
    ok: bool,
    groups: u64,
    bytes: u64,
    grants: u64,
    counted_units: u64,
    last_epoch: u64,
    checkpoint_epoch: u64,
    witnessed_epoch: u64,
    batches: Vec<BatchLine>,
    findings: Vec<FindingLine>,
}

#[derive(Serialize)]
struct BatchLine {
    id: u64,
    total: u32,
    granted: u64,
}

#[derive(Serialize)]
struct FindingLine {
    epoch: Option<u64>,
    batch: Option<u64>,
    problem: String,
}

impl Verify {
    pub(super) fn run(&self, json: bool) -> Result<Exit, Failure> {
        let found = engine::verify(&self.data).map_err(|error| Failure::other(error.to_string()))?;
        let report = Report::of(found);
        if json {
            output::json(&report)?;
        } else {
            output::write(&report.lines())?;
        }
        if report.ok {
            return Ok(Exit::Done);
        }
        let data = self.data.display();
        Err(Failure::other(format!("{data} is damaged; start no server on it, keep it as it is, and restore a backup")))
    }
}

impl Report {
    fn of(found: Verification) -> Self {
        let line = |finding: Finding| FindingLine {
            epoch: Some(finding.epoch).filter(|epoch| *epoch != 0),
            batch: finding.batch,
            problem: finding.what,
        };
        Self {
            ok: found.findings.is_empty(),
            groups: found.groups,
            bytes: found.bytes,
            grants: found.grants,
            counted_units: found.counted_units,
            last_epoch: found.last_epoch,
            checkpoint_epoch: found.checkpoint_epoch,
            witnessed_epoch: found.witnessed_epoch,
            batches: found.batches.into_iter().map(|(id, total, granted)| BatchLine { id, total, granted }).collect(),
            findings: found.findings.into_iter().map(line).collect(),
        }
    }

    fn lines(&self) -> String {
        let total: u64 = self.batches.iter().map(|batch| u64::from(batch.total)).sum();
        let granted: u64 = self.batches.iter().map(|batch| batch.granted).sum();
        let mut text = format!(
            "groups     {} ({} bytes)\nepochs     last {}, witnessed {}, checkpoint up to {}\ngrants     {}\n\
             batches    {} (units: total {total}, granted {granted})\n",
            self.groups,
            self.bytes,
            self.last_epoch,
            self.witnessed_epoch,
            self.checkpoint_epoch,
            self.grants,
            self.batches.len()
        );
        if self.counted_units > 0 {
            let units = self.counted_units.to_string();
            text += &["closed     ", &units, " further units, whose grants a checkpoint left out\n"].concat();
        }
        if self.ok {
            text += "ok         hash chain, ledger, conservation, limits and serials hold\n";
        }
        for finding in &self.findings {
            let epoch = finding.epoch.map(|epoch| format!("epoch {epoch}: ")).unwrap_or_default();
            let batch = finding.batch.map(|batch| format!("batch {batch}: ")).unwrap_or_default();
            text += &["wrong      ", &epoch, &batch, &finding.problem, "\n"].concat();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verification(findings: Vec<Finding>) -> Verification {
        Verification {
            groups: 3,
            bytes: 100,
            grants: 7,
            counted_units: 0,
            last_epoch: 9,
            checkpoint_epoch: 4,
            witnessed_epoch: 8,
            batches: vec![(1, 10, 7), (2, 5, 0)],
            findings,
        }
    }

    #[test]
    fn all_right() {
        assert_eq!(
            Report::of(verification(Vec::new())).lines().lines().collect::<Vec<_>>(),
            [
                "groups     3 (100 bytes)",
                "epochs     last 9, witnessed 8, checkpoint up to 4",
                "grants     7",
                "batches    2 (units: total 15, granted 7)",
                "ok         hash chain, ledger, conservation, limits and serials hold",
            ]
        );
    }

    #[test]
    fn what_a_checkpoint_left_out_is_told() {
        let text = Report::of(Verification { counted_units: 12, ..verification(Vec::new()) }).lines();
        assert!(text.contains("\nclosed     12 further units, whose grants a checkpoint left out\nok "), "{text}");
    }

    #[test]
    fn findings_name_epoch_and_batch() {
        let report = Report::of(verification(vec![
            Finding { epoch: 5, batch: Some(2), what: "granted more than its total".to_owned() },
            Finding { epoch: 0, batch: None, what: "the ledger is unreadable".to_owned() },
        ]));
        let lines = report.lines();
        assert!(lines.contains("wrong      epoch 5: batch 2: granted more than its total\n"), "{lines}");
        assert!(lines.ends_with("wrong      the ledger is unreadable\n") && !lines.contains("\nok"), "{lines}");
        let json = output::json_text(&report);
        assert!(json.contains("\"ok\":false") && json.contains("{\"id\":1,\"total\":10,\"granted\":7}"), "{json}");
    }
}
