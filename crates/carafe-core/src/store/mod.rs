//! Where server-side sessions are kept: the contract, and the two things every store shares.
//!
//! A store offers six verbs, each of them atomic: [`SessionStore`] is their contract in prose, and
//! `conformance` (feature of the same name) is the contract as tests, open to every store. There is no
//! upsert: what was deleted stays deleted, whatever arrives late (CVE-2025-46336).
//!
//! | file | holds |
//! |---|---|
//! | `contract` | [`SessionStore`] and the further powers [`UserSessions`], [`ExpiredSweep`] |
//! | `budget` | one bound for all calls that a request needs in a row |
//! | `inventory` | [`Inventory`], the power to look through all sessions |
//! | `layout` | [`Layout`], what a store's records can hold and how they are named |
//! | `record` | [`Record`], what a store keeps; [`StoreKey`], the only name it has for it |
//! | `summary` | [`Summary`], a record without its dictionary, for lists |
//! | `look` | [`Rows`]: how rows become lists and samples, for stores that have rows |
//! | `health` | [`Health`], what an operator wants to know of a store |
//! | `memory` | the reference store |
//! | `moving` | [`Moving`], two stores as one while sessions move |
//! | [`guard`] | when to leave a store in trouble alone, as state machines |
//!
//! It never sees a session id, only its SHA-256 (but for layouts of others: [`Naming::Plain`]); it never renders a cookie and never asks a clock.

mod budget;
mod contract;
mod deadlines;
mod error;
pub mod guard;
mod health;
mod inventory;
mod layout;
mod look;
mod memory;
mod moving;
mod record;
mod summary;

#[cfg(feature = "conformance")]
pub mod conformance;

pub(crate) use budget::within;
pub use contract::{
    AtOnce, BoxFuture, Created, ExpiredSweep, Patched, SessionStore, UserSessions, Which,
};
pub use deadlines::Deadlines;
pub use error::StoreError;
pub use health::Health;
pub use inventory::{Batch, Cursor, Inventory, Sample, estimate};
pub use layout::{Layout, Naming};
pub use look::Rows;
pub use memory::{MemoryStore, WhenFull};
pub use moving::{Brought, Moving, bring_over, let_go};
pub use record::{Handle, Record, StoreKey};
pub use summary::{Position, Summary};
