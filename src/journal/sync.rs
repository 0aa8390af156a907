//! The door through which the epochs, and what waits for them, get their atomics and threads, so that loom can replace
//! them.

#[cfg(loom)]
pub(super) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
#[cfg(loom)]
pub(super) use loom::thread::{Thread, current, park};
#[cfg(not(loom))]
pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(super) use std::thread::{Thread, current, park};
