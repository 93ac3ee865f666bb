//! The memory store against the contract, and the life of a session on it.

#![cfg(feature = "conformance")]

use carafe_core::store::{MemoryStore, conformance::ThroughAtOnce};

carafe_core::session_store_conformance!(futures_executor::block_on, async { MemoryStore::new() });

carafe_core::session_life_conformance!(futures_executor::block_on, async { MemoryStore::new() });

/// The life of a session above goes this way, and the contract above does not.
mod at_once {
    use super::*;

    carafe_core::session_store_conformance!(futures_executor::block_on, async {
        ThroughAtOnce(MemoryStore::new())
    });
}

/// And the life of a session the other way.
mod with_futures {
    use super::*;

    carafe_core::session_life_conformance!(futures_executor::block_on, async {
        ThroughAtOnce(MemoryStore::new())
    });
}
