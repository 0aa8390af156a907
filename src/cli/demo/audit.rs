//! The audit: everything that buyers were told, against the server and against the files.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;
use stockade_client::Status;

use super::sale::{BATCH, Sale, Sold};
use crate::cli::exit::Failure;
use crate::engine;

/// The sale in numbers.
#[derive(Serialize)]
pub(super) struct Report {
    stock: u32,
    buyers: u32,
    answered: u32,
    granted: u32,
    oversold: u32,
    undersold: u32,
    acknowledged_but_lost: u32,
    users_over_limit: u32,
    duplicate_serials: u32,
    wrong_answers: u32,
    sold_out_answers: u32,
    replayed_answers: u32,
    calls_repeated_after_unknown_outcome: u32,
    claims_per_s: f64,
    p50_us: u64,
    p99_us: u64,
    verify_findings: Vec<String>,
}

/// Asks the server about every grant that was acknowledged.
pub(super) async fn audit(sale: &Sale, sold: Sold) -> Result<Report, Failure> {
    let answers = &sold.answers;
    let mut lost = 0;
    for part in answers.grants.chunks(1_000) {
        let mut looked_up = tokio::task::JoinSet::new();
        for (user, serial) in part {
            let (client, user, serial) = (sale.client.clone(), *user, *serial);
            looked_up.spawn(async move {
                let found = client.lookup(BATCH, user, user).await?;
                Ok::<_, stockade_client::ClientError>(found.status == Status::Granted && found.serials == [serial])
            });
        }
        while let Some(found) = looked_up.join_next().await {
            let found = found.expect("a look-up neither panics nor is cancelled");
            lost += u32::from(!found.map_err(|error| Failure::of_server(&error))?);
        }
    }
    let shown = sale.client.show_batch(BATCH).await.map_err(|error| Failure::of_server(&error))?;
    let batch = shown.batch.ok_or_else(|| Failure::other(format!("the batch is gone: {}", shown.status)))?;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let serials = answers.grants.iter().map(|(_, serial)| serial).collect::<HashSet<_>>().len();
    let users = answers.grants.iter().map(|(user, _)| user).collect::<HashSet<_>>().len();
    let granted = count(answers.grants.len());
    Ok(Report {
        stock: sale.stock,
        buyers: sale.buyers,
        answered: answers.answered,
        granted,
        oversold: granted.max(batch.granted).saturating_sub(sale.stock),
        undersold: sale.stock.saturating_sub(granted),
        acknowledged_but_lost: lost,
        users_over_limit: granted - count(users),
        duplicate_serials: granted - count(serials),
        wrong_answers: count(answers.wrong.len()),
        sold_out_answers: answers.sold_out,
        replayed_answers: answers.replayed,
        calls_repeated_after_unknown_outcome: answers.unknown,
        claims_per_s: f64::from(sale.buyers) / sold.seconds,
        p50_us: sold.latency_us.value_at_quantile(0.5),
        p99_us: sold.latency_us.value_at_quantile(0.99),
        verify_findings: answers.wrong.iter().take(10).cloned().collect(),
    })
}

impl Report {
    /// The same, with what `verify` finds in the folder that the server has left.
    pub(super) fn with_verification(mut self, folder: &Path) -> Result<Self, Failure> {
        let found = engine::verify(&folder.join("data")).map_err(|error| Failure::other(error.to_string()))?;
        self.verify_findings.extend(found.findings.into_iter().map(|finding| finding.what));
        Ok(self)
    }

    /// Whether everything adds up.
    pub(super) fn holds(&self) -> bool {
        let nothing_wrong = self.oversold + self.undersold + self.acknowledged_but_lost + self.users_over_limit;
        nothing_wrong + self.duplicate_serials + self.wrong_answers == 0
            && self.granted == self.stock
            && self.answered == self.buyers
            && self.verify_findings.is_empty()
    }

    /// The report for people.
    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            writeln!(text, "{name:26}{value}").expect("a text takes any line");
        };
        line("buyers answered", &format!("{} of {}", self.answered, self.buyers));
        line("granted", &format!("{} of {}", self.granted, self.stock));
        line("oversold", &self.oversold);
        line("undersold", &self.undersold);
        line("acknowledged but lost", &self.acknowledged_but_lost);
        line("users over limit", &self.users_over_limit);
        line("duplicate serials", &self.duplicate_serials);
        line("wrong answers", &self.wrong_answers);
        line("sold-out answers", &self.sold_out_answers);
        line("replayed answers", &self.replayed_answers);
        line("claims/s (as scheduled)", &format!("{:.0}", self.claims_per_s));
        line("p50, p99 of the sale", &format!("{} µs, {} µs (the restart included)", self.p50_us, self.p99_us));
        let verify = if self.verify_findings.is_empty() { "nothing wrong" } else { "WRONG:" };
        line("verify of the files", &verify);
        for finding in &self.verify_findings {
            line("", finding);
        }
        line("audit", if self.holds() { &"PASSED" } else { &"FAILED" });
        text
    }
}
