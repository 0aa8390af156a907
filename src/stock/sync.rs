//! The one door through which the counting code gets its atomics and its lock: loom's under a loom build, the real ones
//! otherwise.

#[cfg(loom)]
pub(super) use loom::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(super) use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering, fence};

/// A lock with one interface for both builds.
pub(super) struct Mutex<T> {
    #[cfg(loom)]
    inner: loom::sync::Mutex<T>,
    #[cfg(not(loom))]
    inner: parking_lot::Mutex<T>,
}

#[cfg(loom)]
pub(super) type MutexGuard<'a, T> = loom::sync::MutexGuard<'a, T>;
#[cfg(not(loom))]
pub(super) type MutexGuard<'a, T> = parking_lot::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    pub(super) fn new(value: T) -> Self {
        #[cfg(loom)]
        return Self { inner: loom::sync::Mutex::new(value) };
        #[cfg(not(loom))]
        return Self { inner: parking_lot::Mutex::new(value) };
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        #[cfg(loom)]
        return self.inner.lock().expect("a panic aborts the model before it can poison a lock");
        #[cfg(not(loom))]
        return self.inner.lock();
    }
}
