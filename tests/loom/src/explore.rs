//! Runs a model in every interleaving and collects what came out.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use loom::model::Builder;

/// How many preemptions a model explores.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    /// All: every interleaving.
    Exhaustive,
    /// Interleavings with at most this many.
    Preemptions(usize),
}

/// All that `model` returned, over all interleavings within the bound. To compare it with the exact set shows both that
/// nothing else can happen and that the model reached what it is about.
pub(crate) fn outcomes<T: Ord + Send + 'static>(
    bound: Bound,
    model: impl Fn() -> T + Send + Sync + 'static,
) -> BTreeSet<T> {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(match bound {
        Bound::Exhaustive => None,
        Bound::Preemptions(most) => Some(most),
    });
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let seen_in_model = Arc::clone(&seen);
    builder.check(move || {
        let outcome = model();
        seen_in_model.lock().unwrap_or_else(PoisonError::into_inner).insert(outcome);
    });
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut seen)
}

/// Asserts that exactly these came out.
pub(crate) fn assert_exactly<T: Ord + Debug, const N: usize>(seen: &BTreeSet<T>, expected: [T; N]) {
    assert_eq!(*seen, BTreeSet::from(expected), "the outcomes over all interleavings");
}
