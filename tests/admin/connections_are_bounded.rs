//! A client that says nothing keeps its place for a while, not for ever, and there are 64 places.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::support::{admin, connect, read_answer};

const PLACES: usize = 64;

#[test]
fn the_65th_waits_until_a_silent_one_is_cut() {
    let admin = admin();
    let mut silent = (0..PLACES).map(|_| connect(admin.address())).collect::<Vec<_>>();
    // Half a request is silence too.
    silent[1].write_all(b"GET /livez HTTP/1.1\r\nHost:").unwrap();
    let mut next = connect(admin.address());
    next.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(read_answer(&mut next).status, 200);
    let cut = silent.iter_mut().filter_map(|stream| is_cut(stream).then_some(())).count();
    assert!(cut > 0, "the 65th was answered before any of the 64 had ended");
    for mut stream in silent {
        stream.set_nonblocking(false).unwrap();
        assert!(matches!(stream.read(&mut [0; 1]), Ok(0)), "every silent one is cut");
    }
}

/// Whether the other side has ended this connection.
fn is_cut(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a socket");
    match stream.read(&mut [0; 1]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}
