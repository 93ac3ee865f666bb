//! The contract of stores, through a guard.

use carafe::{Guarded, MemoryStore};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

mod guarded {
    carafe_core::session_store_conformance!(super::block_on, async {
        super::Guarded::new(super::MemoryStore::new())
    });
}

mod guarded_with_stale_reads {
    use carafe::{GuardOptions, MemoryStore, store::guard::StaleRules};

    carafe_core::session_store_conformance!(super::block_on, async {
        let options = GuardOptions::default().with_stale_reads(StaleRules::default());
        options.guard(MemoryStore::new())
    });
}

mod guarded_of_unknown_type {
    use std::sync::Arc;

    use carafe::{GuardOptions, Guarded, MemoryStore, SessionStore};

    fn guarded() -> Guarded<dyn SessionStore> {
        let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
        GuardOptions::default().guard_shared(store)
    }

    carafe_core::session_store_conformance!(super::block_on, async { guarded() });
}
