//! Items of a batch's numbers.

use serde_json::{Value, json};
use stockade_protocol::batch::{RefusalCount, Stats, StatsQuery};

use super::{Item, number, signed, status, status_name, wide};

impl Item for StatsQuery {
    fn from_fields(fields: &Value) -> Self {
        StatsQuery {
            batch: number::<u64>(fields, "batch").into(),
            from_day: signed(fields, "from_day").into(),
            limit: number::<u32>(fields, "limit").into(),
            see_epoch: number::<u64>(fields, "see_epoch").into(),
        }
    }

    fn fields(&self) -> Value {
        json!({
            "batch": wide(self.batch),
            "from_day": self.from_day.get(),
            "limit": self.limit.get(),
            "see_epoch": wide(self.see_epoch),
        })
    }
}

/// `day`, and every other number by its name.
macro_rules! stats_item {
    ($($name:ident),* $(,)?) => {
        impl Item for Stats {
            fn from_fields(fields: &Value) -> Self {
                let day = signed(fields, "day").into();
                Stats { day, $($name: number::<u32>(fields, stringify!($name)).into(),)* }
            }

            fn fields(&self) -> Value {
                json!({"day": self.day.get(), $(stringify!($name): self.$name.get(),)*})
            }
        }
    };
}

stats_item! {
    added, withdrawn, remaining, reserved, granted, locked, redeemed, unlocked, restored, returned, voided, expired,
    cancelled, lapsed, confirmed,
}

impl Item for RefusalCount {
    fn from_fields(fields: &Value) -> Self {
        RefusalCount::new(status(fields), number(fields, "count"))
    }

    fn fields(&self) -> Value {
        json!({"status": status_name(self.status()), "count": wide(self.count)})
    }
}
