//! The conformance tests of stores, through a guard.

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

mod lives {
    carafe_core::session_life_conformance!(super::block_on, async {
        super::Guarded::new(super::MemoryStore::new())
    });
}

/// A store with another framework's layout.
mod guarded_with_plain_names {
    use carafe::{ErasedStore as _, store::Capabilities};
    use carafe_core::store::conformance::{PlainStore, Spy};

    fn guarded() -> super::Guarded<PlainStore> {
        super::Guarded::new(PlainStore::default())
    }

    #[test]
    fn a_guard_reports_the_layout_of_its_store() {
        assert_eq!(
            guarded().capabilities(),
            PlainStore::default().capabilities()
        );
        let spy = Spy::new(PlainStore::default()).with_layout(Capabilities::FLASK_SESSION);
        assert_eq!(
            super::Guarded::new(spy).capabilities(),
            Capabilities::FLASK_SESSION
        );
    }

    carafe_core::session_store_conformance!(super::block_on, async { guarded() });

    mod lives {
        carafe_core::session_life_conformance!(super::super::block_on, async { super::guarded() });
    }
}

mod guarded_of_unknown_type {
    use std::sync::Arc;

    use carafe::{ErasedStore, GuardOptions, Guarded, MemoryStore};

    fn guarded() -> Guarded<dyn ErasedStore> {
        let store: Arc<dyn ErasedStore> = Arc::new(MemoryStore::new());
        GuardOptions::default().guard_shared(store)
    }

    carafe_core::session_store_conformance!(super::block_on, async { guarded() });
}
