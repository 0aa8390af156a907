//! How a command ends.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// It did what it was asked to, and the result is bad; or it could not.
pub(super) const FAILED: u8 = 1;
/// It was asked for something that it cannot do.
pub(super) const USAGE: u8 = 2;

/// Says why on standard error.
pub(super) fn fail(text: &str, status: u8) -> ExitCode {
    // Standard error may be closed; the exit status says it all the same.
    let _ = writeln!(io::stderr(), "stockade-loadtest: {text}");
    status.into()
}

/// Why a file cannot be written at `path`, as far as that can be told before there is anything to write.
pub(super) fn unwritable(flag: &str, path: &Path) -> Option<String> {
    let shown = path.display();
    if path.is_dir() {
        return Some(format!("{flag} {shown} is a folder: name a file in it"));
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .map_or_else(|| PathBuf::from("."), Path::to_owned);
    let is_missing = path.file_name().is_none() || !folder.is_dir();
    is_missing.then(|| format!("{flag} {shown}: there is no folder {}: make it first", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_in_a_folder_that_is_there_can_be_written() {
        assert_eq!(unwritable("--report", Path::new("new.html")), None);
        let folder = unwritable("--report", Path::new("/")).unwrap();
        assert!(folder.contains("--report / is a folder"), "{folder}");
        let missing = unwritable("--hgrm", Path::new("/nowhere/at/all.hgrm")).unwrap();
        assert!(missing.contains("no folder /nowhere/at: make it first"), "{missing}");
    }
}
