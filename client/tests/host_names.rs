//! The server may be given by name; each of its addresses is tried.

use stockade_client::Client;

use crate::support::{CLAIM, FakeServer, Received};

#[tokio::test]
async fn a_name_is_resolved_and_its_addresses_tried_in_turn() {
    let server = FakeServer::start().await;
    // Often ::1 as well, where this server does not listen.
    let named = server.address().replace("127.0.0.1", "localhost");
    let client = Client::builder(named).build().expect("valid");
    let _ = server.serve(Received::granted);
    assert_eq!(client.claim(CLAIM).await.expect("granted").serials, [9]);
}
