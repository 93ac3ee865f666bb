//! What adapters share and the engine must not have: timers and tasks of tokio.
//!
//! * [`Guarded`] keeps a store's trouble from becoming everybody's; [`GuardOptions`] has its bounds.
//! * [`Sweeping`] removes what has expired.
//! * [`Saving`] brings a commit to its end, also if the client hangs up meanwhile.
//!
//! Services name these through their adapter, as `carafe::Guarded` or `carafe_actix::Guarded`. It knows no framework
//! and decides nothing about sessions: that is in `carafe_core`.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod guarded;
mod saving;
mod sweeping;

pub use guarded::{GuardOptions, GuardStatus, Guarded};
pub use saving::Saving;
pub use sweeping::{Sweeper, Sweeping};
