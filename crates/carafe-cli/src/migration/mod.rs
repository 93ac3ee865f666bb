//! Copies or moves sessions from one store to another in batches. Memory holds one batch at a time.
//!
//! | file | holds |
//! |---|---|
//! | `origin` | [`Origin`]: the source that a URL names |
//! | `run` | [`Migration`]: batch by batch, until the end or a signal |
//! | `verify` | [`Comparing`]: compares both stores |
//! | `state` | the state file with the counts and the position |
//! | `throttle`, `progress`, `stop` | the rate, the progress bar, signals |
//!
//! The steps of a session and of a batch are in `carafe_migration`, which flask-carafe uses, too.

mod origin;
mod progress;
mod run;
mod state;
mod stop;
mod throttle;
mod verify;

pub(crate) use origin::Origin;
pub(crate) use progress::Progress;
pub(crate) use run::{Migration, Settings};
pub(crate) use state::{Route, StateFile};
pub(crate) use stop::Stop;
pub(crate) use verify::{Comparing, Comparison};
