//! What the tests of the data port share.

pub(crate) mod consumer;
pub(crate) mod frame;
pub(crate) mod gate;
pub(crate) mod link;
pub(crate) mod patience;
pub(crate) mod reading;
pub(crate) mod shop;
#[path = "../../faults/support/wrapped.rs"]
pub(crate) mod wrapped;
