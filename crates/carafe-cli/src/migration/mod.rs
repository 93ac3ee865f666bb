//! Copies or moves sessions from one store to another in batches. Memory holds one batch at a time.
//!
//! | file | holds |
//! |---|---|
//! | `source` | [`Source`]: a store to read sessions from |
//! | `flask_source` | Flask-Session's layout as a source |
//! | `origin` | [`Origin`]: the source that a URL names |
//! | `step` | copies or moves one session |
//! | `batch` | transfers a page of sessions concurrently, with retries |
//! | `run` | [`Migration`]: batch by batch, until the end or a signal |
//! | `verify` | [`Comparing`]: compares both stores |
//! | `tally`, `state` | the counts; the state file that holds them and the position |
//! | `throttle`, `progress`, `stop` | the rate, the progress bar, signals |

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
