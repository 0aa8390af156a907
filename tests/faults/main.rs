//! The journal and the engine under crashes and faults: on a store in memory that loses, tears and fails, and on the
//! disk. One program, because each links RocksDB.

mod engine_added_stock;
mod engine_bounds;
mod engine_clock;
mod engine_closed_batches_give_memory_back;
mod engine_limits;
mod engine_look_ahead;
mod engine_no_space;
mod engine_operations_of_neighbouring_epochs;
mod engine_quantities;
mod engine_refused_users_leave_nothing;
mod engine_replay;
mod engine_states;
mod index_history;
mod journal_broken_promises;
mod journal_call_failure;
mod journal_checkpoint;
mod journal_checkpoint_disk;
mod journal_checkpoint_parts;
mod journal_damage;
mod journal_disk_damage;
mod journal_folder;
mod journal_inflow;
mod journal_ledger;
mod journal_negative_controls;
mod journal_power_loss;
mod journal_recycled_log;
mod journal_rocksdb;
mod journal_torn_tail;
mod journal_unmoved_tables;
mod support;

/// The server's allocator: some tests measure what it gives back.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
