//! What a script sees of a server that lost a grant.

use std::process::Command;

use crate::support::{FakeServer, Lie};

#[test]
fn the_report_is_printed_and_the_status_is_1() {
    let server = FakeServer::lying(Lie::ForgetsAGrant);
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade-loadtest"));
    command.args(["run", "--closed", "--claims", "1000", "--warm-up", "0s", "--server", &server.address.to_string()]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("lost                               1   <-- WRONG"), "{text}");
    assert!(text.ends_with("\nFAILED\n"), "{text}");
}
