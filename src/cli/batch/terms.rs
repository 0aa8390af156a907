//! The terms of a batch that can be set and edited, on the command line.

use clap::Args;
use stockade_client::{Fields, Terms as Wanted};

use super::super::flags::{self, Flags};
use super::super::limit::{self, Limit};
use super::super::time::{self, Edge};

/// What claims of a batch must keep to.
#[derive(Args, Debug)]
pub(super) struct Terms {
    /// Name, for people; at most 88 bytes
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// Units that one user may hold, or `unlimited`
    #[arg(long, value_name = "N", value_parser = limit::units, allow_negative_numbers = true)]
    per_user: Option<Limit<u32>>,

    /// Units that one user may take on one day, or `unlimited`
    #[arg(long, value_name = "N", value_parser = limit::units, allow_negative_numbers = true)]
    per_user_day: Option<Limit<u32>>,

    /// Units that all users may take on one day, or `unlimited`
    #[arg(long, value_name = "N", value_parser = limit::units, allow_negative_numbers = true)]
    per_day: Option<Limit<u32>>,

    /// Units of one request, up to 255, or `unlimited`
    #[arg(long, value_name = "N", value_parser = limit::quantity, allow_negative_numbers = true)]
    quantity_max: Option<Limit<u8>>,

    /// Flags that a claim's audience must have, all of them: numbers 0-31, a mask such as 0x9, or `none`
    #[arg(long, value_name = "FLAGS", value_parser = flags::flags, allow_negative_numbers = true)]
    audience_all: Option<Flags>,

    /// Flags of which it must have one, or `none`
    #[arg(long, value_name = "FLAGS", value_parser = flags::flags, allow_negative_numbers = true)]
    audience_any: Option<Flags>,

    /// Flags that it must not have, or `none`
    #[arg(long, value_name = "FLAGS", value_parser = flags::flags, allow_negative_numbers = true)]
    audience_none: Option<Flags>,

    /// Units that one user may have reserved at once, or `unlimited`
    #[arg(long, value_name = "N", value_parser = limit::short, allow_negative_numbers = true)]
    holds_per_user: Option<Limit<u16>>,

    /// Percent of the stock that may be reserved at once, or `unlimited`
    #[arg(long, value_name = "PERCENT", value_parser = limit::share, allow_negative_numbers = true)]
    holds_share: Option<Limit<u8>>,

    /// First instant at which claims are granted, in RFC 3339, or `now`
    #[arg(long, value_name = "TIME", value_parser = time::start)]
    starts: Option<Edge>,

    /// First instant at which they are not granted any more, in RFC 3339, or `never`
    #[arg(long, value_name = "TIME", value_parser = time::end)]
    ends: Option<Edge>,
}

impl Terms {
    /// The fields that are named.
    pub(super) fn fields(&self) -> Fields {
        let audience = [self.audience_all, self.audience_any, self.audience_none];
        [
            (self.name.is_some(), Fields::NAME),
            (self.per_user.is_some(), Fields::PER_USER),
            (self.per_user_day.is_some(), Fields::PER_USER_DAY),
            (self.per_day.is_some(), Fields::PER_DAY),
            (self.quantity_max.is_some(), Fields::QUANTITY_MAX),
            (audience.iter().any(Option::is_some), Fields::AUDIENCE),
            (self.holds_per_user.is_some() || self.holds_share.is_some(), Fields::HOLDS),
            (self.starts.is_some(), Fields::STARTS),
            (self.ends.is_some(), Fields::ENDS),
        ]
        .into_iter()
        .filter(|(is_named, _)| *is_named)
        .fold(Fields::default(), |fields, (_, field)| fields.with(field))
    }

    /// Whether a field of several values is named with some of them only, so that the others must be known.
    pub(super) fn is_partial(&self) -> bool {
        let is_mixed = |values: &[bool]| values.contains(&true) && values.contains(&false);
        is_mixed(&[self.audience_all, self.audience_any, self.audience_none].map(|flags| flags.is_some()))
            || is_mixed(&[self.holds_per_user.is_some(), self.holds_share.is_some()])
    }

    /// `base` with what is named.
    pub(super) fn over(&self, mut base: Wanted) -> Wanted {
        let flags = |named: Option<Flags>, otherwise: u32| named.map_or(otherwise, |flags| flags.0);
        base.name = self.name.clone().unwrap_or(base.name);
        base.per_user = self.per_user.map_or(base.per_user, |limit| limit.0);
        base.per_user_day = self.per_user_day.map_or(base.per_user_day, |limit| limit.0);
        base.per_day = self.per_day.map_or(base.per_day, |limit| limit.0);
        base.quantity_max = self.quantity_max.map_or(base.quantity_max, |limit| limit.0);
        base.audience.all = flags(self.audience_all, base.audience.all);
        base.audience.any = flags(self.audience_any, base.audience.any);
        base.audience.none = flags(self.audience_none, base.audience.none);
        base.holds.per_user = self.holds_per_user.map_or(base.holds.per_user, |limit| limit.0);
        base.holds.share = self.holds_share.map_or(base.holds.share, |limit| limit.0);
        base.starts_ms = self.starts.map_or(base.starts_ms, |edge| edge.0);
        base.ends_ms = self.ends.map_or(base.ends_ms, |edge| edge.0);
        base
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use stockade_client::{Audience, Holds};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        terms: Terms,
    }

    fn terms(arguments: &[&str]) -> Terms {
        Line::try_parse_from([&["it"], arguments].concat()).expect("a good line").terms
    }

    #[test]
    fn what_is_named_changes_and_nothing_else() {
        let base = Wanted {
            per_user: Some(4),
            audience: Audience { all: 1, any: 2, none: 4 },
            holds: Holds { per_user: Some(2), share: Some(50) },
            ends_ms: Some(9),
            ..Wanted::default()
        };
        let named = terms(&["--audience-any", "3", "--holds-share", "unlimited", "--ends", "never"]);
        assert_eq!(named.fields(), Fields::AUDIENCE.with(Fields::HOLDS).with(Fields::ENDS));
        let over = named.over(base.clone());
        assert_eq!(over.audience, Audience { all: 1, any: 8, none: 4 });
        assert_eq!(over.holds, Holds { per_user: Some(2), share: None });
        assert_eq!(over, Wanted { audience: over.audience, holds: over.holds, ends_ms: None, ..base });
    }

    #[test]
    fn every_flag_names_its_field() {
        let all = [
            ("--name", "x"),
            ("--per-user", "1"),
            ("--per-user-day", "1"),
            ("--per-day", "1"),
            ("--quantity-max", "1"),
            ("--audience-all", "1"),
            ("--holds-share", "1"),
            ("--starts", "now"),
            ("--ends", "never"),
        ];
        for (bit, (flag, value)) in all.iter().enumerate() {
            assert_eq!(terms(&[flag, value]).fields().0, 1 << bit, "{flag}");
        }
        assert!(terms(&[]).fields().is_empty());
    }

    #[test]
    fn a_part_of_a_field_needs_the_rest() {
        assert!(terms(&["--audience-all", "1"]).is_partial() && terms(&["--holds-per-user", "1"]).is_partial());
        assert!(!terms(&["--per-user", "1"]).is_partial());
        let whole = ["--audience-all", "1", "--audience-any", "none", "--audience-none", "none"];
        assert!(!terms(&whole).is_partial());
    }
}
