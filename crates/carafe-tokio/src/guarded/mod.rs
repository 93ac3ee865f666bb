//! [`Guarded`], a store with deadlines, a circuit breaker, a concurrency limit and remembered
//! revocations.
//!
//! | file | contents |
//! |---|---|
//! | `guard` | [`Guarded`], and how options put it in front of a store |
//! | `contract`, `powers` | the methods of the store traits, each as one guarded call |
//! | `delivery` | the delivery of revocations to the store, and its task |
//! | `shared` | one call of the store: concurrency limit, circuit, deadline |
//! | `options` | [`GuardOptions`]: each limit with its default |
//! | `revocations` | the pending revocations, and the handle of the task |
//! | `journal` | the file that keeps undelivered revocations after a crash |
//! | `status` | [`GuardStatus`]: the counters for a health page |
//! | `circuit`, `window` | the circuit breaker, and its sliding window of call results |
//! | `failure` | the errors that count as failures of the store |
//! | `pending_revocation`, `pending_revocations` | one revocation; the queue of undelivered ones |
//!
//! The files from `circuit` on are pure state machines, which call no store and read no clock. The
//! others need tokio's runtime with its timers, as axum does.

mod circuit;
mod contract;
mod delivery;
mod failure;
mod guard;
mod journal;
mod options;
mod pending_revocation;
mod pending_revocations;
mod powers;
mod revocations;
mod shared;
mod status;
mod window;

pub use circuit::CircuitRules;
pub use guard::Guarded;
pub use options::GuardOptions;
pub use pending_revocations::RevocationRules;
pub use status::GuardStatus;
