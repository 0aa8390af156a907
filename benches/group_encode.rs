//! Question: what does a claim cost the committer before the disk: encoding a group and hashing it, for one hot batch
//! and for claims that all name other batches? And reading it back at a restart?
//!
//! `cargo bench --bench group_encode`

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use stockade::journal::{ClaimRecord, Encoder, Group, Portion, Step};
use stockade::stock::Mode;
use stockade::users::Asked;

/// Records of one group: what a busy epoch holds.
const RECORDS: u32 = 2_048;

fn main() {
    divan::main();
}

fn records(batches: u64) -> Vec<ClaimRecord> {
    let record = |index: u32| ClaimRecord {
        batch: u64::from(index) % batches,
        user: u64::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        request: u64::from(index).wrapping_mul(0xBF58_476D_1CE4_E5B9),
        step: Step::Grant,
        serial: index,
        units: 1,
        asked: Asked { quantity: 1, mode: Mode::AllOrNothing, reserves: false },
        continues: false,
    };
    (0..RECORDS).map(record).collect()
}

fn portion(records: &[ClaimRecord]) -> Portion {
    let mut portion = Portion::default();
    records.iter().for_each(|record| portion.claim(1, record));
    portion
}

#[divan::bench(args = [1, 16, 2_048])]
fn encode(bencher: Bencher<'_, '_>, batches: u64) {
    let (records, mut encoder) = (records(batches), Encoder::default());
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(move || encoder.encode(1, [0; 16], &[&portion(&records)]).1);
}

#[divan::bench(args = [1, 16, 2_048])]
fn decode(bencher: Bencher<'_, '_>, batches: u64) {
    let mut encoder = Encoder::default();
    let bytes = encoder.encode(1, [0; 16], &[&portion(&records(batches))]).0.to_vec();
    bencher.counter(ItemsCount::new(RECORDS)).counter(BytesCount::of_slice(&bytes)).bench_local(|| {
        let group = Group::decode(&bytes).expect("just encoded");
        let mut units = 0_u64;
        for run in group.claim_runs() {
            units += run.expect("just encoded").records().map(|record| u64::from(record.units)).sum::<u64>();
        }
        units
    });
}
