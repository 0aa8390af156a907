//! A wallet is read page by page: each page says where the next one begins, and the last one that it is the last.

use stockade_client::{CouponState, Cursor, WalletItem};
use stockade_protocol::wallet::{self, WalletQuery};

use crate::support::FakeServer;

const STATES: [CouponState; 2] = [CouponState::Granted, CouponState::Locked];

fn cursor(of: u32) -> wallet::Cursor {
    wallet::Cursor { epoch: 7.into(), index: of.into(), check: 99.into() }
}

fn wire(serial: u32) -> wallet::WalletItem {
    let mut item = wallet::WalletItem::new(4, serial, CouponState::Granted);
    (item.request, item.order) = (7.into(), 88.into());
    (item.taken_ms, item.expires_ms) = (100.into(), 900.into());
    item.cursor = cursor(serial);
    item
}

fn item(serial: u32) -> WalletItem {
    WalletItem {
        batch: 4,
        serial,
        state: Some(CouponState::Granted),
        request: 7,
        order: 88,
        taken_ms: 100,
        expires_ms: Some(900),
    }
}

#[tokio::test]
async fn pages_follow_each_other_until_one_is_not_full() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| {
        let mut query = WalletQuery::new(9, &STATES, 2);
        query.see_epoch = 5.into();
        let [asked] = frame.items::<WalletQuery>() else { panic!("{} queries", frame.count) };
        let place = asked.cursor;
        query.cursor = place;
        assert_eq!(*asked, query);
        if place == wallet::Cursor::default() {
            frame.answered(&[wire(3), wire(2)])
        } else {
            assert_eq!(place, cursor(2));
            frame.answered(&[wire(1)])
        }
    });
    let first = client.wallet(9, &STATES, 2, None, 5).await.expect("a page");
    assert_eq!(first.items, [item(3), item(2)]);
    let next = first.next.expect("the page was full");
    // A gateway hands it out and gets it back.
    let next = Cursor::from_bytes(next.to_bytes());
    let last = client.wallet(9, &STATES, 2, Some(next), 5).await.expect("a page");
    assert_eq!((last.items, last.next), (vec![item(1)], None));
}

#[tokio::test]
async fn an_empty_wallet_is_one_empty_page() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| {
        assert_eq!(frame.items::<WalletQuery>(), [WalletQuery::new(9, &[], 1_024)]);
        frame.answered::<wallet::WalletItem>(&[])
    });
    let page = client.wallet(9, &[], 1_024, None, 0).await.expect("a page");
    assert_eq!((page.items, page.next), (vec![], None));
}
