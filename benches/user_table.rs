//! Question: what does the user table cost a claim, for a new user, for a replay, and for a user who is refused, at
//! sizes that fit the caches and at one that does not? And what would a `DashMap` cost in its place?
//!
//! `cargo bench --bench user_table`

use dashmap::DashMap;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use stockade::stock::{Mode, Run, Runs};
use stockade::users::{Asked, Moment, Users};

/// The server's allocator.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const SIZES: [u32; 3] = [1_000, 100_000, 4_000_000];
const ASKED: Asked = Asked { quantity: 1, mode: Mode::AllOrNothing, reserves: false };
const NOW: Moment = Moment { day: 1, epoch: 1, durable: 1, core: 0 };

/// How far the server looks ahead.
const AHEAD: u32 = 32;

fn main() {
    divan::main();
}

/// Users in no order that the table could profit from.
fn user(index: u32) -> u64 {
    u64::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn insert(users: &Users, index: u32) {
    let mut entry = users.entry(user(index));
    if entry.find(1, &NOW).claim.is_none() {
        entry.insert(1, ASKED, &Runs::one(Run::new(index, 1)), &NOW);
    }
}

fn filled(size: u32) -> Users {
    let users = Users::new(size, 256);
    (0..size).for_each(|index| insert(&users, index));
    users
}

/// A table that grows from nothing to its size.
#[divan::bench(args = SIZES, sample_count = 5)]
fn new_users(bencher: Bencher<'_, '_>, size: u32) {
    bencher.counter(ItemsCount::new(size)).bench(|| filled(size));
}

/// The same with the server's look-ahead.
#[divan::bench(args = SIZES, sample_count = 5)]
fn new_users_ahead(bencher: Bencher<'_, '_>, size: u32) {
    bencher.counter(ItemsCount::new(size)).bench(|| {
        let users = Users::new(size, 256);
        for index in 0..size {
            users.prefetch(users.hashed(user(index + AHEAD)));
            insert(&users, index);
        }
        users
    });
}

/// Each user once more, with the same request.
#[divan::bench(args = SIZES, sample_count = 5)]
fn replays(bencher: Bencher<'_, '_>, size: u32) {
    let users = filled(size);
    let replay = || {
        for index in 0..size {
            users.prefetch(users.hashed(user(index + AHEAD)));
            drop(black_box(users.entry(user(index)).find(1, &NOW)));
        }
    };
    bencher.counter(ItemsCount::new(size)).bench_local(replay);
}

/// Users who hold nothing, as in the storm after a sell-out.
#[divan::bench(args = SIZES, sample_count = 5)]
fn strangers(bencher: Bencher<'_, '_>, size: u32) {
    let users = filled(size);
    let ask = || {
        for index in size..2 * size {
            users.prefetch(users.hashed(user(index + AHEAD)));
            drop(black_box(users.entry(user(index)).find(1, &NOW)));
        }
    };
    bencher.counter(ItemsCount::new(size)).bench_local(ask);
}

/// The same growth in a concurrent map from the registry, keyed by user.
#[divan::bench(args = SIZES, sample_count = 5)]
fn new_users_dashmap(bencher: Bencher<'_, '_>, size: u32) {
    let fill = || {
        let map = DashMap::<u64, (u64, u32, u8), foldhash::fast::RandomState>::default();
        for index in 0..size {
            map.entry(user(index)).or_insert((1, index, 1));
        }
        map
    };
    bencher.counter(ItemsCount::new(size)).bench(fill);
}
