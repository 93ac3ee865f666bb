//! The conformance tests of stores and sessions, on files and in memory.
//!
//! Each check has its own database.

use std::sync::atomic::{AtomicU32, Ordering};

use carafe_sqlite::{SqliteOptions, SqliteStore};

use crate::common;

mod file {
    carafe_core::session_store_conformance!(futures_executor::block_on, async {
        super::on_a_new_file("full", super::common::patient())
    });
    carafe_core::session_life_conformance!(futures_executor::block_on, async {
        super::on_a_new_file("life", super::common::patient())
    });
}

mod one_reader_normal_durability {
    use carafe_sqlite::Durability;
    carafe_core::session_store_conformance!(futures_executor::block_on, async {
        let options = super::common::patient().readers(1);
        super::on_a_new_file("normal", options.durability(Durability::Normal))
    });
}

mod memory {
    carafe_core::session_store_conformance!(futures_executor::block_on, async {
        carafe_sqlite::SqliteStore::in_memory(super::common::patient()).expect("memory opens")
    });
}

/// The files are kept until the next run, because the conformance tests have no teardown.
fn on_a_new_file(name: &str, options: SqliteOptions) -> SqliteStore {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let file = common::tmp().join(format!("conformance-{name}-{count}.db"));
    for suffix in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{suffix}", file.display())));
    }
    common::open(&file, options)
}
