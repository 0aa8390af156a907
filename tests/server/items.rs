//! Impossible values: a status for that item alone. Its neighbours in the frame are done, and nothing else changes.

use stockade_protocol::Status::{
    BatchConflict, BatchUnknown, Done, Granted, QuantityInvalid, RequestConflict, StockOverflow, TermsInvalid,
};
use stockade_protocol::batch::{AddStock, BatchInfo, Create, List, Terms};
use stockade_protocol::claim::{Claim, UP_TO};
use stockade_protocol::{Opcode, Status};
use zerocopy::{FromBytes, IntoBytes};

use crate::support::link::{Link, statuses};
use crate::support::shop::{Shop, creation, options, terms};

fn infos(link: &mut Link, creations: &[Create]) -> Vec<BatchInfo> {
    link.ask(Opcode::BatchCreate, creations).items(Opcode::BatchCreate)
}

fn created(link: &mut Link, creations: &[Create]) -> Vec<Status> {
    infos(link, creations).iter().map(|info| info.status().expect("a known status")).collect()
}

fn added(link: &mut Link, additions: &[AddStock]) -> Vec<(Status, u32)> {
    let infos = link.ask(Opcode::BatchAddStock, additions).items::<BatchInfo>(Opcode::BatchAddStock);
    infos.iter().map(|info| (info.status().expect("a known status"), info.total.get())).collect()
}

/// Nothing but the refusal is told of a batch that is not there.
fn tells_nothing(info: &BatchInfo, status: Status, batch: u64) {
    let mut blank = BatchInfo::refused(status, batch);
    blank.epoch = info.epoch;
    assert_eq!(*info, blank);
}

#[test]
fn a_quantity_of_zero() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    let none = Claim::new(1, 2, 1, 0);
    let replies = client.claim(&[Claim::new(1, 1, 1, 1), none, none.up_to(), Claim::new(1, 3, 1, 1)]);
    assert_eq!(statuses(&replies), [Granted, QuantityInvalid, QuantityInvalid, Granted]);
    assert_eq!(client.granted(1), 2);
    // Before anything is looked up, even whether there is such a batch.
    assert_eq!(
        statuses(&client.claim(&[Claim::new(99, 1, 1, 0), Claim::new(99, 1, 1, 1)])),
        [QuantityInvalid, BatchUnknown]
    );
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 1, 1, 0)])), [QuantityInvalid], "before the request is known");
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 2, 1, 1)])), [Granted], "the request id is still free");
}

#[test]
fn a_stock_of_zero_and_windows_that_are_none() {
    let shop = Shop::open(1, options());
    let mut client = shop.client();
    let window = |starts, ends| Terms { starts_ms: Some(starts), ends_ms: Some(ends), ..terms(1) };
    let impossible =
        [terms(0), window(2_000, 1_999), window(2_000, 2_000), window(u64::MAX, 1), Terms { draft: true, ..terms(0) }];
    for (terms_wanted, id) in impossible.iter().zip(10..) {
        let items = [creation(100 + id, &terms(1)), creation(id, terms_wanted), creation(200 + id, &terms(1))];
        let infos = infos(&mut client, &items);
        let statuses = infos.iter().map(|info| info.status().expect("a known status")).collect::<Vec<_>>();
        assert_eq!(statuses, [Done, TermsInvalid, Done], "{terms_wanted:?}");
        tells_nothing(&infos[1], TermsInvalid, id);
        tells_nothing(&client.show(id), BatchUnknown, id);
        assert_eq!(created(&mut client, &[creation(id, &terms(1))]), [Done], "the id is still free");
    }
    assert_eq!(created(&mut client, &[creation(1, &window(1_999, 2_000))]), [Done], "a millisecond is a window");
    assert_eq!(created(&mut client, &[creation(2, &terms(u32::MAX))]), [Done], "the largest stock");
    let listed = client.ask(Opcode::BatchList, &[List::new(0, 1_024)]).items::<BatchInfo>(Opcode::BatchList);
    assert_eq!(listed.len(), 3 * impossible.len() + 2);
}

