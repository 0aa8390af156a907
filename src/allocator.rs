//! The allocator of the program and its settings.
#![expect(unsafe_code, reason = "the allocator reads its settings from a symbol; there is no safe way to export one")]

/// One allocator for Rust and RocksDB's C++: two would each keep pages that the other needs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// `background_thread`: memory that was freed goes back to the system after ten seconds, also when nothing is
/// allocated.
///
/// Not `thp:always`: large pages made no difference to the rate once the index of users was small, and doubled the
/// slowest answers, since the kernel clears two megabytes at a time (22 November 2026).
///
/// The environment variable `MALLOC_CONF` is read after this and wins.
// SAFETY: the allocator declares `malloc_conf` as a pointer to a C string: a reference to bytes that live for ever and
// end with a zero is one. Nothing else defines the name: the program would not link.
#[unsafe(export_name = "malloc_conf")]
pub(crate) static MALLOC_CONF: &[u8; 23] = b"background_thread:true\0";
