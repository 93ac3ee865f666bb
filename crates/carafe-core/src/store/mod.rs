//! Storage of server-side sessions: the store contract and the types that all stores share.
//!
//! A store offers six operations, each of them atomic. [`SessionStore`] documents their contract,
//! and `conformance` (feature of the same name) tests it for any store. No operation is an upsert:
//! a deleted session stays deleted, even if a request arrives late (CVE-2025-46336).
//!
//! | file | holds |
//! |---|---|
//! | `contract` | [`SessionStore`]; `outcome` has the results of its operations |
//! | `powers` | [`Powers`], the optional operations: [`UserSessions`], [`ExpiredSweep`] and lists |
//! | `erased` | [`ErasedStore`], a store as a trait object |
//! | `cas` | [`CasStore`], a store over a database that compares and swaps single keys |
//! | `budget` | one deadline for all consecutive calls of a request |
//! | `listing` | [`SessionListing`], the listing of all sessions |
//! | `capabilities` | [`Capabilities`], a store's key scheme and the values that it can hold |
//! | `record` | [`Record`], the stored session |
//! | `renewal` | [`Renewal`], the mapping of an ID replaced by a timed renewal to its successor |
//! | `meta` | [`SessionMeta`], a record without its dictionary, for lists |
//! | `sampling` | [`ReadableRows`], the helpers for lists and samples, for stores with rows |
//! | `health` | [`Health`], a store's state for operators |
//! | `url`, `transport` | [`StoreUrl`], displayed without user information; transport security |
//! | `memory` | the reference store |
//! | `migrating` | [`MigratingStore`], two stores combined into one during a migration |
//!
//! A store never sees a session ID, only its SHA-256 (except in layouts of other frameworks:
//! [`KeyScheme::RawId`]). A store never renders a cookie and never reads a clock.
//!
//! # Example
//!
//! The life of one record. [`SessionManager`](crate::session::SessionManager) makes these calls:
//!
//! ```
//! use carafe_core::clock::Timestamp;
//! use carafe_core::session::{Patch, SessionData};
//! use carafe_core::store::{
//!     Created, KeyState, MemoryStore, Patched, PublicId, Record, SessionMeta, SessionStore,
//! };
//! use carafe_core::token::SessionId;
//!
//! # futures_executor::block_on(async {
//! let store = MemoryStore::new();
//! let (now, later) = (Timestamp::from_unix(0), Timestamp::from_unix(3_600));
//! let key = SessionId::random()?.store_key();
//!
//! let meta = SessionMeta::new(PublicId::random()?, now, later);
//! let record = Record::new(meta, SessionData::default());
//! assert_eq!(store.create(&key, &record, now).await?, Created::Created);
//! assert_eq!(store.create(&key, &record, now).await?, Created::Taken);
//!
//! let mut patch = Patch::new();
//! patch.set("theme", "\"dark\"".to_owned());
//! let Patched::Applied(record) = store.patch(&key, &record, &patch, now).await? else {
//!     panic!("the record is live");
//! };
//! assert_eq!(record.data.text_of("theme"), Some("\"dark\""));
//! assert!(matches!(store.load(&key, later).await?, KeyState::Absent), "expired");
//!
//! assert!(store.delete(&key, now).await?);
//! assert!(matches!(store.load(&key, now).await?, KeyState::Retired));
//! assert!(!store.patch(&key, &record, &patch, now).await?.is_applied(), "no upsert");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod budget;
mod capabilities;
pub mod cas;
mod contract;
mod deadlines;
mod erase;
mod erased;
mod error;
mod health;
mod listing;
mod memory;
mod meta;
mod migrating;
mod outcome;
mod powers;
mod record;
mod renewal;
mod sampling;
mod transport;
mod url;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use crate::{
    future::BoxFuture,
    id::{ClientKind, KeyScheme, Nonce, ParseError, PublicId, StoreKey},
};
pub(crate) use budget::with_budget;
pub use capabilities::Capabilities;
pub use cas::{CasStore, CompareAndSwap};
pub use contract::SessionStore;
pub use deadlines::Deadlines;
pub use erased::ErasedStore;
pub use error::StoreError;
pub use health::Health;
pub use listing::{Cursor, ErasedSessionListing, Sample, ScanPage, SessionListing, estimate};
pub use memory::{MemoryStore, WhenFull};
pub use meta::{Position, SessionMeta};
pub use migrating::{Migrated, MigratingStore, finish, migrate};
pub use outcome::{Created, KeyState, Patched, Selection};
pub use powers::{ErasedExpiredSweep, ErasedUserSessions, ExpiredSweep, Powers, UserSessions};
pub use record::Record;
pub use renewal::{Renewal, Rotation, retired_until};
pub use sampling::ReadableRows;
pub use transport::{TlsMode, Transport, authentication, is_loopback};
pub use url::{InvalidStoreUrl, StoreUrl, redacted};
