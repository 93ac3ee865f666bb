//! The memory store against the contract.

#![cfg(feature = "conformance")]

use carafe_core::store::MemoryStore;

carafe_core::session_store_conformance!(futures_executor::block_on, async { MemoryStore::new() });
