//! The counting code of `src/stock`, and its models.
//!
//! Each model is a [`scene`]: a stock, and what some threads ask of it. Whatever comes out must have a sequential
//! [`history`] that explains it; besides, most models name the exact set of outcomes.

#[path = "../../../../src/stock/bucket.rs"]
mod bucket;
#[path = "../../../../src/stock/certificate.rs"]
mod certificate;
#[path = "../../../../src/stock/day_limit.rs"]
mod day_limit;
#[path = "../../../../src/stock/pool.rs"]
mod pool;
#[path = "../../../../src/stock/run.rs"]
mod run;
#[path = "../../../../src/stock/sync.rs"]
mod sync;

mod history;
mod naive;
mod scene;

mod day_limits;
mod draws;
mod false_sold_outs;
mod gatherings;
mod inflows;
mod mixes;

pub use day_limit::{Day, DayLimit, Short};
pub use pool::{Mode, Pool};
pub use run::{Run, Runs};
