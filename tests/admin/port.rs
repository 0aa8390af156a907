//! The port opens, says why it cannot, and closes.

use std::net::TcpStream;

use stockade::access::Access;
use stockade::admin::{Admin, AdminOptions};
use stockade_protocol::hello::Durability;

use crate::support::{admin, connect};

#[test]
fn an_address_in_use_is_named_with_the_way_out() {
    let (first, access) = (admin(), Access::default());
    let (listen, durability) = (first.address(), Durability::Memory);
    let second = Admin::start(AdminOptions { listen, access, durability, version: "", commit: "" });
    let error = second.err().expect("one port, one owner").to_string();
    let expected = "is in use: stop the other program, or choose another address with --admin-listen";
    assert_eq!(error, format!("{listen} {expected}"));
}

#[test]
fn a_shutdown_closes_it_whoever_is_connected() {
    let admin = admin();
    let address = admin.address();
    let mut silent = connect(address);
    admin.shutdown();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    // A connection that nobody had accepted yet is reset, one that was accepted is closed.
    let end = std::io::Read::read(&mut silent, &mut [0; 1]);
    assert!(end.as_ref().map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |read| *read == 0));
}
