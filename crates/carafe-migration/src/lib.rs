//! Copies or moves sessions from one store to another.
//!
//! A caller scans a [`Source`] page by page and passes each page to [`Transfer::take_all`], which
//! counts the outcomes in a [`Tally`]. Every operation is idempotent, so an interrupted migration
//! can start again. The callers, `carafe migrate` and `flask carafe migrate`, decide where a
//! migration continues, its rate, and how its progress is shown.
//!
//! | file | holds |
//! |---|---|
//! | `tally` | [`Tally`]: the counts |
//! | `source` | [`Source`]: a store to read sessions from |
//! | `flask_source` | Flask-Session's layout as a source |
//! | `step` | copies or moves one session |
//! | `batch` | transfers a page of sessions concurrently |
//! | `retry` | retries |

mod batch;
#[cfg(feature = "flask-session")]
mod flask_source;
mod retry;
mod source;
mod step;
mod tally;

pub use batch::Halt;
#[cfg(feature = "flask-session")]
pub use flask_source::FlaskSource;
pub use retry::again;
pub use source::{Found, OurSource, ScanPage, Source};
pub use step::{Mode, Outcome, Transfer};
pub use tally::{Tally, Trouble, short};
