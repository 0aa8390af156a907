//! Files and flags that cannot be carried out: exit status 2 and a sentence that helps.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Exit status and standard error of a run with this scenario file and these flags. No server is needed: none is
/// reached.
fn refused(name: &str, file: Option<&str>, flags: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade-loadtest"));
    command.arg("run").args(flags);
    if let Some(text) = file {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, text).unwrap();
        command.arg("--scenario").arg(path);
    }
    let output = command.output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_line_the_key_and_what_is_wanted_are_named() {
    let text = "seed = 1\n[batch]\nstok = 5\n";
    let (status, error) = refused("unknown-key.toml", Some(text), &[]);
    assert_eq!(status, Some(2), "{error}");
    for part in ["unknown-key.toml", "line 3", "stok", "`stock`"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn all_values_out_of_bounds_are_named_at_once_whether_from_flag_or_file() {
    let (status, error) =
        refused("bounds.toml", Some("window = 0\nrate = 5\n"), &["--rate", "0", "--retry-ratio", "2"]);
    assert_eq!(status, Some(2), "{error}");
    for part in ["window is 0", "rate is 0", "retry_ratio is 2"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_file_that_is_not_there_a_bad_flag_and_a_bad_address_are_usage_errors() {
    for flags in [
        ["--scenario", "/nowhere/at-all.toml"],
        ["--duration", "5"],
        ["--per-user", "0"],
        ["--arrivals", "sometimes"],
        ["--server", "no-port"],
    ] {
        let (status, error) = refused("", None, &flags);
        assert_eq!(status, Some(2), "{flags:?}: {error}");
        assert!(error.contains(flags[1]), "{flags:?}: {error}");
    }
}
