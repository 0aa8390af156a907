//! The cap on connections: one more is closed at once without a word, and the others stay.

use std::io::{ErrorKind, Write};

use stockade::server::{Server, ServerOptions};
use stockade_protocol::claim::Claim;

use crate::support::frame::hello;
use crate::support::link::Link;
use crate::support::patience::wait_until;
use crate::support::shop::{Shop, options, terms};

const CAP: usize = 3;

#[test]
fn one_more_than_the_cap_is_closed_at_once() {
    let shop = Shop::open(2, ServerOptions { connections_max: CAP, ..options() });
    let mut clients = vec![shop.client_with_batch(1, &terms(10))];
    clients.extend((1..CAP).map(|_| shop.client()));
    for _ in 0..10 {
        Link::open(shop.address()).must_end();
    }
    for client in &mut clients {
        client.ping();
    }
    assert_eq!(shop.server.as_ref().map(Server::connections), Some(CAP));

    // A place is free again as soon as the server has noticed.
    drop(clients.pop());
    let mut newcomer = None;
    wait_until("the free place is given away", || {
        newcomer = try_greet(&shop);
        newcomer.is_some()
    });
    let mut newcomer = newcomer.expect("just tried");
    assert_eq!(newcomer.claim(&[Claim::new(1, 1, 1, 1)])[0].granted, 1);
    Link::open(shop.address()).must_end();
    clients.iter_mut().for_each(Link::ping);
}

/// A greeted connection, or `None` if the server has closed it.
fn try_greet(shop: &Shop) -> Option<Link> {
    let mut link = Link::open(shop.address());
    match link.stream.write_all(&hello("")) {
        Ok(()) => link.reply_or_end().map(|_welcome| link),
        Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => None,
        Err(error) => panic!("neither a place nor a close: {error}"),
    }
}
