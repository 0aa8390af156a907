//! What must not outlive a sweep: its folder, and the server that runs in it.
//!
//! Whoever ends the sweep (its last line, an error, a signal, a panic) clears the premises. They stay closed then: a
//! server that would be started a moment later is not.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

/// A folder of its own and at most one server. Cleared when it is dropped.
#[derive(Debug)]
pub struct Premises {
    folder: PathBuf,
    held: Arc<Mutex<Held>>,
}

/// Clears premises from elsewhere: a thread that waits for signals, a panic.
#[derive(Clone, Debug)]
pub struct Cleaner(Arc<Mutex<Held>>);

#[derive(Debug)]
struct Held {
    folder: PathBuf,
    server: Option<Child>,
    is_closed: bool,
}

impl Premises {
    /// A new folder in `parent`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(parent: &Path) -> io::Result<Self> {
        let folder = parent.join(format!("stockade-sweep-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let held = Held { folder: folder.clone(), server: None, is_closed: false };
        Ok(Self { folder, held: Arc::new(Mutex::new(held)) })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Someone else who may clear them.
    #[must_use]
    pub fn cleaner(&self) -> Cleaner {
        Cleaner(Arc::clone(&self.held))
    }

    /// Starts a server, after ending the one that is there: its standard output, if `command` pipes it.
    ///
    /// # Errors
    /// When it does not start, or the premises are closed.
    pub fn start(&self, command: &mut Command) -> io::Result<Option<ChildStdout>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_closed {
            return Err(io::ErrorKind::Interrupted.into());
        }
        held.end_server();
        let mut child = command.spawn()?;
        let output = child.stdout.take();
        held.server = Some(child);
        Ok(output)
    }

    /// Whether someone else has cleared them.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).is_closed
    }

    /// Kills the server, if there is one, and waits until it is gone.
    pub fn end_server(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).end_server();
    }
}

impl Drop for Premises {
    fn drop(&mut self) {
        self.cleaner().clear();
    }
}

impl Cleaner {
    /// Kills the server, removes the folder, and lets nobody in any more.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The same, unless someone is at it: for a thread that may be that one.
    pub fn clear_unless_busy(&self) {
        match self.0.try_lock() {
            Ok(mut held) => held.clear(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().clear(),
            Err(TryLockError::WouldBlock) => {}
        }
    }
}

impl Held {
    fn clear(&mut self) {
        self.is_closed = true;
        self.end_server();
        // It may be gone already. What else could be done about it, nobody is left to do.
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn end_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Both fail only for a process that is gone.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use rustix::process::{Pid, test_kill_process};

    use super::*;

    /// A folder for one test. Nothing is in it at the end, or it stays.
    struct Parent(PathBuf);

    impl Drop for Parent {
        fn drop(&mut self) {
            let _ = fs::remove_dir(&self.0);
        }
    }

    /// Premises with a process that would stay for ever.
    fn premises(name: &str) -> (Parent, Premises, Pid) {
        let parent = std::env::temp_dir().join(format!("stockade-premises-{}-{name}", std::process::id()));
        fs::create_dir_all(&parent).unwrap();
        let premises = Premises::open(&parent).unwrap();
        premises.start(Command::new("sleep").arg("600").stdin(Stdio::null())).unwrap();
        let held = premises.held.lock().unwrap();
        let pid = Pid::from_child(held.server.as_ref().unwrap());
        drop(held);
        (Parent(parent), premises, pid)
    }

    #[test]
    fn nothing_outlives_them() {
        let (_parent, premises, pid) = premises("dropped");
        let folder = premises.folder().to_owned();
        fs::write(folder.join("file"), "x").unwrap();
        test_kill_process(pid).unwrap();
        drop(premises);
        assert!(test_kill_process(pid).is_err(), "the process is gone, and waited for");
        assert!(!folder.exists());
    }

    #[test]
    fn they_stay_closed_once_cleared() {
        let (_parent, premises, pid) = premises("closed");
        assert!(!premises.is_closed());
        premises.cleaner().clear_unless_busy();
        assert!(premises.is_closed());
        assert!(test_kill_process(pid).is_err());
        let late = premises.start(Command::new("sleep").arg("600"));
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn a_new_server_takes_the_place_of_the_old_one() {
        let (_parent, premises, pid) = premises("replaced");
        premises.start(Command::new("sleep").arg("600").stdin(Stdio::null())).unwrap();
        assert!(test_kill_process(pid).is_err());
    }
}
