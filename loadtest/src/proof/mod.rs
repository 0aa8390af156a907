//! Whether every answer was right: what is kept during the run ([`ledger`], [`books`], [`serials`]) and what it is held
//! against afterwards ([`verify`]).

pub mod books;
pub mod ledger;
pub mod limit_check;
pub mod serials;
pub mod verdict;
pub mod verify;
