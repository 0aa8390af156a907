//! Question: what does a decision cost a core, from the claim to its record, without a network and without a disk? On
//! one batch, on more batches than the caches hold, and after the sale.
//!
//! `cargo bench --bench decide`

#[path = "instructions/sale.rs"]
#[expect(dead_code, reason = "restarts are counted there")]
mod sale;

use divan::Bencher;
use divan::counter::ItemsCount;
use sale::Sale;
use stockade_protocol::Status;
use stockade_protocol::claim::{Claim, ClaimReply};

/// The server's allocator.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const CLAIMS: u32 = 4_000_000;

/// Bursts that wait for the journal meanwhile.
const BURSTS: usize = 16;

fn main() {
    divan::main();
}

/// Claims of users in no order that a table could profit from, each of a batch in no such order.
fn claims(batches: u32, first_user: u32) -> Vec<Claim> {
    let mixed = |index: u32| u64::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let batch = |index| (mixed(index) >> 32) % u64::from(batches);
    let users = first_user..first_user + CLAIMS;
    users.map(|index| Claim::new(batch(index), mixed(index), u64::from(index), 1)).collect()
}

fn is(status: Status) -> impl Fn(&ClaimReply) -> bool {
    move |reply| reply.status() == Some(status)
}

/// A new user each.
#[divan::bench(args = [1, 100_000], sample_count = 5, sample_size = 1)]
fn granted(bencher: Bencher<'_, '_>, batches: u32) {
    let claims = claims(batches, 0);
    let prepared = || {
        let sale = Sale::memory();
        sale.create((0..batches).map(u64::from), (CLAIMS / batches).saturating_mul(8));
        sale
    };
    let decide = |sale: Sale| {
        sale.decide(&claims, BURSTS, is(Status::Granted));
        sale
    };
    bencher.counter(ItemsCount::new(CLAIMS)).with_inputs(prepared).bench_local_values(decide);
}

/// Each claim once more, and claims of as many others.
#[divan::bench(args = [Status::Granted, Status::SoldOut], sample_count = 5, sample_size = 1)]
fn after_the_sale(bencher: Bencher<'_, '_>, status: Status) {
    let sale = Sale::memory();
    sale.create(0..1, CLAIMS);
    sale.decide(&claims(1, 0), BURSTS, is(Status::Granted));
    let claims = claims(1, if status == Status::Granted { 0 } else { CLAIMS });
    bencher.counter(ItemsCount::new(CLAIMS)).bench_local(|| sale.decide(&claims, BURSTS, is(status)));
}
