//! Question: what does a claim cost before it is decided: finding its frame, checking it, and reading the fields? It
//! must be a few nanoseconds, since nothing is copied.
//!
//! `cargo bench --bench frame_decode`

use divan::Bencher;
use divan::counter::ItemsCount;
use stockade_protocol::claim::Claim;
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::limits::REQUEST_BODY_BYTES_MAX;
use stockade_protocol::{Header, Opcode};
use zerocopy::IntoBytes;

fn main() {
    divan::main();
}

#[divan::bench(args = [1, 64, 8_192])]
fn claims(bencher: Bencher<'_, '_>, claims_per_frame: u32) {
    let mut bytes = Header::request(Opcode::Claim, claims_per_frame, 1, 0).as_bytes().to_vec();
    for claim in 0..claims_per_frame {
        bytes.extend_from_slice(Claim::new(1, u64::from(claim), 2, 1).as_bytes());
    }
    bencher.counter(ItemsCount::new(claims_per_frame)).bench_local(|| {
        let decoded = decode(Side::Server, divan::black_box(&bytes), REQUEST_BODY_BYTES_MAX);
        let (frame, _) = decoded.expect("well-formed").expect("whole");
        let claims = frame.items::<Claim>().expect("claims");
        claims
            .iter()
            .filter(|claim| claim.is_well_formed())
            .map(|claim| claim.user.get() ^ claim.batch.get())
            .sum::<u64>()
    });
}
