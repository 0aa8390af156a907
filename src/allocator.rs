//! The allocator of the program and its settings.
#![expect(unsafe_code, reason = "the allocator reads its settings from a symbol; there is no safe way to export one")]

/// One allocator for Rust and RocksDB's C++: two would each keep pages that the other needs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// `thp`: large pages for all memory. A claim's look at the table of users touches another page each time, and with
/// small ones the processor waits for page tables as well (measured on 22 November 2026: 345 → 245 ns of user time a
/// claim).
///
/// `background_thread`: memory that was freed goes back to the system after ten seconds, also when nothing is
/// allocated.
///
/// The environment variable `MALLOC_CONF` is read after this and wins.
// SAFETY: the allocator declares `malloc_conf` as a pointer to a C string: a reference to bytes that live for ever and
// end with a zero is one. Nothing else defines the name: the program would not link.
#[unsafe(export_name = "malloc_conf")]
pub(crate) static MALLOC_CONF: &[u8; 34] = b"thp:always,background_thread:true\0";