#[test]
fn a_name_that_is_no_text() {
    let shop = Shop::open(1, options());
    let mut client = shop.client();
    for (at, byte) in [(40, 0xFF), (40, 0x07), (127, b'x')] {
        let mut bytes = creation(1, &terms(1)).as_bytes().to_vec();
        bytes[at] = byte;
        let create = Create::read_from_bytes(&bytes).expect("an item");
        assert_eq!(created(&mut client, &[create]), [TermsInvalid], "{byte:#04x} at {at}");
    }
    assert_eq!(client.show(1).status(), Some(BatchUnknown));
}

#[test]
fn a_batch_id_that_is_taken() {
    let shop = Shop::open(1, options());
    let (far, farther) = (Some(32_503_680_000_000), Some(32_503_680_000_001));
    let first = Terms {
        stock: 5,
        per_user: Some(2),
        starts_ms: Some(1_000),
        ends_ms: far,
        name: "Double Eleven".to_owned(),
        ..Terms::default()
    };
    let mut client = shop.client_with_batch(1, &first);
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 1, 1, 2)])), [Granted]);
    let others = [
        Terms { stock: 6, ..first.clone() },
        Terms { per_user: Some(3), ..first.clone() },
        Terms { per_user: None, ..first.clone() },
        Terms { starts_ms: Some(1_001), ..first.clone() },
        Terms { starts_ms: None, ..first.clone() },
        Terms { ends_ms: farther, ..first.clone() },
        Terms { ends_ms: None, ..first.clone() },
        Terms { draft: true, ..first.clone() },
        Terms { name: "double eleven".to_owned(), ..first.clone() },
    ];
    for other in others {
        let info = infos(&mut client, &[creation(1, &other)])[0];
        assert_eq!(info.status(), Some(BatchConflict), "{other:?}");
        let now = info.terms();
        let as_it_is = (info.total.get(), info.granted.get(), now.per_user, now.starts_ms);
        assert_eq!(as_it_is, (5, 2, Some(2), Some(1_000)), "the batch as it is now");
    }
    let again = infos(&mut client, &[creation(1, &first)])[0];
    assert_eq!((again.status(), again.granted.get()), (Some(Done), 2), "the same creation once more");
    let twice = [creation(2, &first), creation(2, &terms(1)), creation(2, &first)];
    assert_eq!(created(&mut client, &twice), [Done, BatchConflict, Done], "within one frame");
}

#[test]
fn an_addition_that_overflows() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(u32::MAX - 10));
    let add = |request, units| AddStock::new(1, request, units);
    let (most, all) = (u32::MAX - 10, u32::MAX);
    let overflows = added(&mut client, &[add(1, 11), add(2, u32::MAX), add(3, 0)]);
    assert_eq!(overflows, [(StockOverflow, most), (StockOverflow, most), (QuantityInvalid, most)]);
    assert_eq!(added(&mut client, &[add(1, 10), add(4, 1)]), [(Done, all), (StockOverflow, all)]);
    assert_eq!(added(&mut client, &[add(1, 10), add(1, 9)]), [(Done, all), (BatchConflict, all)], "added once");
    assert_eq!(
        added(&mut client, &[AddStock::new(9, 1, 1), AddStock::new(9, 1, 0)]),
        [(BatchUnknown, 0), (QuantityInvalid, 0)]
    );
    assert_eq!(client.show(1).remaining.get(), all);
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 1, 1, 255)])), [Granted]);
}

#[test]
fn a_request_id_that_is_taken() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    let first = Claim::new(1, 1, 1, 2);
    assert_eq!(UP_TO, 1);
    let replies = client.claim(&[first, Claim::new(1, 1, 1, 1), first.up_to(), Claim::new(1, 1, 1, 3), first]);
    assert_eq!(statuses(&replies), [Granted, RequestConflict, RequestConflict, RequestConflict, Granted]);
    assert!(replies[4].is_replayed());
    assert_eq!(client.granted(1), 2);
}
