//! Impossible arguments are refused before anything is sent, by name.

use std::time::Duration;

use stockade_client::{Builder, CONNECTIONS_MAX, Client, ClientError, DEADLINE_MAX, Fields, Terms};

use crate::support::FakeServer;

fn argument(result: Result<impl std::fmt::Debug, ClientError>) -> &'static str {
    match result {
        Err(ClientError::InvalidInput { argument, .. }) => argument,
        other => panic!("{other:?} is no InvalidInput"),
    }
}

fn good() -> Builder {
    Client::builder("stock.example:7400")
}

#[test]
fn the_builder_names_the_setting() {
    for server in ["", "stock.example", ":7400", "stock.example:", "stock.example:0", "stock.example:70000", "::1:7400"]
    {
        assert_eq!(argument(Client::builder(server).build()), "server", "{server:?}");
    }
    for server in ["stock.example:7400", "127.0.0.1:1", "[::1]:7400"] {
        assert!(Client::builder(server).build().is_ok(), "{server:?}");
    }
    assert_eq!(argument(good().connections(0).build()), "connections");
    assert_eq!(argument(good().connections(CONNECTIONS_MAX + 1).build()), "connections");
    assert_eq!(argument(good().deadline(Duration::ZERO).build()), "deadline");
    assert_eq!(argument(good().deadline(DEADLINE_MAX + Duration::from_nanos(1)).build()), "deadline");
    assert_eq!(argument(good().attempts(0).build()), "attempts");
    assert_eq!(argument(good().backoff(Duration::ZERO, Duration::ZERO).build()), "backoff");
    assert_eq!(argument(good().backoff(Duration::from_secs(2), Duration::from_secs(1)).build()), "backoff");
    assert_eq!(argument(good().silence_limit(Duration::ZERO).build()), "silence_limit");
    assert_eq!(argument(good().name("x".repeat(57)).build()), "name");
    assert_eq!(argument(good().token("x".repeat(65)).build()), "token");
    assert_eq!(argument(good().token("two\nlines").build()), "token");
}

#[test]
fn a_token_stays_out_of_debug_output() {
    let builder = good().token("secret-token");
    assert!(!format!("{builder:?}").contains("secret-token"));
    let client = builder.build().expect("valid");
    assert!(!format!("{client:?}").contains("secret-token"));
}

#[tokio::test]
async fn arguments_that_cannot_be_sent_are_refused_without_a_connection() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let terms = Terms { stock: 1, name: "x".repeat(89), ..Terms::default() };
    assert_eq!(argument(client.create_batch(1, &terms).await), "name");
    assert_eq!(argument(client.edit_batch(1, Fields::NAME, &terms, 0).await), "name");
    let terms = Terms { stock: 1, zone: "x".repeat(41), ..Terms::default() };
    assert_eq!(argument(client.create_batch(1, &terms).await), "zone");
    assert_eq!(argument(client.edit_batch(1, Fields::NAME, &terms, 0).await), "zone");
    assert_eq!(argument(client.edit_batch(1, Fields(1 << 9), &Terms::default(), 0).await), "fields");
    for limit in [0, 1_025, u32::MAX] {
        assert_eq!(argument(client.list_batches(0, limit).await), "limit");
        assert_eq!(argument(client.list_coupons(1, 0, limit, 0).await), "limit");
        assert_eq!(argument(client.batch_stats(1, 0, limit, 0).await), "limit");
        assert_eq!(argument(client.wallet(9, &[], limit, None, 0).await), "limit");
        assert_eq!(argument(client.clients(0, limit).await), "limit");
        assert_eq!(argument(client.feed_consumers(0, limit).await), "limit");
    }
}
