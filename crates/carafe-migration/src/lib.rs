//! Brings sessions from one store to another.
//!
//! A caller walks through a [`Source`] page by page and hands each page to [`Transfer::take_all`],
//! which counts the outcomes in a [`Tally`]. Every operation may be repeated, so a migration that
//! was interrupted starts again. The callers, `carafe migrate` and `flask carafe migrate`, decide
//! where it goes on, how fast it is and how it is shown.
//!
//! | file | holds |
//! |---|---|
//! | `tally` | [`Tally`]: the counts |
//! | `source` | [`Source`]: where sessions come from |
//! | `flask_source` | Flask-Session's layout as a source |
//! | `step` | what happens to one session, by copying or by moving |
//! | `batch` | many sessions at once |
//! | `retry` | operations that are tried again |

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
