//! The allocator of the program and its settings.
#![expect(unsafe_code, reason = "the allocator reads its settings from a symbol; there is no safe way to export one")]

/// One allocator for Rust and RocksDB's C++: two would each keep pages that the other needs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// `background_thread`: memory that was freed goes back to the system after `dirty_decay_ms`, also when nothing is
/// allocated.
///
/// `thp`: in large pages. A look at a user lands anywhere in the tables, and with small pages it waits for the
/// translation of its address, in a virtual machine twice: measured on 28 November 2026 with frames of 64, claims cost
/// 819 ns of processor time without and 687 with them, ten million claims were read back in 1.4 s and in 1.05, the
/// slowest answers of an open loop stayed as they were, and memory grew by 0.6 bytes a claim (`make figures` with
/// `MALLOC_CONF=thp:default`, and without). Where the system does not give large pages, nothing changes.
///
/// The environment variable `MALLOC_CONF` is read after this and wins.
// SAFETY: the allocator declares `malloc_conf` as a pointer to a C string: a reference to bytes that live for ever and
// end with a zero is one. Nothing else defines the name: the program would not link.
#[unsafe(export_name = "malloc_conf")]
pub(crate) static MALLOC_CONF: &[u8; 54] = b"background_thread:true,thp:always,dirty_decay_ms:4000\0";
