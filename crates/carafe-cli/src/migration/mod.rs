//! Moving sessions from one store to another, a batch at a time. No more than one batch is ever in
//! memory.
//!
//! | file | holds |
//! |---|---|
//! | `origin` | [`Origin`]: the source that a URL names |
//! | `run` | [`Migration`]: batch after batch, until the end or until a signal |
//! | `verify` | whether both sides hold the same |
//! | `state` | the counts and the place to go on from, in a file |
//! | `throttle`, `progress`, `stop` | how fast, how far, and when not to go on |
//!
//! The steps of one session and of a batch are `carafe_migration`'s, because flask-carafe has them
//! too.

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
