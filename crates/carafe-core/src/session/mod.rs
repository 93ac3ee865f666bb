//! Sessions: a dictionary that one browser brings with every request.
//!
//! The way of a request: [`SessionManager::begin`] makes a [`Slot`] and looks at nothing; the first use
//! opens it, which finds, verifies and scans the cookie; handlers work on [`Session`], synchronously; at
//! the end [`SessionManager::commit`] asks the pure function [`decide`] what to do and renders it.
//!
//! | file | holds |
//! |---|---|
//! | `data` | the dictionary, each value as the JSON text it came as |
//! | `packed` | a dictionary as bytes that need no scan |
//! | `patch` | what this request changed, applicable to any later state |
//! | `handle` | [`Session`], what a handler holds |
//! | `decide` | the decision, as a truth table |
//! | `manager` | opening and committing |
//! | `effects`, `head` | what the response's headers get |
//!
//! It never does I/O, never asks a clock and never knows a framework.

mod applied;
mod client_side;
mod commit;
mod commit_error;
mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
mod data;
mod decide;
mod effects;
mod expiry;
mod flash;
mod handle;
mod head;
mod limit;
mod manager;
mod on_corrupt;
mod packed;
mod patch;
mod plan;
mod rejection;
mod search;
mod server_side;
mod side;
mod slot;
mod verbs;

pub use client_side::ClientSide;
pub use commit::Committing;
pub use commit_error::CommitError;
pub use config::{Duplicates, SessionConfig};
pub use data::SessionData;
pub use decide::{Commit, Decision, Facts, Policy, Refresh, decide};
pub use effects::{Effects, vary_with_cookie};
pub use expiry::Timeouts;
pub use flash::Flash;
pub use handle::{Session, SessionError};
pub use head::{Field, ResponseHead};
pub use limit::AtLimit;
pub use manager::{Opening, SessionManager};
pub use on_corrupt::OnCorrupt;
pub use patch::{Change, FactChanges, Patch, Rerun, Seen, Update};
pub use plan::{StoredFacts, Verb, verb};
pub use rejection::SessionRejection;
pub use server_side::ServerSide;
pub use side::Side;
pub use slot::{Loaded, Rejection, Slot};
