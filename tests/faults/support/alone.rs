//! A test in a process of its own: this program, started again for one ignored test.

use std::ffi::OsStr;
use std::process::{Command, Output};

/// Runs the ignored test with this name, as `concat!(module_path!(), "::", …)` gives it, and returns what it said.
pub(crate) fn in_another_process(test: &str, variables: &[(&str, &OsStr)]) -> Output {
    // The test runner names tests without the crate.
    let (_crate, name) = test.split_once("::").expect("a module of this program");
    let this = std::env::current_exe().expect("this program has a file");
    let mut command = Command::new(this);
    command.args(["--exact", name, "--ignored", "--nocapture"]).envs(variables.iter().copied());
    let output = command.output().expect("this program starts again");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("running 1 test"), "there is no ignored test {name}: {said}");
    output
}

/// The same for a test that must pass. The allocator gives memory back at once, so that it can be measured.
pub(crate) fn must_pass_alone(test: &str) {
    let Output { status, stdout, stderr } =
        in_another_process(test, &[("MALLOC_CONF", OsStr::new("dirty_decay_ms:0,muzzy_decay_ms:0"))]);
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{test} alone in its process: {status}\n{stdout}\n{stderr}");
}
