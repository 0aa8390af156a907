//! A status that the client does not know is a refusal not worth a retry.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stockade_client::{ClientError, CouponRequest, Status};
use stockade_protocol::claim::ClaimReply;
use stockade_protocol::coupon::{Changed, CouponInfo};
use stockade_protocol::feed::Acknowledged;
use stockade_protocol::limits::HEADER_BYTES;
use stockade_protocol::{Opcode, batch};

use crate::support::{CLAIM, FakeServer};

const NEW_STATUS: u8 = 200;

#[tokio::test]
async fn an_unknown_status_of_an_item_and_of_a_frame_refuses_the_claim() {
    for is_whole_frame in [false, true] {
        let server = FakeServer::start().await;
        let client = server.client().build().expect("valid");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let connections = server.serve(move |frame| {
            count.fetch_add(1, Ordering::Relaxed);
            let mut reply = if is_whole_frame {
                frame.refused(Status::SoldOut, "the moon is full")
            } else {
                frame.answered(&[ClaimReply::refused(Status::SoldOut)])
            };
            reply[HEADER_BYTES] = NEW_STATUS;
            reply
        });
        let result = client.claim(CLAIM).await;
        let Err(ClientError::Protocol { reason, .. }) = result else { panic!("{result:?} guesses what 200 means") };
        let text = if is_whole_frame { " (the moon is full)" } else { "" };
        assert_eq!(reason, format!("refused with status 200{text}, which this client does not know: update it"));
        assert_eq!(asked.load(Ordering::Relaxed), 1, "no retry");
        assert_eq!(connections.load(Ordering::Relaxed), 1, "the stream was in step");
    }
}

#[tokio::test]
async fn an_unknown_status_refuses_every_other_operation_too() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let _ = server.serve(move |frame| {
        count.fetch_add(1, Ordering::Relaxed);
        let mut reply = match frame.opcode {
            Opcode::CouponChange => frame.answered(&[Changed::refused(Status::NotYours)]),
            Opcode::CouponShow => frame.answered(&[CouponInfo::refused(Status::SerialUnknown, 1, 2)]),
            Opcode::FeedForget => frame.answered(&[Acknowledged::new(Status::RequestUnknown, 0)]),
            Opcode::BatchWithdraw => frame.answered(&[batch::BatchInfo::refused(Status::Closed, 1)]),
            _ => frame.answered(&[ClaimReply::refused(Status::SoldOut)]),
        };
        reply[HEADER_BYTES] = NEW_STATUS;
        reply
    });
    let coupon = CouponRequest { batch: 1, user: 9, serial: 2, order: 88 };
    let results = [
        client.confirm(1, 9, 7).await.map(|_| ()),
        client.cancel(1, 9, 7).await.map(|_| ()),
        client.lock_coupon(coupon).await.map(|_| ()),
        client.show_coupon(1, 2).await.map(|_| ()),
        client.withdraw_stock(1, 7, 1).await.map(|_| ()),
        client.forget_consumer("mails").await.map(|_| ()),
    ];
    for result in &results {
        assert!(matches!(result, Err(ClientError::Protocol { .. })), "{result:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), results.len(), "no retry");
}
