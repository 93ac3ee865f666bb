//! Building blocks for adapters that need tokio's timers and tasks.
//!
//! * [`Guarded`] limits the impact of a failing store; [`GuardOptions`] contains its limits.
//! * [`Sweeping`] deletes expired sessions.
//! * [`CommitResponse`] commits the session at the end of a request for any [`ResponseAdapter`],
//!   even if the client disconnects; [`Checked`] is the response of a middleware that can refuse.
//!
//! Services use these types through their adapter, as `carafe::Guarded` or `carafe_actix::Guarded`.
//! This crate depends on no framework; all decisions about sessions are made in `carafe_core`.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod backoff;
mod checked;
mod commit_response;
mod detached_commit;
mod guarded;
mod sweeping;

pub use backoff::Backoff;
pub use checked::Checked;
pub use commit_response::{CommitResponse, ResponseAdapter};
pub use guarded::{CircuitRules, GuardOptions, GuardStatus, Guarded, RevocationRules};
pub use sweeping::{Sweeper, Sweeping};
