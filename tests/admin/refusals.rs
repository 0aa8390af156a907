//! What the port refuses, each with an answer that the client can read.

use stockade::admin::Admin;

use crate::support::{admin, get, send};

#[test]
fn unknown_paths_are_named_404() {
    let admin = admin();
    for path in ["/", "/metrics/", "/metric", "/Metrics", "/livez%00", "//metrics", "/%2e%2e/metrics"] {
        let answer = get(admin.address(), path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.body, "nothing is here: ask for /metrics, /livez or /readyz\n");
    }
    assert_eq!(get(admin.address(), "/livez?verbose=1").status, 200, "a query changes nothing");
}

#[test]
fn only_reading_is_allowed() {
    let admin = admin();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "NONSENSE"] {
        let answer = send(admin.address(), format!("{method} /metrics HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "GET, HEAD");
        assert_eq!(answer.body, "this port only tells: use GET\n");
    }
    let head = send(admin.address(), b"HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), "alive\n".len().to_string());
}

fn is_refused_with_body(admin: &Admin, request: &[u8]) {
    let answer = send(admin.address(), request);
    assert_eq!(answer.status, 413);
    assert_eq!(answer.body, "this port takes no body: send the request without one\n");
}

#[test]
fn a_body_is_refused_unread() {
    let admin = admin();
    is_refused_with_body(&admin, b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    is_refused_with_body(&admin, b"GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    is_refused_with_body(&admin, b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
    // Far more than the sockets hold: the answer arrives although nobody wanted the bytes before it.
    let head = format!("GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 800_000);
    is_refused_with_body(&admin, &[head.into_bytes(), vec![b'x'; 800_000]].concat());
    let empty = send(admin.address(), b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(empty.status, 200);
}

#[test]
fn oversized_headers_are_refused() {
    let admin = admin();
    let long = |bytes: usize| format!("GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(bytes));
    assert_eq!(send(admin.address(), long(7_000).as_bytes()).status, 200);
    for bytes in [8_300, 20_000, 700_000] {
        assert_eq!(send(admin.address(), long(bytes).as_bytes()).status, 431, "{bytes} bytes");
    }
    let many = |count: usize| format!("GET /livez HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(count));
    assert_eq!(send(admin.address(), many(60).as_bytes()).status, 200);
    assert_eq!(send(admin.address(), many(65).as_bytes()).status, 431);
    let path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(700_000));
    assert!([414, 431].contains(&send(admin.address(), path.as_bytes()).status));
}

#[test]
fn what_is_no_http_harms_nobody() {
    let admin = admin();
    for nonsense in
        ["STKD\x01\x01\0\0", "\x16\x03\x01\x02\0\x01", "\r\n\r\nhello there\r\n\r\n", "GET /livez HTTP/3.0\r\n\r\n"]
    {
        let mut stream = crate::support::connect(admin.address());
        std::io::Write::write_all(&mut stream, nonsense.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut said = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut said).unwrap();
        let said = String::from_utf8(said).unwrap();
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 "), "{nonsense:?}: {said}");
    }
    assert_eq!(get(admin.address(), "/livez").status, 200);
}

#[test]
fn one_request_a_connection() {
    let admin = admin();
    let twice = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = send(admin.address(), twice);
    assert_eq!((answer.status, answer.body.as_str()), (200, "alive\n"));
    assert_eq!(answer.header("connection"), "close");
    assert_eq!(send(admin.address(), b"GET /livez HTTP/1.0\r\n\r\n").status, 200, "an old client is served too");
}
