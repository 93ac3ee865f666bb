//! A store over single keys: the store contract and the lifecycle of a session.

use carafe_core::store::{CasStore, conformance::CasMemory};

carafe_core::session_store_conformance!(futures_executor::block_on, async {
    CasStore::new(CasMemory::default())
});

carafe_core::session_life_conformance!(futures_executor::block_on, async {
    CasStore::new(CasMemory::default())
});
