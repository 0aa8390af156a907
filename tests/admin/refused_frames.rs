//! Frames that the data port refuses as a whole, counted by status.

use std::io::{Read, Write};

use stockade_protocol::Opcode;
use stockade_protocol::claim::{Claim, RequestKey};

use crate::served_claims::{Gateway, serve};
use crate::support::{admin_of, memory_engine, scrape};

#[test]
fn each_is_counted_under_its_status() {
    let running = memory_engine(2);
    let (server, admin) = (serve(&running.engine), admin_of(&running));
    let page = scrape(&admin);
    let at_first = page.family("stockade_refused_frames_total").by("status");
    assert!(at_first.values().all(|count| *count == 0));
    let rates_begin_at_zero = ["deadline_passed", "malformed", "token_invalid", "unavailable"];
    assert!(rates_begin_at_zero.iter().all(|status| at_first.contains_key(status)), "{at_first:?}");

    // One for each core.
    for _ in 0..2 {
        let mut gateway = Gateway::connect(&server);
        gateway.send(Opcode::Serials, &[RequestKey::new(7, 1, 1)]);
        gateway.send(Opcode::Serials, &[RequestKey::new(8, 1, 1)]);
        // Each of these claims is refused for itself: the frame is not.
        gateway.send(Opcode::Claim, &[Claim::new(7, 1, 1, 1); 3]);
        gateway.send::<Claim>(Opcode::Claim, &[]);
        gateway.stream.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("the server reads");
        gateway.stream.read_to_end(&mut Vec::new()).expect("answers, then the end");
    }
    let page = scrape(&admin);
    let mut refused = page.family("stockade_refused_frames_total").by("status");
    refused.retain(|_, count| *count > 0);
    assert_eq!(refused.into_iter().collect::<Vec<_>>(), [("batch_unknown", 4), ("malformed", 4)]);
    assert_eq!(page.count("stockade_claims_total", &[("result", "batch_unknown")]), 6);
    server.shutdown();
}
