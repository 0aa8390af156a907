//! A client that was written by hand from `docs/protocol.md`, in plain Python without any code of the project, gets
//! along with the real server.

use std::process::Command;

use crate::server::ServerProcess;

#[test]
fn a_client_written_from_the_specification_alone_is_understood() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = ServerProcess::start(&folder.path().join("data"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/handwritten_client.py");
    let output = Command::new("python3").arg(script).arg(server.address().to_string()).output();
    let output = output.expect("python3 is installed: scripts/setup.sh sees to it");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.lines().filter(|line| line.starts_with("ok")).count() > 30, "it took every step:\n{text}");
    assert!(server.terminate().success());
    let verification = ServerProcess::verify(&folder.path().join("data"));
    assert!(verification.clean, "{}", verification.text);
}
