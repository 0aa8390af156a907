//! What the fault tests share.

pub(crate) mod alone;
pub(crate) mod audit;
pub(crate) mod board;
pub(crate) mod books;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod crowd;
pub(crate) mod diary;
pub(crate) mod folder;
pub(crate) mod gate;
pub(crate) mod groups;
pub(crate) mod history;
pub(crate) mod holders;
pub(crate) mod inspection;
pub(crate) mod offer;
pub(crate) mod power;
pub(crate) mod resident;
pub(crate) mod rng;
pub(crate) mod shop;
pub(crate) mod trade;
pub(crate) mod wrapped;
