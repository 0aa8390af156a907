//! What a batch asks of claims and reservations beside its stock and its limit per user.

use serde::Serialize;
use stockade_protocol::batch::{Audience, Holds, Terms};

/// The rules of the batches that a run creates. `None` = unlimited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchRules {
    /// Units that one user may take on one day.
    pub per_user_day: Option<u32>,
    /// Units that all users may take on one day.
    pub per_day: Option<u32>,
    /// Units of one request. Requests ask for one, so this costs a check and refuses nothing.
    pub quantity_max: Option<u8>,
    /// Units that one user may have reserved at once.
    pub holds_per_user: Option<u16>,
    /// Hundredths of the stock that may be reserved at once.
    pub holds_share: Option<u8>,
    /// Time zone of the batches' days; empty = UTC.
    pub zone: String,
    /// Flags of which a user must have one; 0 = none is asked for. All users of the run have all of them.
    pub audience_any: u32,
}

impl BatchRules {
    /// `terms` with these rules.
    #[must_use]
    pub fn on(&self, terms: Terms) -> Terms {
        Terms {
            per_user_day: self.per_user_day,
            per_day: self.per_day,
            quantity_max: self.quantity_max,
            audience: Audience { any: self.audience_any, ..Audience::default() },
            holds: Holds { per_user: self.holds_per_user, share: self.holds_share },
            zone: self.zone.clone(),
            ..terms
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_becomes_a_term_and_the_users_of_the_run_are_admitted() {
        let rules = BatchRules {
            per_user_day: Some(1),
            per_day: Some(2),
            quantity_max: Some(3),
            holds_per_user: Some(4),
            holds_share: Some(5),
            zone: "Asia/Shanghai".to_owned(),
            audience_any: 6,
        };
        let terms = rules.on(Terms { stock: 7, ..Terms::default() });
        assert_eq!((terms.per_user_day, terms.per_day, terms.quantity_max), (Some(1), Some(2), Some(3)));
        assert_eq!((terms.holds.per_user, terms.holds.share, terms.stock), (Some(4), Some(5), 7));
        assert!(terms.zone == "Asia/Shanghai" && terms.audience.admits(6) && !terms.audience.admits(1));
        assert_eq!(BatchRules::default().on(Terms::default()), Terms::default());
    }
}
