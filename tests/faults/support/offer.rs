//! Batches for a test.

use stockade::engine::Engine;
use stockade_protocol::batch::{BatchInfo, Create, Terms};

use super::shop::answered;

/// A batch that anybody may claim from at any time, without a limit.
pub(crate) fn terms(stock: u32) -> Terms {
    Terms { stock, name: "offer".into(), ..Terms::default() }
}

/// Creates a batch and waits for the answer.
pub(crate) fn create(engine: &Engine, batch: u64, terms: &Terms) -> BatchInfo {
    let create = Create::new(batch, terms).expect("the name fits");
    answered(engine, 0, |burst| burst.create(&create))
}
