//! What a run does over and over, and the words for it.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What a run does over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Units are claimed for good
    Claim,
    /// Units are reserved, and confirmed as soon as the answer says that they are
    ReserveConfirm,
    /// Coupons that were granted before are locked, and redeemed as soon as the answer says that they are
    LockRedeem,
    /// Wallets of users who were granted coupons before are read, a page each
    Wallet,
}

impl Operation {
    /// The word for it in flags, files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Operation::Claim => "claim",
            Operation::ReserveConfirm => "reserve-confirm",
            Operation::LockRedeem => "lock-redeem",
            Operation::Wallet => "wallet",
        }
    }

    /// What rates and latencies count.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Operation::Claim => "claims",
            Operation::ReserveConfirm | Operation::LockRedeem => "pairs",
            Operation::Wallet => "pages",
        }
    }

    /// One of them.
    #[must_use]
    pub const fn one(self) -> &'static str {
        match self {
            Operation::Claim => "claim",
            Operation::ReserveConfirm | Operation::LockRedeem => "pair",
            Operation::Wallet => "page",
        }
    }

    /// What those are that had the wanted answer.
    #[must_use]
    pub const fn wanted(self) -> &'static str {
        match self {
            Operation::Claim => "granted",
            Operation::ReserveConfirm | Operation::LockRedeem => "finished",
            Operation::Wallet => "read",
        }
    }

    /// What is going on meanwhile.
    #[must_use]
    pub const fn doing(self) -> &'static str {
        match self {
            Operation::Claim => "claiming",
            Operation::ReserveConfirm => "reserving",
            Operation::LockRedeem => "redeeming",
            Operation::Wallet => "reading",
        }
    }

    /// The requests that make one up, where they are more than one.
    #[must_use]
    pub const fn steps(self) -> &'static [&'static str] {
        match self {
            Operation::Claim | Operation::Wallet => &[],
            Operation::ReserveConfirm => &["RESERVE", "CONFIRM"],
            Operation::LockRedeem => &["LOCK", "REDEEM"],
        }
    }

    /// Whether it is done with coupons that have to be granted first.
    #[must_use]
    pub const fn needs_grants(self) -> bool {
        match self {
            Operation::Claim | Operation::ReserveConfirm => false,
            Operation::LockRedeem | Operation::Wallet => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_files_and_reports_have_the_same_words() {
        for operation in Operation::value_variants() {
            let word = serde_json::to_value(operation).unwrap();
            assert_eq!(word, operation.name());
            assert_eq!(Operation::from_str(operation.name(), false), Ok(*operation));
        }
    }
}
