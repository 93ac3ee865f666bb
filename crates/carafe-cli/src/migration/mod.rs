//! Moving sessions from one store to another, a batch at a time. No more than one batch is ever in
//! memory.
//!
//! | file | holds |
//! |---|---|
//! | `source` | [`Source`]: where sessions come from; any store, and layouts that are not ours |
//! | `flask_source` | Flask-Session's layout as one |
//! | `origin` | [`Origin`]: whichever of them a URL names |
//! | `step` | what happens to one session, by copying or by moving |
//! | `batch` | many of them at once, and what is tried again |
//! | `run` | [`Migration`]: batch after batch, until the end or until a signal |
//! | `verify` | whether both sides hold the same |
//! | `tally` | what was counted; `state` keeps it with the place to go on from |
//! | `pace`, `progress`, `stop` | how fast, how far, and when not to go on |

mod batch;
#[cfg(feature = "flask-session")]
mod flask_source;
mod origin;
mod progress;
mod run;
mod source;
mod state;
mod step;
mod stop;
mod tally;
mod throttle;
mod verify;

pub(crate) use origin::Origin;
pub(crate) use progress::Progress;
pub(crate) use run::{Migration, Settings};
pub(crate) use source::{OurSource, Source};
pub(crate) use state::{Route, StateFile};
pub(crate) use step::Mode;
pub(crate) use stop::Stop;
pub(crate) use tally::{Tally, Trouble};
pub(crate) use verify::{Comparing, Comparison};
