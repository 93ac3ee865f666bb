//! The memory store against the contract, and the life of a session on it.

#![cfg(feature = "conformance")]

use carafe_core::store::MemoryStore;

carafe_core::session_store_conformance!(futures_executor::block_on, async { MemoryStore::new() });

carafe_core::session_life_conformance!(futures_executor::block_on, async { MemoryStore::new() });
