//! The memory store: the store contract and the lifecycle of a session.

use carafe_core::store::MemoryStore;

carafe_core::session_store_conformance!(futures_executor::block_on, async { MemoryStore::new() });

carafe_core::session_life_conformance!(futures_executor::block_on, async { MemoryStore::new() });

/// A wrapper of a store conforms to the contract, in either layout.
mod spied {
    use super::*;
    use carafe_core::store::conformance::{PlainStore, Spy};

    carafe_core::session_store_conformance!(futures_executor::block_on, async {
        Spy::new(MemoryStore::new())
    });
    carafe_core::session_life_conformance!(futures_executor::block_on, async {
        Spy::new(MemoryStore::new())
    });

    mod with_plain_names {
        use super::*;

        carafe_core::session_store_conformance!(futures_executor::block_on, async {
            Spy::new(PlainStore::default())
        });
        carafe_core::session_life_conformance!(futures_executor::block_on, async {
            Spy::new(PlainStore::default())
        });
    }
}
