//! What a run did before it measured anything.

use serde::Serialize;

/// Coupons that were granted before the measurement.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Setup {
    /// Coupons that were asked for.
    pub asked: u64,
    /// Coupons that were granted.
    pub granted: u64,
    /// Users who were.
    pub users: u64,
    /// How long it took.
    pub took_s: f64,
}
