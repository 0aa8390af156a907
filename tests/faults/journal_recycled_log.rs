//! Logs that are written over: behind the newest group lie old bytes, not the end of the file. A group that was torn
//! when the power went, at any byte or with any of its pages missing, is there as a whole or not at all, and nothing
//! before it is lost.

use std::path::{Path, PathBuf};

use crate::support::folder::{Files, files, restore, try_open};
use crate::support::offer::{create, terms};
use crate::support::rng::Rng;
use crate::support::shop::answered;
use stockade::engine::{Engine, verify};
use stockade_protocol::Status;
use stockade_protocol::claim::Claim;

const BATCH: u64 = 1;
const PAGE: usize = 4_096;

/// Claims of so many new users, in one group.
fn sell(engine: &Engine, users: std::ops::Range<u64>) {
    let granted = answered(engine, 0, |burst| {
        let claims = users.clone().map(|user| burst.claim(&Claim::new(BATCH, user, 1, 1)));
        claims.filter(|reply| reply.status() == Some(Status::Granted)).count()
    });
    assert_eq!(granted as u64, users.end - users.start);
}

/// The newest log and its bytes.
fn log(files: &Files) -> (&PathBuf, &Vec<u8>) {
    let logs = files.iter().filter(|(path, _)| path.extension().is_some_and(|extension| extension == "log"));
    logs.max().expect("there is a log")
}

/// A folder before and after a group that was written over old bytes.
struct Torn {
    before: Files,
    after: Files,
    log: PathBuf,
    /// The bytes of the log that the group changed.
    changed: std::ops::Range<usize>,
    grants: (u64, u64),
}

impl Torn {
    fn bytes(&self, files: &Files) -> Vec<u8> {
        files[&self.log].clone()
    }

    /// What is left when `mix` says what of the new bytes came to the disk.
    fn is_whole_or_gone(&self, home: &Path, mix: impl FnOnce(&mut Vec<u8>, &[u8]), context: &str) -> bool {
        let copy = home.join("copy");
        let mut log = self.bytes(&self.before);
        mix(&mut log, &self.bytes(&self.after));
        // The ledger did not come to the disk with the group.
        restore(&self.before, &copy);
        std::fs::write(copy.join(&self.log), log).expect("room on the disk");
        let running = try_open(&copy, 1).unwrap_or_else(|error| panic!("{context}: {error}"));
        let grants = running.report.records;
        assert!(grants == self.grants.0 || grants == self.grants.1, "{context}: {grants} of {:?}", self.grants);
        // Work goes on behind it.
        sell(&running.engine, 1_000_000..1_000_003);
        drop(running);
        let verification = verify(&copy).expect("it can be read");
        assert_eq!((verification.findings, verification.grants), (Vec::new(), grants + 3), "{context}");
        std::fs::remove_dir_all(&copy).expect("it is ours");
        grants == self.grants.1
    }
}

/// Fills a folder until its log is one that was written before, then writes a group of `last` claims.
fn torn(home: &Path, last: u64) -> Torn {
    let folder = home.join("data");
    let running = try_open(&folder, 1).expect("a new folder");
    create(&running.engine, BATCH, &terms(2_000_000));
    let (mut users, mut rounds) = (0, 0);
    let found = loop {
        // Segments are of a mebibyte: a log is used again after some of them.
        sell(&running.engine, users..users + 20_000);
        users += 20_000;
        let before = files(&folder);
        sell(&running.engine, users..users + last);
        users += last;
        let after = files(&folder);
        let ((path, old), (path_after, new)) = (log(&before), log(&after));
        let kept_its_length = path == path_after && old.len() == new.len();
        let mut changes = old.iter().zip(new).enumerate().filter(|(_, (old, new))| old != new).map(|(at, _)| at);
        if let (true, Some(first)) = (kept_its_length, changes.next()) {
            let changed = first..changes.next_back().unwrap_or(first) + 1;
            let (log, grants) = (path.clone(), (users - last, users));
            // With enough old bytes behind it.
            if old[changed.end..].iter().any(|byte| *byte != 0) {
                break Torn { before, after, log, changed, grants };
            }
        }
        rounds += 1;
        assert!(rounds < 100, "no log is ever used again");
    };
    drop(running);
    found
}

#[test]
fn a_group_torn_at_any_byte_is_whole_or_gone() {
    let home = tempfile::tempdir().expect("room on the disk");
    let torn = torn(home.path(), 3);
    let mut whole = 0;
    for cut in torn.changed.clone().chain([torn.changed.end]) {
        let mix = |log: &mut Vec<u8>, new: &[u8]| log[..cut].copy_from_slice(&new[..cut]);
        whole += u32::from(torn.is_whole_or_gone(home.path(), mix, &format!("cut at {cut} of {:?}", torn.changed)));
    }
    assert!(whole >= 1, "all its bytes are the whole group");
    assert!(torn.changed.len() > 100, "{:?}", torn.changed);
}

#[test]
fn a_group_of_which_any_pages_are_missing_is_whole_or_gone() {
    let home = tempfile::tempdir().expect("room on the disk");
    let torn = torn(home.path(), 4_000);
    let pages = torn.changed.start / PAGE..torn.changed.end.div_ceil(PAGE);
    assert!(pages.len() > 10, "{pages:?}");
    let mut rng = Rng::new(7);
    for round in 0..60 {
        let share = rng.below(100);
        let mut written = pages.clone().filter(|_| rng.chance(share)).collect::<Vec<_>>();
        if round == 0 {
            written = pages.clone().collect();
        }
        let mix = |log: &mut Vec<u8>, new: &[u8]| {
            for page in &written {
                let bytes = page * PAGE..((page + 1) * PAGE).min(log.len());
                log[bytes.clone()].copy_from_slice(&new[bytes]);
            }
        };
        let whole = torn.is_whole_or_gone(home.path(), mix, &format!("pages {written:?} of {pages:?}"));
        assert_eq!(whole, written.len() == pages.len(), "pages {written:?} of {pages:?}");
    }
}
