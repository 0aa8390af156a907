//! The crowd: what the clients of a history ask at random, and the batches that they ask about.

use stockade_protocol::batch::{Action, AddStock, Terms};
use stockade_protocol::claim::{Claim, RequestKey};

use super::rng::Rng;
use super::trade::Request;

/// The id of no batch.
pub(crate) const NO_BATCH: u64 = 99;

/// The batches of a history: hot, limited, a draft that an operator activates, and one with a window.
pub(crate) const BATCHES: [u64; 4] = [1, 2, 3, WINDOWED];

/// The batch with a window. Operators leave it alone.
pub(crate) const WINDOWED: u64 = 4;

/// The batch that operators end and close early.
const SHORT: u64 = 2;

/// The time at which a history begins.
pub(crate) const DAWN_MS: u64 = 1_000_000;

/// What the batches of the history with this seed are created with.
pub(crate) fn terms(seed: u64, batch: u64) -> Terms {
    let mut rng = Rng::new(seed ^ (batch << 40));
    let stock = 10 + u32::try_from(rng.below(80)).expect("less than 80");
    let window = batch == WINDOWED;
    Terms {
        stock,
        per_user: [None, Some(3), Some(1), Some(6)][usize::try_from(batch - 1).expect("one of four")],
        starts_ms: window.then_some(DAWN_MS + 15),
        ends_ms: window.then_some(DAWN_MS + 120),
        draft: batch == 3,
        name: format!("batch {batch}"),
        ..Terms::default()
    }
}

/// A claim or a look-up by one of few users, with one of few request ids: many are copies of others. Some who claimed
/// just before (`last`) ask for more at once.
pub(crate) fn shopping(rng: &mut Rng, last: Option<(u64, u64, u64)>) -> Request {
    if let Some((batch, user, request)) = last.filter(|_| rng.chance(20)) {
        return Request::Claim(Claim::new(batch, user, request + 1, 1));
    }
    let batch = if rng.chance(2) { NO_BATCH } else { BATCHES[usize::try_from(rng.below(4)).expect("one of four")] };
    let user = if rng.chance(50) { rng.below(5) } else { 5 + rng.below(60) };
    let request = rng.below(3);
    if rng.chance(8) {
        return Request::Lookup(RequestKey::new(batch, user, request));
    }
    let quantity = if rng.chance(75) { 1 } else { u8::try_from(rng.below(8)).expect("less than 8") };
    let claim = Claim::new(batch, user, request, quantity);
    Request::Claim(if rng.chance(25) { claim.up_to() } else { claim })
}

/// What an operator does with `batch`.
pub(crate) fn operation(rng: &mut Rng, seed: u64, batch: u64) -> Request {
    let request = rng.below(12);
    // One of them is soon over.
    let (end, close) = if batch == SHORT { (40, 80) } else { (6, 8) };
    match rng.below(10) {
        0 | 1 => Request::Create(batch, terms(seed, batch)),
        2 => Request::Create(batch, Terms { stock: 7, ..terms(seed, batch) }),
        // A request id mostly comes with the same units.
        3..=5 => {
            let units = 1 + u32::try_from(request + u64::from(rng.chance(10))).expect("few");
            Request::Add(AddStock::new(batch, request, units))
        }
        6 => Request::Show(batch),
        _ if batch == WINDOWED => Request::Show(batch),
        7 => Request::Change(batch, if rng.chance(end) { Action::End } else { Action::Pause }),
        8 => Request::Change(batch, Action::Activate),
        _ => Request::Change(batch, if rng.chance(close) { Action::Close } else { Action::Resume }),
    }
}
