//! The real binary, and what it left behind.

use std::process::{Command, Output, Stdio};

/// What a command left behind.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `stockade` with these arguments and nothing in its environment.
pub(crate) fn stockade(arguments: &[&str]) -> Ran {
    stockade_with(&[], arguments)
}

/// Runs `stockade` with these variables and arguments.
pub(crate) fn stockade_with(environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .env_clear()
        .envs(environment.iter().copied())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let Output { status, stdout, stderr } = output;
    Ran {
        exit: status.code().unwrap_or_else(|| panic!("{arguments:?} died: {status}")),
        stdout: String::from_utf8(stdout).expect("results are UTF-8"),
        stderr: String::from_utf8(stderr).expect("complaints are UTF-8"),
    }
}

impl Ran {
    /// The one line of JSON that it printed.
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.lines().count(), 1, "one line: {:?}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", self.stdout))
    }

    /// Asserts the exit status, and that a complaint came with every status but 0.
    pub(crate) fn exits(&self, expected: i32) -> &Self {
        assert_eq!(self.exit, expected, "stdout {:?} stderr {:?}", self.stdout, self.stderr);
        assert_eq!(self.stderr.is_empty(), expected == 0, "stderr {:?}", self.stderr);
        self
    }
}
