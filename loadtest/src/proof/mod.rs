//! Whether every answer was right: what is kept during the run ([`ledger`], [`books`]) and what it is held against
//! afterwards ([`verify`]).

pub mod books;
pub mod coupon_check;
pub mod holdings;
pub mod ledger;
pub mod limit_check;
pub mod serial_check;
pub mod serials;
pub mod user_limits;
pub mod verdict;
pub mod verify;
