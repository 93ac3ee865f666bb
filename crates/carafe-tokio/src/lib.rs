//! What adapters share and the engine must not have: timers and tasks of tokio.
//!
//! * [`Guarded`] keeps a store's trouble from becoming everybody's; [`GuardOptions`] has its bounds.
//! * [`Sweeping`] removes what has expired.
//! * [`Ending`] is the end of a request in any [`Framework`]: its commit runs to its end, also if the client hangs up.
//!
//! Services name these through their adapter, as `carafe::Guarded` or `carafe_actix::Guarded`. It knows no framework
//! and decides nothing about sessions: that is in `carafe_core`.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod ending;
mod guarded;
mod saving;
mod sweeping;

pub use ending::{Ending, Framework};
pub use guarded::{GuardOptions, GuardStatus, Guarded};
pub use sweeping::{Sweeper, Sweeping};
