//! The journal's writes are not slowed while RocksDB cannot move its table files: its stores share their threads, and
//! another one's merge may take all of them for minutes.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use rocksdb::compaction_filter::Decision;
use rocksdb::{DB, Options};
use stockade::journal::{Reader, RocksOptions, RocksStore, Store};

/// Threads that merge and move table files, of all stores of a process.
const THREADS: usize = 2;

/// Table files, more than those at which RocksDB slows writers down by itself (20), and fewer than those at which it
/// stops them (36): then a mistake would hang the test.
const TABLES: usize = 30;

/// A merge that began, and ends when the sender is dropped.
struct Merge {
    end: Sender<()>,
    thread: JoinHandle<()>,
}

impl Merge {
    fn begin(folder: &Path) -> Self {
        let (begun, begins): (Sender<()>, Receiver<()>) = channel();
        let (end, ends) = channel::<()>();
        let (begun, ends) = (Mutex::new(begun), Mutex::new(ends));
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_compaction_filter("waits", move |_, _, _| {
            let _nobody_waits_any_more = begun.lock().send(());
            let _ended = ends.lock().recv();
            Decision::Keep
        });
        let store = DB::open(&options, folder).expect("it opens");
        store.put(b"key", b"value").expect("it writes");
        store.flush().expect("it flushes");
        let thread = thread::spawn(move || store.compact_range(None::<&[u8]>, None::<&[u8]>));
        begins.recv().expect("it begins");
        Self { end, thread }
    }

    fn end(self) {
        drop(self.end);
        self.thread.join().expect("it ends");
    }
}

fn tables(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("it is there");
    entries.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().extension() == Some("sst".as_ref()))).count()
}

#[test]
fn writes_are_not_slowed_while_no_table_file_can_be_moved() {
    let home = tempfile::tempdir().expect("room on the disk");
    let folder = home.path().join("journal");
    let options = RocksOptions { segment_bytes: 1 << 16, synced: false };
    let mut store = RocksStore::open(&folder, options, true).expect("it opens");
    let merges = (0..THREADS).map(|number| Merge::begin(&home.path().join(format!("other-{number}"))));
    let merges = merges.collect::<Vec<_>>();
    let (mut epoch, group) = (0, vec![7; 1 << 16]);
    while tables(&folder) < TABLES {
        epoch += 1;
        store.write(epoch, &group).expect("it writes");
    }
    let log = fs::read_to_string(folder.join("LOG")).expect("RocksDB's own log");
    merges.into_iter().for_each(Merge::end);
    let slowed = log.lines().filter(|line| line.contains("level-0 files")).collect::<Vec<_>>();
    assert!(slowed.is_empty(), "{slowed:#?}");
    let mut read = 0;
    store
        .for_each(0, &mut |_, _| {
            read += 1;
            true
        })
        .expect("it reads");
    assert_eq!(read, epoch);
}
